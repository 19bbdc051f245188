/* SPDX-License-Identifier: MIT
 * What the library and the workers have in common: the messages between them
 * and the layout of the state root (docs/architecture.md).
 *
 * A message is a frame (base/frame.h) with an object that has a "Kind". Both
 * sides treat the other as foreign: what is not a message ends the connection.
 */
#ifndef HCS_PROTOCOL_H
#define HCS_PROTOCOL_H

#include <limits.h>

#include "../base/frame.h"

#define PROTOCOL_VERSION 1

/* Descriptors that a worker is started with. */
#define WORKER_SOCKET 3 /* its first connection */
#define WORKER_LOCK 4   /* its directory's lock, held */

enum message_kind {
    MESSAGE_HELLO,  /* worker: process, id */
    MESSAGE_CREATE, /* client, once, on the first connection */
    MESSAGE_SUBMIT, /* client: tag, verb, document (the options) */
    MESSAGE_CLOSE,  /* client: the handle is closed */
    MESSAGE_REPLY,  /* worker: tag, result, path and text or document */
    MESSAGE_EVENT   /* worker: type, document */
};

/* Texts are NULL when absent. */
struct message {
    enum message_kind kind;
    uint64_t tag;
    int64_t verb; /* HCS_OPERATION_TYPE */
    int64_t type; /* HCS_EVENT_TYPE */
    HRESULT result;
    int64_t process;
    int64_t build;
    bool open;              /* CREATE: every file may be opened */
    bool replay;            /* CREATE: consoles replay what was printed */
    bool allow_host_change; /* CREATE: networks may have an uplink */
    const char *id;
    const char *document;
    const char *path; /* of an error */
    const char *text;
    const char *accelerator;
    const char *qemu;
};

/* Appends the message's frame. Failure shows in `out`; HCS_E_INVALID_JSON,
 * and nothing appended, when it is longer than a frame may be. */
HRESULT message_write(struct buf *out, const struct message *message,
                      struct hcs_error *error);

/* Takes the next message from the front of `in`: S_OK, S_FALSE when it is not
 * complete yet, HCS_E_PROTOCOL_ERROR for anything else. The texts of `message`
 * live in `doc`, which the caller frees after S_OK. */
HRESULT message_read(struct buf *in, struct message *message,
                     struct json_doc *doc, struct hcs_error *error);

/* --- the state root ------------------------------------------------------- */

/* The root directory's path: `asked`, HCS_ROOT, /run/hcs for root,
 * $XDG_RUNTIME_DIR/hcs. HR_PATH_NOT_FOUND names HCS_ROOT. */
HRESULT root_choose(const char *asked, char path[PATH_MAX],
                    struct hcs_error *error);
/* Makes what is missing and opens it. E_ACCESSDENIED when it is not this
 * user's alone. */
HRESULT root_open(const char *path, int *root, struct hcs_error *error);
/* Waits for the root's lock; closing the descriptor gives it back. */
HRESULT root_lock(int root, int *lock, struct hcs_error *error);
/* Removes the directories whose workers are gone. Needs the root's lock. */
void root_sweep(int root);
/* Calls `each` with the name of every live system until it returns false. */
void root_each(int root, bool (*each)(void *context, const char *runtime_id),
               void *context);

/* Whether the worker of the system is alive. */
bool system_alive(int root, const char *runtime_id);
/* Makes the system's directory with its lock held. HCS_E_SYSTEM_ALREADY_EXISTS
 * when there is one. Needs the root's lock. */
HRESULT system_make(int root, const char *runtime_id, int *lock,
                    struct hcs_error *error);
/* Removes the directory, all that is in it and the pipes it made. */
void system_remove(int root, const char *runtime_id);
/* A file of at most `limit` bytes in the system's directory, malloc'd. */
char *system_read(int root, const char *runtime_id, const char *name,
                  size_t limit);

/* A text as a name of fixed length; GUID_TEXT_SIZE bytes. */
void name_digest(const char *text, char out[37]);

/* A named pipe's file below ROOT/pipes: "\\.\pipe\" is dropped, case too (as
 * pipes have none) and every byte that could mean something is escaped.
 * HR_PATH_NOT_FOUND for a name that is no pipe's. */
#define PIPE_FILE_SIZE 96
HRESULT pipe_file(const char *name, char out[PIPE_FILE_SIZE],
                  struct hcs_error *error);
/* Connects to or listens at DIRECTORY/NAME, whatever the length of the
 * directory's own path. */
HRESULT socket_connect(int directory, const char *name, int *fd,
                       struct hcs_error *error);
HRESULT socket_listen(int directory, const char *name, int *fd,
                      struct hcs_error *error);

/* The ledger: a file ROOT/grants/WHO/DIGEST for each path that WHO (a runtime
 * id, or "all") may open; it holds the path. Changes take the root's lock. */
HRESULT grant_add(int root, const char *who, const char *path,
                  struct hcs_error *error);
HRESULT grant_remove(int root, const char *who, const char *path,
                     struct hcs_error *error);
/* Whether the path, or the directory it is in, was granted to either. */
bool grant_holds(int root, const char *runtime_id, const char *path);
/* With the root's lock held: drops what was granted of files that are gone. A
 * file that comes to be in their place is another, with no grants yet. */
void grants_sweep(int root);

#endif
