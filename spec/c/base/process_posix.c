/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include "unit.h"

bool process_wait(hcs_waitable waitable, int milliseconds) {
    struct pollfd asked = {.fd = waitable, .events = POLLIN};
    return poll(&asked, 1, milliseconds) > 0;
}

void process_pause(int milliseconds) {
    poll(NULL, 0, milliseconds);
}

void process_close(stream_native native) {
    close(native);
}

long process_handles(void) {
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

void process_settles(long most) {
    assert_true(process_handles() <= most);
}
