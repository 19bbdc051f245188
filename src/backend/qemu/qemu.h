/* SPDX-License-Identifier: MIT
 * The QEMU backend: one process of qemu-system-x86_64 per machine, driven by
 * QMP over an inherited socket. It runs inside the worker only, on the
 * worker's libuv loop. */
#ifndef HCS_QEMU_H
#define HCS_QEMU_H

#include <limits.h>
#include <uv.h>

#include "../backend.h"

/* A saved template as its worker publishes it, and what opening it gave. */
struct qemu_template {
    int memory; /* the template's RAM, or -1: it is in the stream */
    int state;  /* the device state, at the start of the stream */
    uint64_t memory_bytes;
    char shape[37]; /* digest of the machine's shape */
    int lock;       /* kept open while the clone lives */
};

/* The surroundings of a QEMU machine (machine_env.platform). */
struct qemu_platform {
    uv_loop_t *loop;
    const char *directory;   /* the system's own directory, 0700 */
    const char *program;     /* this worker's own path, for --exec */
    const char *qemu;        /* qemu-system-x86_64 */
    const char *accelerator; /* "kvm" or "tcg" */
    bool replay;             /* consoles replay what was printed */
    void *context;           /* of the functions below */
    /* A listening socket for the named pipe `name` (as the document has it);
     * HR_SHARING_VIOLATION when a live system serves it. */
    HRESULT(*pipe_listen)
    (void *context, const char *name, int *fd, struct hcs_error *error);
    void (*pipe_remove)(void *context, const char *name);
    /* The device state file of a template, and making it known. */
    HRESULT(*template_publish)
    (void *context, const struct qemu_template *saved, struct hcs_error *error);
    HRESULT(*template_open)
    (void *context, const char *runtime_id, struct qemu_template *out,
     struct hcs_error *error);
    /* QEMU's process has changed; 0: it is gone. */
    void (*process)(void *context, int pid);
    /* Makes the adapter the port of its endpoint: *tap is the descriptor of the
     * tap, with headers for offloads, which is the caller's, and *mac the
     * endpoint's address. On failure the error's path is the adapter's member
     * that is to blame. Both may take long, and are called on any thread, one
     * at a time. */
    HRESULT(*attach)
    (void *context, const struct machine_adapter *adapter, int *tap,
     struct mac_address *mac, struct hcs_error *error);
    void (*detach)(void *context, const struct guid *endpoint);
};

const struct machine_ops *qemu_machine_ops(void);

/* Whether everybody at a serial port has been sent what the guest printed
 * before it ended. NULL is quiet. */
bool qemu_machine_quiet(const struct machine *machine);

/* The endpoint's tap is of no more use. With another, which is taken over, its
 * adapter is plugged in anew, so that the guest asks for its address again;
 * with -1, as when somebody deletes the endpoint, it stays, and leads nowhere
 * from now on. */
void qemu_machine_reconnect(struct machine *machine,
                            const struct guid *endpoint, int tap);

/* In a fresh process: exec `argv` so that it dies with `parent`. Returns an
 * exit code only when that failed. */
int qemu_exec(int parent, char *const argv[]);

#endif
