/* SPDX-License-Identifier: MIT
 * A serial port's far end: keeps what the guest printed (the first 64 KiB and
 * the last 1 MiB; what falls between is counted), feeds connected clients and
 * never makes the guest wait for a slow one. */
#ifndef HCS_CONSOLE_H
#define HCS_CONSOLE_H

#include <stdbool.h>

#include "../../base/buf.h"
#include "../../base/error.h"

#define CONSOLE_HEAD_SIZE (64u * 1024)
#define CONSOLE_TAIL_SIZE (1024u * 1024)

struct console;
struct console_set; /* consoles that share one descriptor to poll */

HRESULT console_set_create(struct console_set **out, struct hcs_error *error);
void console_set_destroy(struct console_set *set); /* and its consoles */
int console_set_pollfd(const struct console_set *set);
/* Handles what the descriptor announced; never blocks. An input function may
 * end consoles, but not destroy them. */
void console_set_pump(struct console_set *set);
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
/* Adds a connected stream socket as a client; takes the descriptor over. */
HRESULT console_attach(struct console *console, int fd,
                       struct hcs_error *error);
/* Appends at most `most` bytes of the end of what was printed, from the start
 * of a line. */
void console_tail(const struct console *console, size_t most, struct buf *out);

#endif
