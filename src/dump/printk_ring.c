/* SPDX-License-Identifier: MIT
 * The log as kernels keep it since 5.10: a ring of descriptors, one of what is
 * known of each, and one of the texts. */
#include <stdlib.h>

#include "printk.h"
#include "vmcoreinfo.h"

#define MAX_COUNT_BITS 20 /* 2^20 records */
#define MAX_SIZE_BITS 27  /* 128 MB of text */
#define MAX_FAILURES 4096 /* one after the other */
#define MAX_TEXT 65535u   /* its length has 16 bits */
#define MAX_STRUCT 512u

#define STATE_SHIFT 62
#define STATE_COMMITTED 1u
#define STATE_FINALIZED 2u
#define ID_MASK (~(UINT64_C(3) << STATE_SHIFT))

/* Offsets within the kernel's structures, by its own notes. */
struct shape {
    uint64_t desc_size, info_size;
    uint64_t state, begin, next;            /* of a descriptor */
    uint64_t sequence, time, length, flags; /* of what is known of it */
};

struct ring {
    struct printk *printk;
    struct shape shape;
    uint64_t descs, infos, text; /* addresses */
    uint64_t count;              /* of descriptors, a power of two */
    uint64_t text_size;          /* a power of two */
    uint64_t head, tail;         /* ids of the newest and the oldest */
    uint8_t *buffer;             /* of MAX_TEXT */
};

/* --- its shape ----------------------------------------------------------- */

static bool small(uint64_t value) {
    return value <= MAX_STRUCT;
}

static bool read_shape(struct printk *printk, struct shape *out) {
    const struct dump *dump = printk->dump;
    uint64_t block, begin, next;

    if (!vmcoreinfo_number(dump, "SIZE", "prb_desc", &out->desc_size) ||
        !vmcoreinfo_number(dump, "SIZE", "printk_info", &out->info_size) ||
        !printk_offset(printk, "prb_desc.state_var", &out->state) ||
        !printk_offset(printk, "prb_desc.text_blk_lpos", &block) ||
        !printk_offset(printk, "prb_data_blk_lpos.begin", &begin) ||
        !printk_offset(printk, "prb_data_blk_lpos.next", &next) ||
        !printk_offset(printk, "printk_info.seq", &out->sequence) ||
        !printk_offset(printk, "printk_info.ts_nsec", &out->time) ||
        !printk_offset(printk, "printk_info.text_len", &out->length))
        return false;
    out->begin = block + begin;
    out->next = block + next;
    /* Facility, and flags with the level, are not noted: they follow the
     * length in every kernel that keeps its log so. */
    out->flags = out->length + 2;
    return small(out->desc_size) && small(out->info_size) && small(block) &&
           small(begin) && small(next) && small(out->state) &&
           small(out->sequence) && small(out->time) && small(out->length) &&
           out->state + 8 <= out->desc_size &&
           out->begin + 8 <= out->desc_size &&
           out->next + 8 <= out->desc_size &&
           out->sequence + 8 <= out->info_size &&
           out->time + 8 <= out->info_size && out->length + 4 <= out->info_size;
}

static HRESULT read_text_ring(struct ring *ring, uint64_t at,
                              struct hcs_error *error) {
    struct printk *printk = ring->printk;
    uint64_t bits = 0, data = 0;
    uint32_t size_bits;
    HRESULT hr;

    if (!printk_offset(printk, "prb_data_ring.size_bits", &bits) ||
        !printk_offset(printk, "prb_data_ring.data", &data))
        return HR_NOT_FOUND;
    hr = printk_u32(printk, at + bits, &size_bits, error);
    if (SUCCEEDED(hr))
        hr = printk_u64(printk, at + data, &ring->text, error);
    if (SUCCEEDED(hr) && (size_bits > MAX_SIZE_BITS || size_bits < 3))
        return dump_corrupt(error, "has a kernel log of 2^%u bytes",
                            (unsigned)size_bits);
    ring->text_size = SUCCEEDED(hr) ? UINT64_C(1) << size_bits : 0;
    return hr;
}

static HRESULT read_desc_ring(struct ring *ring, uint64_t at,
                              struct hcs_error *error) {
    struct printk *printk = ring->printk;
    uint64_t bits = 0, descs = 0, infos = 0, head = 0, tail = 0;
    uint32_t count_bits;
    HRESULT hr;

    if (!printk_offset(printk, "prb_desc_ring.count_bits", &bits) ||
        !printk_offset(printk, "prb_desc_ring.descs", &descs) ||
        !printk_offset(printk, "prb_desc_ring.infos", &infos) ||
        !printk_offset(printk, "prb_desc_ring.head_id", &head) ||
        !printk_offset(printk, "prb_desc_ring.tail_id", &tail))
        return HR_NOT_FOUND;
    hr = printk_u32(printk, at + bits, &count_bits, error);
    if (SUCCEEDED(hr))
        hr = printk_u64(printk, at + descs, &ring->descs, error);
    if (SUCCEEDED(hr))
        hr = printk_u64(printk, at + infos, &ring->infos, error);
    if (SUCCEEDED(hr))
        hr = printk_u64(printk, at + head, &ring->head, error);
    if (SUCCEEDED(hr))
        hr = printk_u64(printk, at + tail, &ring->tail, error);
    if (SUCCEEDED(hr) && count_bits > MAX_COUNT_BITS)
        return dump_corrupt(error, "has a kernel log of 2^%u records",
                            (unsigned)count_bits);
    ring->count = SUCCEEDED(hr) ? UINT64_C(1) << count_bits : 0;
    return hr;
}

/* --- its records --------------------------------------------------------- */

/* The text between the two places, which are those of the ring's bytes as if
 * they never came round: behind the id of its descriptor, at the begin of the
 * ring when it did not fit at the end. */
static HRESULT read_text(struct ring *ring, uint64_t begin, uint64_t next,
                         size_t *length, struct hcs_error *error) {
    uint64_t from = begin & (ring->text_size - 1);
    uint64_t to = next & (ring->text_size - 1);

    /* Both odd: a record without a text. */
    if ((begin & 1) && (next & 1)) {
        *length = 0;
        return S_OK;
    }
    if (from > to) {
        from = 0;
        if (to == 0) /* it ends where the ring does */
            from = begin & (ring->text_size - 1), to = ring->text_size;
    }
    from += 8;
    *length = from < to ? (size_t)smaller(*length, to - from) : 0;
    if (*length == 0)
        return S_OK;
    return dump_read_virtual_in(ring->printk->dump, &ring->printk->space,
                                ring->text + from, ring->buffer, *length, NULL,
                                error);
}

static HRESULT read_record(struct ring *ring, uint64_t id,
                           struct dump_log_line *line,
                           struct hcs_error *error) {
    struct printk *printk = ring->printk;
    uint64_t index = id & (ring->count - 1);
    uint8_t desc[MAX_STRUCT], info[MAX_STRUCT];
    const struct shape *shape = &ring->shape;
    uint64_t state;
    HRESULT hr;

    hr = dump_read_virtual_in(printk->dump, &printk->space,
                              ring->descs + index * shape->desc_size, desc,
                              (size_t)shape->desc_size, NULL, error);
    if (FAILED(hr))
        return hr;
    state = le64(desc + shape->state);
    if ((state & ID_MASK) != id || (state >> STATE_SHIFT != STATE_COMMITTED &&
                                    state >> STATE_SHIFT != STATE_FINALIZED))
        return S_FALSE;
    hr = dump_read_virtual_in(printk->dump, &printk->space,
                              ring->infos + index * shape->info_size, info,
                              (size_t)shape->info_size, NULL, error);
    if (FAILED(hr))
        return hr;
    line->sequence = le64(info + shape->sequence);
    line->nanoseconds = le64(info + shape->time);
    line->facility = info[shape->flags];
    line->level = info[shape->flags + 1] >> 5;
    line->text = (const char *)ring->buffer;
    line->length = le16(info + shape->length);
    return read_text(ring, le64(desc + shape->begin), le64(desc + shape->next),
                     &line->length, error);
}

/* At most as many as there are descriptors, wherever head and tail say that
 * they are, and no more text than the ring has room for. A record that cannot
 * be read is passed over: the others may be. */
static void tell(struct ring *ring) {
    uint64_t id = ring->tail & ID_MASK;
    uint64_t left = ((ring->head - ring->tail) & ID_MASK) + 1;
    uint64_t told = 0;
    unsigned failures = 0;

    for (left = smaller(left, ring->count); left > 0; left--) {
        struct dump_log_line line;
        HRESULT hr = read_record(ring, id, &line, NULL);
        failures = FAILED(hr) ? failures + 1 : 0;
        if (failures > MAX_FAILURES || told > ring->text_size)
            break;
        if (hr == S_OK) {
            told += line.length;
            if (!ring->printk->line(ring->printk->context, &line))
                break;
        }
        id = (id + 1) & ID_MASK;
    }
}

HRESULT printk_ring(struct printk *printk, struct hcs_error *error) {
    uint64_t symbol, at, desc_ring, text_ring;
    struct ring ring = {0};
    HRESULT hr;

    ring.printk = printk;
    if (!vmcoreinfo_symbol(printk->dump, "prb", &symbol) ||
        !printk_offset(printk, "printk_ringbuffer.desc_ring", &desc_ring) ||
        !printk_offset(printk, "printk_ringbuffer.text_data_ring",
                       &text_ring) ||
        !read_shape(printk, &ring.shape))
        return HR_NOT_FOUND;
    hr = printk_u64(printk, symbol, &at, error);
    if (SUCCEEDED(hr))
        hr = read_desc_ring(&ring, at + desc_ring, error);
    if (SUCCEEDED(hr))
        hr = read_text_ring(&ring, at + text_ring, error);
    if (FAILED(hr))
        return hr;
    ring.buffer = malloc(MAX_TEXT);
    if (!ring.buffer)
        return dump_no_memory(error);
    tell(&ring);
    free(ring.buffer);
    return S_OK;
}
