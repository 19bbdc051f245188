/* SPDX-License-Identifier: MIT
 * Where compute systems are kept: in this process (sim) or in workers that any
 * process can reach (qemu). The host core knows only this.
 *
 * Every function is called with the host's lock held and never blocks for
 * longer than a system call on this machine takes. Answers and events come
 * back through the sinks, from within `pump` or during the call. */
#ifndef HCS_STORE_H
#define HCS_STORE_H

#include "state/vm.h"

struct store;

/* One handle's line to its system; events end with the system's exit. */
struct store_line;
struct store_sink {
    void (*event)(struct store_sink *sink, HCS_EVENT_TYPE type,
                  const char *document);
};

/* One request in flight; the reply is a vm_reply. */
struct store_request {
    vm_reply_fn reply;
    void *context;
};

enum store_file_kind { STORE_GUEST_STATE, STORE_RUNTIME_STATE };

struct store_inventory {
    uint64_t systems, processes, files;
};

/* It would take such members for macros. */
/* clang-format off */
struct store_ops {
    /* Starts a system: `document` is valid by the schema and is taken over.
     * Failing here means that nothing was started (an id in use is
     * HCS_E_SYSTEM_ALREADY_EXISTS); else `request` is answered once. */
    HRESULT (*create)(struct store *store, const char *id,
                      struct json_doc *document, struct store_sink *sink,
                      struct store_request request, struct store_line **out,
                      struct hcs_error *error);
    HRESULT (*open)(struct store *store, const char *id,
                    struct store_sink *sink, struct store_line **out,
                    struct hcs_error *error);
    void (*submit)(struct store_line *line, HCS_OPERATION_TYPE verb,
                   const char *options, struct store_request request);
    /* The handle is closed; pending requests of the line are still answered
     * where the work goes on, with HCS_E_… where it does not. */
    void (*close)(struct store_line *line);
    /* In a forked child: frees the line and tells nobody. */
    void (*abandon)(struct store_line *line);

    /* Appends the JSON array of summaries; `query` is a SystemQuery or NULL. */
    HRESULT (*enumerate)(struct store *store, const struct json *query,
                         struct buf *out, struct hcs_error *error);
    /* The ledger of access; id NULL: the group of all systems. */
    HRESULT (*grant)(struct store *store, const char *id, const char *path,
                     struct hcs_error *error);
    HRESULT (*revoke)(struct store *store, const char *id, const char *path,
                      struct hcs_error *error);
    HRESULT (*create_file)(struct store *store, enum store_file_kind kind,
                           const char *path, struct hcs_error *error);
    HRESULT (*pipe_connect)(struct store *store, const char *name,
                            stream_native *out, struct hcs_error *error);
    HRESULT (*pipe_path)(struct store *store, const char *name, char *path,
                         size_t size, struct hcs_error *error);
    void (*inventory)(struct store *store, struct store_inventory *out);
    /* Writes the members of hcshost_describe that are the store's own. */
    void (*describe)(struct store *store, struct json_writer *w);
    /* What to wait for besides the timers (HCS_NOT_WAITABLE: nothing), and what
     * handles it; returns whether anything was done. */
    hcs_waitable (*waitable)(struct store *store);
    bool (*pump)(struct store *store);
    void (*destroy)(struct store *store);
};
/* clang-format on */

struct store {
    const struct store_ops *ops;
};

/* What a store is made from. */
/* clang-format off */
struct store_config {
    struct timers *timers;
    int64_t (*now)(void *context);
    void (*guest)(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                  const char *text, size_t length); /* sim */
    /* sim: as in struct sim_env */
    HRESULT (*attach)(void *context, const struct machine_adapter *adapter,
                      struct hcs_error *error);
    void (*detach)(void *context, const struct guid *endpoint);
    struct plane *(*plane)(void *context);
    void *context;
    int build;
    bool access_open; /* ?access=open */
    bool strict;
    bool own_pipes; /* sim: it shares no names of pipes with other hosts */
    uint64_t seed;
    int64_t latency;         /* sim */
    const char *root;        /* qemu: ?root=, or NULL for the default */
    const char *accelerator; /* qemu: "auto", "kvm" or "tcg" */
    bool allow_host_change;  /* qemu: networks may have an uplink */
};
/* clang-format on */

HRESULT store_local_open(const struct store_config *config, struct store **out,
                         struct hcs_error *error);
struct sim *store_local_sim(struct store *store);
/* HR_NOT_SUPPORTED where there are no workers. */
HRESULT store_worker_open(const struct store_config *config, struct store **out,
                          struct hcs_error *error);
/* The path and the descriptor of its state root; both stay the store's. */
const char *store_worker_root(const struct store *store, int *root);

#endif
