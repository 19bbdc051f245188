/* SPDX-License-Identifier: MIT
 * Every format cut off at many places, with bits turned, and out of memory at
 * every allocation: an error or less, never more than that. */
#include "dump_unit.h"

#define FORMATS 8u

static void make_any(unsigned format, struct guest *guest, struct bytes *out) {
    make_guest(guest, format % 2 ? GUEST_LOG_RECORDS : GUEST_LOG_RING);
    guest->high_at = 0x40000; /* what maps there are is small */
    switch (format) {
    case 0:
        make_elf(guest, 0, out);
        break;
    case 1:
        make_elf(guest, ELF_PAGING, out);
        break;
    case 2:
        make_kdump(guest, 1, KDUMP_EXCLUDED, out);
        break;
    case 3:
        make_kdump(guest, 2, KDUMP_FLAT, out);
        break;
    case 4:
        make_windows(guest, 0, out);
        break;
    case 5:
        make_windows(guest, WINDOWS_BITMAP, out);
        break;
    default:
        make_saved(guest, format == 6 ? 0 : SAVED_STREAM, out);
        break;
    }
}

static void ask_ranges(struct dump *dump) {
    struct dump_range range;
    uint64_t from = 0;
    unsigned i;

    for (i = 0; i < 16; i++) {
        uint8_t bytes[5000];
        size_t got = 0;
        if (dump_next_range(dump, from, &range, NULL) != S_OK)
            break;
        assert_true(range.bytes > 0 && range.start >= from);
        from = range.start + range.bytes;
        assert_true(from > range.start);
        if (SUCCEEDED(dump_read_physical(dump, range.start, bytes, sizeof bytes,
                                         &got, NULL)))
            assert_true(got > 0 && got <= sizeof bytes);
    }
}

static void ask(struct dump *dump, struct buf *text) {
    struct dump_cpu cpu;
    uint64_t address, size;

    ask_ranges(dump);
    dump_get_cpu(dump, 0, &cpu, NULL);
    dump_translate(dump, 0, GUEST_KERNEL, &address, &size, NULL);
    log_text(dump, text, NULL);
    dump_summary(dump, text, NULL);
}

static HRESULT open_and_ask(const uint8_t *bytes, size_t length) {
    struct hcs_error error = {0};
    struct buf text = {0};
    struct dump *dump;
    /* Of the very size, so that a sanitizer sees what reads past it. */
    uint8_t *copy = malloc(length + 1);
    HRESULT hr;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    hr = dump_open_memory(copy, length, &dump, &error);
    if (SUCCEEDED(hr)) {
        ask(dump, &text);
        dump_close(dump);
    } else {
        assert_null(dump);
        assert_hr(error.code, hr);
        assert_true(error.text[0]);
    }
    buf_free(&text);
    free(copy);
    return hr;
}

static void cut_off_anywhere(void **state) {
    (void)state;
    for (unsigned format = 0; format < FORMATS; format++) {
        struct guest guest;
        struct bytes bytes = {0};
        make_any(format, &guest, &bytes);
        assert_hr(open_and_ask(bytes.data, bytes.length), S_OK);
        for (size_t cut = 0; cut < bytes.length; cut += cut / 16 + 1)
            open_and_ask(bytes.data, cut);
        bytes_free(&bytes);
    }
}

static void bits_turned_anywhere(void **state) {
    (void)state;
    for (unsigned format = 0; format < FORMATS; format++) {
        struct guest guest;
        struct bytes bytes = {0};
        make_any(format, &guest, &bytes);
        /* The headers densely, the rest here and there. */
        for (size_t at = 0; at < bytes.length;
             at += at < 9000 ? 23 : bytes.length / 50) {
            uint8_t was = bytes.data[at];
            bytes.data[at] ^= (uint8_t)(1 << at % 8);
            open_and_ask(bytes.data, bytes.length);
            bytes.data[at] = 0xFF;
            open_and_ask(bytes.data, bytes.length);
            bytes.data[at] = was;
        }
        bytes_free(&bytes);
    }
}

static void no_dump_at_all(void **state) {
    static const uint8_t zeros[20000];
    struct dump *dump;
    (void)state;
    assert_hr(open_and_ask(zeros, 0), HR_FILE_CORRUPT);
    assert_hr(open_and_ask(zeros, sizeof zeros), HR_FILE_CORRUPT);
    assert_hr(open_and_ask((const uint8_t *)"#!/bin/sh\n", 10),
              HR_FILE_CORRUPT);
    assert_hr(dump_open_memory(zeros, 5, &dump, NULL), HR_FILE_CORRUPT);
    dump_close(NULL);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    for (unsigned format = 0; format < FORMATS; format++) {
        struct guest guest;
        struct bytes bytes = {0};
        long live;
        size_t n = 0;
        HRESULT hr;
        make_any(format, &guest, &bytes);
        live = faults_live();
        do {
            struct buf text = {0};
            struct dump *dump = NULL;
            uint64_t at;
            faults_fail_from(++n);
            hr = dump_open_memory(bytes.data, bytes.length, &dump, NULL);
            if (SUCCEEDED(hr)) {
                ask_ranges(dump);
                hr = log_text(dump, &text, NULL);
                if (hr == HR_NOT_FOUND) /* Windows has none */
                    hr = S_OK;
            }
            if (SUCCEEDED(hr))
                hr = dump_find(dump, 0, "\1\2\3\4\5\6\7", 7, NULL, NULL, &at,
                               NULL);
            faults_fail_from(0);
            if (FAILED(hr) && hr != HR_FILE_CORRUPT)
                assert_hr(hr, E_OUTOFMEMORY);
            dump_close(dump);
            buf_free(&text);
            assert_int_equal(faults_live(), live);
        } while (FAILED(hr));
        assert_true(n > 4);
        bytes_free(&bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(bits_turned_anywhere),
        cmocka_unit_test(no_dump_at_all),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
