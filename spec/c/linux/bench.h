/* SPDX-License-Identifier: MIT
 * What tests of the plane share: a plane, networks and endpoints by short
 * numbers, and packets sent between sockets of their namespaces. */
#ifndef HCS_SPEC_LINUX_BENCH_H
#define HCS_SPEC_LINUX_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../src/backend/linux/linux.h"
#include "../../../src/base/hresult_hcn.h"

struct bench {
    struct plane *plane;
    const struct plane_ops *ops;
    struct hcs_error error;
    char directory[64]; /* of the services, or "" */
};

/* S_OK or the test ends, saying what failed. */
#define works(bench, call) works_at(bench, call, #call, __FILE__, __LINE__)
void works_at(struct bench *bench, HRESULT hr, const char *what,
              const char *file, int line);

int bench_open(void **state);
int bench_close(void **state);
/* With the NAT network 1 and its endpoints 0 and 1. */
int bench_two(void **state);
/* The same with an uplink whose prefix is 10.200.0.0/30. */
int bench_uplink(void **state);
/* Runs the tests in a network namespace that plays the machine's own, so that
 * the machine's real one cannot be touched. */
#define bench_main(tests) bench_run(tests, HCS_COUNT(tests))
int bench_run(const struct CMUnitTest *tests, size_t count);

struct ip_prefix prefix(const char *text);
struct ip_address address(const char *text);
/* endpoint_change, which works. */
struct end_told;
void change(struct bench *bench, struct end_told *told);

/* Objects are told apart by small numbers. */
struct guid id_of(unsigned n);

/* 10.N.0.0/24 with its gateway 10.N.0.1. */
struct net_told {
    struct plane_network network;
    struct plane_subnet subnet;
};
void told_network(struct net_told *out, unsigned n, enum plane_mode mode);
/* 10.N.0.(10 + k) on it. */
struct end_told {
    struct plane_endpoint endpoint;
    struct plane_ip address;
    struct plane_route route;
};
void told_endpoint(struct end_told *out, unsigned n, unsigned k);

struct guid net_id(unsigned n);
struct guid end_id(unsigned n, unsigned k);
struct guid space_id(unsigned n, unsigned k);

void up_network(struct bench *bench, unsigned n, enum plane_mode mode);
/* With a namespace of its own. */
void up_endpoint(struct bench *bench, unsigned n, unsigned k);
void attach(struct bench *bench, unsigned n, unsigned k);
void down_endpoint(struct bench *bench, unsigned n, unsigned k);

/* A place to send from and receive at: an endpoint's namespace, the host that
 * the plane plays, or the machine's own network. */
struct place {
    unsigned n, k;
};
#define HOST ((struct place){0, 0})
#define OUTSIDE ((struct place){0, 1})
#define AT(n, k) ((struct place){(n), (k)})

int place_socket(struct bench *bench, struct place place, int domain, int type,
                 int protocol);
/* What is to arrive is sent again and again, with patience: the machine may be
 * busy, and who has had no answer a moment ago asks for the address again only
 * once a second. What is not to arrive is waited for a short time. */
#define assert_soon(arrives)                 \
    do {                                     \
        int tries = 20;                      \
        while (!(arrives) && --tries > 0)    \
            continue;                        \
        if (tries == 0)                      \
            fail_msg("never: %s", #arrives); \
    } while (0)
/* Whether an echo request is answered within a short time. */
bool ping(struct bench *bench, struct place from, const char *to);
/* Whether a datagram from `from` to to:port arrives at `at`:own_port, and the
 * answer to it comes back. `source` (may be NULL) gets the sender's address as
 * it was seen, IP_TEXT_SIZE bytes. */
bool udp(struct bench *bench, struct place from, const char *to, uint16_t port,
         struct place at, uint16_t own_port, char *source);
/* The same by TCP. */
bool tcp(struct bench *bench, struct place from, const char *to, uint16_t port,
         struct place at, uint16_t own_port);

#endif
