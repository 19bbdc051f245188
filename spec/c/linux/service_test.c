/* SPDX-License-Identifier: MIT
 * DHCP and DNS of a network, and the way out. */
#include "bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../src/backend/linux/device.h"

static int ics(void **state) {
    struct bench *bench;
    struct net_told told;
    struct end_told end;
    int result = bench_open(state);

    if (result != 0)
        return result;
    bench = *state;
    told_network(&told, 1, PLANE_ICS);
    told.network.dns.domain = "example.test";
    if (bench->ops->can_network(bench->plane, PLANE_ICS, &bench->error) ==
        HCN_E_REQUEST_UNSUPPORTED)
        return 0; /* no dnsmasq here */
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    for (unsigned k = 0; k < 3; k++) {
        told_endpoint(&end, 1, k);
        end.endpoint.name = k == 0   ? "first"
                            : k == 1 ? "second"
                                     : "a \"third\"\n,10.9.9.9";
        works(bench, bench->ops->endpoint_up(bench->plane, &end.endpoint,
                                             &bench->error));
        attach(bench, 1, k);
    }
    return 0;
}

static void need_dnsmasq(struct bench *bench) {
    if (FAILED(
            bench->ops->can_network(bench->plane, PLANE_ICS, &bench->error))) {
        print_message("%s\n", bench->error.text);
        skip();
    }
}

/* Sends until an answer comes; the service needs a moment. */
static ssize_t ask(int fd, const struct sockaddr_in *to, const void *question,
                   size_t size, unsigned char *answer, size_t room) {
    struct pollfd one = {fd, POLLIN, 0};

    for (int i = 0; i < 8; i++) {
        (void)!sendto(fd, question, size, 0, (const struct sockaddr *)to,
                      sizeof *to);
        if (poll(&one, 1, 250) == 1)
            return recv(fd, answer, room, 0);
    }
    return -1;
}

/* An option of an answer, as a number of 16 bits; 0: it is not there. */
static uint16_t option(const unsigned char *answer, size_t size,
                       unsigned char wanted) {
    for (size_t at = 240; at + 3 < size && answer[at] != 255;
         at += answer[at] ? 2u + answer[at + 1] : 1u)
        if (answer[at] == wanted)
            return (uint16_t)(answer[at + 2] << 8 | answer[at + 3]);
    return 0;
}

/* The address that the DHCP server of network 1 offers to MAC `k`, as a number;
 * 0: none. `mtu` (may be NULL) gets what it says of that. */
static uint32_t dhcp(struct bench *bench, unsigned char k, uint16_t *mtu) {
    unsigned char packet[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, k};
    const unsigned char mac[6] = {0x00, 0x15, 0x5d, 0x00, 0x10, k};
    unsigned char answer[1500];
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(68)},
                       to = {.sin_family = AF_INET, .sin_port = htons(67)};
    int fd = place_socket(bench, AT(1, 0), AF_INET, SOCK_DGRAM, 0), on = 1;
    uint32_t address;
    ssize_t got;

    packet[10] = 0x80; /* answer to all */
    memcpy(packet + 28, mac, sizeof mac);
    memcpy(packet + 236, "\x63\x82\x53\x63\x35\x01\x01\x37\x01\x1a\xff", 11);
    to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    got = ask(fd, &to, packet, sizeof packet, answer, sizeof answer);
    close(fd);
    if (got < 240 || answer[0] != 2 || answer[7] != k)
        return 0; /* or to one who asked before */
    if (mtu)
        *mtu = option(answer, (size_t)got, 26);
    memcpy(&address, answer + 16, sizeof address);
    return ntohl(address);
}

static uint32_t offered(struct bench *bench, unsigned char k) {
    return dhcp(bench, k, NULL);
}

/* The service hears of changes by a signal, which it takes in its own time. */
static bool becomes(struct bench *bench,
                    uint32_t (*is)(struct bench *bench, const void *what),
                    const void *what, uint32_t wanted) {
    for (int i = 0; i < 200; i++) {
        if (is(bench, what) == wanted)
            return true;
        usleep(50000);
    }
    return false;
}

static uint32_t offered_to(struct bench *bench, const void *k) {
    return offered(bench, *(const unsigned char *)k);
}

static bool offers(struct bench *bench, unsigned char k, uint32_t wanted) {
    return becomes(bench, offered_to, &k, wanted);
}

static void test_dhcp(void **state) {
    struct bench *bench = *state;

    need_dnsmasq(bench);
    assert_true(offers(bench, 0, 0x0A01000A));
    assert_true(offers(bench, 1, 0x0A01000B));
    assert_true(offers(bench, 2, 0x0A01000C));
    assert_true(offers(bench, 77, 0)); /* nobody's */
    down_endpoint(bench, 1, 2);
    assert_true(offers(bench, 2, 0));
}

static uint32_t mtu_told(struct bench *bench, const void *k) {
    uint16_t mtu = 0;

    dhcp(bench, *(const unsigned char *)k, &mtu);
    return mtu;
}

/* A machine learns by DHCP what its packets may be. */
static void test_mtu(void **state) {
    struct bench *bench = *state;
    const unsigned char first = 0, second = 1;
    struct end_told told;

    need_dnsmasq(bench);
    assert_true(offers(bench, 1, 0x0A01000B));
    told_endpoint(&told, 1, 1);
    told.endpoint.mtu = 1400;
    change(bench, &told);
    assert_true(becomes(bench, mtu_told, &second, 1400));
    assert_int_not_equal(mtu_told(bench, &first), 1400);
    told.endpoint.overhead = 50;
    change(bench, &told);
    assert_true(becomes(bench, mtu_told, &second, 1350));
}

#define NO_ANSWER UINT32_MAX

/* The first address of `name`, 0: there is none. */
static uint32_t resolved(struct bench *bench, const char *name) {
    unsigned char question[300] = {0x12, 0x34, 1, 0, 0, 1}, answer[1500];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
    int fd = place_socket(bench, AT(1, 0), AF_INET, SOCK_DGRAM, 0);
    size_t at = 12;
    uint32_t address;
    ssize_t got;

    for (const char *label = name; *label;) {
        size_t length = strcspn(label, ".");
        question[at++] = (unsigned char)length;
        memcpy(question + at, label, length);
        at += length;
        label += length + (label[length] == '.');
    }
    memcpy(question + at, "\0\0\1\0\1", 5);
    to.sin_addr.s_addr = htonl(0x0A010001);
    got = ask(fd, &to, question, at + 5, answer, sizeof answer);
    close(fd);
    if (got < 12)
        return NO_ANSWER;
    if (answer[7] == 0)
        return 0;
    memcpy(&address, answer + got - 4, sizeof address);
    return ntohl(address);
}

static uint32_t resolved_name(struct bench *bench, const void *name) {
    return resolved(bench, name);
}

static bool resolves(struct bench *bench, const char *name, uint32_t wanted) {
    return becomes(bench, resolved_name, name, wanted);
}

static void test_dns(void **state) {
    struct bench *bench = *state;

    need_dnsmasq(bench);
    assert_true(resolves(bench, "first", 0x0A01000A));
    assert_true(resolves(bench, "second.example.test", 0x0A01000B));
    assert_true(resolves(bench, "third", 0));
}

/* The program's processes among this one's children. */
static pid_t dnsmasq(void) {
    char line[320];
    FILE *file;
    int pid = 0;

    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; pid == 0 && (entry = readdir(folder));) {
        snprintf(line, sizeof line, "/proc/self/task/%s/children",
                 entry->d_name);
        file = fopen(line, "r");
        if (file && fscanf(file, "%d", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return pid;
}

/* One that dies is started again when the plane's owner is told. */
static void test_tended(void **state) {
    struct bench *bench = *state;
    struct pollfd one = {.events = POLLIN};
    pid_t pid;

    need_dnsmasq(bench);
    pid = dnsmasq();
    assert_true(pid > 0);
    one.fd = linux_plane_pollfd(bench->plane);
    assert_int_equal(poll(&one, 1, 0), 0);
    kill(pid, SIGKILL);
    assert_int_equal(poll(&one, 1, 10000), 1);
    works(bench, linux_plane_tend(bench->plane, &bench->error));
    assert_int_equal(poll(&one, 1, 0), 0);
    assert_int_not_equal(dnsmasq(), pid);
    assert_true(offers(bench, 0, 0x0A01000A));
}

/* Other servers and addresses: it runs anew. */
static void test_renewed(void **state) {
    struct bench *bench = *state;
    struct net_told told;
    pid_t pid;

    need_dnsmasq(bench);
    pid = dnsmasq();
    told_network(&told, 1, PLANE_ICS);
    told.network.dns.domain = "other.test";
    works(bench, bench->ops->network_change(bench->plane, &told.network,
                                            &bench->error));
    assert_int_not_equal(dnsmasq(), pid);
    assert_true(resolves(bench, "second.other.test", 0x0A01000B));
}

/* Who serves is the gateway, of either family. */
static void test_needs_gateway(void **state) {
    struct bench *bench = *state;
    struct net_told told;

    need_dnsmasq(bench);
    told_network(&told, 2, PLANE_INTERNAL);
    told.network.flags = PLANE_NETWORK_DHCP;
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    told.subnet.gateway.family = IP_NONE;
    assert_int_equal(
        bench->ops->network_change(bench->plane, &told.network, &bench->error),
        HCN_E_REQUEST_UNSUPPORTED);
    told.network.id = net_id(3);
    for (uint32_t flags = 1; flags < 4; flags++) {
        told.network.flags = flags;
        assert_int_equal(
            bench->ops->network_up(bench->plane, &told.network, &bench->error),
            HCN_E_REQUEST_UNSUPPORTED);
    }
    told_network(&told, 3, PLANE_PRIVATE);
    told.subnet.gateway = address("10.3.0.1");
    told.network.flags = PLANE_NETWORK_DNS;
    assert_int_equal(
        bench->ops->network_up(bench->plane, &told.network, &bench->error),
        HCN_E_REQUEST_UNSUPPORTED);
    told_network(&told, 3, PLANE_ICS);
    told.subnet.prefix = prefix("fd00:3::/64");
    told.subnet.gateway = address("fd00:3::1");
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    told.network.id = net_id(4);
    told.network.mode = PLANE_NAT;
    told.network.flags = PLANE_NETWORK_DHCP;
    assert_int_equal(
        bench->ops->network_up(bench->plane, &told.network, &bench->error),
        HCN_E_REQUEST_UNSUPPORTED);
}

static void test_no_service(void **state) {
    struct linux_plane_options options = {.dnsmasq = "/proc/no-such-program",
                                          .directory = "/tmp"};
    struct bench *bench = *state;
    struct plane *plane;

    works(bench, linux_plane_open(&options, &plane, &bench->error));
    assert_int_equal(bench->ops->can_network(plane, PLANE_ICS, &bench->error),
                     HCN_E_REQUEST_UNSUPPORTED);
    bench->ops->destroy(plane);
}

/* --- the way out ------------------------------------------------------- */

/* The machine knows the way to an address in the plane. */
static void way_to(struct bench *bench, const char *where) {
    struct device device = {.name = "hcs-up0"};
    struct device_route route = {.destination = prefix(where),
                                 .gateway = address("10.200.0.2")};
    struct wire wire;

    works(bench, device_find(&device, &bench->error));
    works(bench, wire_open(&wire, &bench->error));
    works(bench, device_add_route(&wire, device.index, &route, &bench->error));
    wire_close(&wire);
}

static void test_uplink(void **state) {
    struct bench *bench = *state;
    struct ip_prefix taken = prefix("10.200.0.0/16");
    struct ip_prefix free_one = prefix("10.201.0.0/16");
    char source[IP_TEXT_SIZE];

    assert_true(bench->ops->prefix_taken(bench->plane, &taken));
    assert_false(bench->ops->prefix_taken(bench->plane, &free_one));
    assert_soon(ping(bench, AT(1, 0), "10.200.0.1"));
    assert_soon(udp(bench, AT(1, 0), "10.200.0.1", 7, OUTSIDE, 7, source));
    assert_string_equal(source, "10.200.0.2");
    /* Nobody comes in, even who knows the way. */
    way_to(bench, "10.1.0.0/16");
    assert_false(ping(bench, OUTSIDE, "10.1.0.10"));
    assert_soon(ping(bench, OUTSIDE, "10.200.0.2"));
    up_network(bench, 2, PLANE_INTERNAL);
    up_endpoint(bench, 2, 0);
    assert_false(ping(bench, AT(2, 0), "10.200.0.1"));
}

static void test_mapping_from_outside(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {
        .protocol = 6, .external = 8088, .internal = 80};
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    change(bench, &told);
    assert_soon(tcp(bench, OUTSIDE, "10.200.0.2", 8088, AT(1, 0), 80));
    assert_false(tcp(bench, OUTSIDE, "10.200.0.2", 80, AT(1, 0), 80));
    mapping.address = address("10.200.0.2");
    change(bench, &told);
    assert_soon(tcp(bench, OUTSIDE, "10.200.0.2", 8088, AT(1, 0), 80));
    assert_false(tcp(bench, HOST, "10.1.0.1", 8088, AT(1, 0), 80));
}

static void test_outbound_nat(void **state) {
    struct bench *bench = *state;
    struct ip_prefix kept = prefix("10.200.0.1/32");
    struct ip_prefix elsewhere = prefix("10.77.0.0/16");
    struct plane_outbound_nat nat = {.address = address("10.88.0.1")};
    char source[IP_TEXT_SIZE];
    struct end_told told;

    way_to(bench, "10.88.0.1/32");
    way_to(bench, "10.1.0.0/16");
    told_endpoint(&told, 1, 0);
    told.endpoint.nats = &nat;
    told.endpoint.nat_count = 1;
    change(bench, &told);
    assert_soon(udp(bench, AT(1, 0), "10.200.0.1", 7, OUTSIDE, 7, source));
    assert_string_equal(source, "10.88.0.1");
    assert_soon(udp(bench, AT(1, 1), "10.200.0.1", 7, OUTSIDE, 7, source));
    assert_string_equal(source, "10.200.0.2");
    nat.destinations.items = &elsewhere;
    nat.destinations.count = 1;
    change(bench, &told);
    assert_soon(udp(bench, AT(1, 0), "10.200.0.1", 7, OUTSIDE, 7, source));
    assert_string_equal(source, "10.200.0.2");
    /* One of a network without the host says the same of its own. */
    {
        struct net_told apart;
        struct end_told other;

        told_network(&apart, 2, PLANE_PRIVATE);
        apart.subnet.prefix = prefix("10.1.0.0/16");
        works(bench, bench->ops->network_up(bench->plane, &apart.network,
                                            &bench->error));
        told_endpoint(&other, 2, 0);
        other.address.address = address("10.1.0.10");
        other.endpoint.nats = &nat;
        other.endpoint.nat_count = 1;
        works(bench, bench->ops->endpoint_up(bench->plane, &other.endpoint,
                                             &bench->error));
    }
    nat.destinations.count = 0;
    nat.exceptions.items = &kept;
    nat.exceptions.count = 1;
    change(bench, &told);
    /* The answer knows no way back. */
    assert_soon((udp(bench, AT(1, 0), "10.200.0.1", 7, OUTSIDE, 7, source),
                 strcmp(source, "10.1.0.10") == 0));
    told.endpoint.nat_count = 0;
    change(bench, &told);
    assert_soon(udp(bench, AT(1, 0), "10.200.0.1", 7, OUTSIDE, 7, source));
    assert_string_equal(source, "10.200.0.2");
}

/* Two planes have one each. */
static void test_two_uplinks(void **state) {
    struct bench *bench = *state;
    struct linux_plane_options options = {.uplink = address("10.201.0.1")};
    struct bench other = *bench;

    assert_true(if_nametoindex("hcs-up0") > 0);
    /* That is not the first of its prefix. */
    assert_int_equal(linux_plane_open(&options, &other.plane, &bench->error),
                     E_INVALIDARG);
    assert_null(other.plane);
    options.uplink = address("10.201.0.0");
    works(bench, linux_plane_open(&options, &other.plane, &bench->error));
    assert_true(if_nametoindex("hcs-up1") > 0);
    assert_soon(ping(&other, HOST, "10.201.0.1"));
    other.ops->destroy(other.plane);
    assert_int_equal(if_nametoindex("hcs-up1"), 0);
    assert_soon(ping(bench, AT(1, 0), "10.200.0.1"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, ics, bench_close)
#define OUT(name) \
    cmocka_unit_test_setup_teardown(name, bench_uplink, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_dhcp),
        TEST(test_mtu),
        TEST(test_dns),
        TEST(test_tended),
        TEST(test_renewed),
        TEST(test_needs_gateway),
        TEST(test_no_service),
        OUT(test_uplink),
        OUT(test_mapping_from_outside),
        OUT(test_outbound_nat),
        OUT(test_two_uplinks),
    };

    return bench_main(tests);
}
