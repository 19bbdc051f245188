/* SPDX-License-Identifier: MIT
 * A net on a simulated plane, and short ways to ask it things. */
#ifndef NET_WORLD_H
#define NET_WORLD_H

#include "unit.h"

#include "base/hresult_hcn.h"
#include "host/net/net.h"

#define MOST_EVENTS 64

struct heard {
    enum net_event_type type;
    HRESULT status;
    struct guid id;
    char document[192];
};

struct world {
    struct net *net;
    struct plane *plane;
    uint64_t random;
    struct heard events[MOST_EVENTS];
    size_t event_count;
    size_t gone[NET_KIND_COUNT]; /* objects that went */
    struct net_reply reply;      /* the last one */
};

/* For cmocka: *state is a new world; the teardown proves that nothing of it
 * is left. */
int world_open(void **state);
int world_close(void **state);
/* As if its process had died and another begun, with other random numbers: the
 * host's own namespace is all there is, and has the id that it had. */
void world_restart(struct world *world);

/* Each expects the result `hr`; the reply stays in the world until the next.
 * Single quotes in `text` stand for double ones; NULL is no document. */
void ask(struct world *world, HRESULT hr, enum net_verb verb,
         enum net_kind kind, const struct guid *id, const char *text);
struct guid make(struct world *world, enum net_kind kind,
                 const struct guid *parent, const char *text);
void refuse(struct world *world, HRESULT hr, enum net_kind kind,
            const struct guid *parent, const char *text);
void modify(struct world *world, HRESULT hr, enum net_kind kind,
            const struct guid *id, const char *text);
void erase(struct world *world, enum net_kind kind, const struct guid *id);

/* Queries in the newer and the older form; the parsed reply is the caller's
 * to free. */
struct json_doc v2(struct world *world, enum net_kind kind,
                   const struct guid *id);
struct json_doc v1(struct world *world, enum net_kind kind,
                   const struct guid *id);
/* The ids that a filter finds, in one text, or "" for none. */
const char *found(struct world *world, enum net_kind kind, const char *query);

/* Like json_at, with indices: "Ipams.0.Subnets.0.Routes". */
const struct json *at(const struct json_doc *doc, const char *path);
/* The member's text, "" for none; numbers as decimal. */
const char *text_at(const struct json_doc *doc, const char *path);

/* '…' -> "…", malloc'd. */
char *quoted(const char *text);
struct guid guid(const char *text);

/* A NAT network 192.168.100.0/24 with the gateway .1. */
struct guid make_nat(struct world *world);
#define NAT_SUBNET                                             \
    "'Ipams':[{'Type':'Static','Subnets':[{'IpAddressPrefix':" \
    "'192.168.100.0/24','Routes':[{'NextHop':'192.168.100.1'," \
    "'DestinationPrefix':'0.0.0.0/0'}]}]}]"
#define V2 "'SchemaVersion':{'Major':2,'Minor':0}"

#endif
