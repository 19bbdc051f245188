/* SPDX-License-Identifier: MIT
 * Files of two kinds: POSIX paths are this machine's own files; Windows paths
 * live in the simulated world, as memory under a name. Both are written under
 * another name first, so that nobody ever sees half a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/file.h"
#include "sim.h"

static bool is_posix(const char *path) {
    return path[0] == '/';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_windows(const char *path) {
    if (path[0] == '\\' && path[1] == '\\')
        return path[2] != '\0';
    return is_letter(path[0]) && path[1] == ':' &&
           (path[2] == '\\' || path[2] == '/') && path[3] != '\0';
}

static HRESULT check_path(const char *path, struct hcs_error *error) {
    if (is_posix(path) || is_windows(path))
        return S_OK;
    return error_set(error, E_INVALIDARG, NULL,
                     "\"%s\" is not an absolute path", path);
}

static char fold(char c) {
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '/' ? '\\' : c;
}

static char *folded(const char *path) {
    char *copy = strdup(path);
    for (char *c = copy; c && *c; c++)
        *c = fold(*c);
    return copy;
}

static bool same_path(const char *stored, const char *path) {
    while (*stored && *stored == fold(*path)) {
        stored++;
        path++;
    }
    return *stored == '\0' && *path == '\0';
}

static struct sim_file *find(const struct sim *sim, const char *path) {
    for (struct link *l = sim->files.next; l != &sim->files; l = l->next) {
        struct sim_file *file = HCS_CONTAINER(l, struct sim_file, link);
        if (same_path(file->path, path))
            return file;
    }
    return NULL;
}

static void file_free(struct sim_file *file) {
    link_remove(&file->link);
    close(file->fd);
    free(file->path);
    free(file);
}

void sim_files_free(struct sim *sim) {
    while (!link_alone(&sim->files))
        file_free(HCS_CONTAINER(sim->files.next, struct sim_file, link));
}

/* Takes the descriptor over, also on failure. */
static HRESULT put_file(struct sim *sim, const char *path, int fd,
                        struct hcs_error *error) {
    struct sim_file *file = find(sim, path);
    if (file) {
        close(file->fd);
        file->fd = fd;
        return S_OK;
    }
    file = calloc(1, sizeof *file);
    if (file)
        file->path = folded(path);
    if (!file || !file->path) {
        free(file);
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a file");
    }
    file->fd = fd;
    link_init(&file->link);
    link_append(&sim->files, &file->link);
    return S_OK;
}

bool sim_file_exists(struct sim *sim, const char *path) {
    struct stat status;
    if (is_posix(path))
        return stat(path, &status) == 0;
    return find(sim, path) != NULL;
}

/* --- writing ---------------------------------------------------------- */

HRESULT sim_write_at(int fd, const void *bytes, size_t length, uint64_t offset,
                     struct hcs_error *error) {
    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        return error_errno(error, errno, "cannot write");
    return file_write_all(fd, bytes, length, error);
}

static int open_temporary(const char *path, char **name) {
    size_t size = strlen(path) + sizeof ".XXXXXX";
    *name = malloc(size);
    if (!*name) {
        errno = ENOMEM;
        return -1;
    }
    snprintf(*name, size, "%s.XXXXXX", path);
    return mkostemp(*name, O_CLOEXEC);
}

HRESULT sim_output_open(struct sim *sim, const char *path,
                        struct sim_output *out, struct hcs_error *error) {
    HRESULT hr = check_path(path, error);
    if (FAILED(hr))
        return hr;
    *out = (struct sim_output){.sim = sim, .path = path, .fd = -1};
    if (is_posix(path))
        out->fd = open_temporary(path, &out->temporary);
    else
        out->fd = memfd_create("hcs-sim-file", MFD_CLOEXEC);
    if (out->fd >= 0)
        return S_OK;
    int number = errno;
    free(out->temporary);
    return error_errno(error, number, "cannot create \"%s\"", path);
}

static HRESULT commit_posix(struct sim_output *out, struct hcs_error *error) {
    int failed = fsync(out->fd) != 0 ? errno : 0;
    if (close(out->fd) != 0 && !failed)
        failed = errno;
    out->fd = -1;
    if (!failed && rename(out->temporary, out->path) != 0)
        failed = errno;
    if (failed) {
        sim_output_abandon(out);
        return error_errno(error, failed, "cannot write \"%s\"", out->path);
    }
    free(out->temporary);
    out->temporary = NULL;
    return S_OK;
}

HRESULT sim_output_commit(struct sim_output *out, struct hcs_error *error) {
    int fd = out->fd;
    if (out->temporary)
        return commit_posix(out, error);
    out->fd = -1;
    return put_file(out->sim, out->path, fd, error);
}

void sim_output_abandon(struct sim_output *out) {
    if (out->fd >= 0)
        close(out->fd);
    if (out->temporary)
        unlink(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
    out->fd = -1;
}

/* Refuses a path that is taken, so it needs no temporary name. */
static HRESULT create_posix(const char *path, const void *bytes, size_t length,
                            struct hcs_error *error) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(error, errno, "cannot create \"%s\"", path);
    HRESULT hr = file_write_all(fd, bytes, length, error);
    close(fd);
    if (FAILED(hr))
        unlink(path);
    return hr;
}

static HRESULT create_windows(struct sim *sim, const char *path,
                              const void *bytes, size_t length,
                              struct hcs_error *error) {
    struct sim_output out;
    if (find(sim, path))
        return error_set(error, HR_FILE_EXISTS, NULL, "\"%s\" exists already",
                         path);
    HRESULT hr = sim_output_open(sim, path, &out, error);
    if (FAILED(hr))
        return hr;
    hr = file_write_all(out.fd, bytes, length, error);
    if (SUCCEEDED(hr))
        return sim_output_commit(&out, error);
    sim_output_abandon(&out);
    return hr;
}

HRESULT sim_file_create(struct sim *sim, const char *path, const void *bytes,
                        size_t length, struct hcs_error *error) {
    HRESULT hr = check_path(path, error);
    if (FAILED(hr))
        return hr;
    return is_posix(path) ? create_posix(path, bytes, length, error)
                          : create_windows(sim, path, bytes, length, error);
}

/* --- reading ---------------------------------------------------------- */

static HRESULT open_input(struct sim *sim, const char *path, int *fd,
                          struct hcs_error *error) {
    struct sim_file *file = is_posix(path) ? NULL : find(sim, path);
    if (is_posix(path))
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    else if (file)
        *fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    else
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "there is no file \"%s\"", path);
    if (*fd < 0)
        return error_errno(error, errno, "cannot open \"%s\"", path);
    return S_OK;
}

static HRESULT read_some(int fd, const char *path, size_t most, struct buf *out,
                         struct hcs_error *error) {
    char block[16384];
    uint64_t offset = 0;
    for (;;) {
        ssize_t count = pread(fd, block, sizeof block, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(error, errno, "cannot read \"%s\"", path);
        if (count == 0)
            return S_OK;
        offset += (uint64_t)count;
        if (offset > most)
            return error_set(error, HR_FILE_CORRUPT, NULL,
                             "\"%s\" is too large to be a saved state", path);
        buf_add(out, block, (size_t)count);
    }
}

HRESULT sim_read_file(struct sim *sim, const char *path, size_t most,
                      struct buf *out, struct hcs_error *error) {
    int fd = -1;
    HRESULT hr = open_input(sim, path, &fd, error);
    if (FAILED(hr))
        return hr;
    hr = read_some(fd, path, most, out, error);
    close(fd);
    if (SUCCEEDED(hr) && out->failed)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for \"%s\"",
                         path);
    return hr;
}
