/* SPDX-License-Identifier: MIT
 * hcs-provider DLL: calls the functions of vmsavedstatedumpprovider.dll for the
 * process at the other end of its standard input and output. What the DLL ends
 * is this process, and nobody else's. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "calls.h"

static HANDLE input, output;

static bool read_all(void *bytes, DWORD size) {
    char *at = bytes;
    while (size > 0) {
        DWORD got = 0;
        if (!ReadFile(input, at, size, &got, NULL) || got == 0)
            return false;
        at += got;
        size -= got;
    }
    return true;
}

static bool write_all(const void *bytes, DWORD size) {
    const char *at = bytes;
    while (size > 0) {
        DWORD done = 0;
        if (!WriteFile(output, at, size, &done, NULL) || done == 0)
            return false;
        at += done;
        size -= done;
    }
    return true;
}

/* One request; false when there are no more. */
static bool serve(struct provider *provider) {
    struct provider_request request;
    struct provider_answer answer = {.result = E_OUTOFMEMORY};
    void *bytes = NULL, *out = NULL;
    bool ok =
        read_all(&request, sizeof request) && request.length <= PROVIDER_MOST;

    if (!ok)
        return false;
    /* Two ends of text behind what came: it may be no text at all. */
    bytes = calloc(1, (size_t)request.length + 4);
    if (!bytes || !read_all(bytes, request.length)) {
        free(bytes);
        return false;
    }
    provider_call(provider, &request, bytes, &answer, &out);
    ok = write_all(&answer, sizeof answer) && write_all(out, answer.length);
    free(out);
    free(bytes);
    return ok;
}

int wmain(int count, WCHAR **arguments);
int wmain(int count, WCHAR **arguments) {
    struct provider provider = {0};

    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX |
                 SEM_NOOPENFILEERRORBOX);
    input = GetStdHandle(STD_INPUT_HANDLE);
    output = GetStdHandle(STD_OUTPUT_HANDLE);
    if (count != 2)
        return 2;
    provider.module = LoadLibraryExW(arguments[1], NULL,
                                     LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR |
                                         LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!provider.module)
        provider.missing = HRESULT_FROM_WIN32(GetLastError());
    while (serve(&provider))
        ;
    return 0;
}
