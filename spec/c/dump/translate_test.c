/* SPDX-License-Identifier: MIT
 * Page tables of every kind, and those that lead nowhere. */
#include "dump_unit.h"

#include "put.h"

static void open_guest(struct opened *o) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_NONE);
    make_elf(&o->guest, 0, &o->bytes);
    open_bytes(o);
}

static const struct dump_space four = {DUMP_PAGING_LONG, GUEST_ROOT, 4};
static const struct dump_space five = {DUMP_PAGING_LONG, GUEST_ROOT_5, 5};

static void assert_at(struct dump *dump, const struct dump_space *space,
                      uint64_t address, uint64_t physical, uint64_t size) {
    uint64_t to = 0, bytes = 0;

    assert_hr(dump_translate_in(dump, space, address, &to, &bytes, NULL), S_OK);
    assert_int_equal(to, physical);
    assert_int_equal(bytes, size);
}

static void assert_not(struct dump *dump, const struct dump_space *space,
                       uint64_t address, uint64_t size) {
    uint64_t to = 0, bytes = 0;

    assert_hr(dump_translate_in(dump, space, address, &to, &bytes, NULL),
              VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED);
    assert_int_equal(bytes, size);
}

static void pages_of_each_size(void **state) {
    struct opened o;
    (void)state;
    open_guest(&o);
    for (int i = 0; i < 2; i++) {
        const struct dump_space *space = i ? &five : &four;
        assert_at(o.dump, space, GUEST_KERNEL, 0, 4096);
        assert_at(o.dump, space, GUEST_KERNEL + 0x12345, 0x12345, 0xCBB);
        assert_at(o.dump, space, GUEST_2MB + 0x12345, 0x12345,
                  0x200000 - 0x12345);
        assert_at(o.dump, space, GUEST_KERNEL + GUEST_NOWHERE * 4096,
                  UINT64_C(0x10000000000), 4096);
    }
    assert_at(o.dump, &four, GUEST_1GB + 0x12345, 0x12345,
              0x40000000 - 0x12345);
    close_opened(&o);
}

static void what_is_not_mapped(void **state) {
    struct opened o;
    uint64_t to;
    (void)state;
    open_guest(&o);
    assert_not(o.dump, &four, GUEST_KERNEL + GUEST_UNMAPPED * 4096 + 1, 4095);
    assert_not(o.dump, &four, 0, UINT64_C(1) << 39);
    assert_not(o.dump, &four, UINT64_MAX, 1);
    assert_not(o.dump, &four, GUEST_KERNEL - 1, 1); /* 1 GB before it */
    assert_not(o.dump, &five, 0, UINT64_C(1) << 48);
    /* Between the halves: to the upper one. */
    assert_not(o.dump, &four, UINT64_C(1) << 47,
               0 - (UINT64_C(1) << 47) - (UINT64_C(1) << 47));
    assert_not(o.dump, &five, UINT64_C(1) << 56,
               0 - (UINT64_C(1) << 56) - (UINT64_C(1) << 56));
    assert_hr(dump_translate_in(o.dump, &four, GUEST_OUTSIDE, &to, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    close_opened(&o);
}

/* Tables that lead to themselves end after as many steps as there are
 * levels. */
static void loops(void **state) {
    struct opened o;
    uint64_t to;
    (void)state;
    open_guest(&o);
    /* The root as a table of each level: its entry 257 as a page. */
    assert_at(o.dump, &four,
              GUEST_LOOP | UINT64_C(257) << 30 | UINT64_C(257) << 21 |
                  UINT64_C(257) << 12 | 5,
              GUEST_ROOT + 5, 4096 - 5);
    assert_at(o.dump, &four, GUEST_LOOP_SMALL + 2 * 4096, 0x3000, 4096);
    assert_hr(dump_translate_in(
                  o.dump, &(struct dump_space){DUMP_PAGING_LONG, GUEST_LOW, 4},
                  0, &to, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    close_opened(&o);
}

static void other_modes(void **state) {
    static const struct dump_space none = {DUMP_PAGING_NONE, 0, 0};
    static const struct dump_space pae = {DUMP_PAGING_PAE, 0x10020, 3};
    static const struct dump_space narrow = {DUMP_PAGING_32BIT, 0x11000, 2};
    struct opened o = {0};
    uint64_t to;
    (void)state;
    make_guest(&o.guest, GUEST_LOG_NONE);
    le64_to(o.guest.ram + 0x10020 + 8 * 3, 0x12001); /* of 3 to 4 GB */
    le64_to(o.guest.ram + 0x12000, 0x13003);         /* its first 2 MB */
    le64_to(o.guest.ram + 0x12008, 0x200000 | 0x83);
    le64_to(o.guest.ram + 0x13000 + 8 * 5, 0x15003);
    memset(o.guest.ram + 0x11000, 0, 4096);
    le32_to(o.guest.ram + 0x11000 + 4 * 768, 0x14003);
    le32_to(o.guest.ram + 0x11000 + 4 * 769, 0x00402083); /* past 4 GB */
    le32_to(o.guest.ram + 0x14000 + 4 * 7, 0x16003);
    make_elf(&o.guest, 0, &o.bytes);
    open_bytes(&o);
    assert_at(o.dump, &none, 0x12345, 0x12345, 0xCBB);
    assert_at(o.dump, &pae, 0xC0005123, 0x15123, 4096 - 0x123);
    assert_at(o.dump, &pae, 0xC0200123, 0x200123, 0x200000 - 0x123);
    assert_at(o.dump, &narrow, 0xC0007123, 0x16123, 4096 - 0x123);
    assert_at(o.dump, &narrow, 0xC0400123, UINT64_C(0x100400123),
              0x400000 - 0x123);
    assert_not(o.dump, &narrow, 0, 0x400000);
    assert_not(o.dump, &narrow, UINT64_C(0x100000000), 0);
    assert_hr(dump_translate_in(o.dump,
                                &(struct dump_space){DUMP_PAGING_LONG, 0, 3}, 0,
                                &to, NULL, NULL),
              E_INVALIDARG);
    assert_hr(dump_translate_in(o.dump,
                                &(struct dump_space){DUMP_PAGING_ARMV8, 0, 4},
                                0, &to, NULL, NULL),
              E_INVALIDARG);
    close_opened(&o);
}

static void spaces(void **state) {
    struct dump_space space;
    struct opened o;
    (void)state;
    open_guest(&o);
    assert_hr(dump_get_space(o.dump, 1, &space, NULL), S_OK);
    assert_int_equal(space.mode, DUMP_PAGING_LONG);
    assert_int_equal(space.root, GUEST_ROOT);
    assert_int_equal(space.levels, 4);
    assert_hr(dump_get_kernel_space(o.dump, &space, NULL), S_OK);
    assert_int_equal(space.root, GUEST_ROOT);
    assert_hr(dump_get_space(o.dump, 2, &space, NULL), E_INVALIDARG);
    close_opened(&o);
    /* Neither page tables nor notes of where they are. */
    memset(&o, 0, sizeof o);
    make_guest(&o.guest, GUEST_LOG_NONE);
    o.guest.notes[0] = '\0';
    make_elf(&o.guest, ELF_NO_QEMU, &o.bytes);
    open_bytes(&o);
    assert_hr(dump_get_space(o.dump, 0, &space, NULL),
              VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE);
    assert_hr(dump_get_kernel_space(o.dump, &space, NULL),
              VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE);
    close_opened(&o);
}

static void reads_across_pages(void **state) {
    struct opened o;
    uint8_t bytes[3 * 4096];
    size_t got = 0;
    (void)state;
    open_guest(&o);
    assert_hr(dump_read_virtual(o.dump, 0, GUEST_KERNEL + 0x1FFFF, bytes,
                                sizeof bytes, NULL, NULL),
              S_OK);
    assert_memory_equal(bytes, o.guest.ram + 0x1FFFF, sizeof bytes);
    /* Up to the page that is not there, and none of it. */
    assert_hr(dump_read_virtual(o.dump, 0, GUEST_KERNEL + GUEST_LOW - 4096,
                                bytes, sizeof bytes, &got, NULL),
              S_OK);
    assert_int_equal(got, 4096); /* the rest of the memory lies high */
    assert_hr(dump_read_virtual(o.dump, 0, GUEST_KERNEL + GUEST_LOW - 4096,
                                bytes, sizeof bytes, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_hr(dump_read_virtual(o.dump, 0, GUEST_KERNEL + GUEST_UNMAPPED * 4096,
                                bytes, 1, &got, NULL),
              VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED);
    close_opened(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_each_size),
        cmocka_unit_test(what_is_not_mapped),
        cmocka_unit_test(loops),
        cmocka_unit_test(other_modes),
        cmocka_unit_test(spaces),
        cmocka_unit_test(reads_across_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
