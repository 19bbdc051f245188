/* SPDX-License-Identifier: MIT
 * Finding and loading the library below the ABI, where it is the embedded
 * host: beside this module, or where one says. */
#include "lhcs.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY_NAME "libhcshost.so"

/* Where this module lies, with the slash; "" when that cannot be known. */
static char module_folder[PATH_MAX];

/* Relative names (./?.so) are made whole here, before anybody changes the
 * working directory. */
void library_locate(void) {
    Dl_info info;
    char path[PATH_MAX];
    char *slash;
    if (module_folder[0] != '\0')
        return;
    if (dladdr(&module_folder, &info) == 0 || info.dli_fname == NULL ||
        realpath(info.dli_fname, path) == NULL)
        return;
    slash = strrchr(path, '/');
    if (slash != NULL) {
        slash[1] = '\0';
        memcpy(module_folder, path, strlen(path) + 1);
    }
}

static HRESULT choose(const char *override, const char **source, char *out,
                      size_t size, struct hcs_error *error) {
    *source = "library option";
    if (override == NULL) {
        override = secure_getenv("HCS_LIBRARY");
        *source = "HCS_LIBRARY";
    }
    if (override != NULL && override[0] != '\0') {
        if (override[0] != '/')
            return error_set(error, E_INVALIDARG, NULL,
                             "%s: not an absolute path: '%s'", *source,
                             override);
        if (strlen(override) >= size)
            return error_set(error, E_INVALIDARG, NULL, "%s: path too long",
                             *source);
        memcpy(out, override, strlen(override) + 1);
        return S_OK;
    }
    *source = "beside the module hcs.core";
    if (module_folder[0] == '\0' ||
        strlen(module_folder) + sizeof(LIBRARY_NAME) > size)
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "cannot tell where the module hcs.core lies; name "
                         "the library in HCS_LIBRARY");
    memcpy(out, module_folder, strlen(module_folder));
    memcpy(out + strlen(module_folder), LIBRARY_NAME, sizeof(LIBRARY_NAME));
    return S_OK;
}

static HRESULT find_frees(struct lhcs_library *library,
                          struct hcs_error *error) {
    void *local_free = library_symbol(library, NULL, "LocalFree");
    void *close_handle = library_symbol(library, NULL, "CloseHandle");
    if (local_free == NULL || close_handle == NULL)
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "'%s' is not a host library: it has no %s",
                         library->path,
                         local_free == NULL ? "LocalFree" : "CloseHandle");
    memcpy(&library->local_free, &local_free, sizeof(local_free));
    memcpy(&library->close_handle, &close_handle, sizeof(close_handle));
    return S_OK;
}

HRESULT library_load(struct lhcs_library *library, bool windows,
                     const char *override, struct hcs_error *error) {
    char path[PATH_MAX];
    const char *source;
    HRESULT hr;
    if (windows)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "Windows' own compute service is on Windows only; "
                         "here there are sim: and qemu:");
    hr = choose(override, &source, path, sizeof(path), error);
    if (FAILED(hr))
        return hr;
    library->path = strdup(path);
    if (library->path == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    library->module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library->module == NULL)
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "cannot load the host library (%s): %s", source,
                         dlerror());
    return find_frees(library, error);
}

void library_forget(struct lhcs_library *library) {
    free(library->path);
    library->path = NULL;
}

/* One library has all functions. */
void *library_symbol(const struct lhcs_library *library, const char *dll,
                     const char *name) {
    (void)dll;
    return dlsym(library->module, name);
}
