/* SPDX-License-Identifier: MIT
 * Finding and loading the library below the ABI on Windows: Microsoft's
 * computecore.dll from the system's folder and from nowhere else, or a library
 * named by an absolute path. */
#include "lhcs.h"

#include <string.h>

static char module_folder[1024];

static bool narrow(const WCHAR *wide, char *out, size_t size) {
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, out,
                               (int)size, NULL, NULL) > 0;
}

void library_locate(void) {
    WCHAR path[MAX_PATH];
    HMODULE self = NULL;
    DWORD length;
    char *slash;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_PIN,
                            (const WCHAR *)(const void *)module_folder, &self))
        return;
    length = GetModuleFileNameW(self, path, MAX_PATH);
    if (length == 0 || length >= MAX_PATH ||
        !narrow(path, module_folder, sizeof(module_folder))) {
        module_folder[0] = '\0';
        return;
    }
    slash = strrchr(module_folder, '\\');
    if (slash != NULL)
        slash[1] = '\0';
}

static bool is_absolute(const char *path) {
    return (path[0] == '\\' && path[1] == '\\') ||
           (path[0] != '\0' && path[1] == ':' &&
            (path[2] == '\\' || path[2] == '/'));
}

/* What is to be loaded, and how it is searched for. */
static HRESULT choose(bool windows, const char *override, char *out,
                      size_t size, DWORD *flags, struct hcs_error *error) {
    const char *folder = windows ? "" : module_folder;
    const char *name = windows ? "computecore.dll" : "hcshost.dll";
    char variable[1024];
    DWORD length =
        GetEnvironmentVariableA("HCS_LIBRARY", variable, sizeof(variable));
    if (override == NULL && length > 0 && length < sizeof(variable))
        override = variable;
    *flags = LOAD_LIBRARY_SEARCH_SYSTEM32;
    if (override != NULL) {
        if (!is_absolute(override))
            return error_set(error, E_INVALIDARG, NULL,
                             "not an absolute path: '%s'", override);
        folder = "";
        name = override;
    }
    if (override != NULL || !windows)
        *flags |= LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR;
    if (strlen(folder) + strlen(name) >= size)
        return error_set(error, E_INVALIDARG, NULL, "path too long");
    memcpy(out, folder, strlen(folder));
    memcpy(out + strlen(folder), name, strlen(name) + 1);
    return S_OK;
}

HRESULT library_load(struct lhcs_library *library, bool windows,
                     const char *override, struct hcs_error *error) {
    WCHAR path[1024];
    DWORD flags;
    HMODULE module;
    HRESULT hr = choose(windows, override, library->path, sizeof(library->path),
                        &flags, error);
    if (FAILED(hr))
        return hr;
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, library->path, -1,
                            path, 1024) == 0)
        return error_set(error, E_INVALIDARG, NULL,
                         "the library's path is not UTF-8");
    module = LoadLibraryExW(path, NULL, flags);
    if (module == NULL)
        return error_set(error, HRESULT_FROM_WIN32(GetLastError()), NULL,
                         "cannot load '%s' (Windows error %lu)%s",
                         library->path, GetLastError(),
                         windows ? "; the Hyper-V or Virtual Machine Platform "
                                   "feature provides it"
                                 : "");
    library->module = module;
    library->local_free = LocalFree;
    library->close_handle = CloseHandle;
    if (GetModuleFileNameW(module, path, 1024) != 0)
        (void)narrow(path, library->path, sizeof(library->path));
    return S_OK;
}

void *library_symbol(const struct lhcs_library *library, const char *name) {
    FARPROC found = GetProcAddress(library->module, name);
    void *address;
    memcpy(&address, &found, sizeof(address));
    return address;
}
