/* SPDX-License-Identifier: MIT
 * A serial port's far end: keeps what the guest printed (the first 64 KiB and
 * the last 1 MiB; what falls between is counted), feeds connected clients and
 * never makes the guest wait for a slow one. */
#ifndef HCS_CONSOLE_H
#define HCS_CONSOLE_H

#include <stdbool.h>

#include "../../base/buf.h"
#include "../../base/stream.h"

struct console;
struct console_set; /* consoles that are waited for as one */

HRESULT console_set_create(struct console_set **out, struct hcs_error *error);
void console_set_destroy(struct console_set *set); /* and its consoles */
/* What else is to be waited for and pumped with them; they stay the set's. */
struct stream_set *console_set_streams(const struct console_set *set);
hcs_waitable console_set_waitable(const struct console_set *set);
/* Handles what the waitable announced and whatever else has arrived; never
 * blocks. Returns whether there was anything. An input function may end
 * consoles, but not destroy them. */
bool console_set_pump(struct console_set *set);
/* Whether no client is connected. After console_end a client stays only for
 * what it has not been sent. */
bool console_set_idle(const struct console_set *set);

/* `input` gets what clients type; replay: a client first gets what was kept. */
HRESULT console_create(struct console_set *set, bool replay,
                       void (*input)(void *context, const char *bytes,
                                     size_t length),
                       void *context, struct console **out,
                       struct hcs_error *error);
void console_destroy(struct console *console);
void console_output(struct console *console, const char *bytes, size_t length);
/* The guest is gone: each client is closed once it has been sent the rest, and
 * what clients type is dropped. A client that comes later gets the replay. */
void console_end(struct console *console);
/* Adds a client; takes its stream over, also when it fails. */
HRESULT console_attach(struct console *console, stream_native client,
                       struct hcs_error *error);
/* From now on clients can come by this name (stream_listen), and by no other;
 * when that fails, everything stays. */
HRESULT console_listen(struct console *console, const char *name,
                       struct hcs_error *error);
/* What console_end does too. */
void console_unlisten(struct console *console);
/* Connects to a console that listens: the client's end. */
HRESULT console_connect(struct console *console, stream_native *out,
                        struct hcs_error *error);
/* Appends at most `most` bytes of the end of what was printed, from the start
 * of a line. */
void console_tail(const struct console *console, size_t most, struct buf *out);

#endif
