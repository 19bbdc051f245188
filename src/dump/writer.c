/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "../base/output.h"
#include "bytes.h"
#include "keep.h"
#include "raw_map.h"
#include "reader.h"

#define LOOK_EVERY (UINT64_C(16) << 20) /* bytes between looks at the disk */
#define MOST_MEMORY (UINT64_C(1) << 62)
#define TELL_EVERY (UINT64_C(4) << 20)

/* --- bytes ---------------------------------------------------------------- */

/* There need not be anything under the name as yet: its folder is. */
static bool room_beside(const char *path, uint64_t *room) {
    size_t length = strlen(path);
    char *folder;
    bool known;
    while (length > 1 && path[length - 1] != '/' && path[length - 1] != '\\')
        length--;
    folder = malloc(length + 1);
    if (!folder)
        return false;
    memcpy(folder, path, length);
    folder[length] = 0;
    known = file_room(folder, room);
    free(folder);
    return known;
}

static HRESULT check_room(struct writer *writer, size_t size,
                          struct hcs_error *error) {
    uint64_t room;
    writer->unchecked += size;
    if (writer->options.keep_free == 0 || writer->unchecked < LOOK_EVERY)
        return S_OK;
    writer->unchecked = 0;
    if (!room_beside(writer->path, &room))
        return S_OK; /* nobody knows */
    if (room >= writer->options.keep_free)
        return S_OK;
    return error_set(error, HR_DISK_FULL, NULL,
                     "\"%s\": less than %llu bytes are left on the disk",
                     writer->path,
                     (unsigned long long)writer->options.keep_free);
}

HRESULT writer_extend(struct writer *writer, uint64_t length,
                      struct hcs_error *error) {
    if (length <= writer->length)
        return S_OK;
    if (writer->options.max_bytes && length > writer->options.max_bytes)
        return error_set(error, HR_DISK_FULL, NULL,
                         "the dump would be larger than %llu bytes",
                         (unsigned long long)writer->options.max_bytes);
    writer->length = length;
    return S_OK;
}

HRESULT writer_put(struct writer *writer, uint64_t offset, const void *bytes,
                   size_t size, struct hcs_error *error) {
    HRESULT hr = writer_extend(writer, offset + size, error);
    if (SUCCEEDED(hr))
        hr = check_room(writer, size, error);
    if (SUCCEEDED(hr))
        hr = file_write_at(writer->file, bytes, size, offset, error);
    return hr;
}

/* Word by word, since most pages differ early or never. */
bool all_zeros(const uint8_t *bytes, size_t size) {
    uint64_t words[8];
    for (; size >= sizeof words; size -= sizeof words, bytes += sizeof words) {
        memcpy(words, bytes, sizeof words);
        if (words[0] | words[1] | words[2] | words[3] | words[4] | words[5] |
            words[6] | words[7])
            return false;
    }
    while (size > 0)
        if (bytes[--size])
            return false;
    return true;
}

/* Up to the end of the page that `offset` is in. */
static size_t to_page_end(uint64_t offset, size_t size) {
    return (size_t)smaller(size, DUMP_PAGE - offset % DUMP_PAGE);
}

/* How many bytes from the beginning belong to pages of zeros, or (`zeros`
 * false) to others. */
static size_t run_of(uint64_t offset, const uint8_t *bytes, size_t size,
                     bool zeros) {
    size_t done = 0;
    while (done < size) {
        size_t more = to_page_end(offset + done, size - done);
        if (all_zeros(bytes + done, more) != zeros)
            break;
        done += more;
    }
    return done;
}

HRESULT writer_put_sparse(struct writer *writer, uint64_t offset,
                          const uint8_t *bytes, size_t size,
                          struct hcs_error *error) {
    HRESULT hr = writer_extend(writer, offset + size, error);
    while (SUCCEEDED(hr) && size > 0) {
        size_t hole = run_of(offset, bytes, size, true), data;
        offset += hole;
        bytes += hole;
        size -= hole;
        data = run_of(offset, bytes, size, false);
        if (data > 0)
            hr = writer_put(writer, offset, bytes, data, error);
        offset += data;
        bytes += data;
        size -= data;
    }
    return hr;
}

/* --- progress ------------------------------------------------------------- */

static HRESULT tell(struct writer *writer, struct hcs_error *error) {
    const struct dump_export_options *options = &writer->options;
    writer->told = writer->done; /* rounding may have added a page or two */
    if (!options->progress ||
        options->progress(options->context,
                          smaller(writer->done, writer->total), writer->total))
        return S_OK;
    return error_set(error, HR_CANCELLED, NULL, "the export was cancelled");
}

HRESULT writer_advance(struct writer *writer, uint64_t bytes,
                       struct hcs_error *error) {
    writer->done += bytes;
    return writer->done - writer->told < TELL_EVERY ? S_OK
                                                    : tell(writer, error);
}

/* --- memory --------------------------------------------------------------- */

/* One piece that has data: its bytes are `start` to `end`. */
static HRESULT copy_data(struct writer *writer, uint64_t start, uint64_t end,
                         uint64_t offset, struct hcs_error *error) {
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr) && start < end) {
        size_t size =
            (size_t)smaller(WRITER_BLOCK - start % WRITER_BLOCK, end - start);
        hr = dump_read_physical(writer->dump, start, writer->block, size, NULL,
                                error);
        if (SUCCEEDED(hr))
            hr = writer_put_sparse(writer, offset, writer->block, size, error);
        if (SUCCEEDED(hr))
            hr = writer_advance(writer, size, error);
        start += size;
        offset += size;
    }
    return hr;
}

HRESULT writer_copy(struct writer *writer, const struct dump_range *range,
                    uint64_t offset, struct hcs_error *error) {
    uint64_t at = range->start, end = range->start + range->bytes;
    HRESULT hr = writer_extend(writer, offset + range->bytes, error);
    while (SUCCEEDED(hr) && at < end) {
        struct dump_range data;
        uint64_t last;
        hr = dump_next_data(writer->dump, at, &data, error);
        if (FAILED(hr))
            return hr;
        if (hr == S_FALSE || data.start >= end)
            return writer_advance(writer, end - at, error);
        last = smaller(data.start + data.bytes, end);
        hr = writer_advance(writer, data.start - at, error);
        if (SUCCEEDED(hr))
            hr = copy_data(writer, data.start, last,
                           offset + (data.start - range->start), error);
        at = last;
    }
    return hr;
}

HRESULT writer_read(struct writer *writer, uint64_t address, size_t size,
                    struct hcs_error *error) {
    uint64_t at = address, end = address + size;
    HRESULT hr = S_OK;
    memset(writer->block, 0, size);
    while (at < end) {
        struct dump_range range;
        uint64_t last;
        hr = dump_next_range(writer->dump, at, &range, error);
        if (hr != S_OK || range.start >= end)
            break;
        last = smaller(range.start + range.bytes, end);
        hr = dump_read_physical(writer->dump, range.start,
                                writer->block + (range.start - address),
                                (size_t)(last - range.start), NULL, error);
        if (FAILED(hr))
            break;
        at = last;
    }
    return FAILED(hr) ? hr : S_OK;
}

/* Rounding may make ranges meet. */
HRESULT writer_next_range(struct writer *writer, uint64_t from,
                          struct dump_range *out, struct hcs_error *error) {
    const uint64_t mask = DUMP_PAGE - 1;
    struct dump_range next;
    uint64_t end;
    HRESULT hr = dump_next_range(writer->dump, from, out, error);
    if (hr != S_OK)
        return hr;
    end = out->start + out->bytes;
    out->start = out->start & ~mask;
    if (out->start < from)
        out->start = from;
    for (;;) {
        if (end > UINT64_MAX - mask)
            return dump_corrupt(error, "has memory at the end of all memory");
        end = (end + mask) & ~mask;
        hr = dump_next_range(writer->dump, end, &next, error);
        if (FAILED(hr))
            return hr;
        if (hr == S_FALSE || next.start > end)
            break;
        end = next.start + next.bytes;
    }
    out->bytes = end - out->start;
    return S_OK;
}

HRESULT writer_count_ranges(struct writer *writer, uint64_t *count,
                            struct hcs_error *error) {
    struct dump_range range;
    uint64_t from = 0;
    HRESULT hr;
    *count = 0;
    while ((hr = writer_next_range(writer, from, &range, error)) == S_OK) {
        from = range.start + range.bytes;
        ++*count;
    }
    return FAILED(hr) ? hr : S_OK;
}

/* --- all of it ------------------------------------------------------------ */

static const struct {
    const char *name;
    HRESULT (*write)(struct writer *writer, struct hcs_error *error);
} formats[] = {
    [DUMP_EXPORT_ELF] = {"elf", write_elf},
    [DUMP_EXPORT_KDUMP] = {"kdump", write_kdump},
    [DUMP_EXPORT_RAW] = {"raw", write_raw},
    [DUMP_EXPORT_VMRS] = {"vmrs", write_vmrs},
};

bool dump_export_find(const char *name, enum dump_export_format *out) {
    for (size_t i = 0; i < HCS_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0) {
            *out = (enum dump_export_format)i;
            return true;
        }
    return false;
}

static HRESULT take_cpus(struct writer *writer, struct hcs_error *error) {
    uint32_t count = dump_get_facts(writer->dump)->cpu_count;
    HRESULT hr = S_OK;
    writer->cpu_count = count;
    writer->cpus = calloc(count ? count : 1, sizeof *writer->cpus);
    if (!writer->cpus)
        return dump_no_memory(error);
    for (uint32_t i = 0; SUCCEEDED(hr) && i < count; i++)
        hr = dump_get_cpu(writer->dump, i, &writer->cpus[i], error);
    return hr;
}

static HRESULT check_arch(const struct writer *writer,
                          enum dump_export_format format,
                          struct hcs_error *error) {
    enum dump_arch arch = dump_get_facts(writer->dump)->arch;
    if (format == DUMP_EXPORT_RAW || arch == DUMP_ARCH_X64 ||
        arch == DUMP_ARCH_ARM64)
        return S_OK;
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "a dump of architecture \"%s\" is exported as raw memory "
                     "only",
                     dump_arch_name(arch));
}

static HRESULT begin(struct writer *writer, struct hcs_error *error) {
    HRESULT hr = dump_memory_bytes(writer->dump, &writer->total, error);
    if (SUCCEEDED(hr) && writer->total > MOST_MEMORY)
        hr = error_set(error, HR_NOT_SUPPORTED, NULL,
                       "the dump has more memory than a file has bytes");
    if (SUCCEEDED(hr))
        hr = take_cpus(writer, error);
    if (FAILED(hr))
        return hr;
    writer->block = malloc(WRITER_BLOCK);
    if (!writer->block)
        return dump_no_memory(error);
    file_make_sparse(writer->file);
    writer->unchecked = LOOK_EVERY;
    return S_OK;
}

static HRESULT finish(struct writer *writer, struct hcs_error *error) {
    HRESULT hr = file_resize(writer->file, writer->length, error);
    writer->done = writer->total;
    return SUCCEEDED(hr) ? tell(writer, error) : hr;
}

HRESULT dump_export_file(struct dump *dump, hcs_file file, const char *path,
                         enum dump_export_format format,
                         const struct dump_export_options *options,
                         uint64_t *bytes, struct hcs_error *error) {
    struct writer writer = {.dump = dump, .file = file, .path = path};
    HRESULT hr;
    if (options)
        writer.options = *options;
    hr = check_arch(&writer, format, error);
    if (SUCCEEDED(hr))
        hr = begin(&writer, error);
    if (SUCCEEDED(hr))
        hr = formats[format].write(&writer, error);
    if (SUCCEEDED(hr))
        hr = finish(&writer, error);
    if (FAILED(hr))
        error_wrap(error, hr, "\"%s\"", path);
    else if (bytes)
        *bytes = writer.length;
    free(writer.cpus);
    free(writer.block);
    return hr;
}

HRESULT dump_export_map(struct dump *dump, struct buf *out,
                        struct hcs_error *error) {
    struct writer writer = {.dump = dump};
    HRESULT hr = take_cpus(&writer, error);
    if (SUCCEEDED(hr))
        hr = raw_map_write(&writer, out, error);
    free(writer.cpus);
    return hr;
}

static HRESULT put_map(struct dump *dump, const char *path,
                       struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr = dump_export_map(dump, &text, error);
    if (SUCCEEDED(hr))
        hr = dump_put_beside(path, DUMP_MAP, text.data, error);
    buf_free(&text);
    return hr;
}

HRESULT dump_export(struct dump *dump, const char *path,
                    enum dump_export_format format,
                    const struct dump_export_options *options, uint64_t *bytes,
                    struct hcs_error *error) {
    bool with_map = format == DUMP_EXPORT_RAW;
    struct output output;
    HRESULT hr = output_open(&output, path, error);
    if (FAILED(hr))
        return hr;
    hr = dump_export_file(dump, output.file, path, format, options, bytes,
                          error);
    if (SUCCEEDED(hr) && with_map)
        hr = put_map(dump, path, error);
    if (SUCCEEDED(hr)) {
        hr = output_commit(&output, error);
        if (FAILED(hr) && with_map)
            dump_drop_beside(path, DUMP_MAP);
    }
    output_close(&output, NULL);
    return hr;
}
