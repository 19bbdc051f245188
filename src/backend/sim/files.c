/* SPDX-License-Identifier: MIT
 * Files of two kinds: paths of the system that this runs on are its own files;
 * those of the other kind (Windows paths elsewhere, POSIX paths on Windows)
 * live in the simulated world, without a name outside of it. Both are written
 * under another name first, so that nobody ever sees half a file. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
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

/* Case and kind of slash mean nothing in Windows paths. */
static char fold(const char *path, size_t i) {
    char c = path[i];
    if (is_posix(path))
        return c;
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '/' ? '\\' : c;
}

static char *folded(const char *path) {
    size_t length = strlen(path);
    char *copy = malloc(length + 1);
    for (size_t i = 0; copy && i <= length; i++)
        copy[i] = fold(path, i);
    return copy;
}

static bool same_path(const char *stored, const char *path) {
    size_t i = 0;
    while (stored[i] && stored[i] == fold(path, i))
        i++;
    return stored[i] == '\0' && path[i] == '\0';
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
    file_close(file->file, NULL);
    free(file->path);
    free(file);
}

void sim_files_free(struct sim *sim) {
    while (!link_alone(&sim->files))
        file_free(HCS_CONTAINER(sim->files.next, struct sim_file, link));
}

/* Takes the contents over, also on failure. */
static HRESULT put_file(struct sim *sim, const char *path, hcs_file contents,
                        struct hcs_error *error) {
    struct sim_file *file = find(sim, path);
    if (file) {
        file_close(file->file, NULL);
        file->file = contents;
        return S_OK;
    }
    file = calloc(1, sizeof *file);
    if (file)
        file->path = folded(path);
    if (!file || !file->path) {
        free(file);
        file_close(contents, NULL);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a file");
    }
    file->file = contents;
    link_init(&file->link);
    link_append(&sim->files, &file->link);
    return S_OK;
}

bool sim_file_exists(struct sim *sim, const char *path) {
    return file_is_path(path) ? file_exists(path) : find(sim, path) != NULL;
}

/* --- writing ---------------------------------------------------------- */

HRESULT sim_output_open(struct sim *sim, const char *path,
                        struct sim_output *out, struct hcs_error *error) {
    HRESULT hr = check_path(path, error);
    if (FAILED(hr))
        return hr;
    *out = (struct sim_output){.sim = sim, .path = path, .file = HCS_NO_FILE};
    if (file_is_path(path))
        return file_create_beside(path, &out->temporary, &out->file, error);
    return file_create_nameless(&out->file, error);
}

/* Takes the file out, so that it is closed once. */
static hcs_file take_file(struct sim_output *out) {
    hcs_file file = out->file;
    out->file = HCS_NO_FILE;
    return file;
}

static HRESULT commit_real(struct sim_output *out, struct hcs_error *error) {
    HRESULT hr = file_flush(out->file, error);
    if (SUCCEEDED(hr))
        hr = file_close(take_file(out), error);
    if (FAILED(hr))
        error_wrap(error, hr, "\"%s\"", out->path);
    else
        hr = file_replace(out->temporary, out->path, error);
    if (FAILED(hr)) {
        sim_output_abandon(out);
        return hr;
    }
    free(out->temporary);
    out->temporary = NULL;
    return S_OK;
}

HRESULT sim_output_commit(struct sim_output *out, struct hcs_error *error) {
    if (out->temporary)
        return commit_real(out, error);
    return put_file(out->sim, out->path, take_file(out), error);
}

void sim_output_abandon(struct sim_output *out) {
    if (out->temporary && out->file != HCS_NO_FILE)
        file_discard(take_file(out), out->temporary);
    else if (out->temporary)
        file_remove(out->temporary);
    else
        file_close(take_file(out), NULL);
    free(out->temporary);
    out->temporary = NULL;
}

HRESULT sim_file_move(struct sim *sim, const char *from, const char *to,
                      struct hcs_error *error) {
    struct sim_file *file = find(sim, from);
    char *path;
    if (file_is_path(from))
        return file_replace(from, to, error);
    path = file ? folded(to) : NULL;
    if (!path)
        return file ? error_set(error, E_OUTOFMEMORY, NULL,
                                "no memory for a file")
                    : error_set(error, HR_FILE_NOT_FOUND, NULL,
                                "there is no file \"%s\"", from);
    sim_file_remove(sim, to);
    free(file->path);
    file->path = path;
    return S_OK;
}

void sim_file_remove(struct sim *sim, const char *path) {
    struct sim_file *file = file_is_path(path) ? NULL : find(sim, path);
    if (file)
        file_free(file);
    else if (file_is_path(path))
        file_remove(path);
}

/* Refuses a path that is taken, so it needs no temporary name. */
static HRESULT create_real(const char *path, const void *bytes, size_t length,
                           struct hcs_error *error) {
    hcs_file file;
    HRESULT hr = file_create(path, &file, error);
    if (FAILED(hr))
        return hr;
    hr = file_write_all(file, bytes, length, error);
    if (SUCCEEDED(hr))
        hr = file_close(file, error);
    else
        file_close(file, NULL);
    if (FAILED(hr))
        file_remove(path);
    return hr;
}

static HRESULT create_simulated(struct sim *sim, const char *path,
                                const void *bytes, size_t length,
                                struct hcs_error *error) {
    struct sim_output out;
    if (find(sim, path))
        return error_set(error, HR_FILE_EXISTS, NULL, "\"%s\" exists already",
                         path);
    HRESULT hr = sim_output_open(sim, path, &out, error);
    if (FAILED(hr))
        return hr;
    hr = file_write_all(out.file, bytes, length, error);
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
    return file_is_path(path)
               ? create_real(path, bytes, length, error)
               : create_simulated(sim, path, bytes, length, error);
}

/* --- reading ---------------------------------------------------------- */

static HRESULT read_all(hcs_file file, const char *path, size_t most,
                        struct buf *out, struct hcs_error *error) {
    char block[16384];
    uint64_t offset = 0;
    for (;;) {
        size_t count = 0;
        HRESULT hr =
            file_read_at(file, block, sizeof block, offset, &count, error);
        if (FAILED(hr))
            return error_wrap(error, hr, "\"%s\"", path);
        if (count == 0)
            return S_OK;
        offset += count;
        if (offset > most)
            return error_set(error, HR_FILE_CORRUPT, NULL,
                             "\"%s\" is too large to be a saved state", path);
        buf_add(out, block, count);
    }
}

static HRESULT read_real(const char *path, size_t most, struct buf *out,
                         struct hcs_error *error) {
    hcs_file file;
    HRESULT hr = file_open(path, &file, error);
    if (SUCCEEDED(hr)) {
        hr = read_all(file, path, most, out, error);
        file_close(file, NULL);
    }
    return hr;
}

HRESULT sim_read_file(struct sim *sim, const char *path, size_t most,
                      struct buf *out, struct hcs_error *error) {
    struct sim_file *file = file_is_path(path) ? NULL : find(sim, path);
    HRESULT hr;
    if (file)
        hr = read_all(file->file, path, most, out, error);
    else if (file_is_path(path))
        hr = read_real(path, most, out, error);
    else
        hr = error_set(error, HR_FILE_NOT_FOUND, NULL,
                       "there is no file \"%s\"", path);
    if (SUCCEEDED(hr) && out->failed)
        hr =
            error_set(error, E_OUTOFMEMORY, NULL, "no memory for \"%s\"", path);
    return hr;
}
