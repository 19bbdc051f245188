/* SPDX-License-Identifier: MIT
 * The inside of a vm, for the files of this room only. */
#ifndef HCS_VM_PRIVATE_H
#define HCS_VM_PRIVATE_H

#include "../../base/guid.h"
#include "../../schema/schema.h"
#include "vm.h"

/* How long a guest has to panic after the interrupt that is to crash it. */
#define VM_NMI_PATIENCE (INT64_C(5) * 1000000000)

/* One request that has not been answered. */
struct vm_request {
    struct link link; /* in vm->queue until its turn comes */
    HCS_OPERATION_TYPE verb;
    struct json_doc options; /* root NULL: none were given */
    vm_reply_fn reply;       /* NULL: nobody is to be told any more */
    void *context;
};

typedef void (*vm_then)(struct vm *vm, HRESULT result,
                        const struct hcs_error *error);

/* A call of the machine under way, and what follows it. Clearing `then` lets
 * a late answer fall. */
struct vm_lane {
    struct vm *vm;
    vm_then then;
};

enum vm_exit_cause {
    VM_EXIT_NONE,
    VM_EXIT_POWERED_OFF,
    VM_EXIT_STOPPED_ON_RESET,
    VM_EXIT_TERMINATED,
    VM_EXIT_TRIPLE_FAULT,
    VM_EXIT_DIED
};

/* A saved state that a document asks for when the guest fails. */
struct vm_artefact {
    const char *path;   /* in the document */
    const char *reason; /* GuestErrorSaveReason */
    HRESULT status;
};

/* How dumps are made: what documents have no place for. */
struct vm_dumps {
    uint32_t keep; /* of one name; 0 is 1 */
    uint64_t free; /* bytes of the disk; 0: as many as the backend likes */
    char *about;   /* of the dump that is being made */
};

/* The crash that is being worked on. */
struct vm_crash {
    char activity[GUID_TEXT_SIZE];
    struct buf log;
    const char *dump_path; /* NULL: none was asked for */
    HRESULT dump_status;
    uint64_t dump_bytes;
    struct vm_artefact saves[2];
    size_t save_count;
    size_t save_next;
    vm_then after; /* what follows when all is written and reported */
};

struct vm {
    struct vm_host host;
    char *id;
    char runtime_id[GUID_TEXT_SIZE];
    char template_id[GUID_TEXT_SIZE]; /* "" when it is no clone */
    struct json_doc document;
    const struct json *virtual_machine;
    struct schema_profile profile;

    enum vm_state state;
    bool failed;           /* it could not be created: no exit is told */
    bool shutdown_pending; /* the button was pressed and it is still there */
    bool crashed;          /* since it booted */
    uint64_t crash_count;
    uint64_t memory_mb;
    int64_t wall_offset; /* wall clock minus host clock */
    int64_t ran;         /* ns in Running before `running_since` */
    int64_t running_since;

    struct machine *machine;
    struct machine_env env;
    struct vm_lane work;  /* one call at a time for requests and crashes */
    struct vm_lane power; /* the call that cuts the power */

    struct link queue; /* of vm_request */
    struct vm_request *active;
    struct vm_request *terminator;
    bool busy;   /* a request or the answer to a guest's event is under way */
    bool ending; /* the power is being cut */
    bool pumping;
    enum vm_exit_cause ending_cause;

    bool guest_event; /* one that is yet to be answered, in guest_kind */
    enum machine_event_kind guest_kind;
    struct vm_crash crash;
    struct vm_dumps dumps;
    struct hcs_error capture_error; /* code S_OK while all is well */
    struct timer nmi_timer;
    bool nmi_timer_ready;

    enum vm_exit_cause exit_cause;
    char exit_document[512]; /* no exit is lost for want of memory */
    struct link watchers;
};

/* --- vm.c ------------------------------------------------------------- */

/* The arguments `done, context` of a machine's call, whose end is `then`. */
#define VM_CALL(vm, next) vm_lane_done, vm_lane_take(&(vm)->work, (next))
void vm_lane_done(void *context, HRESULT result, const struct hcs_error *error);
void *vm_lane_take(struct vm_lane *lane, vm_then then);

void vm_set_state(struct vm *vm, enum vm_state state);
void vm_tell(struct vm *vm, HCS_EVENT_TYPE type, const char *document);
int64_t vm_now(const struct vm *vm);
int64_t vm_uptime(const struct vm *vm);
int64_t vm_wall(const struct vm *vm);

/* --- requests.c ------------------------------------------------------- */

struct vm_request *vm_request_new(HCS_OPERATION_TYPE verb, vm_reply_fn reply,
                                  void *context);
/* Answers the active request and turns to what waits. */
void vm_finish(struct vm *vm, HRESULT result, const struct hcs_error *error,
               const char *document);
/* The same for work of the vm's own. */
void vm_idle(struct vm *vm);
void vm_pump(struct vm *vm);
void vm_answer(struct vm_request *request, HRESULT result,
               const struct hcs_error *error, const char *document);
void vm_request_free(struct vm_request *request);
void vm_abandon_requests(struct vm *vm); /* those that nothing ends any more */

/* --- the other rooms -------------------------------------------------- */

/* rules.c: S_OK, or why the verb is illegal in the state. */
HRESULT vm_rule(HCS_OPERATION_TYPE verb, enum vm_state state,
                struct hcs_error *error);
const char *vm_state_name(enum vm_state state); /* as in documents */
const char *vm_verb_name(HCS_OPERATION_TYPE verb);

/* verbs.c: carries out the active request; ends in vm_finish. */
void vm_perform(struct vm *vm, struct vm_request *request);
HRESULT vm_terminate_check(struct vm *vm, struct hcs_error *error);

/* options.c */
HRESULT vm_options_parse(const struct vm *vm, HCS_OPERATION_TYPE verb,
                         const char *text, struct json_doc *out,
                         struct hcs_error *error);
HRESULT vm_shutdown_check(const struct vm *vm, const struct json *options,
                          struct hcs_error *error);
HRESULT vm_pause_check(const struct json *options, struct hcs_error *error);
HRESULT vm_start_check(const struct json *options, struct hcs_error *error);
HRESULT vm_save_options(const struct vm *vm, const struct json *options,
                        enum machine_save_kind *kind, const char **path,
                        struct hcs_error *error);
/* *path is NULL for a crash of the guest, else where to put its memory. */
HRESULT vm_crash_options(const struct json *options, const char **path,
                         struct hcs_error *error);

/* support.c: what a ComputeSystem must be, beyond its schema. */
HRESULT vm_document_check(const struct json *document, struct hcs_error *error);

/* modify.c */
HRESULT vm_modify_check(const struct vm *vm, const struct json *request,
                        struct hcs_error *error);
void vm_modified(struct vm *vm, const struct json *request);

/* dumps.c */
#define VM_DUMPS_PATH "LuaHcs/Dumps" /* a resource of our own */
/* Writes one, at the machine's present state; `why` is "Crash" or "Capture". */
void vm_dump(struct vm *vm, const char *path, enum machine_dump_format format,
             uint64_t limit, const char *why, vm_then then);
/* What a dump of that name is to be: by its ending, else an ELF core. */
enum machine_dump_format vm_dump_format(const char *path);
/* A ModifySettingRequest for VM_DUMPS_PATH. */
HRESULT vm_dumps_check(const struct json *request, struct hcs_error *error);
void vm_dumps_modified(struct vm *vm, const struct json *request);

/* access.c: the files that the document names are there and open to it. */
HRESULT vm_access_check(const struct vm *vm, struct hcs_error *error);
HRESULT vm_access_file(const struct vm *vm, const char *document_path,
                       const char *file, struct hcs_error *error);

/* documents.c: the reply of a GetProperties with `query` (NULL: base). */
HRESULT vm_write_properties(struct vm *vm, const struct json *query,
                            struct buf *out, struct hcs_error *error);
const char *vm_display_name(const struct vm *vm); /* "" when none */

/* crash.c: answers the guest's event; ends in vm_idle or an exit. */
void vm_handle_guest_event(struct vm *vm);
void vm_crash_free(struct vm_crash *crash);
void vm_nmi_injected(struct vm *vm);
void vm_nmi_expired(struct timer *timer, void *context);

/* exit.c */
/* Cuts the power, then exits. */
void vm_end(struct vm *vm, enum vm_exit_cause cause);
/* Exits now: the machine is gone. */
void vm_exit(struct vm *vm, enum vm_exit_cause cause);
const char *vm_exit_type_name(enum vm_exit_cause cause);

#endif
