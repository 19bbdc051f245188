/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/guid.h"
#include "base/sha1.h"

static const char plain[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

static void parses_what_it_formats(void **state) {
    struct guid guid;
    char text[GUID_TEXT_SIZE];
    (void)state;
    assert_true(guid_parse(plain, &guid));
    assert_int_equal(guid.bytes[0], 0x6B);
    assert_int_equal(guid.bytes[15], 0xC8);
    guid_format(&guid, text);
    assert_string_equal(text, plain);
    assert_true(guid_parse("{6BA7B810-9DAD-11d1-80B4-00C04FD430C8}", &guid));
    guid_format(&guid, text);
    assert_string_equal(text, plain);
}

static void refuses_the_rest(void **state) {
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "6",
        "6ba7b810",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c80",
        "6ba7b8109dad11d180b400c04fd430c8",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8} ",
        " 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
        "6ba7b81-09dad-11d1-80b4-00c04fd430c8",
        "6ba7b810+9dad-11d1-80b4-00c04fd430c8",
    };
    struct guid guid;
    (void)state;
    memset(&guid, 0x11, sizeof guid);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(guid_parse(bad[i], &guid));
    assert_int_equal(guid.bytes[7], 0x11); /* untouched */
}

/* The DNS name space and name that Python's uuid documentation uses. */
static void from_name_is_version_5(void **state) {
    struct guid space, guid;
    char text[GUID_TEXT_SIZE];
    (void)state;
    assert_true(guid_parse(plain, &space));
    guid_from_name(&space, "python.org", 10, &guid);
    guid_format(&guid, text);
    assert_string_equal(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

static void from_bytes_is_version_4(void **state) {
    uint8_t ones[16];
    struct guid guid;
    char text[GUID_TEXT_SIZE];
    (void)state;
    memset(ones, 0xFF, sizeof ones);
    guid_from_bytes(ones, &guid);
    guid_format(&guid, text);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

static void zero_is_zero(void **state) {
    struct guid guid = {{0}};
    (void)state;
    assert_true(guid_is_zero(&guid));
    guid.bytes[15] = 1;
    assert_false(guid_is_zero(&guid));
}

static void assert_sha1(const char *text, size_t length, size_t pieces,
                        const char *expected) {
    uint8_t digest[SHA1_SIZE];
    char hex[2 * SHA1_SIZE + 1];
    struct sha1 sha;
    sha1_init(&sha);
    for (size_t i = 0; i < pieces; i++)
        sha1_add(&sha, text, length);
    sha1_end(&sha, digest);
    for (int i = 0; i < SHA1_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, expected);
}

/* The examples of FIPS 180. */
static void sha1_is_right(void **state) {
    static const char two[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    (void)state;
    assert_sha1("abc", 3, 1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_sha1("", 0, 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_sha1(two, 56, 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    assert_sha1("aaaaaaaaaa", 10, 100000,
                "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_it_formats),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(from_name_is_version_5),
        cmocka_unit_test(from_bytes_is_version_4),
        cmocka_unit_test(zero_is_zero),
        cmocka_unit_test(sha1_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
