/* SPDX-License-Identifier: MIT
 * The built-in guest's words about its network: what they answer, when, and
 * that they stand still and are saved with their guest. */
#include "lab.h"

#include <stdio.h>

static const struct lab_options plain = {0};

static void pings(void **state) {
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    lab_say(&lab.a, "ping 10.0.0.11 5", 2 * CLOCK_MS - 1, "");
    lab_say(&lab.a, "echo next", 1,
            "hcs-guest: ping 10.0.0.11: 5 sent, 5 received, 0.400 ms\r\n"
            "next\r\n");
    lab_say(&lab.a, "ping 10.0.0.1 1", CLOCK_MS,
            "hcs-guest: ping 10.0.0.1: 1 sent, 1 received, 0.400 ms\r\n");
    lab_say(&lab.a, "ping 10.0.0.99 2", 1300 * CLOCK_MS - 1, "");
    lab_say(&lab.a, "", 1, "hcs-guest: ping 10.0.0.99: 2 sent, 0 received\r\n");
    assert_int_equal(lab_counted(&lab, ENDPOINT_A).packets_sent, 6);
    assert_int_equal(lab_counted(&lab, ENDPOINT_A).packets_received, 6);
    assert_int_equal(lab_counted(&lab, ENDPOINT_B).packets_received, 5);
    assert_int_equal(lab_counted(&lab, ENDPOINT_B).bytes_sent, 5 * 98);
    lab_close(&lab);
}

/* What goes wrong at once. */
static void refuses(void **state) {
    static const char *const lines[][2] = {
        {"ping", "ping : 0 sent, 0 received"},
        {"ping 10.0.0.11 0", "ping 10.0.0.11: 0 sent, 0 received"},
        {"ping 10.0.0.11 -1", "ping 10.0.0.11: 0 sent, 0 received"},
        {"ping 10.0.0.11 99999999999", "ping 10.0.0.11: 0 sent, 0 received"},
        {"ping 10.0.0", "ping 10.0.0: 0 sent, 0 received"},
        {"ping fd00::1", "ping fd00::1: 0 sent, 0 received"},
        {"net", "no address"},
        {"net 10.0.0.10", "no address"},
        {"net 10.0.0.10/33", "no address"},
        {"net 10.0.0.300/24", "no address"},
        {"net 10.0.0.10/24 here", "no address"},
        {"net 10.0.0.10/24 10.0.1.1", "no address"},
        {"net 10.0.0.10/24 fd00::1", "no address"},
        {"serve", "cannot serve 0"},
        {"serve 0 x", "cannot serve 0"},
        {"serve 65536 x", "cannot serve 0"},
        {"serve 8o x", "cannot serve 0"},
        {"receive -5", "cannot receive 0"},
        {"get", "get failed"},
        {"get 10.0.0.11", "get failed"},
        {"get 10.0.0.11 70000", "get failed"},
        {"get fd00::1 80", "get failed"},
        {"send 10.0.0.11 80", "send failed"},
        {"send 10.0.0.11 80 18446744073709551616", "send failed"},
        {"send 10.0.0.11 80 1x", "send failed"},
        {"sendx", "unknown command \"sendx\""},
    };
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    for (size_t i = 0; i < HCS_COUNT(lines); i++) {
        char answer[128];
        snprintf(answer, sizeof answer, "hcs-guest: %s\r\n", lines[i][1]);
        lab_say(&lab.a, lines[i][0], 0, answer);
    }
    lab_close(&lab);
}

static void serves(void **state) {
    struct lab lab;
    char line[4200] = "serve 81 ";
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    lab_say(&lab.a, "serve 80 a  b", 0, "hcs-guest: serve 80\r\n");
    lab_say(&lab.a, "serve 80 c", 0, "hcs-guest: cannot serve 80\r\n");
    lab_say(&lab.b, "get 10.0.0.10 80", 2 * CLOCK_MS,
            "hcs-guest: get 200 a  b\r\n");
    lab_say(&lab.b, "get 10.0.0.1 8080", 2 * CLOCK_MS,
            "hcs-guest: get 200 a  b\r\n");
    lab_say(&lab.a, "get 10.0.0.10 80", CLOCK_MS,
            "hcs-guest: get 200 a  b\r\n");
    lab_say(&lab.b, "get 10.0.0.10 81", CLOCK_MS, "hcs-guest: get failed\r\n");
    lab_say(&lab.b, "get 10.0.0.99 80", 5 * CLOCK_SECOND - 1, "");
    lab_say(&lab.b, "", 1, "hcs-guest: get failed\r\n");
    /* A line as long as can be typed. */
    memset(line + 9, 'x', 4095 - 9);
    lab_say(&lab.a, line, 0, "hcs-guest: serve 81\r\n");
    system_type(&lab.b, "get 10.0.0.10 81\n");
    world_wait(&lab.world, 2 * CLOCK_MS);
    system_expect(&lab.b, "get 200 xxxx");
    buf_clear(&lab.b.console);
    for (int port = 100; port < 114; port++) {
        char answer[64];
        snprintf(line, sizeof line, "receive %d", port);
        snprintf(answer, sizeof answer, "hcs-guest: receive %d\r\n", port);
        lab_say(&lab.a, line, 0, answer);
    }
    lab_say(&lab.a, "receive 114", 0, "hcs-guest: cannot receive 114\r\n");
    /* A guest that is reset begins without. */
    system_type(&lab.a, "reboot\n");
    world_wait(&lab.world, 100 * CLOCK_MS);
    system_read(&lab.a);
    buf_clear(&lab.a.console);
    lab_say(&lab.b, "get 10.0.0.10 80", 6 * CLOCK_SECOND,
            "hcs-guest: get failed\r\n");
    lab_close(&lab);
}

static void sends(void **state) {
    const struct lab_options limited = {.limit = 1000000};
    struct lab lab;
    (void)state;
    lab_open(&lab, &limited);
    lab_start_both(&lab);
    lab_say(&lab.a, "receive 5001", 0, "hcs-guest: receive 5001\r\n");
    lab_say(&lab.b, "send 10.0.0.10 5001 2000000", 2 * CLOCK_SECOND + 799999,
            "");
    lab_say(&lab.b, "", 1, "hcs-guest: sent 2000000 bytes in 2.000800 s\r\n");
    assert_true(lab_counted(&lab, ENDPOINT_B).bytes_sent > 2000000);
    assert_true(lab_counted(&lab, ENDPOINT_A).packets_sent > 600);
    lab_say(&lab.b, "send 10.0.0.10 5001 0", CLOCK_MS,
            "hcs-guest: sent 0 bytes in 0.000800 s\r\n");
    lab_say(&lab.b, "send 10.0.0.10 5001 9223372036854775807",
            600 * CLOCK_SECOND, "hcs-guest: send failed\r\n");
    /* Nobody is there any more when it would have been through. */
    system_type(&lab.b, "send 10.0.0.10 5001 1000000\n");
    world_wait(&lab.world, CLOCK_MS);
    system_type(&lab.a, "hang\n");
    world_wait(&lab.world, 2 * CLOCK_SECOND);
    system_expect(&lab.b, "hcs-guest: send failed\r\n");
    lab_close(&lab);
}

static void leases(void **state) {
    const struct lab_options dhcp = {.dhcp = true};
    struct lab lab;
    (void)state;
    lab_open(&lab, &dhcp);
    lab_start(&lab, &lab.a, "a", ENDPOINT_A);
    lab_say(&lab.a, "dhcp", 2 * CLOCK_MS,
            "hcs-guest: address 10.0.0.10/24 gateway 10.0.0.1\r\n");
    lab_say(&lab.a, "dhcp eth1", 4900 * CLOCK_MS, "");
    lab_say(&lab.a, "", 100 * CLOCK_MS, "hcs-guest: no address\r\n");
    lab_close(&lab);
    lab_open(&lab, &plain);
    lab_start(&lab, &lab.a, "a", ENDPOINT_A);
    lab_say(&lab.a, "dhcp", 5 * CLOCK_SECOND, "hcs-guest: no address\r\n");
    lab_close(&lab);
}

/* An adapter that comes while the word waits for it, and one that goes. */
static void waits_for_adapters(void **state) {
    static const char add[] =
        "{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/x\","
        "\"RequestType\":\"Add\",\"Settings\":{\"EndpointId\":\"" ENDPOINT_B
        "\"}}";
    static const char remove[] =
        "{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/n\","
        "\"RequestType\":\"Remove\"}";
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start(&lab, &lab.a, "a", ENDPOINT_A);
    lab_say(&lab.a, "net 10.0.0.11/24 10.0.0.1 eth1", CLOCK_SECOND, "");
    assert_int_equal(system_do(&lab.a, HcsOperationTypeModify, add), S_OK);
    lab_say(&lab.a, "", 50 * CLOCK_MS,
            "hcs-guest: address 10.0.0.11/24 gateway 10.0.0.1\r\n");
    assert_int_equal(system_do(&lab.a, HcsOperationTypeModify, remove), S_OK);
    lab_say(&lab.a, "ping 10.0.0.1 1", CLOCK_MS,
            "hcs-guest: ping 10.0.0.1: 1 sent, 1 received, 0.400 ms\r\n");
    /* The first number that is free. */
    lab_say(&lab.a, "net 10.0.0.9/24 10.0.0.1 eth0", 5 * CLOCK_SECOND,
            "hcs-guest: no address\r\n");
    lab_close(&lab);
}

static void knows_ipv6(void **state) {
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    lab_say(&lab.a, "net FD00:0::10/64 fd00::1", 0,
            "hcs-guest: address fd00::10/64 gateway fd00::1\r\n");
    lab_say(&lab.a, "ping fd00::10 2", CLOCK_MS,
            "hcs-guest: ping fd00::10: 2 sent, 2 received, 0.040 ms\r\n");
    /* It is not the endpoint's. */
    lab_say(&lab.a, "ping fd00::11 1", CLOCK_SECOND,
            "hcs-guest: ping fd00::11: 1 sent, 0 received\r\n");
    lab_say(&lab.a, "ping 10.0.0.11 1", CLOCK_MS,
            "hcs-guest: ping 10.0.0.11: 1 sent, 1 received, 0.400 ms\r\n");
    lab_close(&lab);
}

/* A guest that stands still answers nobody, and its own words wait. */
static void stands_still(void **state) {
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    assert_int_equal(system_do(&lab.b, HcsOperationTypePause, NULL), S_OK);
    lab_say(&lab.a, "ping 10.0.0.11 4", 250 * CLOCK_MS, "");
    assert_int_equal(system_do(&lab.a, HcsOperationTypePause, NULL), S_OK);
    assert_int_equal(system_do(&lab.b, HcsOperationTypeResume, NULL), S_OK);
    world_wait(&lab.world, CLOCK_SECOND);
    assert_int_equal(system_do(&lab.a, HcsOperationTypeResume, NULL), S_OK);
    lab_say(&lab.a, "", 60 * CLOCK_MS,
            "hcs-guest: ping 10.0.0.11: 4 sent, 3 received, 0.400 ms\r\n");
    lab_close(&lab);
}

/* Saved in the middle of a word, with addresses and servers. */
static void is_saved(void **state) {
    char file[256], options[512], members[2048];
    struct lab lab;
    (void)state;
    lab_open(&lab, &plain);
    lab_start_both(&lab);
    snprintf(file, sizeof file, "%s/state", lab.world.folder);
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", file);
    lab_say(&lab.a, "net fd00::10/64", 0, "hcs-guest: address fd00::10/64\r\n");
    lab_say(&lab.a, "serve 80 still here", 0, "hcs-guest: serve 80\r\n");
    lab_say(&lab.a, "receive 5001", 0, "hcs-guest: receive 5001\r\n");
    lab_say(&lab.a, "ping 10.0.0.99 2", 100 * CLOCK_MS, "");
    lab_say(&lab.a, "echo then", 0, "");
    assert_int_equal(system_do(&lab.a, HcsOperationTypePause, NULL), S_OK);
    assert_int_equal(system_do(&lab.a, HcsOperationTypeSave, options), S_OK);
    system_close(&lab.a);
    snprintf(members, sizeof members,
             MACHINE("", "") ",\"RestoreState\":{\"SaveStateFilePath\":\"%s\"},"
                             "\"Devices\":{\"ComPorts\":{\"0\":{\"NamedPipe\":"
                             "\"\\\\\\\\.\\\\pipe\\\\a\"}},\"NetworkAdapters\":"
                             "{\"m\":{\"EndpointId\":\"" ENDPOINT_A "\"}}}",
             file);
    system_create(&lab.world, &lab.a, "a", members);
    assert_int_equal(system_do(&lab.a, HcsOperationTypeStart, NULL), S_OK);
    system_connect(&lab.a, "a");
    lab_say(&lab.a, "", 1200 * CLOCK_MS,
            "hcs-guest: ping 10.0.0.99: 2 sent, 0 received\r\nthen\r\n");
    lab_say(&lab.b, "get 10.0.0.10 80", 2 * CLOCK_MS,
            "hcs-guest: get 200 still here\r\n");
    lab_say(&lab.b, "send 10.0.0.10 5001 10", 2 * CLOCK_MS,
            "hcs-guest: sent 10 bytes in 0.000800 s\r\n");
    lab_say(&lab.a, "ping fd00::10 1", CLOCK_MS,
            "hcs-guest: ping fd00::10: 1 sent, 1 received, 0.040 ms\r\n");
    platform_remove(file);
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings),      cmocka_unit_test(refuses),
        cmocka_unit_test(serves),     cmocka_unit_test(sends),
        cmocka_unit_test(leases),     cmocka_unit_test(waits_for_adapters),
        cmocka_unit_test(knows_ipv6), cmocka_unit_test(stands_still),
        cmocka_unit_test(is_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
