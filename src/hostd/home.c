/* SPDX-License-Identifier: MIT
 * ROOT/net, while the daemon is in it: whoever takes the directory or the lock
 * away has no more use for the daemon, which nobody could find again; a socket
 * that somebody removed is made anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"

/* Who removes a tree is to find it empty at its end. */
#define LOOK_MS 300

static bool is_home(const struct daemon *daemon) {
    struct stat directory, lock;

    return fstat(daemon->directory, &directory) == 0 &&
           directory.st_nlink > 0 &&
           fstatat(daemon->directory, HOSTD_LOCK, &lock, AT_SYMLINK_NOFOLLOW) ==
               0 &&
           lock.st_dev == daemon->lock_device &&
           lock.st_ino == daemon->lock_node;
}

static void on_look(uv_timer_t *timer) {
    struct daemon *daemon = timer->data;

    if (!is_home(daemon))
        daemon->failed = true;
    else if (faccessat(daemon->directory, HOSTD_SOCKET, F_OK,
                       AT_SYMLINK_NOFOLLOW) != 0 &&
             errno == ENOENT)
        clients_listen_again(daemon);
}

static void on_home(uv_poll_t *poll, int status, int events) {
    struct daemon *daemon = poll->data;
    _Alignas(8) char news[4096];

    (void)status;
    (void)events;
    while (read(daemon->home_fd, news, sizeof news) > 0)
        continue;
    uv_timer_start(&daemon->look, on_look, LOOK_MS, 0);
}

static int open_news(int directory) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
    if (fd >= 0 && inotify_add_watch(fd, path,
                                     IN_DELETE | IN_DELETE_SELF |
                                         IN_MOVED_FROM | IN_ONLYDIR) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Where there is no news to be had it goes on without. */
void home_watch(struct daemon *daemon) {
    struct stat lock;

    uv_timer_init(&daemon->loop, &daemon->look);
    daemon->look.data = daemon;
    daemon->home.data = daemon;
    if (fstatat(daemon->directory, HOSTD_LOCK, &lock, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    daemon->lock_device = lock.st_dev;
    daemon->lock_node = lock.st_ino;
    daemon->home_fd = open_news(daemon->directory);
    if (daemon->home_fd < 0)
        return;
    if (uv_poll_init(&daemon->loop, &daemon->home, daemon->home_fd) != 0) {
        close(daemon->home_fd);
        daemon->home_fd = -1;
        return;
    }
    uv_poll_start(&daemon->home, UV_READABLE, on_home);
}

void home_leave(struct daemon *daemon) {
    uv_close((uv_handle_t *)&daemon->look, NULL);
    if (daemon->home_fd < 0)
        return;
    uv_close((uv_handle_t *)&daemon->home, NULL);
    close(daemon->home_fd);
    daemon->home_fd = -1;
}
