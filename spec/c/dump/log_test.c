/* SPDX-License-Identifier: MIT
 * The kernel's log: what is told of each line, and rings that lie. */
#include "dump_unit.h"

#include "put.h"

struct told {
    unsigned count, stop_after;
    struct dump_log_line lines[16];
    char text[16][64];
};

static bool on_line(void *context, const struct dump_log_line *line) {
    struct told *told = context;

    if (told->count < 16) {
        told->lines[told->count] = *line;
        assert_true(line->length < 64);
        memcpy(told->text[told->count], line->text, line->length);
    }
    told->count++;
    return told->count != told->stop_after;
}

/* Opens a guest whose memory was changed where it has its log. */
static void open_with(struct opened *o, enum guest_log log, size_t at,
                      const void *bytes, size_t length) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, log);
    memcpy(o->guest.ram + at, bytes, length);
    make_elf(&o->guest, 0, &o->bytes);
    open_bytes(o);
}

static void what_is_told_of_a_line(void **state) {
    static const enum guest_log logs[] = {GUEST_LOG_RING, GUEST_LOG_RECORDS};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct told told = {0};
        struct opened o;
        open_with(&o, logs[i], 0, "", 0);
        assert_hr(dump_log(o.dump, on_line, &told, NULL), S_OK);
        assert_int_equal(told.count, 6);
        assert_int_equal(told.lines[2].nanoseconds, UINT64_C(12345678901234));
        assert_int_equal(told.lines[2].level, 3);
        assert_int_equal(told.lines[3].level, 0);
        assert_int_equal(told.lines[2].facility, 1);
        assert_int_equal(told.lines[2].sequence, 2);
        assert_string_equal(told.text[1], "two\nlines");
        assert_int_equal(told.lines[4].length, 0);
        close_opened(&o);
    }
}

static void it_may_be_stopped(void **state) {
    static const enum guest_log logs[] = {GUEST_LOG_RING, GUEST_LOG_RECORDS};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct told told = {.stop_after = 2};
        struct opened o;
        open_with(&o, logs[i], 0, "", 0);
        assert_hr(dump_log(o.dump, on_line, &told, NULL), S_OK);
        assert_int_equal(told.count, 2);
        close_opened(&o);
    }
}

static void no_log_to_be_found(void **state) {
    struct hcs_error error = {0};
    struct opened o = {0};
    struct buf text = {0};
    (void)state;
    open_with(&o, GUEST_LOG_NONE, 0, "", 0);
    assert_hr(log_text(o.dump, &text, &error), HR_NOT_FOUND);
    assert_non_null(strstr(error.text, "log"));
    close_opened(&o);
    memset(&o, 0, sizeof o);
    make_guest(&o.guest, GUEST_LOG_NONE);
    o.guest.notes[0] = '\0';
    make_elf(&o.guest, 0, &o.bytes);
    open_bytes(&o);
    assert_hr(log_text(o.dump, &text, NULL), HR_NOT_FOUND);
    assert_int_equal(text.length, 0);
    close_opened(&o);
    buf_free(&text);
}

/* Each lie, and how many lines are still told; -1: an error. */
static void rings_that_lie(void **state) {
    static const struct {
        size_t at;
        const char *bytes;
        size_t length;
        int lines;
    } changes[] = {
        {0x8010, "\x15\0\0\0", 4, -1},      /* 2^21 records */
        {0x8010, "\x14\0\0\0", 4, 3},       /* 2^20: most are none */
        {0x8040, "\x1C\0\0\0", 4, -1},      /* 2^28 bytes */
        {0x8040, "\0\0\0\0", 4, -1},        /* 1 byte */
        {0x8006, "\0\0", 2, -1},            /* no ring there */
        {0x8018, "\0\0\0\0\0\0\0\0", 8, 0}, /* no records there */
        {0x8048, "\0\0\0\0\0\0\0\0", 8, 1}, /* no texts there */
        {0x8028, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, 6}, /* head */
        {0x8030, "\0\0\0\0\0\0\0\0", 8, 0},                 /* tail */
        {0x9810 + 88 * 5, "\xFF\xFF", 2, 6}, /* a text of 64 KB */
    };
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(changes); i++) {
        struct told told = {0};
        struct opened o;
        HRESULT hr;
        open_with(&o, GUEST_LOG_RING, changes[i].at, changes[i].bytes,
                  changes[i].length);
        hr = dump_log(o.dump, on_line, &told, NULL);
        if (changes[i].lines < 0) {
            assert_true(FAILED(hr));
        } else {
            assert_hr(hr, S_OK);
            if (told.count != (unsigned)changes[i].lines)
                fail_msg("change %u: %u lines", i, told.count);
        }
        close_opened(&o);
    }
}

static void records_that_lie(void **state) {
    static const struct {
        size_t at;
        const char *bytes;
        size_t length;
        int lines;
    } changes[] = {
        {0x8008, "\1\0\0\4", 4, -1}, /* 64 MB and a byte */
        {0x8008, "\0\0\0\0", 4, 0},
        {0x800C, "\xFF\xFF\xFF\xFF", 4, 4},    /* the oldest is past the end */
        {0x8010, "\xFF\xFF\xFF\xFF", 4, 16},   /* the newest is: once round */
        {0xB000 + 400 + 8, "\1\0", 2, 0},      /* shorter than its header */
        {0xB000 + 400 + 10, "\xFF\xFF", 2, 6}, /* a text longer than it */
        {0x8006, "\0\0", 2, -1},               /* nothing there */
    };
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(changes); i++) {
        struct told told = {0};
        struct opened o;
        HRESULT hr;
        open_with(&o, GUEST_LOG_RECORDS, changes[i].at, changes[i].bytes,
                  changes[i].length);
        hr = dump_log(o.dump, on_line, &told, NULL);
        if (changes[i].lines < 0) {
            assert_true(FAILED(hr));
        } else {
            assert_hr(hr, S_OK);
            if (told.count != (unsigned)changes[i].lines)
                fail_msg("change %u: %u lines", i, told.count);
        }
        close_opened(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_of_a_line),
        cmocka_unit_test(it_may_be_stopped),
        cmocka_unit_test(no_log_to_be_found),
        cmocka_unit_test(rings_that_lie),
        cmocka_unit_test(records_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
