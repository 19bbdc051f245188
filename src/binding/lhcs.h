/* SPDX-License-Identifier: MIT
 * What the files of hcs.core share.
 *
 * Lua errors jump: C memory that a function holds while it calls Lua belongs
 * to a userdata. Handles are userdata made closed, with their metatable, before
 * the call that opens them, so that nothing is lost in between. */
#ifndef LHCS_H
#define LHCS_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "../abi/hcshost.h"
#include "../base/buf.h"
#include "../base/error.h"
#include "../base/list.h"
#include "interrupt.h"
#include "pollable.h"
#include "queue.h"

#define LHCS_WORLD "HCS_HOST"
#define LHCS_OPERATION "HCS_OPERATION"
#define LHCS_SYSTEM "HCS_SYSTEM"
#define LHCS_PIPE "HCS_PIPE"
#define LHCS_NETWORK "HCN_NETWORK"
#define LHCS_ENDPOINT "HCN_ENDPOINT"
#define LHCS_NAMESPACE "HCN_NAMESPACE"
#define LHCS_CALLBACK "HCN_CALLBACK"
#define LHCS_DUMP "VM_SAVED_STATE_DUMP"

_Static_assert(sizeof(void *) == 8, "contexts of callbacks are 64 bits wide");
_Static_assert(sizeof(lua_Integer) == 8, "integers of documents need 64 bits");

/* --- the library -------------------------------------------------------- */

struct lhcs_functions {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    ret(WINAPI *name) params;
#include "../abi/functions.def"
#undef HCS_FUNCTION
};

struct lhcs_host_functions {
#define HCSHOST_FUNCTION(ret, name, params) ret(*name) params;
#include "../abi/hcshost.def"
#undef HCSHOST_FUNCTION
};

#define LHCS_DLLS 8 /* that functions.def may name */

/* A DLL of Microsoft's, by the name that functions.def has for it. */
struct lhcs_dll {
    const char *name;
    void *module; /* NULL: it is not there */
    char *path;   /* malloc'd, UTF-8 */
};

/* What is loaded is never unloaded: its threads may outlive us. */
struct lhcs_library {
    void *module; /* one library with all functions, else NULL */
    char *path;   /* what was loaded, or the first DLL; malloc'd, UTF-8 */
    struct lhcs_dll dlls[LHCS_DLLS]; /* where each has its functions */
    HLOCAL(WINAPI *local_free)(HLOCAL block);
    BOOL(WINAPI *close_handle)(HANDLE handle);
};

/* Loads Microsoft's DLLs (`windows`), as far as they are there, or the embedded
 * host. `override` is the absolute path of one library with all functions, or
 * NULL for HCS_LIBRARY and then the usual places. On failure the error's text
 * names what was tried. */
HRESULT library_load(struct lhcs_library *library, bool windows,
                     const char *override, struct hcs_error *error);
/* Frees what describes it. */
void library_forget(struct lhcs_library *library);
/* A function of the DLL of that name (NULL: of the embedded host itself), or
 * NULL when there is none. */
void *library_symbol(const struct lhcs_library *library, const char *dll,
                     const char *name);
/* The distinct DLLs of functions.def, in its order; returns how many. */
size_t library_dlls(const char *names[LHCS_DLLS]);
/* Learns where this module lies; called once, when it is opened. */
void library_locate(void);

/* --- a host, as Lua holds it -------------------------------------------- */

enum lhcs_clock { LHCS_REAL, LHCS_VIRTUAL, LHCS_MANUAL };

struct lhcs_world {
    bool open;
    bool stepped; /* driver=step */
    bool simulated;
    enum lhcs_clock clock;
    HCSHOST host; /* NULL with Microsoft's DLLs */
    struct lhcs_library library;
    struct lhcs_functions hcs;
    struct lhcs_host_functions own;
    struct queue *queue;
    uint64_t guest_number; /* context of guests' callbacks */
    struct link handles;   /* open ones, struct lhcs_handle */
    char *text;            /* what is being pushed; freed at the latest with
                              the world */
    struct pollable pollable;
    struct interrupt interrupt;
    const void *operation_meta; /* the metatables' identities */
    const void *system_meta;
    struct lhcs_handle *recent_operation; /* open ones whose type was checked */
    struct lhcs_handle *recent_system;
};

enum { WORLD_URI = 1, WORLD_VALUES = 1 }; /* user values of the world */

/* Upvalues of every function of an api. */
enum {
    UP_WORLD = 1,
    UP_OBJECTS,   /* numbers to handles, which it does not keep alive */
    UP_OPERATION, /* the metatables */
    UP_SYSTEM,
    UP_COMMON = UP_SYSTEM,
    UP_ADDRESS /* functions of the ABI: where the address is */
};
#define LHCS_UP(which) lua_upvalueindex(which)

void lhcs_world_is_closed(lua_State *L); /* raises */
/* The world of a function of an api. Raises when it is closed. */
static inline struct lhcs_world *lhcs_world(lua_State *L) {
    struct lhcs_world *world = lua_touserdata(L, LHCS_UP(UP_WORLD));
    if (!world->open)
        lhcs_world_is_closed(L);
    return world;
}
int lhcs_close(lua_State *L); /* api.close */
/* Closes it and all it holds; idempotent. */
void lhcs_world_drop(struct lhcs_world *world);
void lhcs_world_register(lua_State *L);
/* Pushes a new closed world. */
struct lhcs_world *lhcs_world_new(lua_State *L);
/* Runs what has no handle in this world; pair them without Lua in between. */
HRESULT lhcs_enter(struct lhcs_world *world, HCSHOST *previous);
void lhcs_leave(struct lhcs_world *world, HCSHOST previous);
/* Pushes the handle with this number; nothing, and false, if it is closed. */
bool lhcs_push_open(lua_State *L, uint64_t number);

/* --- handles ------------------------------------------------------------ */

struct lhcs_handle {
    struct link link;         /* in the world's handles while open */
    struct lhcs_world *world; /* kept alive by the first user value */
    void (*release)(struct lhcs_handle *handle); /* calls HcsClose… */
    uint64_t number;
    unsigned reserved; /* items in the queue */
    bool open;
    bool apart; /* not the host's: it does not end with it by itself */
};

struct lhcs_operation {
    struct lhcs_handle base;
    HCS_OPERATION handle;
};

struct lhcs_system {
    struct lhcs_handle base;
    HCS_SYSTEM handle;
};

/* User values of all. */
enum { HANDLE_WORLD = 1, HANDLE_CONTEXT, HANDLE_NAME, HANDLE_VALUES = 3 };

/* Pushes a new closed handle in `size` bytes, files it under its number. */
void *lhcs_handle_new(lua_State *L, struct lhcs_world *world, size_t size,
                      int type, /* UP_OPERATION or UP_SYSTEM */
                      void (*release)(struct lhcs_handle *handle));
/* The same of a kind that is rarer: its metatable is looked up. */
void *lhcs_handle_new_of(lua_State *L, struct lhcs_world *world, size_t size,
                         const char *type,
                         void (*release)(struct lhcs_handle *handle));
void lhcs_handle_opened(struct lhcs_handle *handle); /* it is, from now on */
void lhcs_handle_close(struct lhcs_handle *handle);  /* idempotent */
/* Changes the room in the queue for its callbacks; E_OUTOFMEMORY. */
HRESULT lhcs_handle_reserve(struct lhcs_handle *handle, unsigned count);
/* Raises for a handle that is closed or another host's. */
void lhcs_handle_check(lua_State *L, const struct lhcs_world *world, int arg,
                       const struct lhcs_handle *handle);
/* Makes the metatable of a kind of handle. */
void lhcs_handle_register(lua_State *L, const char *type,
                          const luaL_Reg *methods);
void lhcs_pipe_register(lua_State *L);
void lhcs_network_register(lua_State *L);
void lhcs_provider_register(lua_State *L);

void lhcs_system_release(struct lhcs_handle *handle);
int lhcs_system_context(lua_State *L);

/* Arguments; raise for another type, a closed handle or another host's. */
struct lhcs_operation *lhcs_check_operation(lua_State *L,
                                            struct lhcs_world *world, int arg);
struct lhcs_system *lhcs_check_system(lua_State *L, struct lhcs_world *world,
                                      int arg);

/* --- text, numbers, results --------------------------------------------- */

struct lhcs_word {
    int arg;
    bool optional; /* nil gives NULL */
    PWSTR wide;
};

/* Converts arguments to UTF-16, all or none: raises for what is not text, not
 * UTF-8 or contains a NUL. */
void lhcs_words(lua_State *L, struct lhcs_word *words, int count);
void lhcs_words_free(struct lhcs_word *words, int count);

/* Adds UTF-16 text as UTF-8; what is not UTF-16 is left out. */
HRESULT lhcs_narrow(PCWSTR wide, struct buf *out);

/* The HRESULT as a positive integer. */
void lhcs_push_result(lua_State *L, HRESULT hr);
/* Pushes a document that the host allocated (nil for none) and frees it. */
void lhcs_push_document(lua_State *L, struct lhcs_world *world, PWSTR wide);
/* Pushes nil, hr and the text; returns 3. */
int lhcs_fail(lua_State *L, HRESULT hr, const char *text);
DWORD lhcs_check_dword(lua_State *L, int arg);
/* Seconds to nanoseconds: `otherwise` for nil, 0 for what is past, INT64_MAX
 * for what is never. */
int64_t lhcs_check_time(lua_State *L, int arg, int64_t otherwise);

/* --- the api's functions ------------------------------------------------ */

/* One for every function of the ABI; a missing one does not link. */
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    int lhcs_##name(lua_State *L);
#define lhcs_HcsStartComputeSystem lhcs_system_call
#define lhcs_HcsShutDownComputeSystem lhcs_system_call
#define lhcs_HcsTerminateComputeSystem lhcs_system_call
#define lhcs_HcsCrashComputeSystem lhcs_system_call
#define lhcs_HcsPauseComputeSystem lhcs_system_call
#define lhcs_HcsResumeComputeSystem lhcs_system_call
#define lhcs_HcsSaveComputeSystem lhcs_system_call
#define lhcs_HcsGetComputeSystemProperties lhcs_system_call
#define lhcs_HcsCreateEmptyGuestStateFile lhcs_path_call
#define lhcs_HcsCreateEmptyRuntimeStateFile lhcs_path_call
#define lhcs_HcsGrantVmGroupAccess lhcs_path_call
#define lhcs_HcsRevokeVmGroupAccess lhcs_path_call
#define lhcs_HcsGrantVmAccess lhcs_access_call
#define lhcs_HcsRevokeVmAccess lhcs_access_call
#include "../abi/functions.def"
#undef HCS_FUNCTION

/* Finds what the library has; fills world->hcs and world->own. */
HRESULT lhcs_resolve_own(struct lhcs_world *world, struct hcs_error *error);
void lhcs_resolve(struct lhcs_world *world);
/* Pushes the table of functions of the world at `index`, the stack's top. */
void lhcs_push_api(lua_State *L, int index);

int lhcs_next(lua_State *L);
int lhcs_pump(lua_State *L);
int lhcs_now(lua_State *L);
int lhcs_pollfd(lua_State *L);
int lhcs_pollsocket(lua_State *L);
int lhcs_timeout(lua_State *L);
int lhcs_step(lua_State *L);
int lhcs_describe(lua_State *L);
int lhcs_inventory(lua_State *L);
int lhcs_queue_counts(lua_State *L);
int lhcs_pipe_connect(lua_State *L);
int lhcs_pipe_path(lua_State *L);
int lhcs_guest(lua_State *L);
int lhcs_service(lua_State *L);
int lhcs_packet(lua_State *L);
int lhcs_network_plan(lua_State *L);
int lhcs_network_connect(lua_State *L); /* pipe.c */
int lhcs_guest_print(lua_State *L);
int lhcs_guest_wake(lua_State *L);
int lhcs_guest_act(lua_State *L);
extern const char *const lhcs_guest_events[];

int lhcs_open(lua_State *L); /* core.open */
/* Put what they have into the table on the stack's top. */
void lhcs_push_json(lua_State *L);     /* json, array, is_array, null */
void lhcs_push_platform(lua_State *L); /* clocks, processes … */
void lhcs_push_system(lua_State *L);   /* the system's part of them */
void lhcs_push_file(lua_State *L);     /* read_file, write_file */
void lhcs_push_dump(lua_State *L);     /* dump_open, dump_registers */
void lhcs_push_machine(lua_State *L);  /* machine, functions, watchdog … */
int lhcs_interruptible(lua_State *L);

#endif
