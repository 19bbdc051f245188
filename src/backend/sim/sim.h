/* SPDX-License-Identifier: MIT
 * The inside of a simulated world, for the files of this room only. */
#ifndef HCS_SIM_H
#define HCS_SIM_H

#include "../../base/file.h"
#include "../../base/list.h"
#include "../../host/state/console.h"
#include "../backend.h"
#include "net.h"

/* The host that is simulated has this much memory for one guest. */
#define SIM_HOST_MEMORY_MB (UINT64_C(64) * 1024)
/* What a guest remembers of what it printed: as much, at most twice. */
#define SIM_LOG_SIZE (64u * 1024)
/* The longest line that can be typed, with its end. */
#define SIM_LINE_SIZE 4096
#define SIM_PORTS 2
#define SIM_OPS 4

struct sim_file {
    struct link link;
    char *path;    /* folded, if it is a Windows path */
    hcs_file file; /* its contents, which have no other name */
};

struct sim_program_entry {
    struct link link;
    char *id; /* NULL: every guest without one of its own */
};

struct sim {
    struct sim_options options;
    struct sim_env env;
    struct random random;
    uint64_t guests; /* numbers given so far */
    struct link files;
    struct link programs;
    struct link machines;
    struct console_set *consoles;
    char pipe_prefix[32]; /* before the name of each pipe, for the system */
    struct link visits;   /* connections from outside */
    struct stream_listener *door; /* where they come in, from the first on */
    struct sim_visit *visitor;    /* the one that is coming in */
};

/* --- one machine ------------------------------------------------------ */

enum guest_alarm {
    ALARM_BOOT,  /* the next line of the boot */
    ALARM_TICK,  /* hcs.tick= */
    ALARM_FLOOD, /* more of a flood */
    ALARM_OFF,   /* userspace has finished shutting down */
    ALARM_RESET, /* panic= */
    ALARM_WAKE,  /* a program's own */
    ALARM_WORD,  /* the next step of a word about the network */
    ALARM_COUNT
};

struct guest_timer {
    struct timer timer;
    struct machine *machine;
    bool ready;   /* the heap has room for it */
    int64_t left; /* while the guest stands still; -1: not set */
};

struct guest {
    char *command_line;    /* the one it was booted with */
    int64_t tick;          /* ns between ticks, 0: none */
    int64_t panic_timeout; /* seconds, as panic= has it */
    bool nmi_panics;
    unsigned boot_step;
    bool up;   /* its userspace runs */
    bool hung; /* its userspace does not answer */
    bool dead; /* nothing answers: it panicked, or a program wants it so */
    uint64_t ticks;
    uint64_t kernel_offset;
    int64_t ran; /* ns it has run before `since` */
    int64_t since;
    int64_t work;    /* ns of processor time that it used */
    struct buf line; /* what was typed since the last end of line */
    struct buf log;
    struct guest_net net;
    struct guest_timer timers[ALARM_COUNT];
};

struct sim_op;
typedef HRESULT (*sim_run)(struct sim_op *op, struct hcs_error *error);

struct sim_op {
    struct timer timer;
    bool ready;
    bool used;
    struct machine *machine;
    sim_run run;
    machine_done done;
    void *context;
    enum machine_save_kind kind;
    struct machine_dump_options dump;
    char *path;
    uint64_t *written;
    const struct json *request;
};

struct sim_port {
    struct machine *machine;
    struct console *console; /* NULL: there is no such port */
    char *pipe;              /* folded; NULL: none */
};

struct sim_device {
    struct link link;
    struct guid endpoint; /* an adapter's; zero: none */
    struct mac_address mac;
    bool has_mac;
    bool attached;                     /* to the endpoint */
    bool is_nic;                       /* what the guest has of it: */
    unsigned number;                   /* eth0, eth1 … */
    struct guest_address addresses[2]; /* IPv4, IPv6 */
    char path[];                       /* "Devices/Scsi/0/Attachments/1" */
};

struct machine {
    struct link link;
    struct sim *sim;
    struct machine_env env;
    char *id;
    char runtime_id[GUID_TEXT_SIZE];
    const struct json *config; /* the VirtualMachine */
    uint64_t number;           /* of its guest */
    uint64_t memory_mb;
    uint64_t processors;
    bool on;
    bool paused; /* by the host */
    bool held;   /* by what the guest did: it waits for the host's answer */
    struct guest guest;
    struct sim_port ports[SIM_PORTS];
    struct buf typed; /* what arrived while the guest stood still */
    struct link devices;
    struct buf state; /* a template's, or the one that a clone starts from */
    struct sim_op ops[SIM_OPS];
    /* the last event given to a program, for HcsHostGuestDefault */
    HCSHOST_GUEST_EVENT last_event;
    struct buf last_text;
};

int64_t sim_now(const struct machine *machine);

/* --- ops.c ------------------------------------------------------------ */

HRESULT sim_ops_init(struct machine *machine, struct hcs_error *error);
void sim_ops_free(struct machine *machine);
/* A free place. NULL: there is none (no owner has so many calls under way),
 * and `done` was told so. */
struct sim_op *sim_op_take(struct machine *machine, machine_done done,
                           void *context);
/* False: there was no memory for it, and the operation is over. */
bool sim_op_set_path(struct sim_op *op, const char *path);
void sim_op_submit(struct sim_op *op, sim_run run);
/* Ends all but `self`. */
void sim_ops_cancel(struct machine *machine, const struct sim_op *self);

/* --- guest.c ---------------------------------------------------------- */

HRESULT guest_init(struct machine *machine, struct hcs_error *error);
void guest_free(struct machine *machine);
/* Forgets what was, as a reset does; the command line is the document's. */
HRESULT guest_reset(struct machine *machine, struct hcs_error *error);
void guest_read_command_line(struct guest *guest);
/* Stops and continues the guest's time. Both may be called twice. */
void guest_freeze(struct machine *machine);
void guest_thaw(struct machine *machine);
bool guest_runs(const struct machine *machine);
int64_t guest_uptime(const struct machine *machine);
void guest_arm(struct machine *machine, enum guest_alarm alarm, int64_t delay);
void guest_disarm(struct machine *machine, enum guest_alarm alarm);
void guest_print(struct machine *machine, uint32_t port, const char *text,
                 size_t length);
/* A line of userspace's, without its end. */
void guest_say(struct machine *machine, const char *text, size_t length);
/* A line of the kernel's, with the time in front. */
void guest_printk(struct machine *machine, const char *format, ...)
    HCS_PRINTF(2, 3);
/* The guest stands still until the host has answered. */
void guest_report(struct machine *machine, enum machine_event_kind kind);
/* NULL: by an NMI; "": by its own doing; else a program's own crash log. */
void guest_panic(struct machine *machine, const char *log);
/* What the built-in guest does about an event. */
void guest_default(struct machine *machine, HCSHOST_GUEST_EVENT event,
                   const char *text, size_t length);

/* --- commands.c ------------------------------------------------------- */

void guest_type(struct machine *machine, const char *text, size_t length);
void guest_flood(struct machine *machine);

/* --- program.c -------------------------------------------------------- */

bool sim_has_program(const struct sim *sim, const char *id);
/* To the program if there is one, else to the built-in guest. */
void guest_deliver(struct machine *machine, HCSHOST_GUEST_EVENT event,
                   const char *text, size_t length);
void sim_programs_free(struct sim *sim);

/* --- ports.c ---------------------------------------------------------- */

HRESULT sim_ports_check(const struct json *config, struct hcs_error *error);
HRESULT sim_ports_open(struct machine *machine, struct hcs_error *error);
void sim_ports_end(struct machine *machine);   /* clients get the rest */
void sim_ports_close(struct machine *machine); /* and are gone */
HRESULT sim_port_rename(struct machine *machine, const char *number,
                        const char *pipe, struct hcs_error *error);

/* --- devices.c -------------------------------------------------------- */

HRESULT sim_devices_read(struct machine *machine, struct hcs_error *error);
void sim_devices_free(struct machine *machine);
HRESULT sim_devices_modify(struct machine *machine, const struct json *request,
                           struct hcs_error *error);

/* --- nics.c ----------------------------------------------------------- */

#define SIM_NICS "Devices/NetworkAdapters/"

/* Takes from an adapter's document what the device has to know. The error's
 * path is the member, as with sim_env's attach. */
HRESULT sim_nic_read(struct sim_device *device, const struct json *settings,
                     struct hcs_error *error);
/* Makes such a path that of the machine's document. */
void sim_nic_blame(const char *device, struct hcs_error *error);
HRESULT sim_nic_attach(struct machine *machine, struct sim_device *device,
                       struct hcs_error *error);
/* Nothing happens to what is not attached. */
void sim_nic_detach(struct machine *machine, struct sim_device *device);
/* All or none; the error's path is whole. */
HRESULT sim_nics_attach(struct machine *machine, struct hcs_error *error);
void sim_nics_detach(struct machine *machine);

/* --- files.c ---------------------------------------------------------- */

/* A file that is being written under a name of its own. */
struct sim_output {
    struct sim *sim;
    const char *path;
    char *temporary; /* NULL: it belongs to the world */
    hcs_file file;
};

HRESULT sim_output_open(struct sim *sim, const char *path,
                        struct sim_output *out, struct hcs_error *error);
HRESULT sim_output_commit(struct sim_output *out, struct hcs_error *error);
void sim_output_abandon(struct sim_output *out);
/* In the place of what is there. */
HRESULT sim_file_move(struct sim *sim, const char *from, const char *to,
                      struct hcs_error *error);
void sim_file_remove(struct sim *sim, const char *path);
/* Appends the whole file; HR_FILE_CORRUPT when it is larger than `most`. */
HRESULT sim_read_file(struct sim *sim, const char *path, size_t most,
                      struct buf *out, struct hcs_error *error);
void sim_files_free(struct sim *sim);

/* --- snapshot.c ------------------------------------------------------- */

HRESULT snapshot_write(const struct machine *machine, struct buf *out,
                       struct hcs_error *error);
/* The guest is as it was, standing still. */
HRESULT snapshot_read(struct machine *machine, const char *text, size_t length,
                      struct hcs_error *error);

/* --- elfcore.c -------------------------------------------------------- */

/* How long it will be. */
uint64_t elfcore_size(const struct machine *machine);
HRESULT elfcore_write(const struct machine *machine,
                      const struct sim_output *out, uint64_t keep_free,
                      struct hcs_error *error);

/* --- dumps.c ---------------------------------------------------------- */

HRESULT sim_dump_write(const struct machine *machine, const char *path,
                       const struct machine_dump_options *options,
                       uint64_t *written, struct hcs_error *error);

#endif
