/* SPDX-License-Identifier: MIT
 * Endpoints: what is told of them, limits, who they may say they are, and
 * where they end. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAC_OF(k) 0x00, 0x15, 0x5d, 0x00, 0x10, (k)

static int mtu_of(struct bench *bench, struct place place, const char *name) {
    int fd = place_socket(bench, place, AF_INET, SOCK_DGRAM, 0);
    struct ifreq wish = {.ifr_mtu = 0};

    snprintf(wish.ifr_name, IFNAMSIZ, "%s", name);
    assert_int_equal(ioctl(fd, SIOCGIFMTU, &wish), 0);
    close(fd);
    return wish.ifr_mtu;
}

static void test_mtu(void **state) {
    struct bench *bench = *state;
    struct end_told told;

    assert_int_equal(mtu_of(bench, AT(1, 0), "eth0"), 1500);
    told_endpoint(&told, 1, 0);
    told.endpoint.mtu = 1400;
    change(bench, &told);
    assert_int_equal(mtu_of(bench, AT(1, 0), "eth0"), 1400);
    told.endpoint.overhead = 50;
    change(bench, &told);
    assert_int_equal(mtu_of(bench, AT(1, 0), "eth0"), 1350);
    /* One that no interface takes: all stays as it was. */
    told.endpoint.mtu = 60;
    told.endpoint.overhead = 0;
    told.endpoint.egress_limit = 1000;
    assert_true(FAILED(bench->ops->endpoint_change(bench->plane, &told.endpoint,
                                                   &bench->error)));
    assert_int_equal(mtu_of(bench, AT(1, 0), "eth0"), 1350);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

static void test_isolated(void **state) {
    struct bench *bench = *state;
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.flags = PLANE_ENDPOINT_ISOLATED;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    told_endpoint(&told, 1, 1);
    told.endpoint.flags = PLANE_ENDPOINT_ISOLATED;
    change(bench, &told);
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
    told.endpoint.flags = 0;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

/* --- routes ------------------------------------------------------------ */

/* How many IPv4 routes to destinations of that length a place has, and how
 * many of them have a gateway. */
static int routes(struct bench *bench, struct place place, uint8_t length,
                  int *by_gateway) {
    struct {
        struct nlmsghdr head;
        struct rtmsg body;
    } wish = {.head = {.nlmsg_len = sizeof wish,
                       .nlmsg_type = RTM_GETROUTE,
                       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
              .body = {.rtm_family = AF_INET}};
    int fd = place_socket(bench, place, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    _Alignas(8) char data[16384];
    int count = 0;

    *by_gateway = 0;
    assert_int_equal(send(fd, &wish, sizeof wish, 0), sizeof wish);
    for (;;) {
        ssize_t got = recv(fd, data, sizeof data, 0);
        struct nlmsghdr *one = (struct nlmsghdr *)data;

        assert_true(got > 0);
        for (; NLMSG_OK(one, got); one = NLMSG_NEXT(one, got)) {
            const struct rtmsg *route = NLMSG_DATA(one);

            if (one->nlmsg_type == NLMSG_DONE) {
                close(fd);
                return count;
            }
            if (route->rtm_table != RT_TABLE_MAIN ||
                route->rtm_dst_len != length)
                continue;
            count++;
            *by_gateway += route->rtm_scope == RT_SCOPE_UNIVERSE;
        }
    }
}

/* The same place by several ways, one of them said twice, and one that is on
 * the link. */
static void test_routes(void **state) {
    struct bench *bench = *state;
    struct plane_route all[4] = {
        {.next_hop = address("10.1.0.1")},
        {.next_hop = address("10.1.0.11")},
        {.next_hop = address("10.1.0.1")},
        {.destination = prefix("10.8.0.0/13"), .next_hop = address("0.0.0.0")}};
    struct end_told told;
    int by_gateway;

    told_endpoint(&told, 1, 2);
    for (int i = 0; i < 3; i++)
        all[i].destination.address.family = IP_V4;
    told.endpoint.routes = all;
    told.endpoint.route_count = 4;
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    attach(bench, 1, 2);
    assert_true(routes(bench, AT(1, 2), 0, &by_gateway) >= 2);
    assert_true(by_gateway >= 2);
    assert_int_equal(routes(bench, AT(1, 2), 13, &by_gateway), 1);
    assert_int_equal(by_gateway, 0);
    assert_soon(ping(bench, AT(1, 2), "10.1.0.1"));
    /* Another adapter beside it: no metric is taken. */
    told_endpoint(&told, 1, 3);
    told.endpoint.routes = all;
    told.endpoint.route_count = 4;
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    struct plane_port port = {
        .kind = PLANE_PORT_NAMESPACE, .owner = space_id(1, 2), .adapter = ""};
    struct guid id = end_id(1, 3);
    char device[PLANE_DEVICE_SIZE];
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
    assert_true(routes(bench, AT(1, 2), 0, &by_gateway) >= 4);
}

/* --- limits ------------------------------------------------------------ */

/* Bytes per second that arrive from endpoint 0 at endpoint 1 in half one. */
static double rate(struct bench *bench) {
    static char block[16384];
    int server = place_socket(bench, AT(1, 1), AF_INET, SOCK_STREAM, 0);
    int client = place_socket(bench, AT(1, 0), AF_INET,
                              SOCK_STREAM | SOCK_NONBLOCK, 0),
        other, on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(5001)};
    double total = 0;
    struct timespec start, now;

    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 1), 0);
    at.sin_addr.s_addr = htonl(0x0A01000B);
    (void)!connect(client, (struct sockaddr *)&at, sizeof at);
    other = accept(server, NULL, NULL);
    assert_true(other >= 0);
    fcntl(other, F_SETFL, O_NONBLOCK);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        struct pollfd polls[2] = {{client, POLLOUT, 0}, {other, POLLIN, 0}};
        double seconds;
        ssize_t got;

        poll(polls, 2, 100);
        (void)!send(client, block, sizeof block, MSG_NOSIGNAL);
        while ((got = recv(other, block, sizeof block, 0)) > 0)
            total += (double)got;
        clock_gettime(CLOCK_MONOTONIC, &now);
        seconds = (double)(now.tv_sec - start.tv_sec) +
                  (double)(now.tv_nsec - start.tv_nsec) / 1e9;
        if (seconds > 0.7) {
            close(client);
            close(other);
            close(server);
            return total / seconds;
        }
    }
}

/* A busy machine makes it less, and never more. */
static void expect_rate(struct bench *bench, double least, double most) {
    double found = 0;

    for (int i = 0; found <= least && i < 10; i++) {
        found = rate(bench);
        print_message("%.0f bytes per second\n", found);
        assert_true(found < most);
    }
    assert_true(found > least);
}

static void test_limit(void **state) {
    struct bench *bench = *state;
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.egress_limit = 1000000;
    change(bench, &told);
    expect_rate(bench, 500000, 1400000);
    told.endpoint.egress_limit = 3000000;
    change(bench, &told);
    expect_rate(bench, 1500000, 4200000);
    told.endpoint.egress_limit = 0;
    change(bench, &told);
    expect_rate(bench, 6000000, 1e15);
}

/* --- false senders ----------------------------------------------------- */

static void send_frame(struct bench *bench, const unsigned char *frame,
                       size_t size) {
    int fd =
        place_socket(bench, AT(1, 0), AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct sockaddr_ll to = {.sll_family = AF_PACKET};
    struct ifreq wish = {.ifr_ifindex = 0};

    snprintf(wish.ifr_name, IFNAMSIZ, "eth0");
    assert_int_equal(ioctl(fd, SIOCGIFINDEX, &wish), 0);
    to.sll_ifindex = wish.ifr_ifindex;
    assert_int_equal(
        sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof to), size);
    close(fd);
}

static uint64_t dropped(struct bench *bench) {
    struct plane_statistics numbers;
    struct guid id = end_id(1, 0);

    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    return numbers.dropped_outgoing;
}

/* As many, and soon: what is sent is looked at by another thread of the kernel
 * where that has much to do. */
static void expect_dropped(struct bench *bench, uint64_t wanted) {
    for (int i = 0; i < 1000 && dropped(bench) < wanted; i++)
        usleep(5000);
    assert_int_equal(dropped(bench), wanted);
}

/* A datagram from 10.1.0.`last` and MAC `k` to endpoint 1. */
static void send_as(struct bench *bench, unsigned char k, unsigned char last) {
    unsigned char frame[60] = {
        MAC_OF(1), MAC_OF(k), 0x08, 0x00, 0x45, 0, 0, 46, 0,  0, 0, 0,
        64,        17,        0,    0,    10,   1, 0, 0,  10, 1, 0, 11};
    uint32_t sum = 0;

    frame[29] = last;
    for (int i = 14; i < 34; i += 2)
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    frame[24] = (unsigned char)(~sum >> 8);
    frame[25] = (unsigned char)~sum;
    frame[36] = 0; /* to port 7 */
    frame[37] = 7;
    frame[39] = 26;
    send_frame(bench, frame, sizeof frame);
}

static bool arrives(struct bench *bench, unsigned char k, unsigned char last) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(7)};
    int fd = place_socket(bench, AT(1, 1), AF_INET, SOCK_DGRAM, 0);
    struct pollfd one = {fd, POLLIN, 0};
    bool came;

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    send_as(bench, k, last);
    came = poll(&one, 1, 200) == 1;
    close(fd);
    return came;
}

static void test_spoofing(void **state) {
    struct bench *bench = *state;
    /* "10.1.0.1 is at …", which is the gateway's. */
    unsigned char arp[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff,      0xff, MAC_OF(0), 0x08, 0x06,
        0,    1,    8,    0,    6,         4,    0,         2,    MAC_OF(0),
        10,   1,    0,    1,    MAC_OF(1), 10,   1,         0,    11};

    assert_soon(arrives(bench, 0, 10));
    expect_dropped(bench, 0);
    assert_false(arrives(bench, 5, 10));
    expect_dropped(bench, 1);
    assert_false(arrives(bench, 0, 12));
    expect_dropped(bench, 2);
    send_frame(bench, arp, sizeof arp);
    expect_dropped(bench, 3);
    assert_true(ping(bench, AT(1, 1), "10.1.0.1"));
    arp[31] = 10; /* its own address it may tell */
    send_frame(bench, arp, sizeof arp);
    expect_dropped(bench, 3);
    arp[12] = 0x81; /* a tag hides what is in the frame */
    arp[13] = 0x00;
    send_frame(bench, arp, sizeof arp);
    expect_dropped(bench, 4);
}

/* --- numbers ----------------------------------------------------------- */

static void test_statistics(void **state) {
    struct bench *bench = *state;
    struct plane_statistics first, second;
    struct guid sender = end_id(1, 0), missing = end_id(9, 9);

    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    works(bench,
          bench->ops->statistics(bench->plane, &sender, &first, &bench->error));
    assert_true(first.packets_sent > 0 && first.bytes_sent > 0);
    /* What it sends is what it has sent: many datagrams, no answers. */
    for (int i = 0; i < 20; i++)
        send_as(bench, 0, 10);
    works(bench, bench->ops->statistics(bench->plane, &sender, &second,
                                        &bench->error));
    assert_true(second.packets_sent - first.packets_sent >= 20);
    assert_true(second.bytes_sent - first.bytes_sent >= 1200);
    bench->ops->port_down(bench->plane, &sender);
    works(bench,
          bench->ops->statistics(bench->plane, &sender, &first, &bench->error));
    assert_true(first.packets_sent >= second.packets_sent);
    assert_int_equal(
        bench->ops->statistics(bench->plane, &missing, &first, &bench->error),
        HCN_E_ENDPOINT_NOT_FOUND);
}

/* --- where they end ---------------------------------------------------- */

static void test_names(void **state) {
    static const char *const names[] = {"quote \" and 'quote'",
                                        "two\nlines\r\n",
                                        "} drop; flush ruleset",
                                        "$(reboot) `x` \\",
                                        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                        ""};
    struct bench *bench = *state;
    char long_name[1000];
    struct end_told told;

    told_endpoint(&told, 1, 0);
    for (size_t i = 0; i < HCS_COUNT(names); i++) {
        told.endpoint.name = names[i];
        told.endpoint.port_name = names[i];
        change(bench, &told);
    }
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    told.endpoint.port_name = long_name;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    for (size_t i = 0; i < HCS_COUNT(names); i++) {
        struct guid id = net_id(50);
        struct net_told net;
        told_network(&net, 50, PLANE_INTERNAL);
        net.network.name = names[i];
        net.network.dns.domain = names[i];
        net.network.flags = PLANE_NETWORK_DNS;
        works(bench, bench->ops->network_up(bench->plane, &net.network,
                                            &bench->error));
        bench->ops->network_down(bench->plane, &id);
    }
}

static void test_of_host(void **state) {
    struct bench *bench = *state;
    struct plane_namespace space = {.id = id_of(77),
                                    .type = PLANE_HOST_DEFAULT};
    struct plane_port port = {
        .kind = PLANE_PORT_NAMESPACE, .owner = id_of(77), .adapter = ""};
    struct guid id = end_id(1, 2), private = end_id(2, 0);
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    char device[PLANE_DEVICE_SIZE];
    struct end_told told;

    works(bench, bench->ops->namespace_up(bench->plane, &space, &bench->error));
    told_endpoint(&told, 1, 2);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
    assert_string_equal(device, "vEthernet0");
    assert_soon(ping(bench, AT(1, 0), "10.1.0.12"));
    assert_soon(tcp(bench, AT(1, 0), "10.1.0.12", 7, HOST, 7));
    told.endpoint.acls = &acl;
    told.endpoint.acl_count = 1;
    change(bench, &told);
    assert_false(ping(bench, AT(1, 0), "10.1.0.12"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
    bench->ops->port_down(bench->plane, &id);
    /* The host gets onto a private network by an endpoint only. */
    up_network(bench, 2, PLANE_PRIVATE);
    told_endpoint(&told, 2, 0);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    up_endpoint(bench, 2, 1);
    assert_false(ping(bench, HOST, "10.2.0.11"));
    works(bench, bench->ops->port_up(bench->plane, &private, &port, device,
                                     &bench->error));
    assert_soon(ping(bench, HOST, "10.2.0.11"));
    assert_soon(ping(bench, AT(2, 1), "10.2.0.10"));
}

/* Two adapters in one namespace. */
static void test_two_adapters(void **state) {
    struct bench *bench = *state;
    struct plane_port port = {
        .kind = PLANE_PORT_NAMESPACE, .owner = space_id(1, 0), .adapter = ""};
    struct guid id = end_id(2, 0);
    char device[PLANE_DEVICE_SIZE];
    struct end_told told;

    up_network(bench, 2, PLANE_NAT);
    told_endpoint(&told, 2, 0);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
    assert_string_equal(device, "eth1");
    assert_soon(ping(bench, AT(1, 0), "10.2.0.1"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_int_equal(
        bench->ops->port_up(bench->plane, &id, &port, device, &bench->error),
        HCN_E_ENDPOINT_ALREADY_ATTACHED);
    bench->ops->port_down(bench->plane, &id);
    port.owner = id_of(12345);
    assert_int_equal(
        bench->ops->port_up(bench->plane, &id, &port, device, &bench->error),
        HR_NOT_FOUND);
    assert_string_equal(device, "");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_mtu),      TEST(test_isolated),   TEST(test_limit),
        TEST(test_spoofing), TEST(test_statistics), TEST(test_names),
        TEST(test_routes),   TEST(test_of_host),    TEST(test_two_adapters),
    };

    return bench_main(tests);
}
