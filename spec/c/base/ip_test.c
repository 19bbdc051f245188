/* SPDX-License-Identifier: MIT
 * Addresses, prefixes and MAC addresses as texts and as numbers. */
#include "unit.h"

#include "base/ip.h"

static void check_text(const char *text, const char *canonical) {
    struct ip_address address, again;
    char out[IP_TEXT_SIZE];

    if (!ip_parse(text, &address))
        fail_msg("%s was refused", text);
    ip_format(&address, out);
    assert_string_equal(out, canonical);
    assert_true(ip_parse(out, &again));
    assert_true(ip_same(&address, &again));
}

static void addresses_have_one_text(void **state) {
    static const char *const table[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"192.168.100.7", "192.168.100.7"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::00AB", "2001:db8::ab"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"::ffff:10.0.0.1", "::ffff:a00:1"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"fe80::", "fe80::"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_text(table[i][0], table[i][1]);
}

static void other_texts_are_none(void **state) {
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.",
        ".1.2.3.4",
        "1..2.3",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4/8",
        "0x1.2.3.4",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1::2::3",
        "12345::",
        "g::",
        "::1%eth0",
        "[::1]",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "1.2.3.4::",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7",
        "1::2:",
        "::-1",
        "1.2.3.99999999999999999999",
    };
    struct ip_address address;
    (void)state;
    memset(&address, 0x11, sizeof address);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ip_parse(bad[i], &address))
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(address.bytes[3], 0x11); /* untouched */
}

static struct ip_prefix prefix(const char *text) {
    struct ip_prefix out;
    assert_true(ip_prefix_parse(text, &out));
    return out;
}

static struct ip_address address(const char *text) {
    struct ip_address out;
    assert_true(ip_parse(text, &out));
    return out;
}

static void prefixes_are_read_and_written(void **state) {
    static const char *const good[] = {"0.0.0.0/0", "10.0.0.1/8", "1.2.3.4/32",
                                       "::/0",      "fd00::1/64", "::1/128"};
    static const char *const bad[] = {"10.0.0.0",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "::/129",
                                      "10.0.0.0/08",
                                      "10.0.0.0/8 ",
                                      "/8",
                                      "10.0.0.0//8",
                                      "x/8",
                                      "10.0.0.0/99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct ip_prefix read = prefix(good[i]);
        char out[IP_PREFIX_SIZE];
        ip_prefix_format(&read, out);
        assert_string_equal(out, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ip_prefix read;
        if (ip_prefix_parse(bad[i], &read))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static bool is_aligned(const char *text) {
    struct ip_prefix read = prefix(text);
    return ip_prefix_aligned(&read);
}

static void prefixes_are_aligned_or_not(void **state) {
    struct ip_prefix read = prefix("10.1.2.3/13");
    char out[IP_PREFIX_SIZE];
    (void)state;
    assert_true(is_aligned("10.8.0.0/13"));
    assert_false(is_aligned("10.4.0.0/13"));
    assert_true(is_aligned("0.0.0.0/0"));
    assert_false(is_aligned("0.0.0.1/31"));
    assert_true(is_aligned("0.0.0.1/32"));
    assert_true(is_aligned("fd00::/8"));
    assert_false(is_aligned("fd00::1/127"));
    ip_prefix_align(&read);
    ip_prefix_format(&read, out);
    assert_string_equal(out, "10.0.0.0/13");
}

static bool is_special(const char *text) {
    struct ip_prefix read = prefix(text);
    return ip_prefix_is_special(&read);
}

static void some_are_no_hosts(void **state) {
    static const char *const special[] = {
        "0.0.0.0/0",           "0.1.2.3/32",   "127.0.0.1/32",
        "126.0.0.0/7",         "224.0.0.0/32", "240.0.0.0/4",
        "255.255.255.255/32",  "::/0",         "::1/128",
        "::ffff:10.0.0.0/104", "ff02::1/128"};
    static const char *const plain[] = {
        "1.0.0.0/8",          "126.0.0.0/8", "128.0.0.0/2", "169.254.0.0/16",
        "223.255.255.255/32", "100::/8",     "fe80::/10",   "fd00::/8"};
    (void)state;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (!is_special(special[i]))
            fail_msg("%s", special[i]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is_special(plain[i]))
            fail_msg("%s", plain[i]);
}

static bool contains(const char *p, const char *a) {
    struct ip_prefix outer = prefix(p);
    struct ip_address inner = address(a);
    return ip_prefix_contains(&outer, &inner);
}

static bool overlaps(const char *a, const char *b) {
    struct ip_prefix left = prefix(a), right = prefix(b);
    assert_int_equal(ip_prefix_overlaps(&left, &right),
                     ip_prefix_overlaps(&right, &left));
    return ip_prefix_overlaps(&left, &right);
}

static void prefixes_contain_and_overlap(void **state) {
    (void)state;
    assert_true(contains("10.0.0.0/20", "10.0.15.255"));
    assert_false(contains("10.0.0.0/20", "10.0.16.0"));
    assert_true(contains("0.0.0.0/0", "255.255.255.255"));
    assert_false(contains("0.0.0.0/0", "::"));
    assert_true(contains("fd00::/65", "fd00::7fff:0:0:1"));
    assert_false(contains("fd00::/65", "fd00::8000:0:0:1"));
    assert_true(overlaps("10.0.0.0/8", "10.200.0.0/16"));
    assert_true(overlaps("10.0.0.0/8", "10.0.0.0/8"));
    assert_false(overlaps("10.0.0.0/9", "10.128.0.0/9"));
    assert_true(overlaps("0.0.0.0/0", "10.0.0.0/8"));
    assert_false(overlaps("0.0.0.0/0", "::/0"));
}

static void check_offset(const char *text, uint64_t offset, const char *there) {
    struct ip_prefix of = prefix(text);
    struct ip_address expected = address(there), got;
    ip_prefix_at(&of, offset, &got);
    assert_true(ip_same(&got, &expected));
    assert_int_equal(ip_prefix_offset(&of, &expected), offset);
}

static void addresses_are_counted(void **state) {
    struct ip_prefix of = prefix("10.0.0.0/30");
    struct ip_address last, far;
    (void)state;
    assert_int_equal(ip_prefix_size(&of), 4);
    ip_prefix_last(&of, &last);
    far = address("10.0.0.3");
    assert_true(ip_same(&last, &far));
    check_offset("10.0.0.0/8", 0, "10.0.0.0");
    check_offset("10.0.0.0/8", 0xffffff, "10.255.255.255");
    check_offset("10.0.0.255/24", 1, "10.0.0.1"); /* from its lowest */
    check_offset("0.0.0.0/0", 0xffffffff, "255.255.255.255");
    check_offset("fd00::/64", 0xffffffffffffff, "fd00::ff:ffff:ffff:ffff");
    check_offset("fd00::ffff:0/112", 5, "fd00::ffff:5");
    of = prefix("fd00::/64");
    assert_int_equal(ip_prefix_size(&of), UINT64_MAX);
    of = prefix("::/0");
    far = address("1::");
    assert_int_equal(ip_prefix_offset(&of, &far), UINT64_MAX);
    of = prefix("10.0.0.0/32");
    assert_int_equal(ip_prefix_size(&of), 1);
}

static void macs_are_read_and_written(void **state) {
    static const char *const good[] = {"00-15-5D-0a-Bc-FF", "00:15:5d:0A:bc:ff",
                                       "00155d0abcff"};
    static const char *const bad[] = {"",
                                      "00",
                                      "00-15-5D-0A-BC",
                                      "00-15-5D-0A-BC-F",
                                      "00-15-5D-0A-BC-FG",
                                      "00-15-5D-0A-BC-FF-00",
                                      "00-15:5D-0A-BC-FF",
                                      "00.15.5D.0A.BC.FF",
                                      "00-15-5D-0A-BC-FF ",
                                      "0-15-5D-0A-BC-FFF",
                                      "00155d0abcff0"};
    struct mac_address mac;
    char text[MAC_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(mac_parse(good[i], &mac));
        mac_format(&mac, text);
        assert_string_equal(text, "00-15-5D-0A-BC-FF");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mac_parse(bad[i], &mac))
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(mac_number(&mac), 0x00155D0ABCFF);
    mac_from_number(UINT64_C(0xFEDCBA987654), &mac);
    assert_int_equal(mac_number(&mac), UINT64_C(0xFEDCBA987654));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_one_text),
        cmocka_unit_test(other_texts_are_none),
        cmocka_unit_test(prefixes_are_read_and_written),
        cmocka_unit_test(prefixes_are_aligned_or_not),
        cmocka_unit_test(some_are_no_hosts),
        cmocka_unit_test(prefixes_contain_and_overlap),
        cmocka_unit_test(addresses_are_counted),
        cmocka_unit_test(macs_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
