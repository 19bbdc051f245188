/* SPDX-License-Identifier: MIT
 * Opening and closing, and what is the same for every format. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

const char *dump_os_name(enum dump_os os) {
    switch (os) {
    case DUMP_OS_LINUX:
        return "linux";
    case DUMP_OS_WINDOWS:
        return "windows";
    default:
        return "unknown";
    }
}

const char *dump_arch_name(enum dump_arch arch) {
    switch (arch) {
    case DUMP_ARCH_X86:
        return "x86";
    case DUMP_ARCH_X64:
        return "x86_64";
    case DUMP_ARCH_ARM64:
        return "arm64";
    default:
        return "unknown";
    }
}

HRESULT dump_corrupt(struct hcs_error *error, const char *format, ...) {
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, HR_FILE_CORRUPT, NULL, "the dump %s", text);
}

HRESULT dump_no_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

/* --- opening ------------------------------------------------------------- */

static HRESULT read_head(struct dump *dump, struct dump_head *head,
                         struct hcs_error *error) {
    memset(head, 0, sizeof *head);
    head->length = source_length(dump->source);
    return source_read(dump->source, 0, head->bytes,
                       (size_t)smaller(head->length, DUMP_HEAD), error);
}

static HRESULT read_headers(struct dump *dump, struct hcs_error *error) {
    struct dump_head *head = malloc(sizeof *head);
    const struct dump_reader *const *reader = dump_readers;
    HRESULT hr;

    if (!head)
        return dump_no_memory(error);
    hr = read_head(dump, head, error);
    if (SUCCEEDED(hr)) {
        while (*reader && !(*reader)->knows(head))
            reader++;
        if (!*reader) {
            hr = error_set(error, HR_FILE_CORRUPT, NULL,
                           "is no dump of a kind that is known");
        } else {
            dump->reader = *reader;
            dump->facts.format = (*reader)->format;
            dump->facts.format_name = (*reader)->name;
            dump->facts.variant = "";
            dump->facts.file_bytes = head->length;
            hr = (*reader)->open(dump, head, error);
        }
    }
    free(head);
    return hr;
}

/* Takes the source over, also when it fails. */
static HRESULT open_source(struct source *source, const char *path,
                           struct dump **out, struct hcs_error *error) {
    struct dump *dump = calloc(1, sizeof *dump);
    HRESULT hr;

    *out = NULL;
    if (!dump) {
        source_close(source);
        return dump_no_memory(error);
    }
    dump->source = source;
    dump->path = path;
    hr = read_headers(dump, error);
    dump->path = NULL;
    if (FAILED(hr)) {
        dump_close(dump);
        return hr;
    }
    *out = dump;
    return S_OK;
}

HRESULT dump_open(const char *path, struct dump **out,
                  struct hcs_error *error) {
    struct source *source;
    HRESULT hr = source_open(path, &source, error);

    *out = NULL;
    if (FAILED(hr))
        return hr;
    hr = open_source(source, path, out, error);
    return FAILED(hr) ? error_wrap(error, hr, "\"%s\"", path) : hr;
}

HRESULT dump_open_file(hcs_file file, struct dump **out,
                       struct hcs_error *error) {
    struct source *source;
    HRESULT hr = source_of_file(file, &source, error);

    *out = NULL;
    return FAILED(hr) ? hr : open_source(source, NULL, out, error);
}

HRESULT dump_open_memory(const void *bytes, size_t length, struct dump **out,
                         struct hcs_error *error) {
    struct source *source;
    HRESULT hr = source_of_memory(bytes, length, &source, error);

    *out = NULL;
    return FAILED(hr) ? hr : open_source(source, NULL, out, error);
}

void dump_close(struct dump *dump) {
    unsigned i;

    if (!dump)
        return;
    if (dump->self)
        dump->reader->close(dump->self);
    source_close(dump->source);
    free(dump->vmcoreinfo);
    for (i = 0; i < DUMP_CACHED_PAGES; i++)
        free(dump->cache.pages[i]);
    free(dump);
}

const struct dump_facts *dump_get_facts(const struct dump *dump) {
    return &dump->facts;
}

const char *dump_get_vmcoreinfo(const struct dump *dump, size_t *length) {
    if (length)
        *length = dump->vmcoreinfo_length;
    return dump->vmcoreinfo;
}

const struct dump_bugcheck *dump_get_bugcheck(const struct dump *dump) {
    return dump->has_bugcheck ? &dump->bugcheck : NULL;
}

/* --- CPUs ---------------------------------------------------------------- */

HRESULT dump_get_cpu(struct dump *dump, uint32_t index, struct dump_cpu *out,
                     struct hcs_error *error) {
    memset(out, 0, sizeof *out);
    if (index >= dump->facts.cpu_count)
        return error_set(error, E_INVALIDARG, NULL,
                         "the dump has %u CPUs, none of them is number %u",
                         (unsigned)dump->facts.cpu_count, (unsigned)index);
    out->arch = dump->facts.arch;
    return dump->reader->cpu(dump->self, index, out, error);
}
