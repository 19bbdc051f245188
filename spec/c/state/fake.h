/* SPDX-License-Identifier: MIT
 * A machine that does nothing but note what it is asked, for the tests of the
 * vm above it. */
#ifndef HCS_FAKE_H
#define HCS_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/host/state/vm.h"

#define FAKE_ID "vm1"

/* A world with one vm. Everything that happens is a line of `log`. */
struct fake {
    struct timers timers;
    int64_t now;
    struct buf log;
    struct vm_host host;
    struct vm *vm;
    struct vm_watcher watcher;
    struct machine *machine;
    const char *missing;  /* a file that is not there */
    const char *withheld; /* a file that is not granted */
    bool clones;
    HRESULT find_template;
    struct machine_dump_options dump; /* the last one's */
    char about[2048];
};

struct machine {
    struct fake *fake;
    struct machine_env env;
    bool by_hand;        /* calls stay open until fake_done */
    const char *failing; /* the operation that fails … */
    HRESULT failure;     /* … with this */
    machine_done done;
    void *context;
    machine_done power_done; /* of power_off */
    void *power_context;
    const char *open_name;
};

/* A world at rest, for a document (NULL: a plain one). */
void fake_open(struct fake *fake, int build);
/* Also creates the vm. `extra`: members to add to VirtualMachine, or NULL. */
void fake_create(struct fake *fake, int build, const char *extra);
HRESULT fake_create_document(struct fake *fake, const char *document,
                             struct hcs_error *error);
void fake_close(struct fake *fake);
/* Brings a created vm into a state. */
void fake_bring(struct fake *fake, enum vm_state state);
/* From here on it refuses our kindnesses. */
void fake_strict(struct fake *fake);
void fake_submit(struct fake *fake, HCS_OPERATION_TYPE verb,
                 const char *options);
void fake_reply(void *context, const struct vm_reply *reply);
/* Ends the open call. */
void fake_done(struct fake *fake, HRESULT result);
void fake_power_done(struct fake *fake, HRESULT result);
void fake_event(struct fake *fake, enum machine_event_kind kind,
                const char *text);
/* Lets time pass; timers fire in their order. */
void fake_wait(struct fake *fake, int64_t ns);
/* The log since the last call is exactly this. */
void fake_expect(struct fake *fake, const char *log);
void fake_expect_contains(struct fake *fake, const char *part);

#endif
