/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf.h"

#define ENGLISH MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US)

/* Takes away the end of line that system messages have. */
static size_t without_end(const WCHAR *text, size_t length) {
    while (length > 0 && text[length - 1] <= L' ')
        length--;
    return length;
}

/* The system's own words: in English where it has them. */
static bool system_text(DWORD code, char *out, size_t size) {
    const DWORD how =
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    WCHAR wide[256];
    char *text;
    DWORD length = FormatMessageW(how, NULL, code, ENGLISH, wide,
                                  (DWORD)HCS_COUNT(wide), NULL);
    if (!length)
        length = FormatMessageW(how, NULL, code, 0, wide,
                                (DWORD)HCS_COUNT(wide), NULL);
    if (!length || FAILED(utf8_from_utf16(wide, without_end(wide, length),
                                          &text, NULL, NULL)))
        return false;
    snprintf(out, size, "%s", text);
    free(text);
    return true;
}

/* Our own words come first: they are the same on every machine. */
static void text_of(DWORD code, char *out, size_t size) {
    const char *known = hresult_text(HRESULT_FROM_WIN32(code));
    if (known)
        snprintf(out, size, "%s", known);
    else if (!system_text(code, out, size))
        snprintf(out, size, "system error %lu", (unsigned long)code);
}

HRESULT error_win32(struct hcs_error *error, DWORD code, const char *format,
                    ...) {
    char why[256];
    va_list args;

    text_of(code, why, sizeof why);
    va_start(args, format);
    error_because(error, HRESULT_FROM_WIN32(code), why, format, args);
    va_end(args);
    return HRESULT_FROM_WIN32(code);
}
