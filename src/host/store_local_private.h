/* SPDX-License-Identifier: MIT
 * The inside of the store of simulated systems, for its two files. */
#ifndef HCS_STORE_LOCAL_PRIVATE_H
#define HCS_STORE_LOCAL_PRIVATE_H

#include "ledger.h"
#include "store.h"

struct local {
    struct store store;
    struct store_config config;
    struct sim *sim;
    struct ledger ledger;
    struct link entries; /* all that have a vm */
    size_t listed;
};

/* One system. */
struct entry {
    struct link link; /* in local->entries */
    struct local *local;
    struct vm *vm; /* NULL while it is being made */
    char runtime_id[37];
    bool listed;
    size_t lines;
    struct store_request create; /* who asked for it */
};

static inline struct local *local_of(struct store *store) {
    return HCS_CONTAINER(store, struct local, store);
}

static inline struct entry *entry_at(struct link *link) {
    return HCS_CONTAINER(link, struct entry, link);
}

/* store_local_files.c */
HRESULT local_grant(struct store *store, const char *id, const char *path,
                    struct hcs_error *error);
HRESULT local_revoke(struct store *store, const char *id, const char *path,
                     struct hcs_error *error);
HRESULT local_create_file(struct store *store, enum store_file_kind kind,
                          const char *path, struct hcs_error *error);
HRESULT local_pipe_connect(struct store *store, const char *name,
                           stream_native *out, struct hcs_error *error);
HRESULT local_pipe_path(struct store *store, const char *name, char *path,
                        size_t size, struct hcs_error *error);

#endif
