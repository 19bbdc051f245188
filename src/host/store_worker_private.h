/* SPDX-License-Identifier: MIT
 * The inside of the store of real systems, for the store_worker files only.
 * Each system is a worker process; each handle is a connection to it. */
#ifndef HCS_STORE_WORKER_PRIVATE_H
#define HCS_STORE_WORKER_PRIVATE_H

#include <sys/types.h>

#include "../vmwp/protocol.h"
#include "store.h"

/* Ids whose handles this process closed a moment ago. Their systems may be on
 * their way out, which takes QEMU a little; a new one of the id waits then. */
#define RECENT_COUNT 16
#define RECENT_TIME (INT64_C(2500) * 1000000) /* ns */

struct recent {
    char runtime_id[37];
    int64_t until;
};

struct worker_store {
    struct store store;
    struct store_config config;
    char root_path[PATH_MAX];
    char program[PATH_MAX]; /* hcs-vmwp */
    char qemu[PATH_MAX];
    int root;
    int epoll;
    struct link lines;
    struct recent recent[RECENT_COUNT];
    size_t recent_next;
    bool swept; /* the ledger, which is enough once */
    bool probed;
    char accelerator[8];
    char reason[160];
};

struct store_line {
    struct link link; /* in store->lines */
    struct worker_store *store;
    struct store_sink *sink; /* NULL once the handle is closed */
    char *id;
    int fd;       /* -1: the connection has ended */
    bool exited;  /* the sink has heard of the exit */
    bool writing; /* epoll watches for room */
    bool closed;
    bool busy;     /* in use further up: not to be freed */
    pid_t starter; /* a child of ours that ends at once; 0: none */
    uint64_t tags;
    struct buf in;
    struct buf out;
    struct link requests;
};

static inline struct worker_store *worker_store_of(struct store *store) {
    return HCS_CONTAINER(store, struct worker_store, store);
}

/* --- store_worker_line.c -------------------------------------------------- */

/* Takes the descriptor over, also on failure. */
HRESULT line_new(struct worker_store *store, const char *id, int fd,
                 struct store_sink *sink, struct store_line **out,
                 struct hcs_error *error);
/* Sends a request; answers it with a failure where that is not possible. */
void line_request(struct store_line *line, struct message *message,
                  struct store_request request);
void line_handle(struct store_line *line, uint32_t events);
void line_submit(struct store_line *line, HCS_OPERATION_TYPE verb,
                 const char *options, struct store_request request);
void line_close(struct store_line *line);
void line_abandon(struct store_line *line);
/* The host goes: no more answers. */
void line_end(struct store_line *line);

/* --- store_worker_start.c ------------------------------------------------- */

/* Finds hcs-vmwp beside this library and QEMU. */
HRESULT programs_find(struct worker_store *store, struct hcs_error *error);
/* Which accelerator machines get, and why; asked once. */
void accelerator_find(struct worker_store *store);
/* Starts a worker on two descriptors, which it gets copies of. */
HRESULT worker_start(struct worker_store *store, const char *runtime_id,
                     int socket, int lock, pid_t *starter,
                     struct hcs_error *error);

/* --- store_worker_files.c ------------------------------------------------- */

HRESULT files_grant(struct store *store, const char *id, const char *path,
                    struct hcs_error *error);
HRESULT files_revoke(struct store *store, const char *id, const char *path,
                     struct hcs_error *error);
HRESULT files_create(struct store *store, enum store_file_kind kind,
                     const char *path, struct hcs_error *error);
HRESULT files_pipe_connect(struct store *store, const char *name, int *fd,
                           struct hcs_error *error);
HRESULT files_pipe_path(struct store *store, const char *name, char *path,
                        size_t size, struct hcs_error *error);
/* Waits, if a handle of this system was closed just now and it goes with its
 * last one, until it is gone; for RECENT_TIME at most. */
void files_await_end(struct worker_store *store, const char *runtime_id);
void files_inventory(struct store *store, struct store_inventory *out);
HRESULT files_enumerate(struct store *store, const struct json *query,
                        struct buf *out, struct hcs_error *error);

#endif
