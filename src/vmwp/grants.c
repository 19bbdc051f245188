/* SPDX-License-Identifier: MIT
 * The ledger of grants. It outlives systems and scripts, as entries in a
 * file's access list do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol.h"

#define UNFINISHED "new" /* no digest is that short */

/* The path without links or dots where it exists, else as it is. */
static char *canonical(const char *path) {
    char *real = realpath(path, NULL);

    return real ? real : strdup(path);
}

static bool entry_of(const char *who, const char *real, char out[PATH_MAX]) {
    char name[37];

    name_digest(real, name);
    return snprintf(out, PATH_MAX, "grants/%.64s/%s", who, name) < PATH_MAX;
}

/* Under a name that grants nothing, then renamed: whoever is killed here has
 * made the entry or not, and a sweep takes the other away. */
static HRESULT write_entry(int root, const char *directory, const char *entry,
                           const char *real, struct hcs_error *error) {
    char unfinished[PATH_MAX];
    size_t length = strlen(real);
    HRESULT hr = S_OK;
    int fd;

    snprintf(unfinished, sizeof unfinished, "%.128s/" UNFINISHED, directory);
    fd = openat(root, unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                0600);

    if (fd < 0)
        return error_errno(error, errno, "the ledger of grants");
    errno = ENOSPC; /* for a write that stops short */
    if (write(fd, real, length) != (ssize_t)length ||
        renameat(root, unfinished, root, entry) != 0) {
        hr = error_errno(error, errno, "the ledger of grants");
        unlinkat(root, unfinished, 0);
    }
    close(fd);
    return hr;
}

static HRESULT add_locked(int root, const char *who, const char *real,
                          struct hcs_error *error) {
    char entry[PATH_MAX], directory[PATH_MAX];

    if (!entry_of(who, real, entry))
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "the path is too long");
    snprintf(directory, sizeof directory, "grants/%.64s", who);
    if (mkdirat(root, directory, 0700) != 0 && errno != EEXIST)
        return error_errno(error, errno, "the ledger of grants");
    return write_entry(root, directory, entry, real, error);
}

HRESULT grant_add(int root, const char *who, const char *path,
                  struct hcs_error *error) {
    HRESULT hr;
    char *real;
    int lock;

    if (path[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not an absolute path", path);
    hr = root_lock(root, &lock, error);
    if (FAILED(hr))
        return hr;
    real = realpath(path, NULL);
    hr = real ? add_locked(root, who, real, error)
              : error_errno(error, errno, "%s", path);
    free(real);
    close(lock);
    return hr;
}

static HRESULT remove_locked(int root, const char *who, const char *path,
                             const char *real, struct hcs_error *error) {
    char entry[PATH_MAX], directory[PATH_MAX];

    if (!entry_of(who, real, entry))
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "the path is too long");
    if (unlinkat(root, entry, 0) != 0) {
        if (errno != ENOENT)
            return error_errno(error, errno, "the ledger of grants");
        /* Nothing was granted; that is no error where there is the file. */
        if (access(path, F_OK) != 0)
            return error_errno(error, errno, "%s", path);
    }
    snprintf(directory, sizeof directory, "grants/%.64s", who);
    unlinkat(root, directory, AT_REMOVEDIR); /* if that was the last */
    return S_OK;
}

HRESULT grant_remove(int root, const char *who, const char *path,
                     struct hcs_error *error) {
    char *real = canonical(path);
    HRESULT hr;
    int lock;

    if (!real)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = root_lock(root, &lock, error);
    if (SUCCEEDED(hr)) {
        hr = remove_locked(root, who, path, real, error);
        close(lock);
    }
    free(real);
    return hr;
}

/* --- asking --------------------------------------------------------------- */

static bool holds(int root, const char *who, const char *real) {
    char entry[PATH_MAX];

    return entry_of(who, real, entry) && faccessat(root, entry, F_OK, 0) == 0;
}

bool grant_holds(int root, const char *runtime_id, const char *path) {
    char *real = canonical(path);
    char *slash = real ? strrchr(real, '/') : NULL;
    bool found;

    if (!slash) {
        free(real);
        return false;
    }
    found = holds(root, runtime_id, real) || holds(root, "all", real);
    slash[slash == real] = 0; /* the directory that it is in */
    found = found || holds(root, runtime_id, real) || holds(root, "all", real);
    free(real);
    return found;
}

/* --- sweeping ------------------------------------------------------------- */

static DIR *open_directory(int at, const char *name) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

    if (!list && fd >= 0)
        close(fd);
    return list;
}

/* Whether the entry names a file that is not there any more, or was never
 * finished. */
static bool is_stale(int directory, const char *name) {
    char path[PATH_MAX];
    ssize_t length;
    int fd;

    if (strcmp(name, UNFINISHED) == 0)
        return true;
    fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    length = fd >= 0 ? read(fd, path, sizeof path - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return false;
    path[length] = 0;
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void sweep_one(int grants, const char *who) {
    DIR *list = open_directory(grants, who);
    struct dirent *entry;

    if (!list)
        return;
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.' && is_stale(dirfd(list), entry->d_name))
            unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
    unlinkat(grants, who, AT_REMOVEDIR); /* if nothing is left */
}

void grants_sweep(int root) {
    DIR *list = open_directory(root, "grants");
    struct dirent *entry;

    if (!list)
        return;
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.')
            sweep_one(dirfd(list), entry->d_name);
    closedir(list);
}
