/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: what they tell of themselves. */
#include <string.h>

#include "../base/json.h"
#include "dump.h"
#include "memory.h"
#include "result.h"

static void pair_unless_empty(struct json_writer *w, const char *name,
                              const char *text) {
    if (text && text[0])
        json_pair_string(w, name, text);
}

static void write_bugcheck(struct json_writer *w,
                           const struct dump_bugcheck *bugcheck) {
    json_key(w, "Bugcheck");
    json_begin_object(w);
    json_pair_uint(w, "Code", bugcheck->code);
    pair_unless_empty(w, "Name", bugcheck->name);
    json_key(w, "Parameters");
    json_begin_array(w);
    for (size_t i = 0; i < HCS_COUNT(bugcheck->parameters); i++)
        json_put_uint(w, bugcheck->parameters[i]);
    json_end_array(w);
    json_end_object(w);
}

static HRESULT describe(struct dumped *dumped, struct buf *out) {
    const struct dump_facts *facts = dump_get_facts(dumped->dump);
    const struct dump_bugcheck *bugcheck = dump_get_bugcheck(dumped->dump);
    struct json_writer w = {.out = out};
    uint64_t memory;
    HRESULT hr = dump_memory_bytes(dumped->dump, &memory, &dumped->error);

    if (FAILED(hr))
        return hr;
    json_begin_object(&w);
    json_pair_string(&w, "Format", facts->format_name);
    pair_unless_empty(&w, "Variant", facts->variant);
    if (facts->os != DUMP_OS_UNKNOWN)
        json_pair_string(&w, "Os", dump_os_name(facts->os));
    pair_unless_empty(&w, "OsRelease", facts->os_release);
    pair_unless_empty(&w, "Created", facts->created);
    if (facts->arch != DUMP_ARCH_UNKNOWN)
        json_pair_string(&w, "Architecture", dump_arch_name(facts->arch));
    json_pair_uint(&w, "Processors", facts->cpu_count);
    json_pair_uint(&w, "FileBytes", facts->file_bytes);
    json_pair_uint(&w, "MemoryBytes", memory);
    json_pair_bool(&w, "VmCoreInfo",
                   dump_get_vmcoreinfo(dumped->dump, NULL) != NULL);
    if (bugcheck)
        write_bugcheck(&w, bugcheck);
    json_end_object(&w);
    return S_OK;
}

HRESULT hcshost_dump_describe(VM_SAVED_STATE_DUMP_HANDLE dump,
                              PWSTR *document) {
    struct dumped *dumped;
    struct buf text = {0};
    HRESULT hr;

    if (document)
        *document = NULL;
    hr = dump_begin_answer(dump, document, &dumped);
    if (FAILED(hr))
        return hr;
    hr = describe(dumped, &text);
    if (SUCCEEDED(hr) && FAILED(result_take(&text, document)))
        hr = error_set(&dumped->error, E_OUTOFMEMORY, NULL,
                       "no memory for what the dump is");
    buf_free(&text);
    return dump_end(dumped, hr);
}

/* --- bytes ---------------------------------------------------------------- */

/* A copy in memory that LocalFree frees, with a NUL behind it. */
static HRESULT hand_back(struct dumped *dumped, const char *bytes, size_t count,
                         char **text, size_t *length) {
    *text = memory_take(count + 1);
    if (!*text)
        return error_set(&dumped->error, E_OUTOFMEMORY, NULL,
                         "no memory for what the dump says");
    if (count > 0)
        memcpy(*text, bytes, count);
    (*text)[count] = '\0';
    *length = count;
    return S_OK;
}

static HRESULT begin_bytes(VM_SAVED_STATE_DUMP_HANDLE dump, char **text,
                           size_t *length, struct dumped **out) {
    if (text)
        *text = NULL;
    if (length)
        *length = 0;
    return dump_begin_answer(dump, text && length ? text : NULL, out);
}

HRESULT hcshost_dump_vmcoreinfo(VM_SAVED_STATE_DUMP_HANDLE dump, char **text,
                                size_t *length) {
    struct dumped *dumped;
    const char *note;
    size_t count = 0;
    HRESULT hr = begin_bytes(dump, text, length, &dumped);

    if (FAILED(hr))
        return hr;
    note = dump_get_vmcoreinfo(dumped->dump, &count);
    if (note)
        hr = hand_back(dumped, note, count, text, length);
    else
        hr = error_set(&dumped->error, HR_NOT_FOUND, NULL,
                       "the dump has no VMCOREINFO: the kernel's notes of "
                       "itself");
    return dump_end(dumped, hr);
}

HRESULT hcshost_dump_summary(VM_SAVED_STATE_DUMP_HANDLE dump, char **text,
                             size_t *length) {
    struct dumped *dumped;
    struct buf lines = {0};
    HRESULT hr = begin_bytes(dump, text, length, &dumped);

    if (FAILED(hr))
        return hr;
    hr = dump_summary(dumped->dump, &lines, &dumped->error);
    if (SUCCEEDED(hr) && lines.failed)
        hr = error_set(&dumped->error, E_OUTOFMEMORY, NULL, "out of memory");
    if (SUCCEEDED(hr))
        hr = hand_back(dumped, lines.data, lines.length, text, length);
    buf_free(&lines);
    return dump_end(dumped, hr);
}

/* --- the log -------------------------------------------------------------- */

struct listener {
    HCSHOST_DUMP_LOG_CALLBACK line;
    void *context;
};

static bool tell(void *context, const struct dump_log_line *line) {
    const struct listener *listener = context;
    HCSHOST_DUMP_LINE told = {
        .Sequence = line->sequence,
        .Nanoseconds = line->nanoseconds,
        .Level = line->level,
        .Facility = line->facility,
        .Text = line->text,
        .Length = line->length,
    };
    return listener->line(listener->context, &told);
}

HRESULT hcshost_dump_log(VM_SAVED_STATE_DUMP_HANDLE dump,
                         HCSHOST_DUMP_LOG_CALLBACK line, void *context) {
    struct listener listener = {line, context};
    struct dumped *dumped;
    HRESULT hr = dump_begin(dump, &dumped);
    if (FAILED(hr))
        return hr;
    if (!line)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "who is told the lines is NULL");
    else
        hr = dump_log(dumped->dump, tell, &listener, &dumped->error);
    return dump_end(dumped, hr);
}
