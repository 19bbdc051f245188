/* SPDX-License-Identifier: MIT
 * What is known of real systems from the state root alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "store_worker_private.h"

#define STATUS_LIMIT ((size_t)1 << 20)

/* --- grants --------------------------------------------------------------- */

static const char *who(const char *id, char runtime_id[37]) {
    if (!id)
        return "all";
    vm_runtime_id_of(id, runtime_id);
    return runtime_id;
}

HRESULT files_grant(struct store *store, const char *id, const char *path,
                    struct hcs_error *error) {
    char runtime_id[37];

    return grant_add(worker_store_of(store)->root, who(id, runtime_id), path,
                     error);
}

HRESULT files_revoke(struct store *store, const char *id, const char *path,
                     struct hcs_error *error) {
    char runtime_id[37];

    return grant_remove(worker_store_of(store)->root, who(id, runtime_id), path,
                        error);
}

/* --- files and pipes ------------------------------------------------------ */

/* Both kinds begin as nothing: the first use fills them. */
HRESULT files_create(struct store *store, enum store_file_kind kind,
                     const char *path, struct hcs_error *error) {
    int fd;

    (void)store;
    (void)kind;
    if (path[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not an absolute path", path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, HR_FILE_EXISTS, NULL, "%s exists", path);
    if (fd < 0)
        return error_errno(error, errno, "%s", path);
    close(fd);
    return S_OK;
}

HRESULT files_pipe_connect(struct store *store, const char *name, int *fd,
                           struct hcs_error *error) {
    char file[PIPE_FILE_SIZE];
    HRESULT hr = pipe_file(name, file, error);
    int pipes;

    if (FAILED(hr))
        return hr;
    pipes = openat(worker_store_of(store)->root, "pipes",
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (pipes < 0)
        return error_errno(error, errno, "the pipes");
    hr = socket_connect(pipes, file, fd, error);
    close(pipes);
    return FAILED(hr) ? error_wrap(error, hr, "the pipe \"%s\"", name) : S_OK;
}

HRESULT files_pipe_path(struct store *store, const char *name, char *path,
                        size_t size, struct hcs_error *error) {
    char file[PIPE_FILE_SIZE];
    HRESULT hr = pipe_file(name, file, error);
    int length;

    if (FAILED(hr))
        return hr;
    length = snprintf(path, size, "%s/pipes/%s",
                      worker_store_of(store)->root_path, file);
    if (length < 0 || (size_t)length >= size)
        return error_set(error, HR_INSUFFICIENT_BUFFER, NULL,
                         "the path needs %d bytes", length + 1);
    return S_OK;
}

/* --- enumeration ---------------------------------------------------------- */

/* The status file of a live system. */
static bool read_status(int root, const char *runtime_id,
                        struct json_doc *out) {
    char *text = system_read(root, runtime_id, "status", STATUS_LIMIT);
    bool good = text && SUCCEEDED(json_parse(text, strlen(text), out, NULL));

    free(text);
    return good;
}

static bool allows(const struct json *list, const char *value) {
    if (!list || list->type != JSON_ARRAY)
        return true;
    for (size_t i = 0; i < list->as.array.count; i++)
        if (strcmp(json_text(&list->as.array.items[i], ""), value) == 0)
            return true;
    return false;
}

/* Ids that lead to the same runtime id are the same. */
static bool allows_id(const struct json *list, const char *runtime_id) {
    char other[37];

    if (!list || list->type != JSON_ARRAY)
        return true;
    for (size_t i = 0; i < list->as.array.count; i++) {
        vm_runtime_id_of(json_text(&list->as.array.items[i], ""), other);
        if (strcmp(other, runtime_id) == 0)
            return true;
    }
    return false;
}

struct enumeration {
    int root;
    const struct json *query;
    struct json_writer w;
};

static bool enumerate_one(void *context, const char *runtime_id) {
    struct enumeration *e = context;
    const struct json *summary;
    struct json_doc status;

    if (!read_status(e->root, runtime_id, &status))
        return true; /* not created yet */
    summary = json_get(status.root, "Summary");
    if (summary && allows_id(json_get(e->query, "Ids"), runtime_id) &&
        allows(json_get(e->query, "Names"),
               json_text(json_get(summary, "Name"), "")) &&
        allows(json_get(e->query, "Types"), "VirtualMachine") &&
        allows(json_get(e->query, "Owners"),
               json_text(json_get(summary, "Owner"), "")))
        json_put_value(&e->w, summary);
    json_doc_free(&status);
    return true;
}

HRESULT files_enumerate(struct store *store, const struct json *query,
                        struct buf *out, struct hcs_error *error) {
    struct enumeration e = {worker_store_of(store)->root, query, {out, false}};

    json_begin_array(&e.w);
    root_each(e.root, enumerate_one, &e);
    json_end_array(&e.w);
    if (out->failed)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    return S_OK;
}

/* --- ends ----------------------------------------------------------------- */

static bool closed_recently(const struct worker_store *store,
                            const char *runtime_id) {
    for (size_t i = 0; i < RECENT_COUNT; i++)
        if (strcmp(store->recent[i].runtime_id, runtime_id) == 0 &&
            clock_monotonic() < store->recent[i].until)
            return true;
    return false;
}

static bool is_temporary(int root, const char *runtime_id) {
    struct json_doc status;
    bool temporary = true; /* one that is still being made */

    if (read_status(root, runtime_id, &status)) {
        temporary = json_is_true(json_get(status.root, "Temporary"));
        json_doc_free(&status);
    }
    return temporary;
}

void files_await_end(struct worker_store *store, const char *runtime_id) {
    static const struct timespec nap = {0, 2 * CLOCK_MS};

    while (closed_recently(store, runtime_id) &&
           system_alive(store->root, runtime_id) &&
           is_temporary(store->root, runtime_id))
        nanosleep(&nap, NULL);
}

static void await_ends(struct worker_store *store) {
    for (size_t i = 0; i < RECENT_COUNT; i++)
        if (store->recent[i].runtime_id[0])
            files_await_end(store, store->recent[i].runtime_id);
}

/* --- the inventory -------------------------------------------------------- */

struct count {
    int root;
    struct store_inventory *found;
};

static bool count_one(void *context, const char *runtime_id) {
    struct count *count = context;
    struct json_doc status;
    int64_t machine = 0;

    count->found->systems++;
    count->found->processes++; /* who holds the lock */
    if (read_status(count->root, runtime_id, &status)) {
        json_to_int64(json_get(status.root, "Machine"), &machine);
        count->found->processes += machine > 0;
        json_doc_free(&status);
    }
    return true;
}

static bool is_plain(const char *name) {
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* What is in a directory; `deep`: the files of the systems' directories. */
static uint64_t count_files(int root, const char *name, bool deep) {
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    uint64_t count = 0;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while ((entry = readdir(directory))) {
        if (!is_plain(entry->d_name))
            continue;
        if (!deep)
            count++;
        else if (strlen(entry->d_name) == 36)
            count += count_files(root, entry->d_name, false);
    }
    closedir(directory);
    return count;
}

void files_inventory(struct store *store, struct store_inventory *out) {
    struct worker_store *worker = worker_store_of(store);
    struct count count = {worker->root, out};
    int lock;

    memset(out, 0, sizeof *out);
    await_ends(worker);
    if (SUCCEEDED(root_lock(worker->root, &lock, NULL))) {
        root_sweep(worker->root);
        grants_sweep(worker->root);
        close(lock);
    }
    root_each(worker->root, count_one, &count);
    out->files = count_files(worker->root, ".", true) +
                 count_files(worker->root, "pipes", false);
}
