/* SPDX-License-Identifier: MIT */
#include "surroundings.h"

#include <stdlib.h>
#include <string.h>

#include "../base/utf.h"

#define NO_HOST_TEXT                                                      \
    "no host: HCS_HOST is not set; set it to \"sim:\" for the simulated " \
    "host, which is the only one that this library has on Windows"

/* The variable's value, malloc'd; NULL where it is not set or empty. */
static WCHAR *variable(const WCHAR *name) {
    WCHAR *value = NULL;
    DWORD size = 64, length;

    do { /* another thread may make it longer meanwhile */
        free(value);
        value = malloc(size * sizeof *value);
        length = value ? GetEnvironmentVariableW(name, value, size) : 0;
        if (length < size)
            break;
        size = length;
    } while (true);
    if (length > 0)
        return value;
    free(value);
    return NULL;
}

HRESULT surroundings_spec(char **spec, bool *named, struct hcs_error *error) {
    WCHAR *text = variable(L"HCS_HOST");
    HRESULT hr;

    *named = false;
    if (!text)
        return error_set(error, HCS_E_SERVICE_NOT_AVAILABLE, NULL,
                         NO_HOST_TEXT);
    hr = utf8_from_utf16(text, utf16_length(text), spec, NULL, error);
    free(text);
    *named = SUCCEEDED(hr);
    return hr;
}

int64_t surroundings_processors(void) {
    DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    return count > 0 ? (int64_t)count : 1;
}

/* What the system tells about all processors that share something; malloc'd,
 * NULL where it tells nothing. */
static char *relations(LOGICAL_PROCESSOR_RELATIONSHIP kind, DWORD *size) {
    char *text = NULL;
    *size = 0;
    GetLogicalProcessorInformationEx(kind, NULL, size);
    if (*size > 0)
        text = malloc(*size);
    if (text &&
        !GetLogicalProcessorInformationEx(
            kind, (PSYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX)(void *)text,
            size)) {
        free(text);
        text = NULL;
    }
    return text;
}

/* Whether the processor is one of those; they are counted through the groups,
 * 64 in each at most. */
static bool includes(const PROCESSOR_RELATIONSHIP *some, int64_t index) {
    WORD group = 0;
    int64_t active = (int64_t)GetActiveProcessorCount(0);
    while (index >= active && active > 0) {
        index -= active;
        active = (int64_t)GetActiveProcessorCount(++group);
    }
    for (WORD i = 0; i < some->GroupCount; i++)
        if (some->GroupMask[i].Group == group && index < 64 &&
            some->GroupMask[i].Mask >> index & 1)
            return true;
    return false;
}

/* The number of the first such relation that the processor is part of. */
static int64_t place_in(LOGICAL_PROCESSOR_RELATIONSHIP kind, int64_t index) {
    DWORD size, at = 0;
    char *text = relations(kind, &size);
    int64_t number = 0;

    while (text && at < size) {
        const SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX *one =
            (const void *)(text + at);
        if (includes(&one->Processor, index))
            break;
        at += one->Size;
        number++;
    }
    if (!text || at >= size)
        number = 0;
    free(text);
    return number;
}

struct processor surroundings_processor(int64_t index) {
    struct processor place = {place_in(RelationProcessorPackage, index),
                              place_in(RelationProcessorCore, index)};
    return place;
}

HRESULT surroundings_full_path(const char *path, char **out,
                               struct hcs_error *error) {
    WCHAR *name = NULL, *full = NULL;
    HRESULT hr = utf16_from_utf8(path, strlen(path), &name, NULL, error);
    DWORD size = SUCCEEDED(hr) ? GetFullPathNameW(name, 0, NULL, NULL) : 0;

    if (SUCCEEDED(hr) && size == 0)
        hr = error_win32(error, GetLastError(), "'%s'", path);
    if (SUCCEEDED(hr)) {
        full = malloc((size_t)size * sizeof *full);
        if (!full)
            hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for a path");
    }
    if (SUCCEEDED(hr)) {
        DWORD length = GetFullPathNameW(name, size, full, NULL);
        if (length == 0 || length >= size) /* another thread went elsewhere */
            hr = error_win32(error, GetLastError(), "'%s'", path);
        else
            hr = utf8_from_utf16(full, length, out, NULL, error);
    }
    free(full);
    free(name);
    return hr;
}

void surroundings_pin(void) {
    static const char here = 0; /* in the library's own pages */
    HMODULE module;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN |
                           GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (LPCWSTR)(const void *)&here, &module);
}
