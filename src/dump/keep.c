/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/output.h"

#define LONGEST_ENDING 32

/* "PATH", "PATH.2", with `ending` behind it. */
static void name_of(char *out, size_t size, const char *path, uint32_t number,
                    const char *ending) {
    if (number)
        snprintf(out, size, "%s.%u%s", path, (unsigned)number, ending);
    else
        snprintf(out, size, "%s%s", path, ending);
}

static HRESULT move(const struct dump_files *files, const char *from,
                    const char *to, struct hcs_error *error) {
    if (files->exists(files->context, from))
        return files->move(files->context, from, to, error);
    files->remove(files->context, to); /* it would go with another dump */
    return S_OK;
}

/* One dump and what is beside it; `from` and `to` have room for names. */
static HRESULT move_up(const struct dump_files *files, const char *path,
                       uint32_t number, char *from, char *to, size_t size,
                       struct hcs_error *error) {
    static const char *const endings[] = {DUMP_ABOUT, DUMP_MAP, ""};
    HRESULT hr = S_OK;
    for (size_t i = 0; SUCCEEDED(hr) && i < HCS_COUNT(endings); i++) {
        name_of(from, size, path, number, endings[i]);
        name_of(to, size, path, number + 1, endings[i]);
        hr = move(files, from, to, error);
    }
    return hr;
}

/* Each takes the place of the one before it, so that the oldest is gone only
 * when another stands there. A gap in the row ends what has to move. */
HRESULT dump_make_room_in(const struct dump_files *files, const char *path,
                          uint32_t keep, struct hcs_error *error) {
    size_t size = strlen(path) + LONGEST_ENDING;
    char *names = malloc(2 * size);
    uint32_t count = 0;
    HRESULT hr = S_OK;
    if (!names)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    if (keep > DUMP_MAX_KEPT)
        keep = DUMP_MAX_KEPT;
    for (; keep > 1 && count < keep - 1; count++) {
        name_of(names, size, path, count, "");
        if (!files->exists(files->context, names))
            break;
    }
    while (SUCCEEDED(hr) && count-- > 0)
        hr = move_up(files, path, count, names, names + size, size, error);
    free(names);
    return hr;
}

static bool real_exists(void *context, const char *path) {
    (void)context;
    return file_exists(path);
}

static HRESULT real_move(void *context, const char *from, const char *to,
                         struct hcs_error *error) {
    (void)context;
    return file_replace(from, to, error);
}

static void real_remove(void *context, const char *path) {
    (void)context;
    file_remove(path);
}

HRESULT dump_make_room(const char *path, uint32_t keep,
                       struct hcs_error *error) {
    static const struct dump_files real = {real_exists, real_move, real_remove,
                                           NULL};
    return dump_make_room_in(&real, path, keep, error);
}

char *dump_name_beside(const char *path, const char *ending) {
    size_t size = strlen(path) + LONGEST_ENDING;
    char *name = malloc(size);
    if (name)
        name_of(name, size, path, 0, ending);
    return name;
}

HRESULT dump_put_beside(const char *path, const char *ending, const char *text,
                        struct hcs_error *error) {
    char *name = dump_name_beside(path, ending);
    struct output output;
    HRESULT hr;
    if (!name)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = output_open(&output, name, error);
    free(name);
    if (FAILED(hr))
        return hr;
    hr = file_write_all(output.file, text, strlen(text), error);
    if (SUCCEEDED(hr))
        hr = output_commit(&output, error);
    output_close(&output, NULL);
    return hr;
}

void dump_drop_beside(const char *path, const char *ending) {
    char *name = dump_name_beside(path, ending);
    if (name)
        file_remove(name);
    free(name);
}
