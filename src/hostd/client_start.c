/* SPDX-License-Identifier: MIT
 * Reaching the daemon of a state root, and starting it when nobody answers. Who
 * does either holds ROOT/net/start, so a daemon comes or goes with nobody
 * looking on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/hresult_hcn.h"
#include "../base/spawn.h"
#include "../vmwp/protocol.h"
#include "client_private.h"

#define CONNECT_DEADLINE (10 * CLOCK_SECOND)

struct attempt {
    const struct hostd_place *place;
    int64_t deadline;
    int directory; /* ROOT/net */
    int start;     /* the lock of who looks, held */
};

/* False at the deadline. */
static bool nap(const struct attempt *attempt) {
    static const struct timespec little = {0, 2 * CLOCK_MS};

    if (clock_monotonic() >= attempt->deadline)
        return false;
    nanosleep(&little, NULL);
    return true;
}

static HRESULT too_late(struct hcs_error *error) {
    return error_set(error, HR_TIMEOUT, NULL,
                     "the network service (" HOSTD_PROGRAM
                     ") could not be reached in 10 seconds");
}

/* --- locks ---------------------------------------------------------------- */

/* Whether the file is still there by its name: a lock on one that was removed
 * meanwhile is nobody's. */
static bool is_current(int directory, const char *name, int fd) {
    struct stat ours, named;

    return fstat(fd, &ours) == 0 &&
           fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* S_OK with the lock held, S_FALSE while somebody else has it. */
static HRESULT try_lock(int directory, const char *name, int *out,
                        struct hcs_error *error) {
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    bool held;

    if (fd < 0)
        return errno == ENOENT ? S_FALSE
                               : error_errno(error, errno, "net/%s", name);
    held = flock(fd, LOCK_EX | LOCK_NB) == 0 && is_current(directory, name, fd);
    if (held)
        *out = fd;
    else
        close(fd);
    return held ? S_OK : S_FALSE;
}

static void let_go(struct attempt *attempt) {
    if (attempt->start >= 0)
        close(attempt->start);
    if (attempt->directory >= 0)
        close(attempt->directory);
    attempt->start = attempt->directory = -1;
}

static HRESULT find_directory(int root, int *out, struct hcs_error *error) {
    *out = openat(root, HOSTD_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out < 0 ? error_errno(error, errno, "the networks' directory")
                    : S_OK;
}

/* The directory, too, may go with a daemon that leaves. */
static HRESULT take_start(struct attempt *attempt, bool make,
                          struct hcs_error *error) {
    int root = attempt->place->root;
    HRESULT hr;

    do {
        let_go(attempt);
        hr = make ? hostd_directory(root, &attempt->directory, error)
                  : find_directory(root, &attempt->directory, error);
        if (SUCCEEDED(hr))
            hr = try_lock(attempt->directory, HOSTD_START, &attempt->start,
                          error);
    } while (hr == S_FALSE && nap(attempt));
    return hr == S_FALSE ? too_late(error) : hr;
}

/* --- the greeting --------------------------------------------------------- */

static HRESULT judge(const struct hostd_message *hello,
                     struct hcs_error *error) {
    if (FAILED(hello->result))
        return error_set(error, hello->result, NULL, "%s",
                         hello->text ? hello->text : "");
    if (hello->version != HOSTD_VERSION)
        return error_set(error, HCS_E_UNSUPPORTED_PROTOCOL_VERSION, NULL,
                         "the " HOSTD_PROGRAM
                         " that runs here is of another version");
    return S_OK;
}

/* Takes the socket over. HR_RPC_SERVER_UNAVAILABLE: the daemon did not stay to
 * greet. */
static HRESULT greet(const struct attempt *attempt, int fd, struct hostd **out,
                     struct hcs_error *error) {
    struct hostd *hostd = hostd_new(fd);
    struct hostd_answer answer;
    HRESULT hr;

    if (!hostd)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = hostd_await(hostd, attempt->deadline, &answer, error);
    if (SUCCEEDED(hr)) {
        hr = answer.message.kind == HOSTD_HELLO
                 ? judge(&answer.message, error)
                 : error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                             "what answers at net/socket is no " HOSTD_PROGRAM);
        hostd->process = answer.message.process;
        hostd_answer_free(&answer);
    }
    if (SUCCEEDED(hr))
        *out = hostd;
    else
        hostd_close(hostd);
    return hr;
}

/* --- reaching ------------------------------------------------------------- */

/* S_FALSE: nobody is there, or leaving; look again. */
static HRESULT reach(const struct attempt *attempt, struct hostd **out,
                     struct hcs_error *error) {
    int fd = -1;
    HRESULT hr = socket_connect(attempt->directory, HOSTD_SOCKET, &fd, error);

    if (hr == HR_FILE_NOT_FOUND || hr == hresult_from_errno(EAGAIN))
        return S_FALSE;
    if (FAILED(hr))
        return hr;
    hr = greet(attempt, fd, out, error);
    return hr == HR_RPC_SERVER_UNAVAILABLE ? S_FALSE : hr;
}

static HRESULT spawn(const struct attempt *attempt, int socket, int lock,
                     pid_t *starter, struct hcs_error *error) {
    static char serve[] = "--serve";
    const struct hostd_place *place = attempt->place;
    char *program = (char *)(uintptr_t)place->program;
    char *path = (char *)(uintptr_t)place->path;
    char *argv[] = {program, serve, path, NULL};
    int from[2] = {socket, lock};

    if (access(place->program, X_OK) != 0)
        return error_errno(error, errno, "the network service %s",
                           place->program);
    return spawn_program(program, argv, from, HOSTD_FIRST_SOCKET, 2, starter,
                         error);
}

/* With its lock, which it inherits. What ends here without a word would end so
 * the next time, too. */
static HRESULT start(const struct attempt *attempt, int lock,
                     struct hostd **out, struct hcs_error *error) {
    pid_t starter = 0;
    int fds[2];
    HRESULT hr;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        hr = error_errno(error, errno, "a socket");
        close(lock);
        return hr;
    }
    hr = spawn(attempt, fds[1], lock, &starter, error);
    close(lock);
    close(fds[1]);
    if (FAILED(hr)) {
        close(fds[0]);
        return hr;
    }
    hr = greet(attempt, fds[0], out, error);
    if (hr == HR_RPC_SERVER_UNAVAILABLE)
        error_set(error, hr, NULL,
                  "the network service (" HOSTD_PROGRAM
                  ") ended before it served anybody");
    if (hr != HR_TIMEOUT) /* else it may not have got that far */
        spawn_reap(starter);
    return hr;
}

/* One try: what answers, or what was started where nothing lives. */
static HRESULT try_once(const struct attempt *attempt, struct hostd **out,
                        struct hcs_error *error) {
    HRESULT hr = reach(attempt, out, error);
    int lock = -1;

    if (hr == S_FALSE)
        hr = try_lock(attempt->directory, HOSTD_LOCK, &lock, error);
    return lock < 0 ? hr : start(attempt, lock, out, error);
}

HRESULT hostd_connect(const struct hostd_place *place, struct hostd **out,
                      struct hcs_error *error) {
    struct attempt attempt = {place, clock_monotonic() + CONNECT_DEADLINE, -1,
                              -1};
    HRESULT hr;

    *out = NULL;
    do {
        hr = take_start(&attempt, true, error);
        if (SUCCEEDED(hr))
            hr = try_once(&attempt, out, error);
        let_go(&attempt);
    } while (hr == S_FALSE && nap(&attempt));
    return hr == S_FALSE ? too_late(error) : hr;
}

HRESULT hostd_connect_running(const struct hostd_place *place,
                              struct hostd **out, struct hcs_error *error) {
    struct attempt attempt = {place, clock_monotonic() + CONNECT_DEADLINE, -1,
                              -1};
    HRESULT hr = take_start(&attempt, false, error);

    *out = NULL;
    if (SUCCEEDED(hr))
        hr = reach(&attempt, out, error);
    let_go(&attempt);
    if (hr == S_FALSE || hr == HR_FILE_NOT_FOUND)
        return error_set(error, HR_NOT_FOUND, NULL,
                         "no network service (" HOSTD_PROGRAM ") runs");
    return hr;
}
