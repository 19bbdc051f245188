/* SPDX-License-Identifier: MIT
 * Clocks, chance, error texts and numbers on POSIX systems. */
#include "os.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "random.h"

static int64_t now(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * CLOCK_SECOND + (int64_t)time.tv_nsec;
}

int64_t clock_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

int64_t clock_wall(void) {
    return now(CLOCK_REALTIME);
}

HRESULT random_system(void *bytes, size_t length, struct hcs_error *error) {
    unsigned char *at = bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got > 0) {
            at += got;
            length -= (size_t)got;
        } else if (errno != EINTR) {
            return error_errno(error, errno, "get random bytes");
        }
    }
    return S_OK;
}

uint32_t os_process_id(void) {
    return (uint32_t)getpid();
}

int waitable_number(hcs_waitable waitable) {
    return waitable;
}

void os_error_text(int number, char *out, size_t size) {
#ifdef __GLIBC__
    const char *text = strerrordesc_np(number);
    if (text)
        snprintf(out, size, "%s", text);
#else
    if (strerror_r(number, out, size) == 0)
        return;
    const char *text = NULL;
#endif
    if (!text)
        snprintf(out, size, "system error %d", number);
}

bool os_strtod(const char *text, double *out) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    *out = strtod_l(text, NULL, plain);
    freelocale(plain);
    return true;
}
