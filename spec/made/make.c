/* SPDX-License-Identifier: MIT */
#include "make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "put.h"

void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    bytes->data = NULL;
    bytes->length = 0;
}

void bytes_put(struct bytes *bytes, size_t at, const void *data,
               size_t length) {
    if (at + length > bytes->length) {
        bytes->data = realloc(bytes->data, at + length);
        if (!bytes->data)
            abort();
        memset(bytes->data + bytes->length, 0, at + length - bytes->length);
        bytes->length = at + length;
    }
    if (length > 0)
        memcpy(bytes->data + at, data, length);
}

/* --- page tables --------------------------------------------------------- */

#define TABLE(guest, at, index, value) \
    le64_to((guest)->ram + (at) + 8 * (index), (value))

static void make_tables(struct guest *guest) {
    unsigned i;

    TABLE(guest, GUEST_ROOT_5, 511, GUEST_ROOT | 3);
    TABLE(guest, GUEST_ROOT, 511, 0x2003);
    TABLE(guest, 0x2000, 510, 0x3003);
    TABLE(guest, 0x3000, 0, 0x4003);
    for (i = 0; i < GUEST_BYTES / 4096; i++)
        TABLE(guest, 0x4000, i, (uint64_t)i * 4096 | 3);
    TABLE(guest, 0x4000, GUEST_UNMAPPED, 0);
    TABLE(guest, 0x4000, GUEST_NOWHERE, UINT64_C(0x10000000003));
    TABLE(guest, 0x3000, 1, 0x83);
    TABLE(guest, 0x3000, 2, 0x3003); /* a table of pages that is this one */
    TABLE(guest, GUEST_ROOT, 256, 0x6003);
    TABLE(guest, 0x6000, 0, 0x83);
    TABLE(guest, 0x6000, 1, UINT64_C(0x40000000003));
    TABLE(guest, GUEST_ROOT, 257, GUEST_ROOT | 3);
}

/* --- logs ---------------------------------------------------------------- */

struct line {
    uint64_t time;
    unsigned level;
    const char *text;
};

static const struct line lines[] = {
    {0, 5, "Linux version 0.0 (nobody)"},
    {1500000, 6, "two\nlines"},
    {UINT64_C(12345678901234), 3, "far in time"},
    {UINT64_C(12345678902000), 0, "Kernel panic - not syncing: a test"},
    {UINT64_C(12345678902000), 4, ""},
    {UINT64_C(12345678903000), 4, "odd \001 byte"},
};
#define LINES (sizeof lines / sizeof lines[0])

const char guest_log_text[] =
    "[    0.000000] Linux version 0.0 (nobody)\n"
    "[    0.001500] two\n"
    "               lines\n"
    "[12345.678901] far in time\n"
    "[12345.678902] Kernel panic - not syncing: a test\n"
    "[12345.678902] \n"
    "[12345.678903] odd \x01 byte\n";

#define RING_PRB 0x8000u
#define RING_AT 0x8010u
#define RING_DESCS 0x9000u
#define RING_INFOS 0x9800u
#define RING_TEXT 0xA000u
#define RING_BITS 3u      /* 8 descriptors */
#define RING_TEXT_BITS 8u /* 256 bytes */
#define RING_FIRST_ID UINT64_C(0xFFFFFFFD)

static void put_desc(struct guest *guest, uint64_t id, unsigned state,
                     uint64_t begin, uint64_t next) {
    uint8_t *desc = guest->ram + RING_DESCS + (id % 8) * 24;

    le64_to(desc, (uint64_t)state << 62 | id);
    le64_to(desc + 8, begin);
    le64_to(desc + 16, next);
}

static void put_info(struct guest *guest, uint64_t id, uint64_t sequence,
                     const struct line *line) {
    uint8_t *info = guest->ram + RING_INFOS + (id % 8) * 88;

    le64_to(info, sequence);
    le64_to(info + 8, line->time);
    le16_to(info + 16, (uint16_t)strlen(line->text));
    info[18] = 1; /* facility */
    info[19] = (uint8_t)(line->level << 5 | 2);
}

/* The texts come round the end of their ring; behind them is a record that is
 * being written. */
static void make_ring(struct guest *guest) {
    uint64_t id = RING_FIRST_ID, at = 256 * 5 + 120;
    uint8_t *ring = guest->ram + RING_AT;
    unsigned i;

    for (i = 0; i < LINES; i++, id++) {
        size_t length = strlen(lines[i].text);
        uint64_t size = (8 + length + 7) & ~(uint64_t)7, begin = at, place;
        if (length == 0) {
            put_desc(guest, id, 2, 3, 3);
            put_info(guest, id, i, &lines[i]);
            continue;
        }
        place = at % 256;
        if (at / 256 != (at + size - 1) / 256) { /* all of it at the begin */
            at = (at / 256 + 1) * 256;
            place = 0;
        }
        at += size;
        le64_to(guest->ram + RING_TEXT + place, id);
        memcpy(guest->ram + RING_TEXT + place + 8, lines[i].text, length);
        put_desc(guest, id, i == 1 ? 1 : 2, begin, at);
        put_info(guest, id, i, &lines[i]);
    }
    put_desc(guest, id, 0, at, at + 24);
    le64_to(guest->ram + RING_PRB, GUEST_KERNEL + RING_AT);
    le32_to(ring, RING_BITS);
    le64_to(ring + 8, GUEST_KERNEL + RING_DESCS);
    le64_to(ring + 16, GUEST_KERNEL + RING_INFOS);
    le64_to(ring + 24, id);
    le64_to(ring + 32, RING_FIRST_ID);
    le32_to(ring + 48, RING_TEXT_BITS);
    le64_to(ring + 56, GUEST_KERNEL + RING_TEXT);
}

static const char ring_notes[] = "SYMBOL(prb)=ffffffff80008000\n"
                                 "OFFSET(printk_ringbuffer.desc_ring)=0\n"
                                 "OFFSET(printk_ringbuffer.text_data_ring)=48\n"
                                 "OFFSET(prb_desc_ring.count_bits)=0\n"
                                 "OFFSET(prb_desc_ring.descs)=8\n"
                                 "OFFSET(prb_desc_ring.infos)=16\n"
                                 "OFFSET(prb_desc_ring.head_id)=24\n"
                                 "OFFSET(prb_desc_ring.tail_id)=32\n"
                                 "SIZE(prb_desc)=24\n"
                                 "OFFSET(prb_desc.state_var)=0\n"
                                 "OFFSET(prb_desc.text_blk_lpos)=8\n"
                                 "OFFSET(prb_data_blk_lpos.begin)=0\n"
                                 "OFFSET(prb_data_blk_lpos.next)=8\n"
                                 "SIZE(printk_info)=88\n"
                                 "OFFSET(printk_info.seq)=0\n"
                                 "OFFSET(printk_info.ts_nsec)=8\n"
                                 "OFFSET(printk_info.text_len)=16\n"
                                 "OFFSET(prb_data_ring.size_bits)=0\n"
                                 "OFFSET(prb_data_ring.data)=8\n";

#define BUFFER 0xB000u
#define BUFFER_SIZE 512u

/* Begins in the middle of its ring. */
static void make_records(struct guest *guest) {
    uint8_t *variables = guest->ram + RING_PRB;
    uint32_t at = 400, first = at;
    unsigned i;

    for (i = 0; i < LINES; i++) {
        size_t length = strlen(lines[i].text);
        uint32_t size = (uint32_t)(16 + length + 3) & ~3u;
        uint8_t *record;
        if (at + size + 16 > BUFFER_SIZE)
            at = 0; /* what lies there is a length of 0 */
        record = guest->ram + BUFFER + at;
        le64_to(record, lines[i].time);
        le16_to(record + 8, (uint16_t)size);
        le16_to(record + 10, (uint16_t)length);
        record[14] = 1;
        record[15] = (uint8_t)(lines[i].level << 5);
        memcpy(record + 16, lines[i].text, length);
        at += size;
    }
    le64_to(variables, GUEST_KERNEL + BUFFER);
    le32_to(variables + 8, BUFFER_SIZE);
    le32_to(variables + 12, first);
    le32_to(variables + 16, at);
}

static const char record_notes[] = "SYMBOL(log_buf)=ffffffff80008000\n"
                                   "SYMBOL(log_buf_len)=ffffffff80008008\n"
                                   "SYMBOL(log_first_idx)=ffffffff8000800c\n"
                                   "SYMBOL(log_next_idx)=ffffffff80008010\n"
                                   "SIZE(printk_log)=16\n"
                                   "OFFSET(printk_log.ts_nsec)=0\n"
                                   "OFFSET(printk_log.len)=8\n"
                                   "OFFSET(printk_log.text_len)=10\n";

/* --- all of it ----------------------------------------------------------- */

uint64_t guest_register(unsigned cpu, unsigned index) {
    return UINT64_C(0x1122334455000000) + cpu * 0x10000 + index;
}

/* Some pages are zeros, some alike, some of no order at all. */
static void fill(struct guest *guest) {
    uint32_t chance = 1;
    size_t i;

    for (i = 0x10000; i < GUEST_BYTES; i++) {
        size_t page = i / 4096;
        chance = chance * 1664525 + 1013904223;
        guest->ram[i] = page % 5 == 0   ? 0
                        : page % 5 == 1 ? (uint8_t)("abcdefg"[i % 7])
                                        : (uint8_t)(chance >> 24);
    }
}

void make_guest(struct guest *guest, enum guest_log log) {
    memset(guest, 0, sizeof *guest);
    guest->high_at = GUEST_HIGH_AT;
    make_tables(guest);
    fill(guest);
    if (log == GUEST_LOG_RING)
        make_ring(guest);
    if (log == GUEST_LOG_RECORDS)
        make_records(guest);
    snprintf(guest->notes, sizeof guest->notes,
             "OSRELEASE=0.0-test\nPAGESIZE=4096\n%s"
             "NUMBER(phys_base)=0\nSYMBOL(init_top_pgt)=ffffffff80001000\n"
             "NUMBER(pgtable_l5_enabled)=0\n",
             log == GUEST_LOG_RING      ? ring_notes
             : log == GUEST_LOG_RECORDS ? record_notes
                                        : "");
}
