/* SPDX-License-Identifier: MIT
 * A client of QEMU's control protocol over a connected socket. What arrives is
 * foreign: anything that is not the protocol ends the connection. */
#ifndef HCS_QEMU_QMP_H
#define HCS_QEMU_QMP_H

#include <uv.h>

#include "../../base/json.h"

#define QMP_LINE_LIMIT ((size_t)4 << 20)

struct qmp;

/* `value` is the reply's "return" (NULL on failure). `error`, on failure, has
 * QEMU's text; HR_NOT_FOUND for DeviceNotFound, HR_SHARING_VIOLATION for a
 * disk in use elsewhere, else E_FAIL; or
 * HCS_E_UNEXPECTED_EXIT when the connection ended first. */
typedef void (*qmp_reply)(void *context, const struct json *value,
                          const struct hcs_error *error);

struct qmp_handler {
    void (*ready)(void *context); /* greeted, capabilities negotiated */
    void (*event)(void *context, const char *name, const struct json *data);
    /* The connection ended; every pending command was answered before. */
    void (*closed)(void *context, const struct hcs_error *error);
    void *context;
};

/* Takes the descriptor over, also on failure. */
HRESULT qmp_open(uv_loop_t *loop, int fd, const struct qmp_handler *handler,
                 struct qmp **out, struct hcs_error *error);
/* `arguments` is a JSON object's text or NULL. fd -1, or a descriptor that is
 * passed along (duplicated at once, so the caller keeps its own). The reply
 * comes exactly once, never during this call unless it fails here. */
void qmp_send(struct qmp *qmp, const char *command, const char *arguments,
              int fd, qmp_reply reply, void *context);
/* Handles bytes from QEMU. Failure: they are no QMP. (For the loop and for
 * tests.) */
HRESULT qmp_receive(struct qmp *qmp, const char *bytes, size_t length,
                    struct hcs_error *error);
/* Reads what has arrived already, so that events are not overtaken by the end
 * of the process. */
void qmp_drain(struct qmp *qmp);
/* Ends the connection; pending commands and the handler are forgotten. */
void qmp_close(struct qmp *qmp);

#endif
