/* SPDX-License-Identifier: MIT
 * What a backend must be able to do. A backend supplies mechanisms; what they
 * mean (states, documents, the crash flow) is decided above it, once, for all
 * backends, in host/state.
 *
 * Threads: a machine is used by one thread at a time. Its calls never block;
 * each call that takes a `machine_done` ends in exactly one call of it, during
 * the call or later, until `destroy` returns, which drops what is pending. */
#ifndef HCS_BACKEND_H
#define HCS_BACKEND_H

#include "../abi/hcshost.h"
#include "../base/json.h"
#include "../base/random.h"
#include "../base/stream.h"
#include "../base/timers.h"
#include "adapter.h"

struct machine; /* each backend's own */
struct plane;   /* plane.h */

/* `error` is NULL on success. */
typedef void (*machine_done)(void *context, HRESULT result,
                             const struct hcs_error *error);

enum machine_event_kind {
    MACHINE_POWERED_OFF,  /* the guest switched itself off */
    MACHINE_RESET,        /* the guest asked for a reset; it has not happened */
    MACHINE_PANICKED,     /* the guest reported a crash; it is held still */
    MACHINE_TRIPLE_FAULT, /* held still like MACHINE_RESET */
    MACHINE_DIED          /* the machine itself failed: text says how */
};

struct machine_event {
    enum machine_event_kind kind;
    const char *text; /* PANICKED: the console's tail; DIED: the cause */
    size_t text_length;
};

enum machine_dump_format {
    MACHINE_DUMP_ELF,
    MACHINE_DUMP_KDUMP_ZLIB,
    MACHINE_DUMP_RAW, /* each byte at its physical address */
    MACHINE_DUMP_VMRS /* as Hyper-V saves a system's state, to be looked at */
};

struct machine_dump_options {
    enum machine_dump_format format;
    uint64_t limit;     /* bytes of the file; 0: any */
    uint64_t keep_free; /* bytes of the disk; 0: as many as the backend likes */
    uint32_t keep; /* dumps of this name, with the new one: those before it are
                      called PATH.1, PATH.2 …; 0 is 1: it takes their place */
    const char *about; /* what PATH.json is to hold, or NULL: no such file */
};

enum machine_save_kind {
    MACHINE_SAVE_FILE,    /* to a file that a later machine restores */
    MACHINE_SAVE_TEMPLATE /* kept with the machine, for clones */
};

struct machine_statistics {
    int64_t runtime;       /* processor time used, ns */
    uint64_t memory_bytes; /* resident */
    uint64_t memory_peak;
    uint64_t read_count, read_bytes, write_count, write_bytes;
};

/* What the surroundings give a machine. Pointers outlive the machine. */
struct machine_env {
    struct timers *timers;
    int64_t (*now)(void *context);
    void (*event)(void *context, const struct machine_event *event);
    void *context;  /* of now and event */
    void *platform; /* the backend's own surroundings (sim: struct sim *;
                       qemu: struct qemu_platform *) */
};

struct machine_config {
    const char *id;
    const char *runtime_id;             /* a GUID's text */
    const struct json *virtual_machine; /* valid by the schema, lives as long
                                           as the machine */
    int build;
    const char *template_id; /* RestoreState.TemplateSystemId's runtime id */
    struct machine *template_machine; /* where it lives in this process */
};

/* It would take such members for macros. */
/* clang-format off */
struct machine_ops {
    const char *name; /* "sim", "qemu" */

    /* Checks what it can do (HR_NOT_SUPPORTED with the path of the member it
     * cannot) and prepares; done when the machine could be started. */
    HRESULT (*create)(const struct machine_env *env,
                      const struct machine_config *config, machine_done done,
                      void *context, struct machine **out,
                      struct hcs_error *error);
    /* Power on, or continue from the state that RestoreState names. */
    void (*start)(struct machine *machine, machine_done done, void *context);
    void (*pause)(struct machine *machine, machine_done done, void *context);
    /* Also lets a machine go on that was held still by PANICKED. */
    void (*resume)(struct machine *machine, machine_done done, void *context);
    /* The machine is paused (or held still). Complete and flushed when done;
     * on failure nothing is left under `path`. */
    void (*save)(struct machine *machine, enum machine_save_kind kind,
                 const char *path, machine_done done, void *context);
    /* Writes the guest's memory under `path` by way of a temporary name.
     * HR_DISK_FULL, and no file, when it would pass the limit or leave less
     * free than it must. *written, the file's length, is set when done;
     * HR_NOT_SUPPORTED for a format that it does not write. */
    void (*dump)(struct machine *machine, const char *path,
                 const struct machine_dump_options *options, uint64_t *written,
                 machine_done done, void *context);
    void (*press_power)(struct machine *machine, machine_done done,
                        void *context);
    void (*inject_nmi)(struct machine *machine, machine_done done,
                       void *context);
    /* Carries out a reset that was announced by MACHINE_RESET. */
    void (*reset)(struct machine *machine, machine_done done, void *context);
    /* `request` is a ModifySettingRequest, valid by the schema. HR_NOT_FOUND
     * for an unknown path or device, HR_NOT_SUPPORTED for what it cannot. */
    void (*modify)(struct machine *machine, const struct json *request,
                   machine_done done, void *context);
    /* Cuts the power. Done when guest and helper processes are gone. */
    void (*power_off)(struct machine *machine, machine_done done,
                      void *context);
    void (*statistics)(struct machine *machine, struct machine_statistics *out);
    /* NULL is fine. Frees everything, kills what still runs. */
    void (*destroy)(struct machine *machine);
};
/* clang-format on */

/* --- the simulated backend ------------------------------------------- */

struct sim; /* one simulated world: files, guest programs, random numbers */

struct sim_options {
    uint64_t seed;
    int64_t
        latency;    /* ns that each operation takes; 0: done at the next pump */
    bool no_replay; /* a pipe's client gets only what is printed from then on */
    bool own_pipes; /* nobody finds its pipes by their names alone (Windows) */
};

/* `guest` is called for guests that have a program; NULL-safe. With Boot the
 * text is the system's id. */
/* It would take such members for macros. */
/* clang-format off */
struct sim_env {
    struct timers *timers;
    int64_t (*now)(void *context);
    void (*guest)(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                  const char *text, size_t length);
    /* Adapters with an endpoint are attached when their machine starts, or when
     * they are added to one that runs, and detached at the end. On failure the
     * error's path is the member that is to blame. NULL: there are no networks,
     * and adapters lead nowhere. */
    HRESULT (*attach)(void *context, const struct machine_adapter *adapter,
                      struct hcs_error *error);
    void (*detach)(void *context, const struct guid *endpoint);
    /* The simulated plane that what guests send goes by. NULL, or if it returns
     * NULL: there are no networks. */
    struct plane *(*plane)(void *context);
    void *context;
};
/* clang-format on */

const struct machine_ops *sim_machine_ops(void);
HRESULT sim_open(const struct sim_options *options, const struct sim_env *env,
                 struct sim **out, struct hcs_error *error);
void sim_close(struct sim *sim);
/* id NULL: every guest without a program of its own. */
HRESULT sim_program(struct sim *sim, const char *id, bool on,
                    struct hcs_error *error);
/* The id of the system that the guest is in, or NULL when it is gone. */
const char *sim_guest_id(struct sim *sim, uint64_t guest);
HRESULT sim_guest_print(struct sim *sim, uint64_t guest, uint32_t port,
                        const char *text, size_t length);
HRESULT sim_guest_wake(struct sim *sim, uint64_t guest, int64_t delay);
HRESULT sim_guest_act(struct sim *sim, uint64_t guest,
                      HCSHOST_GUEST_ACTION action, const char *text);
/* Files by path: absolute paths of the system that this runs on are its own
 * files; those of the other kind (Windows paths elsewhere, POSIX paths on
 * Windows) live in the simulated world and exist once made through the API. */
HRESULT sim_file_create(struct sim *sim, const char *path, const void *bytes,
                        size_t length, struct hcs_error *error);
bool sim_file_exists(struct sim *sim, const char *path);
/* Named pipes of the guests' serial ports: the client's end of a connection.
 * HR_FILE_NOT_FOUND when no running guest has that pipe. */
HRESULT sim_pipe_connect(struct sim *sim, const char *name, stream_native *out,
                         struct hcs_error *error);
/* Appends the path by which other processes find a pipe, whether or not it
 * exists now. HR_NOT_SUPPORTED where pipes are inside this process. */
HRESULT sim_pipe_path(struct sim *sim, const char *name, struct buf *out,
                      struct hcs_error *error);
/* A TCP connection from outside the host, as far as the networks let it: the
 * client's end. `address` is the host's, IP_NONE for any of its own, or that of
 * an endpoint. HR_CONNECTION_REFUSED where nobody serves that port, HR_TIMEOUT
 * where nobody answers, HR_NOT_SUPPORTED without networks. */
HRESULT sim_connect(struct sim *sim, const struct ip_address *address,
                    uint16_t port, stream_native *out, struct hcs_error *error);
/* Input from pipes and connections: what to wait for, and what handles it;
 * returns whether there was any. */
hcs_waitable sim_waitable(struct sim *sim);
bool sim_pump(struct sim *sim);

#endif
