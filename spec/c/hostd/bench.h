/* SPDX-License-Identifier: MIT
 * A state root of its own, and clients of the daemon that serves it. */
#ifndef HOSTD_BENCH_H
#define HOSTD_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "base/hresult_hcn.h"
#include "hostd/client.h"
#include "hostd/protocol.h"
#include "vmwp/protocol.h"

#define assert_hr(actual, expected) \
    assert_int_equal((uint32_t)(actual), (uint32_t)(expected))

struct bench {
    char path[320];
    int root;
    struct hostd_place place;
    struct hostd *hostd; /* the first connection, NULL: none */
    struct hcs_error error;
    struct net_reply reply; /* the last one */
};

/* Fails unless it is S_OK, with what the error says. */
#define works(bench, expression) \
    works_at(bench, expression, #expression, __FILE__, __LINE__)
void works_at(struct bench *bench, HRESULT hr, const char *what,
              const char *file, int line);

/* Runs the tests; the program's path may be the first argument. Skips all of
 * them where the machine has no networks for us. */
int bench_run(const struct CMUnitTest *tests, size_t count, int argc,
              char **argv);

/* For cmocka: a root, and a daemon with one connection. The end proves that
 * nothing is left, once all objects are removed. */
int bench_open(void **state);
int bench_close(void **state);
/* A root of which no daemon is there yet. */
int bench_bare(void **state);
/* The same as bench_open, far down the tree. */
int bench_far(void **state);

struct hostd *join(struct bench *bench); /* another connection */
void leave(struct bench *bench);         /* closes the first */
void rejoin(struct bench *bench);        /* makes it again */
/* The daemon's process, which is killed and gone afterwards. */
void kill_daemon(struct bench *bench);
/* Waits until the daemon has left of its own accord. */
void await_end(struct bench *bench);
bool is_running(const struct bench *bench);

/* Over the first connection, expecting `hr`. Single quotes in `text` stand for
 * double ones; NULL is no document. */
void ask(struct bench *bench, HRESULT hr, enum net_verb verb,
         enum net_kind kind, const struct guid *id, const char *text);
struct guid make(struct bench *bench, enum net_kind kind,
                 const struct guid *parent, const char *text);
void erase(struct bench *bench, enum net_kind kind, const struct guid *id);
void erase_all(struct bench *bench);
struct guid make_nat(struct bench *bench, unsigned which);
struct guid make_endpoint(struct bench *bench, const struct guid *network);
/* Adds the endpoint to the namespace. */
void put(struct bench *bench, const struct guid *space,
         const struct guid *endpoint);
/* All that a client sees, malloc'd; names of devices are hidden. */
char *picture(struct bench *bench);
/* How many objects of the kind there are. */
size_t count(struct bench *bench, enum net_kind kind);

/* Files below ROOT/net: PATH exists. */
bool there_is(const struct bench *bench, const char *path);
/* Replaces a file of the store. */
void scribble(const struct bench *bench, const char *path, const char *text);
void object_path(enum net_kind kind, const struct guid *id, char out[96]);
/* Processes whose command line names the root. */
size_t processes(const struct bench *bench);
/* Waits until there are no more than that, and fails if there are fewer. */
void await_processes(const struct bench *bench, size_t number);
void kill_all(const struct bench *bench);

/* A raw connection, past its greeting. */
int raw(const struct bench *bench);

#define V2 "'SchemaVersion':{'Major':2,'Minor':0}"

#endif
