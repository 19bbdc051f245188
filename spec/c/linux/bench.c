/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../src/backend/linux/device.h"

#ifdef __SANITIZE_THREAD__
/* Some tests are about processes that die: they fork and have threads. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "die_after_fork=0";
}
#endif

#define WAIT 400 /* ms for what may not come; the machine may be busy */

void works_at(struct bench *bench, HRESULT hr, const char *what,
              const char *file, int line) {
    if (hr == S_OK)
        return;
    print_error("%s:%d: %s: 0x%08x %s\n", file, line, what, (unsigned)hr,
                bench->error.text);
    fail();
}

static int open_bench(void **state, bool uplink) {
    struct bench *bench = calloc(1, sizeof *bench);
    struct linux_plane_options options = {0};
    HRESULT hr;

    if (!bench)
        return -1;
    snprintf(bench->directory, sizeof bench->directory, "/tmp/hcs-XXXXXX");
    if (!mkdtemp(bench->directory))
        return -1;
    options.directory = bench->directory;
    if (uplink)
        options.uplink = address("10.200.0.0");
    bench->ops = linux_plane_ops();
    hr = linux_plane_open(&options, &bench->plane, &bench->error);
    if (FAILED(hr))
        print_error("0x%08x %s\n", (unsigned)hr, bench->error.text);
    *state = bench;
    return FAILED(hr) ? -1 : 0;
}

int bench_open(void **state) {
    return open_bench(state, false);
}

static int fill_bench(struct bench *bench) {
    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    return 0;
}

int bench_two(void **state) {
    int result = open_bench(state, false);

    return result ? result : fill_bench(*state);
}

int bench_uplink(void **state) {
    int result = open_bench(state, true);

    return result ? result : fill_bench(*state);
}

int bench_run(const struct CMUnitTest *tests, size_t count) {
    struct hcs_error error;
    struct wire wire;
    int result;

    if (FAILED(linux_plane_enter(&error)) || unshare(CLONE_NEWNET) != 0 ||
        FAILED(wire_open(&wire, &error)) ||
        FAILED(device_up(&wire, 1, &error))) {
        print_error("no network namespaces here: %s\n", error.text);
        return 1;
    }
    wire_close(&wire);
    result = _cmocka_run_group_tests("linux", tests, count, NULL, NULL);
    return result;
}

struct ip_prefix prefix(const char *text) {
    struct ip_prefix out;

    assert_true(ip_prefix_parse(text, &out));
    return out;
}

struct ip_address address(const char *text) {
    struct ip_address out;

    assert_true(ip_parse(text, &out));
    return out;
}

int bench_close(void **state) {
    struct bench *bench = *state;
    int result;

    bench->ops->destroy(bench->plane);
    result = rmdir(bench->directory); /* and nothing is left in it */
    free(bench);
    return result;
}

/* --- what is told ------------------------------------------------------ */

struct guid id_of(unsigned n) {
    struct guid id = {{0}};

    id.bytes[12] = (uint8_t)(n >> 24);
    id.bytes[13] = (uint8_t)(n >> 16);
    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    return id;
}

struct guid net_id(unsigned n) {
    return id_of(0x1000000 + n);
}

struct guid end_id(unsigned n, unsigned k) {
    return id_of(0x2000000 + n * 0x1000 + k);
}

struct guid space_id(unsigned n, unsigned k) {
    return id_of(0x3000000 + n * 0x1000 + k);
}

static struct ip_address numbered(unsigned n, unsigned last) {
    struct ip_address out = {.family = IP_V4};

    out.bytes[0] = 10;
    out.bytes[1] = (uint8_t)n;
    out.bytes[2] = (uint8_t)(last >> 8);
    out.bytes[3] = (uint8_t)last;
    return out;
}

void told_network(struct net_told *out, unsigned n, enum plane_mode mode) {
    memset(out, 0, sizeof *out);
    out->subnet.prefix.address = numbered(n, 0);
    out->subnet.prefix.length = 16;
    if (mode != PLANE_PRIVATE)
        out->subnet.gateway = numbered(n, 1);
    out->network.id = net_id(n);
    out->network.name = "a network";
    out->network.adapter = "";
    out->network.mode = mode;
    out->network.subnets = &out->subnet;
    out->network.subnet_count = 1;
    out->network.dns.domain = "";
}

void told_endpoint(struct end_told *out, unsigned n, unsigned k) {
    memset(out, 0, sizeof *out);
    out->address.address = numbered(n, 10 + k);
    out->address.length = 16;
    out->route.destination.address.family = IP_V4;
    out->route.next_hop = numbered(n, 1);
    out->endpoint.id = end_id(n, k);
    out->endpoint.network = net_id(n);
    out->endpoint.name = "an endpoint";
    mac_from_number(UINT64_C(0x00155d000000) + n * 0x1000 + k,
                    &out->endpoint.mac);
    out->endpoint.addresses = &out->address;
    out->endpoint.address_count = 1;
    out->endpoint.routes = &out->route;
    out->endpoint.route_count = 1;
    out->endpoint.dns.domain = "";
    out->endpoint.port_name = "";
}

void change(struct bench *bench, struct end_told *told) {
    works(bench, bench->ops->endpoint_change(bench->plane, &told->endpoint,
                                             &bench->error));
}

void up_network(struct bench *bench, unsigned n, enum plane_mode mode) {
    struct net_told told;

    told_network(&told, n, mode);
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
}

void attach(struct bench *bench, unsigned n, unsigned k) {
    struct guid id = end_id(n, k);
    struct plane_namespace space = {.id = space_id(n, k), .type = PLANE_HOST};
    struct plane_port port = {.kind = PLANE_PORT_NAMESPACE, .adapter = ""};
    char device[PLANE_DEVICE_SIZE];

    port.owner = space.id;
    works(bench, bench->ops->namespace_up(bench->plane, &space, &bench->error));
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
    assert_string_equal(device, "eth0");
}

void up_endpoint(struct bench *bench, unsigned n, unsigned k) {
    struct end_told told;

    told_endpoint(&told, n, k);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    attach(bench, n, k);
}

void down_endpoint(struct bench *bench, unsigned n, unsigned k) {
    struct guid id = end_id(n, k), space = space_id(n, k);

    bench->ops->port_down(bench->plane, &id);
    bench->ops->namespace_down(bench->plane, &space);
    bench->ops->endpoint_down(bench->plane, &id);
}

/* --- packets ----------------------------------------------------------- */

int place_socket(struct bench *bench, struct place place, int domain, int type,
                 int protocol) {
    struct guid id = space_id(place.n, place.k);
    int fd;

    if (place.n == 0 && place.k == 1) {
        fd = socket(domain, type | SOCK_CLOEXEC, protocol);
        assert_true(fd >= 0);
        return fd;
    }
    works(bench, linux_plane_socket(bench->plane, place.n ? &id : NULL, domain,
                                    type, protocol, &fd, &bench->error));
    return fd;
}

static socklen_t fill(struct sockaddr_storage *out, const char *to,
                      uint16_t port) {
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    struct sockaddr_in *four = (struct sockaddr_in *)out;

    memset(out, 0, sizeof *out);
    if (strchr(to, ':')) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        assert_int_equal(inet_pton(AF_INET6, to, &six->sin6_addr), 1);
        return sizeof *six;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, to, &four->sin_addr), 1);
    return sizeof *four;
}

static bool readable(int fd) {
    struct pollfd one = {fd, POLLIN, 0};

    return poll(&one, 1, WAIT) == 1;
}

/* A raw socket gets every echo reply of its namespace; ours are told by the
 * number in them. */
static bool await_reply(int fd, bool v6, uint16_t mine) {
    unsigned char data[256];

    while (readable(fd)) {
        ssize_t got = recv(fd, data, sizeof data, 0);
        size_t at = v6 ? 0 : (size_t)(data[0] & 15) * 4;
        uint16_t number;

        if (got < (ssize_t)at + 8)
            continue;
        memcpy(&number, data + at + 4, sizeof number);
        if (data[at] == (v6 ? 129 : ICMP_ECHOREPLY) && number == mine)
            return true;
    }
    return false;
}

static uint16_t checksum(const unsigned char *data, size_t size) {
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return htons((uint16_t)~sum);
}

bool ping(struct bench *bench, struct place from, const char *to) {
    static uint16_t number;
    bool v6 = strchr(to, ':') != NULL, good = false;
    unsigned char packet[16] = {v6 ? 128 : ICMP_ECHO};
    struct sockaddr_storage where;
    socklen_t length = fill(&where, to, 0);
    int fd = place_socket(bench, from, v6 ? AF_INET6 : AF_INET, SOCK_RAW,
                          v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    uint16_t sum;

    number++;
    memcpy(packet + 4, &number, sizeof number);
    sum = checksum(packet, sizeof packet);
    memcpy(packet + 2, &sum, sizeof sum);
    /* The first may get lost while addresses are looked up. */
    for (int i = 0; !good && i < 2; i++)
        good = sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&where,
                      length) == sizeof packet &&
               await_reply(fd, v6, number);
    close(fd);
    return good;
}

static int listener(struct bench *bench, struct place at, uint16_t port,
                    int type, bool v6) {
    struct sockaddr_storage where;
    socklen_t length = fill(&where, v6 ? "::" : "0.0.0.0", port);
    int fd = place_socket(bench, at, v6 ? AF_INET6 : AF_INET, type, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&where, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

bool udp(struct bench *bench, struct place from, const char *to, uint16_t port,
         struct place at, uint16_t own_port, char *source) {
    bool v6 = strchr(to, ':') != NULL, good = false;
    int server = listener(bench, at, own_port, SOCK_DGRAM, v6);
    int client =
        place_socket(bench, from, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_storage where, who;
    socklen_t length = fill(&where, to, port), size = sizeof who;
    char data[16];

    if (connect(client, (struct sockaddr *)&where, length) == 0 &&
        send(client, "hello", 5, 0) == 5 && readable(server) &&
        recvfrom(server, data, sizeof data, 0, (struct sockaddr *)&who,
                 &size) == 5) {
        if (source)
            inet_ntop(who.ss_family,
                      v6 ? (void *)&((struct sockaddr_in6 *)&who)->sin6_addr
                         : (void *)&((struct sockaddr_in *)&who)->sin_addr,
                      source, IP_TEXT_SIZE);
        good = sendto(server, "answer", 6, 0, (struct sockaddr *)&who, size) ==
                   6 &&
               readable(client) && recv(client, data, sizeof data, 0) == 6;
    }
    close(client);
    close(server);
    return good;
}

bool tcp(struct bench *bench, struct place from, const char *to, uint16_t port,
         struct place at, uint16_t own_port) {
    bool v6 = strchr(to, ':') != NULL, good = false;
    int server = listener(bench, at, own_port, SOCK_STREAM, v6), other = -1;
    int client = place_socket(bench, from, v6 ? AF_INET6 : AF_INET,
                              SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_storage where;
    socklen_t length = fill(&where, to, port);
    char data[16];

    if (connect(client, (struct sockaddr *)&where, length) == 0 ||
        errno == EINPROGRESS)
        if (readable(server))
            other = accept(server, NULL, NULL);
    if (other >= 0 && send(other, "hello", 5, 0) == 5 && readable(client))
        good = recv(client, data, sizeof data, 0) == 5;
    if (other >= 0)
        close(other);
    close(client);
    close(server);
    return good;
}
