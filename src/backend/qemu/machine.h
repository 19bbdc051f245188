/* SPDX-License-Identifier: MIT
 * One QEMU machine: what the rooms of this backend share. All of it happens on
 * the loop's thread but the preparations in launch.c and the file work of
 * jobs, which touch nothing that the loop changes meanwhile. */
#ifndef HCS_QEMU_MACHINE_H
#define HCS_QEMU_MACHINE_H

#include "../../base/list.h"
#include "../../host/state/console.h"
#include "args.h"
#include "nics.h"
#include "qemu.h"
#include "qmp.h"
#include "saved.h"

struct launch;   /* launch.h */
struct sequence; /* sequence.h */

enum phase {
    PHASE_CREATED,  /* no process yet */
    PHASE_STARTING, /* until the guest runs */
    PHASE_ALIVE,
    PHASE_DEAD /* the process is gone */
};

/* Who waits for something; `done` NULL: nobody. */
struct waiter {
    machine_done done;
    void *context;
};

/* A serial port: the worker's end of QEMU's socket, the console behind it and
 * the named pipe where clients come. */
struct port {
    struct machine *machine;
    uv_poll_t poll; /* QEMU's socket */
    uv_poll_t listener;
    int fd;
    int listen_fd;
    bool open; /* poll is in use */
    bool listening;
    const char *pipe; /* the document's name, or NULL */
    struct console *console;
    struct buf input; /* typed, not yet taken by QEMU */
    uint64_t printed; /* bytes that the guest sent */
    uint64_t before;  /* of them, those before its last reset */
};

/* QEMU's standard error: its last words and the triple fault's only trace. */
struct diagnosis {
    uv_poll_t poll;
    int fd;
    bool open;
    struct buf line;   /* the line that is being read */
    struct buf last;   /* the last lines that QEMU meant for people */
    bool triple_fault; /* since the last reset */
};

struct machine {
    struct machine_env env;
    const struct qemu_platform *platform;
    struct json_doc document; /* its own copy: jobs read it */
    const struct json *vm;
    char *id;
    char *runtime_id;
    char *template_id; /* or NULL */
    enum phase phase;
    int references; /* open libuv handles, and jobs; +1 until destroyed */
    bool destroyed;

    uint64_t memory_bytes;
    int memory;          /* the guest's RAM */
    bool memory_private; /* a clone's, copied on write */
    int clone_lock;
    struct qemu_disk *disks;
    size_t disk_count;
    size_t plugging; /* disks on their way in, for which `disks` has room */

    struct nics nics;
    size_t nic_jobs; /* that attach or detach, on other threads */
    struct timer unplug[QEMU_NICS]; /* how long a guest may hold on to one */
    struct waiter gone[QEMU_NICS];  /* who waits for it to let go */
    struct waiter settling;         /* who waits for nics_settle */

    uv_process_t process;
    bool running;        /* the process lives */
    struct timer detach; /* how long that may take at the end */
    bool ending; /* it does no more: `last`, once endpoints are detached */
    struct hcs_error last;
    struct qmp *qmp;
    struct diagnosis diagnosis;
    struct console_set *consoles;
    uv_poll_t consoles_poll;
    bool consoles_open;
    struct port ports[QEMU_PORTS];
    struct link sequences;
    struct waiter start;
    struct waiter off;
    struct launch *launch; /* while STARTING */
    struct timer timer;    /* power_off's patience */
    struct timer settle;   /* until the firmware's own reset is past */
    struct timer flush;    /* while a panicked guest prints its last lines */
    bool flushing;
    int flush_rounds;
    uint64_t flush_seen; /* bytes printed when last looked */
    bool restored;       /* what it printed before is not known here */
    bool crashed;        /* has panicked since its last reset */
    bool after_panic;    /* the guest did `after_kind` meanwhile */
    enum machine_event_kind after_kind;
    bool guest_stopped;  /* by a reset or power-off of its own */
    bool firmware_reset; /* the firmware may reset once more by itself */

    bool saved; /* `state` holds what the guest is now */
    int state;  /* the last saved state's file, or -1 */
    off_t state_offset;
    struct machine_statistics storage; /* as last asked for */
    bool asking;
};

/* --- machine.c ------------------------------------------------------------ */
void machine_hold(struct machine *machine);
void machine_drop(struct machine *machine); /* frees at the last */
void machine_event_send(struct machine *machine, enum machine_event_kind kind,
                        const char *text, size_t length);
void answer(struct waiter *waiter, HRESULT result,
            const struct hcs_error *error);
/* Answers with E_OUTOFMEMORY, HCS_E_INVALID_STATE … and a text. */
void refuse(machine_done done, void *context, HRESULT result, const char *text);
/* The process is gone (or never came): detaches endpoints, then tells everybody
 * once. */
void machine_ended(struct machine *machine, const struct hcs_error *error);
/* Goes on with that, if it was put off. */
void machine_end(struct machine *machine);
/* The guest goes on: a saved state is no longer what it is. */
void machine_moved(struct machine *machine);
/* Closes a libuv handle that holds the machine. */
void machine_close_handle(struct machine *machine, uv_handle_t *handle);

/* --- launch.c ------------------------------------------------------------- */
void machine_start(struct machine *machine, machine_done done, void *context);
void launch_free(struct launch *launch);
/* Whether a saved state is being taken over. */
bool launch_incoming(const struct launch *launch);
/* What QEMU would not do, or NULL. */
const struct hcs_error *launch_refusal(const struct launch *launch);
void machine_quit(struct machine *machine);

/* --- process.c ------------------------------------------------------------ */
/* Starts QEMU; fds[i] become descriptors 3 + i. Takes none of them over. */
HRESULT process_spawn(struct machine *machine,
                      const struct arguments *arguments, const int *fds,
                      size_t count, struct hcs_error *error);
void process_kill(struct machine *machine);
void diagnosis_drain(struct machine *machine);
void diagnosis_close(struct machine *machine);

/* --- ports.c -------------------------------------------------------------- */
HRESULT ports_create(struct machine *machine, struct hcs_error *error);
/* Opens the sockets and pipes; theirs[i] is QEMU's end or -1. */
HRESULT ports_open(struct machine *machine, int theirs[QEMU_PORTS],
                   struct hcs_error *error);
void ports_drain(struct machine *machine);
/* Closes sockets and pipes; `ended`: the consoles' clients may go, too. */
void ports_close(struct machine *machine, bool ended);
void ports_destroy(struct machine *machine);
/* From here on it is another boot that prints. */
void ports_rebooted(struct machine *machine);
/* The end of what this boot printed on the first port, and how much was printed
 * in all. */
void ports_tail(struct machine *machine, struct buf *out);
uint64_t ports_printed(const struct machine *machine);

/* --- events.c ------------------------------------------------------------- */
void events_handle(void *context, const char *name, const struct json *data);
/* The timers' functions. */
void events_settled(struct timer *timer, void *context);
void events_flush(struct timer *timer, void *context);
/* `cont`, or what the guest did while it printed its panic. */
void machine_go_on(struct machine *machine, machine_done done, void *context);
void machine_reset(struct machine *machine, machine_done done, void *context);

/* --- store.c -------------------------------------------------------------- */
void machine_save(struct machine *machine, enum machine_save_kind kind,
                  const char *path, machine_done done, void *context);
void machine_dump(struct machine *machine, const char *path,
                  const struct machine_dump_options *options, uint64_t *written,
                  machine_done done, void *context);

/* --- modify.c ------------------------------------------------------------- */
void machine_modify(struct machine *machine, const struct json *request,
                    machine_done done, void *context);

/* --- nics_change.c -------------------------------------------------------- */
#define NICS_PATH "VirtualMachine/Devices/NetworkAdapters/"
/* A request for the adapter of the path, which begins so. */
void nic_modify(struct machine *machine, const char *path,
                const struct json *request, machine_done done, void *context);
/* One of nic_jobs is over: what was put off for it goes on. */
void nic_job_over(struct machine *machine);
/* Detaches what is attached, off the loop, then goes on with machine_end. */
void nics_let_go(struct machine *machine);

/* --- nics_plug.c ---------------------------------------------------------- */
/* Gives the adapter to QEMU, and its tap if there is one. */
void nic_plug(struct machine *machine, struct nic *nic, machine_done done,
              void *context);
/* Takes the tap away from QEMU: nobody is behind the adapter any more. */
void nic_cut(struct machine *machine, struct nic *nic);
/* Asks the guest to let go of it. HR_TIMEOUT when it does not; it may do so
 * later. */
void nic_unplug(struct machine *machine, struct nic *nic, machine_done done,
                void *context);
/* QEMU's event: a device is gone. */
void nics_deleted(struct machine *machine, const struct json *data);
void nics_impatient(struct timer *timer, void *context);
/* The guest is no more: nobody needs to wait for it. */
void nics_abandon(struct machine *machine, const struct hcs_error *error);

/* --- nics_settle.c -------------------------------------------------------- */
/* Before the guest of a saved state goes on: what is to be plugged in anew is
 * cut off, the rest has a link. */
void nics_link(struct machine *machine, struct sequence *sequence);
/* Plugs in what the saved state had not, or not with this address. */
void nics_settle(struct machine *machine, machine_done done, void *context);

/* --- stats.c -------------------------------------------------------------- */
void machine_statistics_read(struct machine *machine,
                             struct machine_statistics *out);
/* Asks QEMU for the disks' figures, for the next time. */
void machine_statistics_ask(struct machine *machine);

#endif
