/* SPDX-License-Identifier: MIT
 * Saved states of Hyper-V: what our writer makes, and what it does not but
 * Hyper-V does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/crc32.h"
#include "dump/export.h"
#include "dump/hvs_format.h"
#include "dump/hvs_write.h"
#include "dump/reader.h"
#include "dump/vmrs_format.h"
#include "dump/vmrs_state.h"
#include "make.h"

/* There is no test without what is made here. */
static void need(bool truth) {
    if (!truth)
        abort();
}

static void read_back(hcs_file file, struct bytes *out) {
    uint64_t length = 0;
    size_t got = 0;
    need(SUCCEEDED(file_length(file, &length, NULL)));
    out->data = malloc((size_t)length);
    out->length = (size_t)length;
    need(out->data != NULL);
    for (size_t at = 0; at < out->length; at += got) {
        need(SUCCEEDED(file_read_at(file, out->data + at, out->length - at, at,
                                    &got, NULL)));
        need(got > 0);
    }
}

/* --- memory as Hyper-V packs it ------------------------------------------- */

struct packing {
    uint8_t *bytes; /* room for a block and more */
    size_t length;
};

static void add32(struct packing *out, uint32_t value) {
    put32(out->bytes + out->length, value);
    out->length += 4;
}

static void add(struct packing *out, const void *bytes, size_t size) {
    memcpy(out->bytes + out->length, bytes, size);
    out->length += size;
}

/* Plain LZ77 of a page that ends in zeros: literals, then one match. False
 * when that would not be shorter. */
static bool pack_tail(struct packing *out, const uint8_t *page) {
    uint8_t packed[4096 + 512];
    size_t zeros = 0, literals, at = 0;
    while (zeros < 4096 && page[4095 - zeros] == 0)
        zeros++;
    if (zeros < 1000 || zeros == 4096)
        return false;
    literals = 4096 - zeros + 1; /* the first zero, which is repeated */
    for (size_t i = 0; i <= literals; i++) {
        if (i % 32 == 0) {
            bool has_match = literals < i + 32;
            put32(packed + at,
                  has_match ? UINT32_C(1) << (31 - (literals - i)) : 0);
            at += 4;
        }
        if (i < literals)
            packed[at++] = page[i];
    }
    put16(packed + at, 7); /* from one byte before; the length is long */
    packed[at + 2] = 15;
    packed[at + 3] = 255;
    put16(packed + at + 4, (uint16_t)(zeros - 1 - 3));
    at += 6;
    add32(out, (uint32_t)at);
    add(out, packed, at);
    return true;
}

static bool one_pattern(const uint8_t *page) {
    return memcmp(page, page + 8, 4096 - 8) == 0;
}

/* In pieces of less than a page, each as it is. */
static void pack_pieces(struct packing *out, const uint8_t *page) {
    for (size_t at = 0; at < 4096; at += 1024) {
        add32(out, UINT32_C(0xFFFFFFFC));
        add32(out, 1024);
        add32(out, 1024);
        add(out, page + at, 1024);
    }
}

static void pack(struct packing *out, const uint8_t *memory, size_t size) {
    for (size_t at = 0; at < size; at += 4096) {
        const uint8_t *page = memory + at;
        if (one_pattern(page)) {
            add32(out, UINT32_C(0xFFFFFFFE));
            add(out, page, 8);
        } else if (at / 4096 % 5 == 3) {
            pack_pieces(out, page);
        } else if (!pack_tail(out, page)) {
            add32(out, 4096);
            add(out, page, 4096);
        }
    }
    add32(out, UINT32_C(0xFFFFFFFD)); /* the rest of the block */
    add32(out, 0);
    add32(out, 0);
    add32(out, (uint32_t)((VMRS_BLOCK_SIZE - size) / 4096));
    add32(out, UINT32_C(0xFFFFFFFF));
}

static void put_range(struct hvs_writer *hvs, unsigned number, uint64_t start,
                      const uint8_t *memory, size_t size) {
    struct packing packing = {malloc(2u << 20), 0};
    uint8_t range[VMRS_RANGE_SIZE] = {0};
    char path[64];
    need(packing.bytes != NULL);
    pack(&packing, memory, size);
    put32(range, VMRS_RANGE_VERSION);
    put64(range + VMRS_RANGE_PAGES, size / 4096);
    put64(range + VMRS_RANGE_ROW, (uint64_t)number * VMRS_BLOCK_PAGES);
    put64(range + VMRS_RANGE_START, start / 4096);
    snprintf(path, sizeof path, "savedstate/RamMemoryBlock%u", number);
    need(SUCCEEDED(hvs_put_array(hvs, path, range, sizeof range, NULL)));
    snprintf(path, sizeof path, "savedstate/RamBlock%u", number);
    need(SUCCEEDED(
        hvs_put_array(hvs, path, packing.bytes, packing.length, NULL)));
    free(packing.bytes);
}

static void put_keys(struct hvs_writer *hvs, const struct guest *guest,
                     const struct dump_cpu *cpus, unsigned options) {
    struct buf state = {0};
    vmrs_state_write(&state, cpus, GUEST_CPUS,
                     vmrs_os_id(DUMP_OS_LINUX, "6.1.3"));
    need(!state.failed);
    need(SUCCEEDED(hvs_put_int(hvs, VMRS_VERSION_KEY, VMRS_VERSION, NULL)));
    need(SUCCEEDED(
        hvs_put_array(hvs, VMRS_STATE_KEY, state.data, state.length, NULL)));
    if (!(options & VMRS_FOREIGN))
        need(SUCCEEDED(hvs_put_array(hvs, VMRS_EXTRA_VMCOREINFO, guest->notes,
                                     strlen(guest->notes), NULL)));
    buf_free(&state);
}

static void make_by_hand(const struct guest *guest, const struct dump_cpu *cpus,
                         unsigned options, hcs_file file) {
    struct writer writer = {.file = file, .path = "made"};
    struct hvs_writer *hvs;
    need(SUCCEEDED(hvs_writer_open(&writer, &hvs, NULL)));
    put_keys(hvs, guest, cpus, options);
    put_range(hvs, 0, 0, guest->ram, GUEST_LOW);
    put_range(hvs, 1, guest->high_at, guest->ram + GUEST_LOW, GUEST_HIGH);
    need(SUCCEEDED(hvs_finish(hvs, NULL)));
    need(SUCCEEDED(file_resize(file, writer.length, NULL)));
    hvs_writer_close(hvs);
}

/* --- a replay log --------------------------------------------------------- */

/* What is right goes into the log, and something else in its place. */
static void add_to_log(struct bytes *file, unsigned number, size_t place,
                       size_t size) {
    uint8_t *log = file->data + le64(file->data + HVS_HEADER_LOG);
    uint8_t *entry = log + HVS_LOG_HEADER + number * HVS_LOG_ENTRY;
    size_t inside = 1024 * (number + 1);
    memcpy(log + inside, file->data + place, size);
    memset(file->data + place, 0xEE, size);
    put64(entry + HVS_LOG_ENTRY_TO, place);
    put32(entry + HVS_LOG_ENTRY_SIZE, (uint32_t)size);
    put64(entry + HVS_LOG_ENTRY_FROM, inside);
    put32(entry + HVS_LOG_ENTRY_DATA_SUM, crc32_add(0, log + inside, size));
    put32(entry, crc32_without(entry, HVS_LOG_ENTRY, 0));
    put32(log + HVS_LOG_COUNT, number + 1);
    put32(log + HVS_LOG_SUM, crc32_without(log, HVS_LOG_HEADER, HVS_LOG_SUM));
}

/* --- all of it ------------------------------------------------------------ */

void make_vmrs(const struct guest *guest, unsigned options, struct bytes *out) {
    struct bytes elf = {0};
    struct dump_cpu *cpus = calloc(GUEST_CPUS, sizeof *cpus);
    struct dump *dump;
    hcs_file file;
    make_elf(guest, 0, &elf);
    need(cpus != NULL);
    need(SUCCEEDED(dump_open_memory(elf.data, elf.length, &dump, NULL)));
    need(SUCCEEDED(file_create_nameless(&file, NULL)));
    for (uint32_t i = 0; i < GUEST_CPUS; i++)
        need(SUCCEEDED(dump_get_cpu(dump, i, &cpus[i], NULL)));
    for (uint32_t i = 0; i < GUEST_CPUS; i++) /* what QEMU does not note */
        cpus[i].values[DUMP_REG_EFER].number = 0xD01;
    if (options & (VMRS_PACKED | VMRS_FOREIGN))
        make_by_hand(guest, cpus, options, file);
    else
        need(SUCCEEDED(dump_export_file(dump, file, "made", DUMP_EXPORT_VMRS,
                                        NULL, NULL, NULL)));
    read_back(file, out);
    file_close(file, NULL);
    dump_close(dump);
    free(cpus);
    bytes_free(&elf);
    if (options &
        VMRS_LOG) { /* the table of objects, and some of what follows */
        add_to_log(out, 0, HVS_OBJECTS_AT, 512);
        add_to_log(out, 1, HVS_OBJECTS_AT + HVS_PAGE + 100, 700);
    }
}
