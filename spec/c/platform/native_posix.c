/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

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
    if (!folder)
        abort();
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

bool native_settles(long most) {
    return native_count() <= most;
}
