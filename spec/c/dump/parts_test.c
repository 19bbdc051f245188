/* SPDX-License-Identifier: MIT
 * What readers are made of: extents that overlap, maps of pages, compressed
 * pages, registers. */
#include "dump_unit.h"

#include "dump/bugcheck.h"
#include "dump/extents.h"
#include "dump/pagemap.h"
#include "dump/unpack.h"

/* --- extents ------------------------------------------------------------- */

static void assert_extent(const struct extents *extents, size_t i,
                          uint64_t start, uint64_t bytes, uint64_t offset) {
    assert_true(i < extents->count);
    assert_int_equal(extents->items[i].start, start);
    assert_int_equal(extents->items[i].bytes, bytes);
    assert_int_equal(extents->items[i].offset, offset);
}

static void the_last_one_counts(void **state) {
    struct extents extents = {0};
    (void)state;
    assert_hr(extents_add(&extents, 100, 100, 1000, NULL), S_OK);
    assert_hr(extents_add(&extents, 150, 10, 5000, NULL), S_OK);
    assert_hr(extents_add(&extents, 0, 50, 9000, NULL), S_OK);
    assert_hr(extents_add(&extents, 190, 60, 7000, NULL), S_OK);
    assert_hr(extents_add(&extents, 7, 0, 7000, NULL), S_OK);
    assert_hr(extents_settle(&extents, NULL), S_OK);
    assert_int_equal(extents.count, 5);
    assert_extent(&extents, 0, 0, 50, 9000);
    assert_extent(&extents, 1, 100, 50, 1000);
    assert_extent(&extents, 2, 150, 10, 5000);
    assert_extent(&extents, 3, 160, 30, 1060);
    assert_extent(&extents, 4, 190, 60, 7000);
    assert_ptr_equal(extents_find(&extents, 55), &extents.items[1]);
    assert_ptr_equal(extents_find(&extents, 249), &extents.items[4]);
    assert_null(extents_find(&extents, 250));
    extents_free(&extents);
}

/* Against the plain way: a byte at a time. */
static void any_that_overlap(void **state) {
    uint32_t chance = 7;
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct extents extents = {0};
        uint64_t expected[64] = {0};
        for (unsigned i = 0; i < 12; i++) {
            chance = chance * 1664525 + 1013904223;
            uint64_t start = chance >> 8 & 31, bytes = chance >> 16 & 31;
            assert_hr(extents_add(&extents, start, bytes, 1000 * i + 1, NULL),
                      S_OK);
            for (uint64_t at = 0; at < bytes; at++)
                expected[start + at] = 1000 * i + 1 + at;
        }
        assert_hr(extents_settle(&extents, NULL), S_OK);
        for (uint64_t at = 0; at < 64; at++) {
            const struct extent *e = extents_find(&extents, at);
            uint64_t offset =
                e && e->start <= at ? e->offset + (at - e->start) : 0;
            assert_int_equal(offset, expected[at]);
        }
        extents_free(&extents);
    }
}

static void extents_that_wrap(void **state) {
    struct extents extents = {0};
    (void)state;
    assert_hr(extents_add(&extents, UINT64_MAX, 1, 0, NULL), HR_FILE_CORRUPT);
    assert_hr(extents_add(&extents, UINT64_MAX - 1, 1, 0, NULL), S_OK);
    assert_hr(extents_add(&extents, UINT64_MAX, 2, 0, NULL), HR_FILE_CORRUPT);
    assert_hr(extents_add(&extents, 0, 2, UINT64_MAX, NULL), HR_FILE_CORRUPT);
    extents_free(&extents);
    assert_hr(extents_settle(&extents, NULL), S_OK);
}

/* --- maps ---------------------------------------------------------------- */

#define BITS 100003u

static void maps_are_counted(void **state) {
    uint8_t *bytes = calloc(1, BITS / 8 + 2);
    struct source *source;
    struct pagemap map;
    uint64_t rank = 0, next, expected = 0;
    uint32_t chance = 3;
    bool has;
    (void)state;
    assert_non_null(bytes);
    for (unsigned bit = 0; bit < BITS; bit++) {
        chance = chance * 1664525 + 1013904223;
        if (bit > 40000 && bit < 80000 ? chance >> 31 : bit % 97 == 5)
            bytes[1 + bit / 8] |= (uint8_t)(1 << bit % 8);
    }
    assert_hr(source_of_memory(bytes, BITS / 8 + 2, &source, NULL), S_OK);
    assert_hr(pagemap_open(&map, source, 1, BITS, NULL), S_OK);
    for (unsigned bit = 0; bit < BITS; bit++) {
        bool set = bytes[1 + bit / 8] >> bit % 8 & 1;
        if (bit % 7 == 0) {
            assert_hr(pagemap_rank(&map, bit, &rank, NULL), S_OK);
            assert_int_equal(rank, expected);
        }
        assert_hr(pagemap_has(&map, bit, &has, NULL), S_OK);
        assert_int_equal(has, set);
        expected += set;
    }
    assert_hr(pagemap_rank(&map, 5, &rank, NULL), S_OK); /* back again */
    assert_int_equal(rank, 0);
    for (uint64_t from = 0; from < BITS; from = next + 1) {
        assert_hr(pagemap_next(&map, from, true, &next, NULL), S_OK);
        for (uint64_t bit = from; bit < next; bit++)
            assert_false(bytes[1 + bit / 8] >> bit % 8 & 1);
        assert_true(next == BITS || (bytes[1 + next / 8] >> next % 8 & 1));
    }
    assert_hr(pagemap_next(&map, 5, false, &next, NULL), S_OK);
    assert_int_equal(next, 6);
    assert_hr(pagemap_has(&map, BITS, &has, NULL), S_OK);
    assert_false(has);
    pagemap_close(&map);
    assert_hr(pagemap_open(&map, source, 1, BITS + 16, NULL), HR_FILE_CORRUPT);
    assert_hr(pagemap_open(&map, source, 1, UINT64_MAX, NULL), HR_FILE_CORRUPT);
    source_close(source);
    free(bytes);
}

/* --- compressed pages ---------------------------------------------------- */

/* "0123456789abcdef" 256 times, by the libraries that others use. */
static const uint8_t lzo_page[] = {
    0x0D, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39,
    0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x20, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xCA, 0x3C, 0x00, 0x00, 0x02, 0x63, 0x64, 0x65, 0x66, 0x30, 0x31,
    0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63,
    0x64, 0x65, 0x66, 0x11, 0x00, 0x00};
static const uint8_t snappy_page[] = {
    0x80, 0x20, 0x3C, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
    0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10, 0x00, 0xFE, 0x10,
    0x00, 0xFE, 0x10, 0x00, 0xBE, 0x10, 0x00};

static void assert_page(const uint8_t *page) {
    for (unsigned i = 0; i < 4096; i++)
        assert_int_equal(page[i], "0123456789abcdef"[i % 16]);
}

static void pages_are_unpacked(void **state) {
    uint8_t *page = malloc(4096);
    (void)state;
    assert_non_null(page);
    memset(page, 0, 4096);
    assert_true(unpack_lzo(lzo_page, sizeof lzo_page, page, 4096));
    assert_page(page);
    memset(page, 0, 4096);
    assert_true(unpack_snappy(snappy_page, sizeof snappy_page, page, 4096));
    assert_page(page);
    free(page);
}

/* Cut off, of another size or with a byte changed: refused or something else,
 * but nothing outside is touched (what sanitizers see). */
static void damaged_pages(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        bool (*unpack_page)(const uint8_t *, size_t, uint8_t *, size_t) =
            kind ? unpack_snappy : unpack_lzo;
        const uint8_t *packed = kind ? snappy_page : lzo_page;
        size_t length = kind ? sizeof snappy_page : sizeof lzo_page;
        uint8_t *page = malloc(4096), *copy;
        assert_non_null(page);
        assert_false(unpack_page(packed, length, page, 4095));
        for (size_t cut = 0; cut < length; cut++) {
            copy = malloc(cut + 1);
            memcpy(copy, packed, cut);
            assert_false(unpack_page(copy, cut, page, 4096));
            free(copy);
        }
        for (size_t at = 0; at < length * 8; at++) {
            copy = malloc(length);
            memcpy(copy, packed, length);
            copy[at / 8] ^= (uint8_t)(1 << at % 8);
            unpack_page(copy, length, page, 4096);
            free(copy);
        }
        free(page);
    }
}

/* --- names --------------------------------------------------------------- */

static void registers_have_names(void **state) {
    (void)state;
    assert_int_equal(DUMP_REG_RIP, 16);
    assert_int_equal(DUMP_REG_CR3, 46);
    assert_int_equal(DUMP_REG_GDTR, 65);
    assert_int_equal(DUMP_REG_X0, 67);
    assert_int_equal(DUMP_REG_CNTV_CTL_EL0, 157);
    assert_int_equal(dump_register_find("rip"), DUMP_REG_RIP);
    assert_int_equal(dump_register_find("kernel_gs_base"),
                     DUMP_REG_KERNEL_GS_BASE);
    assert_int_equal(dump_register_find(""), DUMP_REG_COUNT);
    assert_int_equal(dump_register_find("eip"), DUMP_REG_COUNT);
    for (unsigned i = 0; i < DUMP_REG_COUNT; i++) {
        if (dump_registers[i].kind != DUMP_KIND_NONE)
            assert_int_equal(dump_register_find(dump_registers[i].name), i);
    }
}

static void bugchecks_have_names(void **state) {
    (void)state;
    assert_string_equal(bugcheck_name(1), "APC_INDEX_MISMATCH");
    assert_string_equal(bugcheck_name(0x80), "NMI_HARDWARE_FAILURE");
    assert_string_equal(bugcheck_name(0xDEADDEAD), "MANUALLY_INITIATED_CRASH1");
    assert_string_equal(bugcheck_name(0), "");
    assert_string_equal(bugcheck_name(UINT32_MAX), "");
    assert_string_equal(bugcheck_name(0x0B), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_counts),
        cmocka_unit_test(any_that_overlap),
        cmocka_unit_test(extents_that_wrap),
        cmocka_unit_test(maps_are_counted),
        cmocka_unit_test(pages_are_unpacked),
        cmocka_unit_test(damaged_pages),
        cmocka_unit_test(registers_have_names),
        cmocka_unit_test(bugchecks_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
