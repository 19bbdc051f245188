/* SPDX-License-Identifier: MIT
 * hcs-hostd, the networks of a state root.
 *
 *   hcs-hostd --serve ROOT   serve them (started by who needs them)
 *   hcs-hostd --version
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../vmwp/protocol.h"
#include "daemon.h"

#ifndef HCS_VERSION
#define HCS_VERSION "unknown"
#endif

/* --- becoming a daemon ---------------------------------------------------- */

/* The starter waits for this process only; the daemon is its orphan. */
static bool leave_starter(void) {
    pid_t child = fork();

    if (child > 0)
        _exit(0);
    return child == 0 && setsid() >= 0;
}

/* Each tap, each namespace and each connection is one. */
static void raise_limit(void) {
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* Nothing of the starter's surroundings is kept. */
static bool settle(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return false;
    if (null > 2)
        close(null);
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    return chdir("/") == 0 &&
           fcntl(HOSTD_FIRST_SOCKET, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(HOSTD_FIRST_SOCKET, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(HOSTD_HELD_LOCK, F_SETFD, FD_CLOEXEC) == 0;
}

/* Whether the descriptor is the lock of this directory, and held. */
static bool has_lock(int directory) {
    struct stat ours, named;

    return fstat(HOSTD_HELD_LOCK, &ours) == 0 &&
           fstatat(directory, HOSTD_LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino &&
           flock(HOSTD_HELD_LOCK, LOCK_EX | LOCK_NB) == 0;
}

/* The lock goes last of what others look for: who finds it free finds nothing
 * of ours any more. Where it is not ours any more the rest is not either. */
static void leave(int root, int directory) {
    if (!has_lock(directory))
        return;
    unlinkat(directory, HOSTD_START, 0);
    unlinkat(directory, HOSTD_LOCK, 0);
    unlinkat(root, HOSTD_DIRECTORY, AT_REMOVEDIR);
}

static int serve_in(const char *root_path, int root, int directory) {
    static struct daemon daemon;
    struct hcs_error error;
    HRESULT hr = daemon_open(&daemon, root_path, directory, &error);

    if (SUCCEEDED(hr))
        hr = daemon_run(&daemon, HOSTD_FIRST_SOCKET, &error);
    else
        client_refuse(HOSTD_FIRST_SOCKET, &error);
    daemon_close(&daemon);
    leave(root, directory);
    return SUCCEEDED(hr) ? 0 : 1;
}

static int serve(const char *root_path) {
    int root, directory;
    int status = 1;

    if (!leave_starter() || !settle() ||
        FAILED(root_open(root_path, &root, NULL)))
        return 1;
    if (SUCCEEDED(hostd_directory(root, &directory, NULL))) {
        if (has_lock(directory))
            status = serve_in(root_path, root, directory);
        close(directory);
    }
    close(root);
    return status;
}

/* --- the other uses ------------------------------------------------------- */

static int usage(void) {
    fprintf(stderr,
            "hcs-hostd %s: the networks of a host; it is started by who needs "
            "it\nusage: hcs-hostd --version\n",
            HCS_VERSION);
    return 2;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("hcs-hostd %s\n", HCS_VERSION) < 0;
    if (argc == 3 && strcmp(argv[1], "--serve") == 0)
        return serve(argv[2]);
    return usage();
}
