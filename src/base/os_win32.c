/* SPDX-License-Identifier: MIT
 * Clocks, chance, error texts and numbers on Windows. */
#include "os.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "random.h"

#include <bcrypt.h>

#define EPOCH_IN_FILETIME INT64_C(116444736000000000) /* 1970 in 100 ns */

int64_t clock_monotonic(void) {
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&frequency);
    /* In two parts: ticks times 10^9 would overflow after some hours. */
    return ticks.QuadPart / frequency.QuadPart * CLOCK_SECOND +
           ticks.QuadPart % frequency.QuadPart * CLOCK_SECOND /
               frequency.QuadPart;
}

int64_t clock_wall(void) {
    FILETIME time;
    int64_t ticks;
    GetSystemTimePreciseAsFileTime(&time);
    ticks = (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
    return (ticks - EPOCH_IN_FILETIME) * 100;
}

HRESULT random_system(void *bytes, size_t length, struct hcs_error *error) {
    unsigned char *at = bytes;
    while (length > 0) {
        ULONG part = length > 0x10000000 ? 0x10000000 : (ULONG)length;
        if (BCryptGenRandom(NULL, at, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG))
            return error_set(error, E_FAIL, NULL, "get random bytes: refused");
        at += part;
        length -= part;
    }
    return S_OK;
}

uint32_t os_process_id(void) {
    return GetCurrentProcessId();
}

int waitable_number(hcs_waitable waitable) {
    return waitable ? (int)HandleToLong(waitable) : -1;
}

void os_error_text(int number, char *out, size_t size) {
    char unknown[64]; /* what the library says of any that it does not know */
    if (strerror_s(unknown, sizeof unknown, INT_MAX))
        unknown[0] = '\0';
    if (strerror_s(out, size, number) || strcmp(out, unknown) == 0)
        snprintf(out, size, "system error %d", number);
}

#if defined(__MINGW32__) && !defined(_UCRT)

#define EXPONENT_MOST 100000000 /* far past any double, far from overflow */

/* "e-12" as a number, cut to what can matter. */
static long exponent_of(const char *text) {
    bool negative = text[1] == '-';
    long value = 0;
    for (text += 1 + (text[1] == '-' || text[1] == '+'); *text; text++)
        if (value < EXPONENT_MOST)
            value = value * 10 + (*text - '0');
    return negative ? -value : value;
}

/* The old library's own strtod rounds some numbers to the wrong neighbour, and
 * the exact one of mingw takes the locale's decimal point: so it gets a whole
 * number, with its exponent made smaller by the digits after the point. */
bool os_strtod(const char *text, double *out) {
    size_t digits = strcspn(text, "eE");
    const char *point = memchr(text, '.', digits);
    size_t whole = point ? (size_t)(point - text) : digits;
    size_t fraction = point ? digits - whole - 1 : 0;
    long exponent = text[digits] ? exponent_of(text + digits) : 0;
    size_t size = digits + 32;
    char *copy = fraction < EXPONENT_MOST ? malloc(size) : NULL;

    if (!copy)
        return false;
    memcpy(copy, text, whole);
    if (fraction > 0)
        memcpy(copy + whole, point + 1, fraction);
    snprintf(copy + whole + fraction, size - whole - fraction, "e%ld",
             exponent - (long)fraction);
    *out = strtod(copy, NULL);
    free(copy);
    return true;
}

#else

bool os_strtod(const char *text, double *out) {
    _locale_t plain = _create_locale(LC_ALL, "C");
    if (!plain)
        return false;
    *out = _strtod_l(text, NULL, plain);
    _free_locale(plain);
    return true;
}

#endif
