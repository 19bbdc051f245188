/* SPDX-License-Identifier: MIT
 * ELF cores and kdump files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#ifdef HCS_HAS_ZSTD
#include <zstd.h>
#endif

#include "make.h"
#include "put.h"

#define PAGES (GUEST_BYTES / 4096)
#define LOW_PAGES (GUEST_LOW / 4096)

/* --- notes --------------------------------------------------------------- */

static void add_note(struct bytes *out, const char *name, uint32_t type,
                     const void *text, size_t length) {
    uint8_t header[12];
    size_t at = out->length, name_size = strlen(name) + 1;

    le32_to(header, (uint32_t)name_size);
    le32_to(header + 4, (uint32_t)length);
    le32_to(header + 8, type);
    bytes_put(out, at, header, sizeof header);
    bytes_put(out, at + 12, name, name_size);
    at += 12 + ((name_size + 3) & ~(size_t)3);
    bytes_put(out, at, text, length);
    bytes_put(out, at + ((length + 3) & ~(size_t)3), "", 0);
}

static void add_status(struct bytes *out, unsigned cpu) {
    /* Which of QEMU's registers each of Linux' is. */
    static const uint8_t order[27] = {15, 14, 13, 12, 7,  1,  11, 10, 9,
                                      8,  0,  2,  3,  4,  5,  99, 16, 99,
                                      17, 6,  99, 99, 99, 99, 99, 99, 99};
    uint8_t status[336] = {0};
    unsigned i;

    for (i = 0; i < 27; i++) {
        if (order[i] != 99)
            le64_to(status + 112 + 8 * i, guest_register(cpu, order[i]));
    }
    le64_to(status + 112 + 8 * 17, 0x10);       /* cs */
    le64_to(status + 112 + 8 * 21, 0xF5BA5E00); /* the base of fs */
    add_note(out, "CORE", 1, status, sizeof status);
}

static void add_qemu(struct bytes *out, unsigned cpu) {
    static const uint64_t control[5] = {UINT64_C(0x80050033), 0, 0xC2,
                                        GUEST_ROOT, UINT64_C(0x6F0)};
    uint8_t note[440] = {0};
    unsigned i;

    le32_to(note, 1);
    le32_to(note + 4, sizeof note);
    for (i = 0; i < 18; i++)
        le64_to(note + 8 + 8 * i, guest_register(cpu, i));
    for (i = 0; i < 10; i++) {
        uint8_t *segment = note + 152 + 24 * i;
        le32_to(segment, 8 * i + 8);
        le32_to(segment + 4, 0x7FFF + i);
        le32_to(segment + 8, 0x00A09B00);
        le64_to(segment + 16, UINT64_C(0xFFFF000000000000) + i);
    }
    for (i = 0; i < 5; i++)
        le64_to(note + 392 + 8 * i, control[i]);
    le64_to(note + 432, UINT64_C(0x6500650065006500));
    add_note(out, "QEMU", 0, note, sizeof note);
}

void make_notes(const struct guest *guest, unsigned options,
                struct bytes *out) {
    unsigned cpu;

    for (cpu = 0; cpu < GUEST_CPUS; cpu++)
        add_status(out, cpu);
    for (cpu = 0; cpu < GUEST_CPUS && !(options & ELF_NO_QEMU); cpu++)
        add_qemu(out, cpu);
    if (guest->notes[0])
        add_note(out, "VMCOREINFO", 0, guest->notes, strlen(guest->notes));
}

/* --- ELF ----------------------------------------------------------------- */

static void put_segment(struct bytes *out, unsigned index, uint32_t type,
                        uint64_t offset, uint64_t virtual_address,
                        uint64_t physical, uint64_t size) {
    uint8_t b[56] = {0};

    le32_to(b, type);
    le64_to(b + 8, offset);
    le64_to(b + 16, virtual_address);
    le64_to(b + 24, physical);
    le64_to(b + 32, size);
    le64_to(b + 40, size);
    bytes_put(out, 128 + 56 * (size_t)index, b, sizeof b);
}

static void put_elf_header(struct bytes *out, unsigned segments, bool many) {
    uint8_t b[128] = {0x7F, 'E', 'L', 'F', 2, 1, 1};

    le16_to(b + 16, 4);
    le16_to(b + 18, 62);
    le32_to(b + 20, 1);
    le64_to(b + 32, 128);
    le16_to(b + 52, 64);
    le16_to(b + 54, 56);
    le16_to(b + 56, (uint16_t)(many ? 0xFFFF : segments));
    if (many) { /* the first section's header is in the gap */
        le64_to(b + 40, 64);
        le16_to(b + 58, 64);
        le16_to(b + 60, 1);
        le32_to(b + 64 + 44, segments);
    }
    bytes_put(out, 0, b, sizeof b);
}

void make_elf(const struct guest *guest, unsigned options, struct bytes *out) {
    struct bytes notes = {0};
    unsigned segments = 3, i;
    size_t at;

    if (options & ELF_PAGING)
        segments += PAGES;
    make_notes(guest, options, &notes);
    put_elf_header(out, segments, options & ELF_MANY);
    at = 128 + 56 * (size_t)segments;
    put_segment(out, 0, 4, at, 0, 0, notes.length);
    bytes_put(out, at, notes.data, notes.length);
    at += notes.length;
    /* With paging pages overlap, as they do where more addresses than one
     * lead to a page. */
    put_segment(out, 1, 1, at, 0, 0, GUEST_LOW);
    put_segment(out, 2, 1, at + GUEST_LOW, 0, guest->high_at, GUEST_HIGH);
    for (i = 0; i < PAGES && (options & ELF_PAGING); i++)
        put_segment(out, 3 + i, 1, at + 4096 * (size_t)i,
                    GUEST_KERNEL + 4096 * (uint64_t)i,
                    i < LOW_PAGES
                        ? 4096 * (uint64_t)i
                        : guest->high_at + 4096 * (uint64_t)(i - LOW_PAGES),
                    4096);
    bytes_put(out, at, guest->ram, GUEST_BYTES);
    bytes_free(&notes);
}

/* --- kdump --------------------------------------------------------------- */

/* Literals only: what a compressor does with what has no order. */
static size_t pack_lzo(const uint8_t *page, uint8_t *out) {
    unsigned left = 4096 - 18;
    size_t at = 0;

    out[at++] = 0;
    for (; left > 255; left -= 255)
        out[at++] = 0;
    out[at++] = (uint8_t)left;
    memcpy(out + at, page, 4096);
    at += 4096;
    memcpy(out + at, "\x11\0\0", 3);
    return at + 3;
}

static size_t pack_snappy(const uint8_t *page, uint8_t *out) {
    memcpy(out, "\x80\x20\xF4\xFF\x0F", 5);
    memcpy(out + 5, page, 4096);
    return 4096 + 5;
}

static size_t pack(unsigned flag, const uint8_t *page, uint8_t out[8192]) {
    uLongf length = 8192;

    switch (flag) {
    case 1:
        if (compress2(out, &length, page, 4096, 9) != Z_OK)
            abort();
        return length;
    case 2:
        return pack_lzo(page, out);
    case 4:
        return pack_snappy(page, out);
#ifdef HCS_HAS_ZSTD
    case 0x20:
        return ZSTD_compress(out, 8192, page, 4096, 1);
#endif
    default:
        memcpy(out, page, 4096);
        return 4096;
    }
}

static uint64_t page_number(const struct guest *guest, unsigned index) {
    return index < LOW_PAGES ? index
                             : guest->high_at / 4096 + (index - LOW_PAGES);
}

static void put_kdump_header(const struct guest *guest, unsigned flag,
                             unsigned options, uint32_t map_blocks,
                             const struct bytes *notes, struct bytes *out) {
    uint8_t b[464] = {0}, sub[104] = {0};
    uint64_t pages = page_number(guest, PAGES - 1) + 1;
    size_t info = notes->length - ((strlen(guest->notes) + 3) & ~(size_t)3);

    memcpy(b, "KDUMP   ", 8);
    le32_to(b + 8, options & KDUMP_OLD ? 5 : 6);
    memcpy(b + 272, "x86_64", 7);
    le32_to(b + 424, flag);
    le32_to(b + 428, 4096);
    le32_to(b + 432, 2);
    le32_to(b + 436, map_blocks);
    le32_to(b + 440, (uint32_t)pages);
    le32_to(b + 460, GUEST_CPUS);
    bytes_put(out, 0, b, sizeof b);
    le64_to(sub + 32, 8192 + info);
    le64_to(sub + 40, strlen(guest->notes));
    le64_to(sub + 48, 8192);
    le64_to(sub + 56, notes->length);
    if (options & KDUMP_SPLIT) {
        le32_to(sub + 12, 1);
        le64_to(sub + (options & KDUMP_OLD ? 24 : 88), 16);
    }
    if (!(options & KDUMP_OLD))
        le64_to(sub + 96, pages);
    bytes_put(out, 4096, sub, sizeof sub);
    bytes_put(out, 8192, notes->data, notes->length);
}

void make_kdump(const struct guest *guest, unsigned flag, unsigned options,
                struct bytes *out) {
    uint64_t pages = page_number(guest, PAGES - 1) + 1;
    uint32_t map_blocks = (uint32_t)((pages + 32767) / 32768);
    struct bytes notes = {0}, file = {0};
    size_t map = 3 * 4096, descriptors, data, at;
    unsigned i, count = 0;

    make_notes(guest, 0, &notes);
    put_kdump_header(guest, flag, options, 2 * map_blocks, &notes, &file);
    descriptors = map + 2 * (size_t)map_blocks * 4096;
    data = at = descriptors + PAGES * 24;
    for (i = 0; i < PAGES; i++) {
        uint64_t number = page_number(guest, i);
        uint8_t bit, packed[8192], desc[24] = {0};
        size_t length, byte = map + (size_t)(number / 8), half;
        half = byte + (size_t)map_blocks * 4096;
        bit = (uint8_t)(byte < file.length ? file.data[byte] : 0);
        bit |= (uint8_t)(1 << number % 8);
        bytes_put(&file, byte, &bit, 1);
        if ((options & KDUMP_EXCLUDED) && i % 7 == 6)
            continue;
        bit = (uint8_t)(half < file.length ? file.data[half] : 0);
        bit |= (uint8_t)(1 << number % 8);
        bytes_put(&file, half, &bit, 1);
        if ((options & KDUMP_SPLIT) && number >= 16)
            continue;
        length = pack(flag, guest->ram + 4096 * (size_t)i, packed);
        le64_to(desc, at);
        le32_to(desc + 8, (uint32_t)length);
        le32_to(desc + 12, flag);
        bytes_put(&file, descriptors + 24 * (size_t)count++, desc, 24);
        bytes_put(&file, at > data ? at : data, packed, length);
        at += length;
    }
    if (options & KDUMP_FLAT)
        make_flat(&file, out);
    else
        bytes_put(out, 0, file.data, file.length);
    bytes_free(&file);
    bytes_free(&notes);
}

/* Pieces of odd sizes, the later half first, and one that is written twice;
 * zeros are left out where whole pieces are. */
void make_flat(const struct bytes *file, struct bytes *out) {
    static const char wrong[16] = "written before";
    uint8_t header[32] = "makedumpfile";
    const size_t size = 5000, pieces = file->length / size + 1;
    uint8_t piece[16];
    size_t i;

    be64_to(header + 16, 1);
    be64_to(header + 24, 1);
    bytes_put(out, 0, header, sizeof header);
    bytes_put(out, 4096, "", 0);
    be64_to(piece, 4);
    be64_to(piece + 8, sizeof wrong);
    bytes_put(out, out->length, piece, sizeof piece);
    bytes_put(out, out->length, wrong, sizeof wrong);
    for (i = 0; i < pieces; i++) {
        size_t at = (i + pieces / 2) % pieces * size, j;
        size_t length = file->length - at < size ? file->length - at : size;
        for (j = 0; j < length && file->data[at + j] == 0; j++)
            continue;
        if (j == length && at + length < file->length)
            continue;
        be64_to(piece, at);
        be64_to(piece + 8, length);
        bytes_put(out, out->length, piece, sizeof piece);
        bytes_put(out, out->length, file->data + at, length);
    }
    memset(piece, 0xFF, sizeof piece);
    bytes_put(out, out->length, piece, sizeof piece);
}
