/* SPDX-License-Identifier: MIT
 * The state root's directories and locks. That a worker lives is told by the
 * lock it holds, never by a process number. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/guid.h"
#include "protocol.h"

/* A system's own list of the pipes it made, one name a line. */
#define PIPES_LIST "pipes"
#define PIPES_LIMIT 4096

HRESULT root_choose(const char *asked, char path[PATH_MAX],
                    struct hcs_error *error) {
    const char *named = asked && asked[0] ? asked : getenv("HCS_ROOT");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length;

    if (named && named[0])
        length = snprintf(path, PATH_MAX, "%s", named);
    else if (geteuid() == 0)
        length = snprintf(path, PATH_MAX, "/run/hcs");
    else if (runtime && runtime[0])
        length = snprintf(path, PATH_MAX, "%s/hcs", runtime);
    else
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "there is no place for the state of systems: set "
                         "HCS_ROOT to a directory, or XDG_RUNTIME_DIR");
    if (path[0] != '/' || length >= PATH_MAX - 256)
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "the state root \"%.200s\" is not a usable absolute "
                         "path",
                         path);
    return S_OK;
}

static HRESULT make_directories(const char *path, struct hcs_error *error) {
    char part[PATH_MAX];
    const char *next;

    for (next = strchr(path + 1, '/');; next = strchr(next + 1, '/')) {
        int length = next ? (int)(next - path) : (int)strlen(path);

        snprintf(part, sizeof part, "%.*s", length, path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST && errno != EISDIR)
            return error_errno(error, errno, "the state root %s", part);
        if (!next)
            return S_OK;
    }
}

static HRESULT check_owner(int root, const char *path,
                           struct hcs_error *error) {
    struct stat st;

    if (fstat(root, &st) != 0)
        return error_errno(error, errno, "the state root %s", path);
    if (st.st_uid != geteuid() || (st.st_mode & 022))
        return error_set(error, E_ACCESSDENIED, NULL,
                         "the state root %s must belong to this user and be "
                         "writable by nobody else",
                         path);
    return S_OK;
}

static bool made(int root, const char *name) {
    return mkdirat(root, name, 0700) == 0 || errno == EEXIST;
}

HRESULT root_open(const char *path, int *root, struct hcs_error *error) {
    HRESULT hr = make_directories(path, error);
    int fd;

    if (FAILED(hr))
        return hr;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, errno, "the state root %s", path);
    hr = check_owner(fd, path, error);
    if (SUCCEEDED(hr) && (!made(fd, "pipes") || !made(fd, "grants")))
        hr = error_errno(error, errno, "the state root %s", path);
    if (FAILED(hr)) {
        close(fd);
        return hr;
    }
    *root = fd;
    return S_OK;
}

HRESULT root_lock(int root, int *lock, struct hcs_error *error) {
    int fd = openat(root, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_errno(error, errno, "the state root's lock");
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        error_errno(error, errno, "the state root's lock");
        close(fd);
        return HR_SHARING_VIOLATION;
    }
    *lock = fd;
    return S_OK;
}

static int open_in(int root, const char *runtime_id, const char *name,
                   int flags) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", runtime_id, name);
    return openat(root, path, flags | O_CLOEXEC, 0600);
}

bool system_alive(int root, const char *runtime_id) {
    int fd = open_in(root, runtime_id, "lock", O_RDONLY);
    bool held;

    if (fd < 0)
        return false;
    /* Shared, so that two who look do not take each other for a worker. */
    held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return held;
}

static bool is_system(const char *name) {
    struct guid guid;

    return strlen(name) == GUID_TEXT_SIZE - 1 && guid_parse(name, &guid);
}

/* Calls `each` for every system's directory until it answers false. */
static void each_directory(int root,
                           bool (*each)(int root, const char *name,
                                        void *context),
                           void *context) {
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(directory)))
        if (is_system(entry->d_name) && !each(root, entry->d_name, context))
            break;
    closedir(directory);
}

struct visit {
    bool (*each)(void *context, const char *runtime_id);
    void *context;
};

static bool visit_living(int root, const char *name, void *context) {
    const struct visit *visit = context;

    return !system_alive(root, name) || visit->each(visit->context, name);
}

void root_each(int root, bool (*each)(void *context, const char *runtime_id),
               void *context) {
    struct visit visit = {each, context};

    each_directory(root, visit_living, &visit);
}

static bool remove_dead(int root, const char *name, void *context) {
    (void)context;
    if (!system_alive(root, name))
        system_remove(root, name);
    return true;
}

void root_sweep(int root) {
    each_directory(root, remove_dead, NULL);
}

/* The lock gets its name when it is held, or somebody who looks whether the
 * system lives could hold it at the moment that it is taken. */
static int make_lock(int root, const char *runtime_id) {
    char from[PATH_MAX], to[PATH_MAX];
    int fd = open_in(root, runtime_id, "new", O_RDWR | O_CREAT | O_EXCL);
    int number;

    if (fd < 0)
        return -1;
    snprintf(from, sizeof from, "%s/new", runtime_id);
    snprintf(to, sizeof to, "%s/lock", runtime_id);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        renameat(root, from, root, to) == 0)
        return fd;
    number = errno;
    close(fd);
    errno = number;
    return -1;
}

HRESULT system_make(int root, const char *runtime_id, int *lock,
                    struct hcs_error *error) {
    if (mkdirat(root, runtime_id, 0700) != 0) {
        if (errno == EEXIST)
            return error_set(error, HCS_E_SYSTEM_ALREADY_EXISTS, NULL,
                             "there is a system of that id");
        return error_errno(error, errno, "the system's directory");
    }
    *lock = make_lock(root, runtime_id);
    if (*lock < 0) {
        int number = errno;

        system_remove(root, runtime_id);
        return error_errno(error, number, "the system's lock");
    }
    return S_OK;
}

char *system_read(int root, const char *runtime_id, const char *name,
                  size_t limit) {
    int fd = open_in(root, runtime_id, name, O_RDONLY);
    char *text = fd >= 0 ? malloc(limit + 1) : NULL;
    ssize_t length = text ? read(fd, text, limit) : -1;

    if (fd >= 0)
        close(fd);
    if (length < 0) {
        free(text);
        return NULL;
    }
    text[length] = 0;
    return text;
}

static void remove_pipes(int root, const char *runtime_id) {
    char *list = system_read(root, runtime_id, PIPES_LIST, PIPES_LIMIT);
    char path[PATH_MAX], *rest = list, *name;

    while (rest && (name = strsep(&rest, "\n"))) {
        if (!name[0] || strchr(name, '/'))
            continue;
        snprintf(path, sizeof path, "pipes/%s", name);
        unlinkat(root, path, 0);
    }
    free(list);
}

static void remove_files(int directory) {
    DIR *list = fdopendir(directory);
    struct dirent *entry;

    if (!list) {
        close(directory);
        return;
    }
    while ((entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
}

void system_remove(int root, const char *runtime_id) {
    int directory;

    remove_pipes(root, runtime_id);
    directory = openat(root, runtime_id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0)
        remove_files(directory);
    unlinkat(root, runtime_id, AT_REMOVEDIR);
}
