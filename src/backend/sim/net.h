/* SPDX-License-Identifier: MIT
 * What the built-in guest knows of networks. It has no packets: whether one
 * would get through is the plane's to say, and who is at the other end is found
 * among the machines of the same world. */
#ifndef HCS_SIM_NET_H
#define HCS_SIM_NET_H

#include "../../base/buf.h"
#include "../../base/clock.h"
#include "../../base/list.h"
#include "../plane.h"

struct machine;
struct sim;
struct sim_device;
struct json;
struct json_writer;

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_ICMP6 58

#define SIM_SERVERS 16

/* What a guest has given an adapter, for each family. */
struct guest_address {
    struct ip_prefix at; /* with the bits past its length; IP_NONE: none */
    struct ip_address gateway;
};

struct guest_server {
    uint16_t port;
    char *text; /* what it answers HTTP with; NULL: it takes bytes */
};

/* The word under way: it goes on step by step, and the next line waits. */
struct guest_job {
    char *line; /* NULL: there is none */
    uint64_t step, count;
    int64_t time;
};

struct guest_net {
    struct guest_job job;
    struct guest_server servers[SIM_SERVERS];
    size_t server_count;
};

/* --- guest_reach.c: who is at an address ------------------------------ */

enum guest_reach {
    REACH_NOWHERE, /* it has no way there: nothing is sent */
    REACH_LOST,    /* sent, and never answered */
    REACH_STACK,   /* a system answers, which has no servers of ours */
    REACH_GUEST    /* `peer` does; it may be the one that asks */
};

struct guest_path {
    enum guest_reach reach;
    struct machine *peer;
    struct sim_packet packet;
    struct sim_verdict verdict;
    bool self;     /* it stays in the machine */
    uint64_t rate; /* bytes per second */
};

/* Sends `count` packets of `bytes` each (0: only asks). */
void guest_reach(struct machine *machine, const struct ip_address *to,
                 uint8_t protocol, uint16_t port, uint64_t count,
                 uint64_t bytes, struct guest_path *path);
/* The same from outside. */
void outside_reach(struct sim *sim, const struct ip_address *to, uint16_t port,
                   struct guest_path *path);
/* Counts what goes on that way, and what comes back. */
void guest_path_send(struct sim *sim, const struct guest_path *path,
                     uint64_t count, uint64_t bytes);
void guest_path_answer(struct sim *sim, const struct guest_path *path,
                       uint64_t count, uint64_t bytes);
/* What a TCP connection that carries so many bytes there and back makes. */
void guest_path_carry(struct sim *sim, const struct guest_path *path,
                      uint64_t there, uint64_t back);
/* The server of the one reached, NULL if nobody listens. */
const struct guest_server *guest_path_server(const struct guest_path *path);
struct plane *sim_plane(const struct sim *sim);

/* --- guest_net.c: adapters, addresses and servers --------------------- */

/* Adapters are eth0 and so on; NULL: the first. */
struct sim_device *guest_adapter(struct machine *machine, const char *name);
/* The first number that none of the machine's adapters has. */
unsigned guest_adapter_number(const struct machine *machine);
/* As a boot finds it: no addresses, no servers, no word under way. */
void guest_net_reset(struct machine *machine);
const struct guest_server *guest_server_at(const struct guest_net *net,
                                           uint16_t port);
/* False: the port is taken, or there are too many. `text` as in the struct. */
bool guest_server_add(struct guest_net *net, uint16_t port, const char *text);
/* The address that the network's DHCP has for the adapter's endpoint; false:
 * nobody answers. */
bool guest_lease(const struct machine *machine, const struct sim_device *nic,
                 struct guest_address *out);
void guest_net_write(const struct machine *machine, struct json_writer *w);
/* Into a guest that has been reset; false: it is damaged. */
bool guest_net_read(struct machine *machine, const struct json *state);

/* --- guest_words.c ----------------------------------------------------- */

/* False: there is no such word. */
bool guest_word(struct machine *machine, const char *line);
/* Goes on with the word under way. */
void guest_word_on(struct machine *machine);

/* --- visits.c: connections from outside -------------------------------- */

/* After the guest stood still; and when it is gone. */
void sim_visits_go_on(struct machine *machine);
void sim_visits_end(struct machine *machine);
void sim_visits_close(struct sim *sim);

#endif
