/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "source_file.h"

struct source {
    const struct source_kind *kind;
    void *self;
    uint64_t length;
};

HRESULT source_create(const struct source_kind *kind, void *self,
                      uint64_t length, struct source **out,
                      struct hcs_error *error) {
    struct source *source = malloc(sizeof *source);

    *out = source;
    if (!source) {
        kind->close(self);
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    source->kind = kind;
    source->self = self;
    source->length = length;
    return S_OK;
}

void source_close(struct source *source) {
    if (!source)
        return;
    source->kind->close(source->self);
    free(source);
}

uint64_t source_length(const struct source *source) {
    return source->length;
}

bool source_has(const struct source *source, uint64_t offset, uint64_t size) {
    return offset <= source->length && size <= source->length - offset;
}

HRESULT source_read(struct source *source, uint64_t offset, void *bytes,
                    size_t size, struct hcs_error *error) {
    if (!source_has(source, offset, size))
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "the file ends before byte %llu, which it speaks of",
                         (unsigned long long)offset);
    return size ? source->kind->read(source->self, offset, bytes, size, error)
                : S_OK;
}

uint64_t source_next_data(struct source *source, uint64_t offset) {
    if (offset >= source->length)
        return source->length;
    return source->kind->next_data
               ? source->kind->next_data(source->self, offset)
               : offset;
}

uint64_t source_next_hole(struct source *source, uint64_t offset) {
    if (offset >= source->length || !source->kind->next_hole)
        return source->length;
    return source->kind->next_hole(source->self, offset);
}

/* --- files --------------------------------------------------------------- */

struct file_source {
    hcs_file file;
    bool borrowed;
    uint64_t length;
};

static HRESULT file_source_read(void *self, uint64_t offset, void *bytes,
                                size_t size, struct hcs_error *error) {
    const struct file_source *source = self;
    size_t done = 0;

    while (done < size) {
        size_t got = 0;
        HRESULT hr = file_read_at(source->file, (char *)bytes + done,
                                  size - done, offset + done, &got, error);
        if (FAILED(hr))
            return hr;
        if (got == 0)
            return error_set(error, HR_FILE_CORRUPT, NULL,
                             "the file has become shorter");
        done += got;
    }
    return S_OK;
}

static uint64_t file_source_data(void *self, uint64_t offset) {
    const struct file_source *source = self;
    uint64_t next =
        source_file_next(source->file, offset, source->length, true);
    uint64_t end;

    if (next < source->length ||
        FAILED(file_length(source->file, &end, NULL)) || end >= source->length)
        return next;
    /* The file has become shorter: what it had is no hole, but cannot be read,
     * which whoever goes there is told. */
    return end > offset ? end : offset;
}

static uint64_t file_source_hole(void *self, uint64_t offset) {
    const struct file_source *source = self;

    return source_file_next(source->file, offset, source->length, false);
}

static void file_source_close(void *self) {
    struct file_source *source = self;

    if (!source->borrowed)
        file_close(source->file, NULL);
    free(source);
}

static const struct source_kind file_source = {
    file_source_read, file_source_data, file_source_hole, file_source_close};

/* Takes `self` over, also when it fails. */
static HRESULT source_of_opened(struct file_source *self, struct source **out,
                                struct hcs_error *error) {
    HRESULT hr = file_length(self->file, &self->length, error);

    if (FAILED(hr)) {
        file_source_close(self);
        return hr;
    }
    return source_create(&file_source, self, self->length, out, error);
}

HRESULT source_open(const char *path, struct source **out,
                    struct hcs_error *error) {
    struct file_source *self = calloc(1, sizeof *self);
    HRESULT hr;

    *out = NULL;
    if (!self)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = source_file_open(path, &self->file, error);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    return source_of_opened(self, out, error);
}

HRESULT source_of_file(hcs_file file, struct source **out,
                       struct hcs_error *error) {
    struct file_source *self = calloc(1, sizeof *self);

    *out = NULL;
    if (!self)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    self->file = file;
    self->borrowed = true;
    return source_of_opened(self, out, error);
}

/* --- memory -------------------------------------------------------------- */

static HRESULT memory_read(void *self, uint64_t offset, void *bytes,
                           size_t size, struct hcs_error *error) {
    (void)error;
    memcpy(bytes, (const char *)self + offset, size);
    return S_OK;
}

static void memory_close(void *self) {
    (void)self; /* the caller's */
}

static const struct source_kind memory_source = {memory_read, NULL, NULL,
                                                 memory_close};

HRESULT source_of_memory(const void *bytes, size_t length, struct source **out,
                         struct hcs_error *error) {
    return source_create(&memory_source, (void *)(uintptr_t)bytes, length, out,
                         error);
}

/* --- windows ------------------------------------------------------------- */

HRESULT source_look_near(struct source *source, struct source_window *window,
                         uint64_t offset, size_t size, size_t most,
                         const uint8_t **bytes, struct hcs_error *error) {
    HRESULT hr;

    if (size > SOURCE_WINDOW)
        return error_set(error, E_INVALIDARG, NULL,
                         "%llu bytes are not looked at as one",
                         (unsigned long long)size);
    if (window->length == 0 || offset < window->offset ||
        offset - window->offset > window->length ||
        size > window->length - (offset - window->offset)) {
        uint64_t left = 0;

        if (!window->bytes)
            window->bytes = malloc(SOURCE_WINDOW);
        if (!window->bytes)
            return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
        if (offset < source->length)
            left = smaller(source->length - offset, most);
        if (size > left)
            left = size;
        window->length = 0;
        hr = source_read(source, offset, window->bytes, (size_t)left, error);
        if (FAILED(hr))
            return hr;
        window->offset = offset;
        window->length = (size_t)left;
    }
    *bytes = window->bytes + (offset - window->offset);
    return S_OK;
}

HRESULT source_look(struct source *source, struct source_window *window,
                    uint64_t offset, size_t size, const uint8_t **bytes,
                    struct hcs_error *error) {
    return source_look_near(source, window, offset, size, SOURCE_WINDOW, bytes,
                            error);
}

void source_window_free(struct source_window *window) {
    free(window->bytes);
    memset(window, 0, sizeof *window);
}
