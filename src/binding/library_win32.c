/* SPDX-License-Identifier: MIT
 * Finding and loading the library below the ABI on Windows: Microsoft's DLLs
 * from the system's folder and from nowhere else, our host from beside this
 * module, or one library named by an absolute path.
 *
 * Windows takes a DLL of the same name that the process has loaded already,
 * wherever that came from; api.library says which it is. */
#include "lhcs.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "../base/utf.h"
#include "provider.h"

#define HOST_NAME L"hcshost.dll"
#define PATH_MOST 32768 /* units of the longest path of Windows */

/* Where this module lies, with the backslash; NULL when that is not known. */
static WCHAR *module_folder;

/* --- names -------------------------------------------------------------- */

/* The malloc'd path of a loaded module. */
static WCHAR *path_of(HMODULE module) {
    WCHAR *path = NULL;
    for (DWORD size = MAX_PATH; size <= PATH_MOST; size *= 2) {
        WCHAR *more = realloc(path, size * sizeof(*path));
        DWORD length;
        if (more == NULL)
            break;
        path = more;
        length = GetModuleFileNameW(module, path, size);
        if (length > 0 && length < size)
            return path;
        if (length == 0)
            break;
    }
    free(path);
    return NULL;
}

/* The module stays from here on: its functions may be called after lua_close,
 * which takes modules out of the process. */
void library_locate(void) {
    HMODULE self = NULL;
    WCHAR *slash;
    if (module_folder != NULL ||
        !GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_PIN,
                            (const WCHAR *)(const void *)&module_folder, &self))
        return;
    module_folder = path_of(self);
    slash = module_folder != NULL ? wcsrchr(module_folder, L'\\') : NULL;
    if (slash != NULL)
        slash[1] = L'\0';
}

static WCHAR *join(const WCHAR *first, const WCHAR *second) {
    size_t length = wcslen(first);
    size_t rest = wcslen(second) + 1;
    WCHAR *whole = malloc((length + rest) * sizeof(*whole));
    if (whole != NULL) {
        memcpy(whole, first, length * sizeof(*whole));
        memcpy(whole + length, second, rest * sizeof(*whole));
    }
    return whole;
}

static HRESULT no_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

/* --- an override --------------------------------------------------------- */

/* From a drive or a share: what "\x" and "c:x" mean changes with the drive
 * and the folder a process is in. */
static bool is_absolute(const WCHAR *path) {
    WCHAR letter = (WCHAR)(path[0] | 0x20);
    if (path[0] == L'\\' && path[1] == L'\\')
        return path[2] != L'\0' && path[2] != L'\\';
    return letter >= L'a' && letter <= L'z' && path[1] == L':' &&
           path[2] == L'\\';
}

/* The malloc'd value of a variable, NULL when it is not set or empty. */
static HRESULT read_variable(const WCHAR *name, WCHAR **out,
                             struct hcs_error *error) {
    DWORD size = 0;
    *out = NULL;
    for (;;) {
        WCHAR *value;
        DWORD length = GetEnvironmentVariableW(name, *out, size);
        if (length == 0) {
            free(*out);
            *out = NULL;
            return S_OK;
        }
        if (length < size)
            return S_OK;
        size = length + 1;
        value = realloc(*out, size * sizeof(**out));
        if (value == NULL) {
            free(*out);
            *out = NULL;
            return no_memory(error);
        }
        *out = value;
    }
}

/* Whole, and in the form that may be longer than MAX_PATH if it must be. */
static HRESULT make_full(WCHAR **path, struct hcs_error *error) {
    DWORD size = GetFullPathNameW(*path, 0, NULL, NULL);
    WCHAR *full = malloc(((size_t)size + 1) * sizeof(*full));
    WCHAR *longer = NULL;
    if (full == NULL)
        return no_memory(error);
    if (size == 0 || GetFullPathNameW(*path, size + 1, full, NULL) == 0) {
        free(full);
        return error_win32(error, GetLastError(), "the library's path");
    }
    free(*path);
    *path = full;
    if (wcslen(full) < MAX_PATH || wcsncmp(full, L"\\\\?\\", 4) == 0)
        return S_OK;
    if (full[0] == L'\\')
        longer = join(L"\\\\?\\UNC", full + 1);
    else
        longer = join(L"\\\\?\\", full);
    if (longer == NULL)
        return no_memory(error);
    free(full);
    *path = longer;
    return S_OK;
}

/* Checks what was given and makes it fit to be loaded. */
static HRESULT check_override(WCHAR **path, const char *source,
                              struct hcs_error *error) {
    for (WCHAR *at = *path; *at != L'\0'; at++)
        if (*at == L'/')
            *at = L'\\';
    if (!is_absolute(*path)) {
        char *text = NULL;
        HRESULT hr = E_INVALIDARG;
        if (SUCCEEDED(utf8_from_utf16(*path, wcslen(*path), &text, NULL, NULL)))
            hr = error_set(error, E_INVALIDARG, NULL,
                           "%s: not an absolute path (like C:\\folder\\x.dll "
                           "or \\\\server\\share\\x.dll): '%s'",
                           source, text);
        else
            hr = error_set(error, E_INVALIDARG, NULL,
                           "%s: not an absolute path", source);
        free(text);
        return hr;
    }
    if (wcslen(*path) >= PATH_MOST - 16)
        return error_set(error, E_INVALIDARG, NULL, "%s: path too long",
                         source);
    return make_full(path, error);
}

/* The path that somebody chose, malloc'd, or NULL. */
static HRESULT find_override(const char *option, WCHAR **out,
                             const char **source, struct hcs_error *error) {
    HRESULT hr;
    *out = NULL;
    if (option != NULL && option[0] != '\0') {
        *source = "library option";
        hr = utf16_from_utf8(option, strlen(option), out, NULL, error);
    } else {
        *source = "HCS_LIBRARY";
        hr = read_variable(L"HCS_LIBRARY", out, error);
    }
    if (FAILED(hr) || *out == NULL)
        return hr;
    hr = check_override(out, *source, error);
    if (FAILED(hr)) {
        free(*out);
        *out = NULL;
    }
    return hr;
}

/* --- loading ------------------------------------------------------------- */

/* *out is the path of what was loaded, or else what was asked for. */
static HRESULT note_path(char **out, HMODULE module, const WCHAR *asked,
                         struct hcs_error *error) {
    WCHAR *loaded = module != NULL ? path_of(module) : NULL;
    const WCHAR *path = loaded != NULL ? loaded : asked;
    HRESULT hr = utf8_from_utf16(path, wcslen(path), out, NULL, error);
    free(loaded);
    return hr;
}

static bool exists(const WCHAR *path) {
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* Loads a file with all functions; its own needs are found beside it. */
static HRESULT load_file(struct lhcs_library *library, const WCHAR *path,
                         const char *source, struct hcs_error *error) {
    HMODULE module = LoadLibraryExW(path, NULL,
                                    LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR |
                                        LOAD_LIBRARY_SEARCH_SYSTEM32);
    DWORD code = module == NULL ? GetLastError() : 0;
    HRESULT hr = note_path(&library->path, module, path, error);
    if (FAILED(hr) || module != NULL) {
        library->module = module;
        return hr;
    }
    /* Windows says the same of a file that is missing and of one that misses
     * another. */
    if (code == ERROR_MOD_NOT_FOUND && !exists(path))
        code = ERROR_FILE_NOT_FOUND;
    return error_win32(error, code, "cannot load '%s' (%s, Windows error %lu)",
                       library->path, source, code);
}

static HRESULT load_beside(struct lhcs_library *library,
                           struct hcs_error *error) {
    WCHAR *path;
    HRESULT hr;
    if (module_folder == NULL)
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "cannot tell where the module hcs.core lies; name "
                         "the library in HCS_LIBRARY");
    path = join(module_folder, HOST_NAME);
    if (path == NULL)
        return no_memory(error);
    hr = load_file(library, path, "beside the module hcs.core", error);
    free(path);
    return hr;
}

#define NAME_MOST 64 /* units of a file's bare name, with its end */

/* The file of a DLL that functions.def names. */
static bool file_name(const char *dll, WCHAR out[NAME_MOST]) {
    static const WCHAR extension[] = L".dll";
    size_t length = strlen(dll);
    if (length + HCS_COUNT(extension) > NAME_MOST)
        return false;
    for (size_t i = 0; i < length; i++)
        out[i] = (WCHAR)(unsigned char)dll[i];
    memcpy(out + length, extension, sizeof(extension));
    return true;
}

/* One of Microsoft's, by its bare name. S_FALSE: it is not there. */
static HRESULT load_from_system(struct lhcs_dll *dll, DWORD *code,
                                struct hcs_error *error) {
    WCHAR name[NAME_MOST];
    HMODULE module;
    if (!file_name(dll->name, name))
        return error_set(error, E_INVALIDARG, NULL, "what DLL is '%s'?",
                         dll->name);
    module = LoadLibraryExW(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (module == NULL) {
        *code = GetLastError();
        return S_FALSE;
    }
    dll->module = module;
    return note_path(&dll->path, module, name, error);
}

/* --- the provider of saved states ----------------------------------------- */

#define PROVIDER "vmsavedstatedumpprovider"
#define PROVIDER_FILE L"vmsavedstatedumpprovider.dll"
#define PROVIDER_PROGRAM L"hcs-provider.exe"
#define PROVIDER_SECONDS 60u
#define PROVIDER_SECONDS_MOST 86400u

/* Beside the program that this process runs, malloc'd; NULL: not there. */
static WCHAR *beside_program(const WCHAR *name) {
    WCHAR *path = path_of(NULL), *whole;
    WCHAR *slash = path != NULL ? wcsrchr(path, L'\\') : NULL;
    if (slash == NULL) {
        free(path);
        return NULL;
    }
    slash[1] = L'\0';
    whole = join(path, name);
    free(path);
    if (whole != NULL && exists(whole))
        return whole;
    free(whole);
    return NULL;
}

/* How long a call of it may take. */
static HRESULT provider_seconds(unsigned *seconds, struct hcs_error *error) {
    WCHAR *text = NULL, *end = NULL;
    unsigned long value = PROVIDER_SECONDS;
    HRESULT hr = read_variable(L"HCS_DUMP_PROVIDER_SECONDS", &text, error);
    if (SUCCEEDED(hr) && text != NULL) {
        value = wcstoul(text, &end, 10);
        if (*text < L'0' || *text > L'9' || *end != L'\0' || value < 1 ||
            value > PROVIDER_SECONDS_MOST)
            hr = error_set(error, E_INVALIDARG, NULL,
                           "HCS_DUMP_PROVIDER_SECONDS is a number from 1 to %u",
                           PROVIDER_SECONDS_MOST);
    }
    free(text);
    *seconds = (unsigned)value;
    return hr;
}

/* Windows has none: it is the SDK's. HCS_DUMP_PROVIDER says where it is, or it
 * lies beside the program. It is not loaded here (provider.h). S_FALSE: it is
 * not there. */
static HRESULT find_provider(struct lhcs_dll *dll, struct hcs_error *error) {
    WCHAR *path = NULL, *program = NULL;
    unsigned seconds = 0;
    HRESULT hr = read_variable(L"HCS_DUMP_PROVIDER", &path, error);
    if (SUCCEEDED(hr) && path != NULL)
        hr = check_override(&path, "HCS_DUMP_PROVIDER", error);
    else if (SUCCEEDED(hr))
        path = beside_program(PROVIDER_FILE);
    if (SUCCEEDED(hr))
        hr = provider_seconds(&seconds, error);
    if (SUCCEEDED(hr) && (path == NULL || module_folder == NULL)) {
        hr = S_FALSE;
    } else if (SUCCEEDED(hr)) {
        program = join(module_folder, PROVIDER_PROGRAM);
        hr = program != NULL ? provider_choose(path, program, seconds, error)
                             : no_memory(error);
        if (SUCCEEDED(hr))
            hr = note_path(&dll->path, NULL, path, error);
    }
    free(program);
    free(path);
    return hr;
}

/* --- all of Microsoft's --------------------------------------------------- */

/* Each as far as it is there; it is an error when none is. */
static HRESULT load_system(struct lhcs_library *library,
                           struct hcs_error *error) {
    const char *names[LHCS_DLLS];
    size_t count = library_dlls(names);
    DWORD first = 0;
    for (size_t i = 0; i < count; i++) {
        struct lhcs_dll *dll = &library->dlls[i];
        DWORD code = 0;
        HRESULT hr;
        dll->name = names[i];
        hr = strcmp(dll->name, PROVIDER) == 0
                 ? find_provider(dll, error)
                 : load_from_system(dll, &code, error);
        if (i == 0)
            first = code;
        if (hr == S_OK && library->path == NULL) {
            library->path = _strdup(dll->path);
            if (library->path == NULL)
                hr = no_memory(error);
        }
        if (FAILED(hr))
            return hr;
    }
    if (library->path != NULL)
        return S_OK;
    return error_win32(error, first,
                       "cannot load %s.dll from the system's folder, where the "
                       "Windows feature Hyper-V or Virtual Machine Platform "
                       "puts it (Windows error %lu)",
                       names[0], first);
}

HRESULT library_load(struct lhcs_library *library, bool windows,
                     const char *override, struct hcs_error *error) {
    WCHAR *path;
    const char *source;
    HRESULT hr = find_override(override, &path, &source, error);
    if (FAILED(hr))
        return hr;
    library->local_free = LocalFree;
    library->close_handle = CloseHandle;
    if (path != NULL)
        hr = load_file(library, path, source, error);
    else if (windows)
        hr = load_system(library, error);
    else
        hr = load_beside(library, error);
    free(path);
    return hr;
}

void library_forget(struct lhcs_library *library) {
    free(library->path);
    library->path = NULL;
    for (size_t i = 0; i < LHCS_DLLS; i++) {
        free(library->dlls[i].path);
        library->dlls[i].path = NULL;
    }
}

static void *module_of(const struct lhcs_library *library, const char *dll) {
    if (library->module != NULL || dll == NULL)
        return library->module;
    for (size_t i = 0; i < LHCS_DLLS && library->dlls[i].name != NULL; i++)
        if (strcmp(library->dlls[i].name, dll) == 0)
            return library->dlls[i].module;
    return NULL;
}

/* Whether the DLL is there, but in another process. */
static bool stands_in(const struct lhcs_library *library, const char *dll) {
    for (size_t i = 0; i < LHCS_DLLS && library->dlls[i].name != NULL; i++)
        if (dll != NULL && strcmp(library->dlls[i].name, dll) == 0)
            return library->dlls[i].path != NULL;
    return false;
}

void *library_symbol(const struct lhcs_library *library, const char *dll,
                     const char *name) {
    void *module = module_of(library, dll);
    FARPROC found;
    if (module == NULL && stands_in(library, dll))
        return provider_symbol(name);
    found = module != NULL ? GetProcAddress(module, name) : NULL;
    void *address;
    memcpy(&address, &found, sizeof(address));
    return address;
}
