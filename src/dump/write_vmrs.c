/* SPDX-License-Identifier: MIT
 * Saved states as Hyper-V has them (docs/formats/vmrs.md), to be looked at:
 * the machine's devices are not in them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "hvs_write.h"
#include "reader.h"
#include "register_list.h"
#include "vmrs_format.h"
#include "vmrs_state.h"

/* Some 200 MB of keys. */
#define MOST_MEMORY (UINT64_C(4) << 40)

/* --- what it is ----------------------------------------------------------- */

static HRESULT put_versions(struct hvs_writer *hvs, struct hcs_error *error) {
    HRESULT hr = hvs_put_int(hvs, VMRS_PROPERTIES_KEY, VMRS_VERSION, error);
    if (SUCCEEDED(hr))
        hr = hvs_put_int(hvs, VMRS_VERSION_KEY, VMRS_VERSION, error);
    if (SUCCEEDED(hr))
        hr = hvs_put_string(hvs, VMRS_TYPE_KEY, "Normal", error);
    return hr;
}

static HRESULT put_state(struct writer *writer, struct hvs_writer *hvs,
                         struct hcs_error *error) {
    const struct dump_facts *facts = dump_get_facts(writer->dump);
    struct buf state = {0};
    HRESULT hr;
    vmrs_state_write(&state, writer->cpus, writer->cpu_count,
                     vmrs_os_id(facts->os, facts->os_release));
    hr = state.failed ? dump_no_memory(error)
                      : hvs_put_array(hvs, VMRS_STATE_KEY, state.data,
                                      state.length, error);
    buf_free(&state);
    return hr;
}

/* --- what it has no place for --------------------------------------------- */

static HRESULT put_cpu(struct hvs_writer *hvs, const struct dump_cpu *cpu,
                       uint32_t index, struct hcs_error *error) {
    struct buf list = {0};
    char path[64];
    HRESULT hr;
    snprintf(path, sizeof path, VMRS_EXTRA_CPU "%" PRIu32, index);
    register_list_write(&list, cpu);
    hr = list.failed ? dump_no_memory(error)
                     : hvs_put_array(hvs, path, list.data, list.length, error);
    buf_free(&list);
    return hr;
}

static HRESULT put_bugcheck(struct hvs_writer *hvs,
                            const struct dump_bugcheck *bugcheck,
                            struct hcs_error *error) {
    uint8_t bytes[VMRS_BUGCHECK_SIZE] = {0};
    put32(bytes, bugcheck->code);
    for (unsigned i = 0; i < 4; i++)
        put64(bytes + 8 + 8 * i, bugcheck->parameters[i]);
    return hvs_put_array(hvs, VMRS_EXTRA_BUGCHECK, bytes, sizeof bytes, error);
}

static HRESULT put_extra(struct writer *writer, struct hvs_writer *hvs,
                         struct hcs_error *error) {
    const struct dump_facts *facts = dump_get_facts(writer->dump);
    const struct dump_bugcheck *bugcheck = dump_get_bugcheck(writer->dump);
    size_t length;
    const char *text = dump_get_vmcoreinfo(writer->dump, &length);
    HRESULT hr = S_OK;
    if (text)
        hr = hvs_put_array(hvs, VMRS_EXTRA_VMCOREINFO, text, length, error);
    if (SUCCEEDED(hr) && bugcheck)
        hr = put_bugcheck(hvs, bugcheck, error);
    if (SUCCEEDED(hr) && facts->created[0])
        hr = hvs_put_array(hvs, VMRS_EXTRA_CREATED, facts->created,
                           strlen(facts->created), error);
    for (uint32_t i = 0; SUCCEEDED(hr) && i < writer->cpu_count; i++)
        hr = put_cpu(hvs, &writer->cpus[i], i, error);
    return hr;
}

/* --- memory --------------------------------------------------------------- */

static HRESULT put_range(struct hvs_writer *hvs, uint64_t number,
                         const struct dump_range *range, uint64_t blocks,
                         struct hcs_error *error) {
    uint8_t bytes[VMRS_RANGE_SIZE] = {0};
    char path[64];
    snprintf(path, sizeof path, "savedstate/" VMRS_RANGE_NAME "%" PRIu64,
             number);
    put32(bytes, VMRS_RANGE_VERSION);
    put64(bytes + VMRS_RANGE_PAGES, range->bytes / DUMP_PAGE);
    put64(bytes + VMRS_RANGE_ROW, blocks * VMRS_BLOCK_PAGES);
    put64(bytes + VMRS_RANGE_START, range->start / DUMP_PAGE);
    return hvs_put_array(hvs, path, bytes, sizeof bytes, error);
}

/* Every block of it is whole, since shorter ones would be taken for packed;
 * they lie one after the other. */
static HRESULT reserve_blocks(struct hvs_writer *hvs, uint64_t bytes,
                              uint64_t *blocks, uint64_t *first,
                              struct hcs_error *error) {
    uint64_t offset, end;
    HRESULT hr = S_OK;
    *first = 0;
    for (end = bytes; SUCCEEDED(hr) && end > 0;) {
        char path[64];
        snprintf(path, sizeof path, "savedstate/" VMRS_BLOCK_NAME "%" PRIu64,
                 (*blocks)++);
        hr = hvs_reserve(hvs, path, VMRS_BLOCK_SIZE, &offset, error);
        if (SUCCEEDED(hr) && *first == 0)
            *first = offset;
        end -= smaller(end, VMRS_BLOCK_SIZE);
    }
    return hr;
}

static HRESULT put_memory(struct writer *writer, struct hvs_writer *hvs,
                          struct hcs_error *error) {
    struct dump_range range = {0, 0};
    uint64_t number = 0, blocks = 0, offset;
    HRESULT hr;
    while ((hr = writer_next_range(writer, range.start + range.bytes, &range,
                                   error)) == S_OK) {
        hr = put_range(hvs, number++, &range, blocks, error);
        if (SUCCEEDED(hr))
            hr = reserve_blocks(hvs, range.bytes, &blocks, &offset, error);
        if (SUCCEEDED(hr))
            hr = writer_copy(writer, &range, offset, error);
        if (FAILED(hr))
            return hr;
    }
    if (SUCCEEDED(hr) && number == 0)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump has no memory, and a .vmrs needs some");
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT check(const struct writer *writer, struct hcs_error *error) {
    if (dump_get_facts(writer->dump)->arch != DUMP_ARCH_X64)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "a .vmrs is written of x86-64 machines only");
    if (writer->cpu_count == 0 || writer->cpu_count > VMRS_MAX_CPUS)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump has %u CPUs, and a .vmrs needs 1 to %u",
                         (unsigned)writer->cpu_count, VMRS_MAX_CPUS);
    if (writer->total > MOST_MEMORY)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "a .vmrs is not written of more than 4 TB");
    return S_OK;
}

HRESULT write_vmrs(struct writer *writer, struct hcs_error *error) {
    struct hvs_writer *hvs = NULL;
    HRESULT hr = check(writer, error);
    if (SUCCEEDED(hr))
        hr = hvs_writer_open(writer, &hvs, error);
    if (SUCCEEDED(hr))
        hr = put_versions(hvs, error);
    if (SUCCEEDED(hr))
        hr = put_state(writer, hvs, error);
    if (SUCCEEDED(hr))
        hr = put_extra(writer, hvs, error);
    if (SUCCEEDED(hr))
        hr = put_memory(writer, hvs, error);
    if (SUCCEEDED(hr))
        hr = hvs_finish(hvs, error);
    hvs_writer_close(hvs);
    return hr;
}
