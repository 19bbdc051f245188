/* SPDX-License-Identifier: MIT
 * The log as kernels kept it from 3.5 to 5.9: records of a header and a text,
 * one behind the other; one of length 0 says that the next is at the begin. */
#include <stdlib.h>

#include "printk.h"
#include "vmcoreinfo.h"

#define MAX_BUFFER (UINT64_C(64) << 20)
#define MAX_RECORDS (UINT64_C(4) << 20)

struct records {
    uint64_t size;   /* of the ring */
    uint8_t *bytes;  /* all of it */
    uint64_t header; /* the size of a record's */
    uint64_t time, length, text_length;
    uint32_t first, next; /* where the oldest is, and where one will be */
};

static bool read_shape(struct printk *printk, struct records *out) {
    const struct dump *dump = printk->dump;

    if (!vmcoreinfo_number(dump, "SIZE", "printk_log", &out->header) &&
        !vmcoreinfo_number(dump, "SIZE", "log", &out->header))
        return false;
    if (!printk_offset(printk, "printk_log.ts_nsec", &out->time) &&
        !printk_offset(printk, "log.ts_nsec", &out->time))
        return false;
    if (!printk_offset(printk, "printk_log.len", &out->length) &&
        !printk_offset(printk, "log.len", &out->length))
        return false;
    if (!printk_offset(printk, "printk_log.text_len", &out->text_length) &&
        !printk_offset(printk, "log.text_len", &out->text_length))
        return false;
    /* Behind the text's length come that of what else it has, the facility
     * and the level. */
    return out->header <= 4096 && out->time <= 4096 && out->length <= 4096 &&
           out->text_length <= 4096 && out->time + 8 <= out->header &&
           out->length + 2 <= out->header &&
           out->text_length + 6 <= out->header;
}

static HRESULT read_places(struct printk *printk, struct records *out,
                           uint64_t *buffer, struct hcs_error *error) {
    const struct dump *dump = printk->dump;
    uint64_t pointer, size, first, next;
    uint32_t bytes;
    HRESULT hr;

    if (!vmcoreinfo_symbol(dump, "log_buf", &pointer) ||
        !vmcoreinfo_symbol(dump, "log_buf_len", &size) ||
        !vmcoreinfo_symbol(dump, "log_first_idx", &first) ||
        !vmcoreinfo_symbol(dump, "log_next_idx", &next))
        return HR_NOT_FOUND;
    hr = printk_u64(printk, pointer, buffer, error);
    if (SUCCEEDED(hr))
        hr = printk_u32(printk, size, &bytes, error);
    if (SUCCEEDED(hr))
        hr = printk_u32(printk, first, &out->first, error);
    if (SUCCEEDED(hr))
        hr = printk_u32(printk, next, &out->next, error);
    if (FAILED(hr))
        return hr;
    out->size = bytes;
    return out->size > MAX_BUFFER
               ? dump_corrupt(error, "has a kernel log of %u bytes",
                              (unsigned)bytes)
               : S_OK;
}

/* The record at `at`, and where the next one is. S_FALSE: there is none. */
static HRESULT read_record(const struct records *records, uint64_t *at,
                           struct dump_log_line *line) {
    const uint8_t *record;
    uint64_t length;

    if (*at + records->header > records->size ||
        le16(records->bytes + *at + records->length) == 0) {
        if (*at == 0 || records->header > records->size)
            return S_FALSE;
        *at = 0;
    }
    record = records->bytes + *at;
    length = le16(record + records->length);
    if (length < records->header || length > records->size - *at)
        return S_FALSE;
    line->nanoseconds = le64(record + records->time);
    line->text = (const char *)record + records->header;
    line->length = (size_t)smaller(le16(record + records->text_length),
                                   length - records->header);
    line->facility = record[records->text_length + 4];
    line->level = record[records->text_length + 5] >> 5;
    *at += length;
    return S_OK;
}

/* Every record takes room, so that no more of them are told than fit. */
static void tell(const struct records *records, struct printk *printk) {
    uint64_t at = records->first, told = 0;
    struct dump_log_line line = {0};
    uint64_t passed = 0;

    while (at != records->next || told == 0) {
        uint64_t before = at;
        if (told > MAX_RECORDS || passed >= records->size ||
            read_record(records, &at, &line) != S_OK)
            break;
        passed += at > before ? at - before : at;
        line.sequence = told++;
        if (!printk->line(printk->context, &line))
            break;
    }
}

HRESULT printk_records(struct printk *printk, struct hcs_error *error) {
    struct records records = {0};
    uint64_t buffer = 0;
    size_t got = 0;
    HRESULT hr;

    if (!read_shape(printk, &records))
        return HR_NOT_FOUND;
    hr = read_places(printk, &records, &buffer, error);
    if (FAILED(hr))
        return hr;
    records.bytes = calloc(1, (size_t)records.size + 1);
    if (!records.bytes)
        return dump_no_memory(error);
    hr = dump_read_virtual_in(printk->dump, &printk->space, buffer,
                              records.bytes, (size_t)records.size, &got, error);
    if (SUCCEEDED(hr))
        tell(&records, printk);
    free(records.bytes);
    return hr;
}
