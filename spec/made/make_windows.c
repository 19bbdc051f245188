/* SPDX-License-Identifier: MIT
 * Kernel dumps of Windows, by the layout of their headers. */
#include <string.h>

#include "make.h"
#include "put.h"

#define PAGES (GUEST_BYTES / 4096)
#define LOW_PAGES (GUEST_LOW / 4096)

#define DATA 0xC000u
#define PROCESSORS 0xC400u
#define BLOCK(cpu) (0xF000u + 0x800u * (cpu))
#define BLOCK_POINTER 0x100u
#define BLOCK_SPECIAL 0x200u
#define CONTEXT(cpu) (0xE000u + 0x800u * (cpu))

/* In the order of guest_register: rax, rbx, rcx … */
static const unsigned places[18] = {0x78, 0x90, 0x80, 0x88, 0xA8, 0xB0,
                                    0x98, 0xA0, 0xB8, 0xC0, 0xC8, 0xD0,
                                    0xD8, 0xE0, 0xE8, 0xF0, 0xF8, 0x44};

static void put_context(uint8_t *context, unsigned cpu) {
    unsigned i;

    for (i = 0; i < 17; i++)
        le64_to(context + places[i], guest_register(cpu, i));
    le32_to(context + places[17], (uint32_t)guest_register(cpu, 17));
    le16_to(context + 0x38, 0x10);
    le64_to(context + 0x70, 0x400); /* dr7 */
    le32_to(context + 0x118, 0x1F80);
    le64_to(context + 0x1A0, UINT64_C(0x0123456789ABCDEF)); /* xmm0 */
    le64_to(context + 0x1A8, UINT64_C(0xFEDCBA9876543210));
}

static void put_system(struct guest *guest) {
    uint8_t *data = guest->ram + DATA;
    unsigned cpu;

    memcpy(data + 0x10, "KDBG", 4);
    le64_to(data + 0x218, GUEST_KERNEL + PROCESSORS);
    le16_to(data + 0x2F2, BLOCK_SPECIAL);
    le16_to(data + 0x338, BLOCK_POINTER);
    for (cpu = 0; cpu < GUEST_CPUS; cpu++) {
        uint8_t *block = guest->ram + BLOCK(cpu);
        uint8_t *special = block + BLOCK_SPECIAL;
        le64_to(guest->ram + PROCESSORS + 8 * cpu, GUEST_KERNEL + BLOCK(cpu));
        le64_to(block + BLOCK_POINTER, GUEST_KERNEL + CONTEXT(cpu));
        put_context(guest->ram + CONTEXT(cpu), cpu);
        le64_to(special, 0x80050031);
        le64_to(special + 8, 0xC2);
        le64_to(special + 0x10, GUEST_ROOT);
        le64_to(special + 0x18, 0x6F8);
        le16_to(special + 0x66, 0xFFF);
        le64_to(special + 0x68, UINT64_C(0xFFFF000000001000));
        le64_to(special + 0xA8, UINT64_C(0xFFFF650065000000));
    }
}

static void put_header(unsigned options, struct bytes *out) {
    uint8_t b[0x2000];
    unsigned type = options & WINDOWS_HEADER   ? 3
                    : options & WINDOWS_BITMAP ? 6
                                               : 1;
    unsigned i;

    for (i = 0; i < sizeof b; i++)
        b[i] = (uint8_t) "PAGE"[i % 4];
    memcpy(b, "PAGEDU64", 8);
    le32_to(b + 8, 15);
    le32_to(b + 0xC, 19041);
    le64_to(b + 0x10, GUEST_ROOT);
    le32_to(b + 0x30, 0x8664);
    le32_to(b + 0x34, GUEST_CPUS);
    le32_to(b + 0x38, 0x1E);
    for (i = 0; i < 4; i++)
        le64_to(b + 0x40 + 8 * i, 0x100 + i);
    le64_to(b + 0x80, GUEST_KERNEL + DATA);
    put_context(b + 0x348, 1);
    le32_to(b + 0xF98, type);
    le64_to(b + 0xFA8, UINT64_C(132539328000000000)); /* 2021-01-01 */
    bytes_put(out, 0, b, sizeof b);
}

static void put_runs(const struct guest *guest, struct bytes *out) {
    uint8_t runs[48] = {0};

    le32_to(runs, 2);
    le64_to(runs + 8, PAGES);
    le64_to(runs + 24, LOW_PAGES);
    le64_to(runs + 32, guest->high_at / 4096);
    le64_to(runs + 40, PAGES - LOW_PAGES);
    bytes_put(out, 0x88, runs, sizeof runs);
    bytes_put(out, 0x2000, guest->ram, GUEST_BYTES);
}

/* Every seventh page is not in it. */
static void put_map(const struct guest *guest, struct bytes *out) {
    uint64_t bits = guest->high_at / 4096 + PAGES - LOW_PAGES;
    size_t first = (0x2038 + (size_t)(bits + 7) / 8 + 4095) & ~(size_t)4095;
    uint8_t b[0x38] = "SDMPDUMP";
    unsigned i, count = 0;

    for (i = 0; i < PAGES; i++) {
        uint64_t number =
            i < LOW_PAGES ? i : guest->high_at / 4096 + (i - LOW_PAGES);
        size_t byte = 0x2038 + (size_t)(number / 8);
        uint8_t bit = byte < out->length ? out->data[byte] : 0;
        if (i % 7 == 6)
            continue;
        bit |= (uint8_t)(1 << number % 8);
        bytes_put(out, byte, &bit, 1);
        bytes_put(out, first + 4096 * (size_t)count++,
                  guest->ram + 4096 * (size_t)i, 4096);
    }
    le64_to(b + 0x20, first);
    le64_to(b + 0x28, count);
    le64_to(b + 0x30, bits);
    bytes_put(out, 0x2000, b, sizeof b);
}

void make_windows(struct guest *guest, unsigned options, struct bytes *out) {
    put_system(guest);
    put_header(options, out);
    if (options & WINDOWS_BITMAP)
        put_map(guest, out);
    else if (!(options & WINDOWS_HEADER))
        put_runs(guest, out);
}
