/* SPDX-License-Identifier: MIT
 * A simulated world whose time is moved by hand, with real vms in it. */
#ifndef HCS_TEST_WORLD_H
#define HCS_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/backend/plane.h"
#include "../../../src/base/clock.h"
#include "../../../src/base/stream.h"
#include "../../../src/host/state/vm.h"
#include "platform.h"

struct system {
    struct world *world;
    struct vm *vm;
    struct vm_watcher watcher;
    struct buf log;             /* replies and events, one a line */
    struct stream_set *streams; /* NULL: not connected */
    struct stream *pipe;
    struct buf console;
    bool console_ended;
};

struct world {
    struct timers timers;
    int64_t now;
    struct sim *sim;
    struct plane *plane; /* NULL: no networks */
    struct vm_host host;
    char folder[160];
    struct system *template; /* what find_template finds */
    /* a program's events; NULL: ignored */
    void (*guest)(struct world *world, uint64_t guest,
                  HCSHOST_GUEST_EVENT event, const char *text, size_t length);
    struct buf guest_log;
};

void world_open(struct world *world, int64_t latency);
void world_close(struct world *world);
void world_wait(struct world *world, int64_t ns);

/* A document around the members of VirtualMachine; %s is the folder. */
HRESULT system_try(struct world *world, struct system *system, const char *id,
                   const char *members, struct hcs_error *error);
void system_create(struct world *world, struct system *system, const char *id,
                   const char *members);
void system_close(struct system *system);
/* Submits, lets time pass until the answer is there and returns it. */
HRESULT system_do(struct system *system, HCS_OPERATION_TYPE verb,
                  const char *options);
void system_connect(struct system *system, const char *pipe);
void system_type(struct system *system, const char *text);
/* Reads what the console has; `part` must be in what was read so far. */
void system_read(struct system *system);
void system_expect(struct system *system, const char *part);
/* The pipe ends, if not at once: what was written has to be on its way first,
 * which may be another thread's doing. */
void system_expect_end(struct system *system);
void system_expect_log(struct system *system, const char *part);

/* 64 MB, one processor, COM1 on the pipe `name`. */
#define MACHINE(name, cmdline)                                                 \
    "\"Chipset\":{\"LinuxKernelDirect\":{\"KernelCmdLine\":\"" cmdline "\"}}," \
    "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"                       \
    "\"Processor\":{\"Count\":2}}"
#define PORT(name) \
    "\"ComPorts\":{\"0\":{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\" name "\"}}"
#define DEVICES(list) "\"Devices\":{" list "}"

#endif
