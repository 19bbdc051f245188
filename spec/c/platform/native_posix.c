/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

bool native_wait(hcs_waitable waitable, int milliseconds) {
    struct pollfd asked = {.fd = waitable, .events = POLLIN};
    return poll(&asked, 1, milliseconds) > 0;
}

void native_close(stream_native native) {
    close(native);
}

long native_count(void) {
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

void native_settles(long most) {
    assert_true(native_count() <= most);
}
