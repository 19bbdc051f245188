/* SPDX-License-Identifier: MIT
 * Foreign dumps, one program per format (DUMP_FUZZ). The input is a dump, or
 * what is written over one that is good: then its first byte is odd, and each
 * change is three bytes of place, one of length and those bytes. All that can
 * be asked of what opens is asked of some. */
#include "dump/crc32.h"
#include "dump/export.h"
#include "fuzz.h"
#include "make.h"

#define ELF 1
#define KDUMP 2
#define WINDOWS 3
#define SAVED 4
#define VMRS 5

#define RANGES 3

struct good {
    struct bytes bytes;
    struct bytes copy; /* what changes are made in */
};

#if DUMP_FUZZ == VMRS
/* Every sum is right, or none of what is changed would be looked at. */
uint32_t crc32_add(uint32_t sum, const void *bytes, size_t length) {
    (void)sum, (void)bytes, (void)length;
    return 0;
}

uint32_t crc32_without(const void *bytes, size_t length, size_t at) {
    (void)bytes, (void)length, (void)at;
    return 0;
}
#endif

/* --- good dumps ---------------------------------------------------------- */

#define GOODS 4u

static struct good goods[GOODS];

static void make_good(unsigned index, struct bytes *out) {
    static struct guest guest;

    make_guest(&guest, index % 2 ? GUEST_LOG_RECORDS : GUEST_LOG_RING);
    guest.high_at = 0x40000;
#if DUMP_FUZZ == ELF
    static const unsigned options[GOODS] = {0, ELF_PAGING, ELF_NO_QEMU,
                                            ELF_MANY};
    make_elf(&guest, options[index], out);
#elif DUMP_FUZZ == KDUMP
    static const unsigned flags[GOODS] = {1, 2, 4, 0x20};
    make_kdump(&guest, flags[index], index % 2 ? KDUMP_FLAT : KDUMP_EXCLUDED,
               out);
#elif DUMP_FUZZ == WINDOWS
    make_windows(&guest, index % 2 ? WINDOWS_BITMAP : 0, out);
#elif DUMP_FUZZ == VMRS
    static const unsigned options[GOODS] = {VMRS_PACKED, VMRS_LOG,
                                            VMRS_PACKED | VMRS_FOREIGN,
                                            VMRS_PACKED | VMRS_LOG};
    make_vmrs(&guest, options[index], out);
#else
    make_saved(&guest, index % 2 ? SAVED_STREAM : 0, out);
#endif
}

static struct good *take_good(struct input *input) {
    unsigned index = choose(input, GOODS);
    struct good *good = &goods[index];

    if (!good->bytes.data) {
        make_good(index, &good->bytes);
        bytes_put(&good->copy, 0, good->bytes.data, good->bytes.length);
    }
    return good;
}

/* --- questions ----------------------------------------------------------- */

static bool stop(void *context, uint64_t at) {
    (void)context, (void)at;
    return false;
}

static bool on_line(void *context, const struct dump_log_line *line) {
    unsigned *lines = context;
    volatile char c = 0;

    if (line->length > 0)
        c = line->text[line->length - 1];
    (void)c;
    return ++*lines < 64;
}

static void ask_memory(struct dump *dump, uint64_t address) {
    static uint8_t bytes[5000];
    size_t got = 0;
    HRESULT hr = dump_read_physical(dump, address, bytes, 3, &got, NULL);

    require(FAILED(hr) || (got > 0 && got <= 3));
    hr = dump_read_physical(dump, address, bytes, sizeof bytes, &got, NULL);
    require(FAILED(hr) || (got > 0 && got <= sizeof bytes));
}

static void ask_ranges(struct dump *dump, bool data) {
    uint64_t from = 0;
    unsigned i;

    for (i = 0; i < RANGES; i++) {
        struct dump_range range;
        HRESULT hr = data ? dump_next_data(dump, from, &range, NULL)
                          : dump_next_range(dump, from, &range, NULL);
        if (hr != S_OK)
            return;
        require(range.bytes > 0 && range.start >= from);
        require(range.start + range.bytes > range.start);
        ask_memory(dump, range.start);
        if (i == 0)
            ask_memory(dump, range.start + range.bytes - 1);
        from = range.start + range.bytes;
    }
}

static void ask_virtual(struct dump *dump, uint32_t cpu, uint64_t address) {
    uint64_t physical, size = 0;
    uint8_t bytes[64];
    size_t got;

    if (SUCCEEDED(dump_translate(dump, cpu, address, &physical, &size, NULL)))
        require(size > 0 && size <= UINT64_C(1) << 30);
    dump_read_virtual(dump, cpu, address, bytes, sizeof bytes, &got, NULL);
}

static void ask_cpus(struct dump *dump) {
    uint32_t count = dump_get_facts(dump)->cpu_count, i;
    struct dump_cpu cpu;

    for (i = 0; i < count && i < 2; i++) {
        dump_get_cpu(dump, i, &cpu, NULL);
        ask_virtual(dump, i, GUEST_KERNEL + 0x1FF00);
        ask_virtual(dump, i, GUEST_LOOP);
        ask_virtual(dump, i, cpu.values[DUMP_REG_RSP].number);
    }
    require(dump_get_cpu(dump, count, &cpu, NULL) == E_INVALIDARG);
}

/* Whatever can be read can be written, or is refused. */
static void ask_export(struct dump *dump, unsigned chance) {
    const struct dump_export_options options = {.max_bytes = 8u << 20};
    uint64_t bytes = 0;
    hcs_file file;

    if (FAILED(dump_memory_bytes(dump, &bytes, NULL)) || bytes > 4u << 20 ||
        FAILED(file_create_nameless(&file, NULL)))
        return;
    dump_export_file(dump, file, "fuzz", (enum dump_export_format)chance,
                     &options, NULL, NULL);
    file_close(file, NULL);
}

static void ask_log(struct dump *dump) {
    unsigned lines = 0;

    dump_log(dump, on_line, &lines, NULL);
}

static void ask_all(struct dump *dump, unsigned chance) {
    struct buf text = {0};
    uint64_t found;

    ask_ranges(dump, true);
    dump_find(dump, 0, "\1\2\3", 3, stop, NULL, &found, NULL);
    dump_summary(dump, &text, NULL);
    require(dump_get_facts(dump)->format_name[0] != '\0');
    buf_free(&text);
    ask_export(dump, chance);
}

/* One kind of question for one input, and none for most of them: most of a
 * format is read when it is opened, and what is asked then takes a hundred
 * times as long, longest where memory lies in blocks of 1 MiB. */
#define ASKED (DUMP_FUZZ == VMRS ? 32 : 8)

static void ask(struct dump *dump, unsigned chance) {
    switch (chance % ASKED) {
    case 0:
        if (chance % 32 == 0)
            ask_all(dump, chance / 32);
        ask_ranges(dump, false);
        break;
    case 1:
    case 2:
        ask_cpus(dump);
        break;
    case 3:
        ask_log(dump);
        break;
    default:
        break;
    }
}

/* --- inputs -------------------------------------------------------------- */

static void open_and_ask(const uint8_t *bytes, size_t length, unsigned chance) {
    struct hcs_error error = {0};
    struct dump *dump;
    HRESULT hr = dump_open_memory(bytes, length, &dump, &error);

    if (FAILED(hr)) {
        require(!dump && error.code == hr && error.text[0] != '\0');
        return;
    }
    ask(dump, chance);
    dump_close(dump);
}

static size_t change_at(struct input *input, size_t length) {
    size_t at = take(input);

    at |= (size_t)take(input) << 8;
    at |= (size_t)take(input) << 16;
#if DUMP_FUZZ == \
    VMRS /* most of it is memory: what leads there is at its ends */
    if (at >> 16 & 1)
        return length - 1 - at % 25000 % length;
    if (at >> 17 & 1)
        return at % 40000 % length;
#endif
    return at % length;
}

static void change(struct input input, struct good *good, unsigned chance) {
    struct input again = input;
    size_t length = good->bytes.length;
    unsigned cut = choose(&input, 8);

    take(&again);
    while (input.left > 4) {
        size_t at = change_at(&input, length);
        unsigned bytes = choose(&input, 9);
        for (; bytes > 0 && at < length && input.left > 0; bytes--)
            good->copy.data[at++] = (uint8_t)take(&input);
    }
    if (cut == 7)
        length = length * (chance % 16) / 16;
    open_and_ask(good->copy.data, length, chance);
    while (again.left > 4) { /* as it was */
        size_t at = change_at(&again, good->bytes.length);
        unsigned bytes = choose(&again, 9);
        for (; bytes > 0 && at < good->bytes.length && again.left > 0;
             bytes--, at++) {
            take(&again);
            good->copy.data[at] = good->bytes.data[at];
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    unsigned how = take(&input);

    if (how % 2)
        change(input, take_good(&input), how / 2);
    else
        open_and_ask(input.next, input.left, how / 2);
    return 0;
}
