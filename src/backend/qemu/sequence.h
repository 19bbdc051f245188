/* SPDX-License-Identifier: MIT
 * A sequence of QMP commands, each sent when the one before has succeeded. */
#ifndef HCS_QEMU_SEQUENCE_H
#define HCS_QEMU_SEQUENCE_H

#include "machine.h"

struct sequence;

/* `done` is called once, with the first failure or at the end; not at all once
 * the machine is destroyed. NULL when out of memory (done was called then). */
struct sequence *sequence_new(struct machine *machine, machine_done done,
                              void *context);
/* `format` gives the arguments' JSON text, or is NULL. */
void sequence_add(struct sequence *sequence, const char *command,
                  const char *format, ...) HCS_PRINTF(3, 4);
/* Like it, with a descriptor that travels along. */
void sequence_add_fd(struct sequence *sequence, int fd, const char *command,
                     const char *format, ...) HCS_PRINTF(4, 5);
/* The command added last is complete only with this event, too. `device`, if
 * not NULL, is what the event's "device" must be. */
void sequence_await(struct sequence *sequence, const char *event,
                    const char *device);
/* `done` is this backend's own: it is called even when the machine is being
 * destroyed, to clean up. */
void sequence_internal(struct sequence *sequence);
void sequence_run(struct sequence *sequence);

/* An event came. */
void sequences_event(struct machine *machine, const char *name,
                     const struct json *data);
/* Ends all of them. When the machine is destroyed only those that are this
 * backend's own hear of it. */
void sequences_end(struct machine *machine, const struct hcs_error *error);

#endif
