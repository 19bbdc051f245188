/* SPDX-License-Identifier: MIT
 * What the functions of the ABI begin and end with. */
#ifndef HCS_HOST_CALLS_H
#define HCS_HOST_CALLS_H

#include "hcn.h"
#include "operation.h"
#include "system.h"

/* The first Windows build that has a function. */
#define CALL_SINCE(name) CALL_SINCE_##name
enum {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    CALL_SINCE_##name = (build),
#include "../abi/functions.def"
#undef HCS_FUNCTION
};

/* The objects that a call is about, with references. */
struct call {
    struct host *host; /* locked */
    struct system *system;
    struct operation *operation;
    struct hcn_handle *network; /* or endpoint, or namespace */
};

/* Look the handles up and lock their host. `since` is CALL_SINCE of the
 * function called. E_HANDLE, or E_INVALIDARG for an operation that is NULL or
 * of another host, or E_NOTIMPL where the host is an older build: hcshost_proc
 * hides the function there, the library's exports cannot. On failure nothing
 * is to be ended. */
HRESULT call_operation(struct call *call, int since, HCS_OPERATION operation);
HRESULT call_system(struct call *call, int since, HCS_SYSTEM system);
HRESULT call_both(struct call *call, int since, HCS_SYSTEM system,
                  HCS_OPERATION operation);
HRESULT call_network(struct call *call, int since, const void *handle,
                     enum handle_kind kind);
/* The host of calls without a handle. */
HRESULT call_current(struct call *call, int since);
/* A host by its handle; NULL is the one of calls without a handle. */
HRESULT call_host(struct call *call, const void *host);
void call_end(struct call *call);

/* Waiting for a callback inside of it is a deadlock on Windows; here it is a
 * kindness, which strict hosts refuse as loudly as they can. */
void call_refuse_inside(const struct host *host, const struct target *target,
                        const char *function);

/* Begins the call's operation, or tells why not; then the thread that carries
 * it on is there. */
HRESULT call_start(struct call *call, HCS_OPERATION_TYPE type,
                   struct system *system);

/* Text of a caller as UTF-8; NULL and "" become NULL. */
HRESULT call_text(PCWSTR text, char **out, struct hcs_error *error);
/* The same where there must be some: E_INVALIDARG without. */
HRESULT call_name(PCWSTR text, char **out);

#endif
