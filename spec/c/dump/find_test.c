/* SPDX-License-Identifier: MIT
 * The search for bytes: across pages and ranges, in holes, and its ends. */
#include "dump_unit.h"

static uint64_t found(struct dump *dump, uint64_t from, const void *bytes,
                      size_t length) {
    uint64_t at = 0;

    assert_hr(dump_find(dump, from, bytes, length, NULL, NULL, &at, NULL),
              S_OK);
    return at;
}

static void assert_not_found(struct dump *dump, uint64_t from,
                             const void *bytes, size_t length) {
    uint64_t at = 0;

    assert_hr(dump_find(dump, from, bytes, length, NULL, NULL, &at, NULL),
              S_FALSE);
}

static void open_guest(struct opened *o, bool saved) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_NONE);
    memcpy(o->guest.ram + 0x20FFC, "needle in hay", 13); /* over two pages */
    memcpy(o->guest.ram + 0x2A000, "needle", 6);
    memset(o->guest.ram + 0x13FFF, 'Z', 1); /* before zeros */
    memset(o->guest.ram + 0x15000, 'Y', 1); /* behind them */
    memcpy(o->guest.ram + GUEST_BYTES - 3, "end", 3);
    if (saved)
        make_saved(&o->guest, 0, &o->bytes);
    else
        make_elf(&o->guest, 0, &o->bytes);
    open_bytes(o);
}

static void what_is_there_is_found(void **state) {
    (void)state;
    for (unsigned saved = 0; saved < 2; saved++) {
        struct opened o;
        open_guest(&o, saved);
        assert_int_equal(found(o.dump, 0, "needle", 6), 0x20FFC);
        assert_int_equal(found(o.dump, 0x20FFC, "needle", 6), 0x20FFC);
        assert_int_equal(found(o.dump, 0x20FFD, "needle", 6), 0x2A000);
        assert_not_found(o.dump, 0x2A001, "needle", 6);
        assert_int_equal(found(o.dump, 0, "e in hay", 8), 0x21001);
        /* Zeros that are not stored are found as those that are. */
        assert_int_equal(found(o.dump, 0, "Z\0\0", 3), 0x13FFF);
        assert_int_equal(found(o.dump, 0, "\0\0\0Y", 4), 0x14FFD);
        assert_int_equal(found(o.dump, 0x14001, "\0\0\0", 3), 0x14001);
        assert_not_found(o.dump, UINT64_MAX, "e", 1);
        close_opened(&o);
    }
}

/* What ends one range and begins another is not one. */
static void ranges_are_apart(void **state) {
    struct opened o = {0};
    (void)state;
    make_guest(&o.guest, GUEST_LOG_NONE);
    memcpy(o.guest.ram + GUEST_LOW - 6, "one endtwo end", 14);
    memcpy(o.guest.ram + GUEST_BYTES - 3, "end", 3);
    make_elf(&o.guest, 0, &o.bytes);
    open_bytes(&o);
    assert_not_found(o.dump, 0, "endtwo", 6);
    assert_int_equal(found(o.dump, 0, "one en", 6), GUEST_LOW - 6);
    assert_int_equal(found(o.dump, 0, "dtwo end", 8), GUEST_HIGH_AT);
    assert_int_equal(found(o.dump, GUEST_HIGH_AT + 60000, "end", 3),
                     GUEST_HIGH_AT + GUEST_HIGH - 3);
    close_opened(&o);
}

static bool never(void *context, uint64_t at) {
    *(uint64_t *)context = at;
    return false;
}

static void its_limits(void **state) {
    static char bytes[DUMP_MAX_PATTERN + 1];
    uint64_t at = 0, asked = 0;
    struct opened o;
    (void)state;
    open_guest(&o, false);
    assert_hr(dump_find(o.dump, 0, bytes, 0, NULL, NULL, &at, NULL),
              E_INVALIDARG);
    assert_hr(dump_find(o.dump, 0, bytes, sizeof bytes, NULL, NULL, &at, NULL),
              E_INVALIDARG);
    memset(bytes, 1, sizeof bytes);
    assert_not_found(o.dump, 0, bytes, sizeof bytes - 1);
    assert_hr(dump_find(o.dump, 0, bytes, 9, never, &asked, &at, NULL),
              HR_CANCELLED);
    assert_int_equal(asked, GUEST_HIGH_AT); /* 16 MB on */
    close_opened(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_found),
        cmocka_unit_test(ranges_are_apart),
        cmocka_unit_test(its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
