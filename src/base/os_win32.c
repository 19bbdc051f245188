/* SPDX-License-Identifier: MIT
 * Clocks, chance, error texts and numbers on Windows. */
#include "os.h"

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

void os_error_text(int number, char *out, size_t size) {
    if (strerror_s(out, size, number))
        snprintf(out, size, "system error %d", number);
}

bool os_strtod(const char *text, double *out) {
    _locale_t plain = _create_locale(LC_ALL, "C");
    if (!plain)
        return false;
    *out = _strtod_l(text, NULL, plain);
    _free_locale(plain);
    return true;
}
