/* SPDX-License-Identifier: MIT
 * hcs-vmwp: one process per virtual machine. It holds the truth about its
 * system, serves any number of handles and ends with the system. */
#ifndef HCS_WORKER_H
#define HCS_WORKER_H

#include <uv.h>

#include "../backend/qemu/qemu.h"
#include "../base/list.h"
#include "../host/state/vm.h"
#include "network.h"
#include "protocol.h"

struct worker {
    uv_loop_t loop;
    uv_prepare_t prepare; /* sets the clock before each wait */
    uv_timer_t clock;     /* for the timers below */
    uv_poll_t listener;
    bool listening;
    int listen_fd;
    struct timers timers;

    char root_path[PATH_MAX];
    char directory_path[PATH_MAX];
    char program[PATH_MAX]; /* this very file */
    char qemu[PATH_MAX];
    char accelerator[8];
    char runtime_id[37];
    int root;
    int lock;
    bool removed; /* the directory is gone: the id is free */
    int machine;  /* QEMU's process, 0: none */

    struct qemu_platform platform;
    struct network network;
    struct vm *vm;    /* NULL before and after a creation that failed */
    bool temporary;   /* goes with its last handle */
    bool over;        /* the creation failed, or the system has exited */
    int64_t patience; /* until when slow readers are waited for, once over */
    struct link clients;
};

/* --- clients.c ------------------------------------------------------------ */
HRESULT clients_listen(struct worker *worker, struct hcs_error *error);
void clients_stop_listening(struct worker *worker);
/* A connection: one handle. Takes the descriptor over. */
HRESULT client_add(struct worker *worker, int fd, struct hcs_error *error);
/* Handles that are open. */
size_t clients_handles(const struct worker *worker);
/* Whether every client has been sent all there is. */
bool clients_flushed(const struct worker *worker);
void clients_drop_all(struct worker *worker);

/* --- system.c ------------------------------------------------------------- */
/* Makes the vm as the message says; answers through `reply`. */
void system_create(struct worker *worker, const struct message *message,
                   vm_reply_fn reply, void *context);
/* Replaces a file in the system's directory as a whole; failing that, leaves
 * it as it was. */
void system_write_file(struct worker *worker, const char *name,
                       const struct buf *text);
void system_write_status(struct worker *worker, const struct vm *vm);
/* Frees the id: the directory goes while the handles stay. */
void system_forget(struct worker *worker);

/* --- platform.c ----------------------------------------------------------- */
/* From the request to create. */
void platform_fill(struct worker *worker, const struct message *message);
bool platform_has_clones(struct worker *worker);
/* Whether a template is there: HCS_E_SYSTEM_NOT_FOUND or, when it is not saved
 * as one, HCS_E_INVALID_STATE. */
HRESULT platform_find_template(struct worker *worker, const char *runtime_id,
                               struct hcs_error *error);

#endif
