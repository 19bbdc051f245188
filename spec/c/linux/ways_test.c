/* SPDX-License-Identifier: MIT
 * Ways out of the plane and into it: the uplink that comes later, sockets
 * outside, and what is counted of all that there is. */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../src/backend/linux/device.h"
#include "../../../src/backend/linux/filter.h"

/* --- an uplink later --------------------------------------------------- */

struct seen {
    const char *name;
    int index;
    struct ip_address address;
};

static int see(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifaddrmsg));
    const char *data = (const char *)head;
    struct seen *seen = context;
    struct ifaddrmsg address;
    const void *own;
    size_t length;

    memcpy(&address, data + NLMSG_HDRLEN, sizeof address);
    own =
        attribute_find(data + skip, head->nlmsg_len - skip, IFA_LOCAL, &length);
    if ((int)address.ifa_index == seen->index && own && length == 4) {
        seen->address.family = IP_V4;
        memcpy(seen->address.bytes, own, 4);
    }
    return 0;
}

/* The IPv4 address of one of the machine's interfaces. */
static struct ip_address address_of(const char *name) {
    struct seen seen = {.name = name, .index = (int)if_nametoindex(name)};
    struct ifaddrmsg head = {.ifa_family = AF_INET};
    struct hcs_error error;
    struct message m;
    struct wire wire;

    assert_true(seen.index > 0);
    assert_int_equal(wire_open(&wire, &error), S_OK);
    message_begin(&m, RTM_GETADDR, NLM_F_DUMP, &head, sizeof head);
    assert_int_equal(wire_dump(&wire, &m, see, &seen), 0);
    wire_close(&wire);
    return seen.address;
}

static void give_machine(const char *prefix_text) {
    struct ip_prefix one = prefix(prefix_text);
    struct hcs_error error;
    struct wire wire;

    assert_int_equal(wire_open(&wire, &error), S_OK);
    assert_int_equal(
        device_address(&wire, 1, &one.address, one.length, false, &error),
        S_OK);
    wire_close(&wire);
}

static void take_from_machine(const char *prefix_text) {
    struct ip_prefix one = prefix(prefix_text);
    struct hcs_error error;
    struct wire wire;

    assert_int_equal(wire_open(&wire, &error), S_OK);
    device_address_drop(&wire, 1, &one.address, one.length);
    wire_close(&wire);
}

static void test_uplink_later(void **state) {
    struct bench *bench = *state;
    struct ip_address machine;
    char to[IP_TEXT_SIZE], source[IP_TEXT_SIZE] = "";

    assert_int_equal(if_nametoindex("hcs-up0"), 0);
    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    machine = address_of("hcs-up0");
    ip_format(&machine, to);
    assert_soon(udp(bench, AT(1, 0), to, 7, OUTSIDE, 7, source));
    assert_false(ping(bench, OUTSIDE, "10.1.0.10"));
    assert_int_equal(linux_plane_uplink(bench->plane, NULL, &bench->error),
                     S_FALSE);
    assert_int_equal(if_nametoindex("hcs-up1"), 0);
    /* Its prefix is no network's any more. */
    {
        struct ip_prefix one = {machine, 24};
        ip_prefix_align(&one);
        assert_true(bench->ops->prefix_taken(bench->plane, &one));
    }
}

static void test_uplink_refused(void **state) {
    struct bench *bench = *state;
    struct ip_address of_network = address("10.1.4.0");
    struct ip_address odd = address("10.200.0.1"), six = address("fd00::");
    struct linux_plane_counts before, after;

    works(bench, linux_plane_count(bench->plane, &before, &bench->error));
    assert_int_equal(
        linux_plane_uplink(bench->plane, &of_network, &bench->error),
        HR_DUP_NAME);
    assert_non_null(strstr(bench->error.text, "10.1.4.0/30"));
    assert_int_equal(linux_plane_uplink(bench->plane, &odd, &bench->error),
                     E_INVALIDARG);
    assert_int_equal(linux_plane_uplink(bench->plane, &six, &bench->error),
                     E_INVALIDARG);
    works(bench, linux_plane_count(bench->plane, &after, &bench->error));
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(if_nametoindex("hcs-up0"), 0);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

/* It has none of the prefixes that the machine has, nor another plane's. */
static void test_spare(void **state) {
    struct bench *bench = *state;
    struct linux_plane_options options = {0};
    struct bench other = *bench;
    struct ip_prefix first, place = prefix("10.255.0.0/16");
    struct ip_address second;

    give_machine("100.127.0.1/16");
    give_machine("198.18.0.1/15");
    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    first.address = address_of("hcs-up0");
    first.length = 30;
    assert_true(ip_prefix_contains(&place, &first.address));
    works(bench, linux_plane_open(&options, &other.plane, &bench->error));
    works(bench, linux_plane_uplink(other.plane, NULL, &bench->error));
    second = address_of("hcs-up1");
    assert_true(ip_prefix_contains(&place, &second));
    assert_false(ip_prefix_contains(&first, &second));
    other.ops->destroy(other.plane);
    assert_int_equal(if_nametoindex("hcs-up1"), 0);
    /* And none at all when there is none. */
    give_machine("10.255.0.1/16");
    works(bench, linux_plane_open(&options, &other.plane, &bench->error));
    assert_int_equal(linux_plane_uplink(other.plane, NULL, &bench->error),
                     HR_NOT_FOUND);
    other.ops->destroy(other.plane);
    take_from_machine("100.127.0.1/16");
    take_from_machine("198.18.0.1/15");
    take_from_machine("10.255.0.1/16");
}

/* --- sockets outside --------------------------------------------------- */

#define SILENCE ETIMEDOUT

/* Whether this becomes of a connection from outside: 0, an errno, or SILENCE,
 * that nobody says anything. What is to be said is waited for with patience. */
static void knock(struct bench *bench, int domain, const struct ip_address *at,
                  uint16_t port, int wanted) {
    struct sockaddr_storage where = {.ss_family = (sa_family_t)domain};
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&where;
    struct sockaddr_in *four = (struct sockaddr_in *)&where;
    struct pollfd one = {.events = POLLOUT};
    socklen_t size = domain == AF_INET ? sizeof *four : sizeof *six;
    socklen_t length = sizeof(int);
    int number = 0;

    works(bench,
          linux_plane_outside(bench->plane, domain, SOCK_STREAM | SOCK_NONBLOCK,
                              0, &one.fd, NULL, &bench->error));
    if (domain == AF_INET) {
        four->sin_port = htons(port);
        memcpy(&four->sin_addr, at->bytes, 4);
    } else {
        six->sin6_port = htons(port);
        memcpy(&six->sin6_addr, at->bytes, 16);
    }
    if (connect(one.fd, (struct sockaddr *)&where, size) == 0)
        number = 0;
    else if (errno != EINPROGRESS)
        number = errno;
    else if (poll(&one, 1, wanted == SILENCE ? 400 : 15000) != 1)
        number = SILENCE;
    else
        getsockopt(one.fd, SOL_SOCKET, SO_ERROR, &number, &length);
    close(one.fd);
    assert_int_equal(number, wanted);
}

static void serve(struct bench *bench, struct place at, int domain,
                  uint16_t port, int *fd) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

    *fd = place_socket(bench, at, domain, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd,
                          domain == AF_INET ? (struct sockaddr *)&four
                                            : (struct sockaddr *)&six,
                          domain == AF_INET ? sizeof four : sizeof six),
                     0);
    assert_int_equal(listen(*fd, 1), 0);
}

static void test_outside(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {
        .protocol = IPPROTO_TCP, .external = 8080, .internal = 80};
    struct ip_address host, inner = address("10.1.0.10"), gateway;
    struct end_told told;
    int fd, server;

    works(bench, linux_plane_outside(bench->plane, AF_INET, SOCK_STREAM, 0, &fd,
                                     &host, &bench->error));
    close(fd);
    assert_int_equal(host.family, IP_V4);
    serve(bench, AT(1, 0), AF_INET, 80, &server);
    knock(bench, AF_INET, &host, 8080, ECONNREFUSED);
    told_endpoint(&told, 1, 0);
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    change(bench, &told);
    knock(bench, AF_INET, &host, 8080, 0);
    knock(bench, AF_INET, &host, 80, ECONNREFUSED);
    gateway = address("10.1.0.1"); /* the host's, too */
    knock(bench, AF_INET, &gateway, 8080, 0);
    /* What is behind the translation is not seen from outside. */
    knock(bench, AF_INET, &inner, 80, SILENCE);
    close(server);
    /* The machine has no part in it. */
    assert_false(ping(bench, OUTSIDE, "10.1.0.1"));
    assert_int_equal(if_nametoindex("out0"), 0);
}

static void test_outside_six(void **state) {
    struct bench *bench = *state;
    struct ip_address host;
    int fd, server;

    works(bench, linux_plane_outside(bench->plane, AF_INET6, SOCK_STREAM, 0,
                                     &fd, &host, &bench->error));
    close(fd);
    assert_int_equal(host.family, IP_V6);
    knock(bench, AF_INET6, &host, 90, ECONNREFUSED);
    serve(bench, HOST, AF_INET6, 90, &server);
    knock(bench, AF_INET6, &host, 90, 0);
    close(server);
}

/* It keeps out of the way of networks that are there. */
static void test_outside_elsewhere(void **state) {
    struct bench *bench = *state;
    struct ip_prefix usual = prefix("192.0.0.0/24");
    struct net_told told;
    struct ip_address host;
    int fd;

    assert_false(bench->ops->prefix_taken(bench->plane, &usual));
    told_network(&told, 5, PLANE_NAT);
    told.subnet.prefix = usual;
    told.subnet.gateway = address("192.0.0.1");
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    works(bench, linux_plane_outside(bench->plane, AF_INET, SOCK_DGRAM, 0, &fd,
                                     &host, &bench->error));
    close(fd);
    assert_false(ip_prefix_contains(&usual, &host));
    {
        struct ip_prefix now = {host, 32};
        assert_true(bench->ops->prefix_taken(bench->plane, &now));
    }
    assert_true(FAILED(linux_plane_outside(bench->plane, 12345, SOCK_DGRAM, 0,
                                           &fd, NULL, &bench->error)));
    assert_int_equal(fd, -1);
}

/* --- how much there is ------------------------------------------------- */

static void test_counts(void **state) {
    struct bench *bench = *state;
    struct linux_plane_counts start, counts;
    struct guid space = space_id(1, 0), network = net_id(2);
    struct net_told told;

    works(bench, linux_plane_count(bench->plane, &start, &bench->error));
    assert_int_equal(start.networks, 1);
    assert_int_equal(start.endpoints, 2);
    assert_int_equal(start.namespaces, 2);
    assert_int_equal(start.ports, 2);
    assert_int_equal(start.interfaces, 1 + 2 * 2);
    assert_true(start.rules > 20);
    assert_int_equal(start.processes, 0);
    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    works(bench, linux_plane_count(bench->plane, &counts, &bench->error));
    assert_int_equal(counts.interfaces, start.interfaces + 5);
    assert_int_equal(counts.rules, start.rules + 1);
    told_network(&told, 2, PLANE_NAT);
    told.network.flags = PLANE_NETWORK_DHCP;
    if (SUCCEEDED(bench->ops->can_network(bench->plane, PLANE_ICS, NULL))) {
        works(bench, bench->ops->network_up(bench->plane, &told.network,
                                            &bench->error));
        works(bench, linux_plane_count(bench->plane, &counts, &bench->error));
        assert_int_equal(counts.processes, 1);
        bench->ops->network_down(bench->plane, &network);
    }
    down_endpoint(bench, 1, 0);
    bench->ops->namespace_down(bench->plane, &space);
    works(bench, linux_plane_count(bench->plane, &counts, &bench->error));
    assert_int_equal(counts.interfaces, start.interfaces + 5 - 2);
    assert_int_equal(counts.processes, 0);
    assert_int_equal(counts.endpoints, 1);
    assert_int_equal(counts.ports, 1);
    assert_true(counts.rules < start.rules);
}

/* Rules of the machine's own are not the plane's. */
static void test_others_rules(void **state) {
    struct bench *bench = *state;
    struct linux_plane_counts before, after;
    struct nft_ctx *filter;
    struct buf text = {0};

    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    works(bench, linux_plane_count(bench->plane, &before, &bench->error));
    works(bench, filter_open(&filter, &bench->error));
    buf_puts(&text, "table ip mine { chain c { ip saddr 10.0.0.1 drop; }; }\n");
    works(bench, filter_run(filter, &text, &bench->error));
    works(bench, linux_plane_count(bench->plane, &after, &bench->error));
    assert_memory_equal(&before, &after, sizeof before);
    buf_clear(&text);
    buf_puts(&text, "delete table ip mine\n");
    works(bench, filter_run(filter, &text, &bench->error));
    buf_free(&text);
    filter_close(filter);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_uplink_later), TEST(test_uplink_refused),
        TEST(test_spare),        TEST(test_outside),
        TEST(test_outside_six),  TEST(test_outside_elsewhere),
        TEST(test_counts),       TEST(test_others_rules),
    };

    return bench_main(tests);
}
