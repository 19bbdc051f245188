/* SPDX-License-Identifier: MIT
 * hcs-hostd: one process per state root that has networks. It holds the truth
 * about them, serves any number of connections, and ends when nobody is
 * connected and nothing is there. */
#ifndef HCS_HOSTD_DAEMON_H
#define HCS_HOSTD_DAEMON_H

#include <uv.h>

#include "../base/list.h"
#include "../base/random.h"
#include "../host/net/net.h"
#include "channel.h"

struct loader; /* store_load.c */

struct daemon {
    uv_loop_t loop;
    uv_prepare_t prepare; /* looks whether it is over, before each wait */
    uv_poll_t listener;
    uv_timer_t pause; /* of the listener, where there are no descriptors */
    uv_poll_t ground; /* the plane's own affairs */
    uv_idle_t load;   /* makes what was written down, one by one */
    uv_poll_t home;   /* what is removed of ROOT/net */
    uv_timer_t look;  /* at that */
    bool listening, tending;
    int listen_fd;
    int home_fd; /* or -1 */
    dev_t lock_device;
    ino_t lock_node;

    const char *root_path;
    int directory; /* ROOT/net */
    int objects[NET_KIND_COUNT];

    struct plane *plane;
    uint64_t own_rules; /* that the plane has before there is a network */
    struct net *net;
    /* While there is one, clients are greeted but not heard. */
    struct loader *loader;
    struct random random;
    struct link clients;
    struct link holds; /* of all clients */
    bool failed;       /* it cannot go on */
    bool told;         /* there are events that were not sent yet */
};

/* A port that goes with the connection that asked for it. */
struct hold {
    struct link of_client;
    struct link link; /* in daemon->holds */
    struct guid endpoint, port;
};

struct client {
    struct link link; /* in daemon->clients */
    struct daemon *daemon;
    struct channel channel;
    uv_poll_t poll;
    uv_poll_t peer; /* the process */
    int pidfd;
    int handles; /* libuv's that are not closed yet */
    bool gone;
    bool listens;
    bool deaf; /* it has missed an event */
    struct link holds;
};

/* --- daemon.c ------------------------------------------------------------- */

/* On ROOT/net, whose lock is held, before there is any thread: the plane, and
 * on it a net, and what the store has that is to be made on that. */
HRESULT daemon_open(struct daemon *daemon, const char *root_path, int directory,
                    struct hcs_error *error);
/* Listens, and serves `first` (taken over), until nothing is left. `error` is
 * there. */
HRESULT daemon_run(struct daemon *daemon, int first, struct hcs_error *error);
/* Also after a failed daemon_open. What is to last stays in the store; the
 * files of what does not are removed. */
void daemon_close(struct daemon *daemon);

/* --- home.c --------------------------------------------------------------- */

/* The daemon fails when its directory or its lock is taken away. */
void home_watch(struct daemon *daemon);
void home_leave(struct daemon *daemon);

/* --- clients.c ------------------------------------------------------------ */

HRESULT clients_listen(struct daemon *daemon, struct hcs_error *error);
void clients_stop_listening(struct daemon *daemon);
/* The socket has lost its name: another takes its place. */
void clients_listen_again(struct daemon *daemon);
/* Takes the descriptor over. */
HRESULT client_add(struct daemon *daemon, int fd, struct hcs_error *error);
/* Takes it over, too, and says why there is no service. */
void client_refuse(int fd, const struct hcs_error *error);
/* Ends the connection; it is freed once libuv has let go of it. */
void client_drop(struct client *client);
void clients_drop_all(struct daemon *daemon);
/* From now on they are heard. */
void clients_hear(struct daemon *daemon);
/* Queues the message, with `fd` (taken over) unless that is -1. A client that
 * cannot be told is dropped. */
void client_send(struct client *client, const struct hostd_message *message,
                 int fd);
/* For net_env: to those who listen; it is sent with clients_flush. */
void clients_tell(void *daemon, const struct net_event *event);
void clients_flush(struct daemon *daemon);

/* --- requests.c ----------------------------------------------------------- */

/* False: that was nothing a client may say, and the connection is to end. The
 * descriptor (or -1) stays the caller's. */
bool request_handle(struct client *client, const struct hostd_message *message,
                    int fd);
/* With `allowed`, for what may change something: an uplink. */
HRESULT request_uplink(struct daemon *daemon, bool allowed,
                       struct hcs_error *error);
/* A net_carrier. */
HRESULT request_carry(void *daemon, const struct net_request *request,
                      struct net_reply *reply);

/* --- holds.c -------------------------------------------------------------- */

/* What Attach{} and Detach{} ask for. `*tap` is the caller's, or -1. */
HRESULT hold_attach(struct client *client, const struct hostd_message *message,
                    int offered, struct mac_address *mac, int *tap,
                    struct hcs_error *error);
HRESULT hold_detach(struct client *client, const struct guid *endpoint,
                    struct hcs_error *error);
/* The connection ends: so do its ports. */
void holds_end(struct client *client);
bool hold_is_there(const struct daemon *daemon, const struct guid *endpoint);

/* --- plan.c --------------------------------------------------------------- */

/* What the request would change; *document is malloc'd. */
HRESULT plan_make(struct daemon *daemon, const struct net_request *request,
                  bool uplink, char **document, struct hcs_error *error);

/* --- store.c, store_load.c ------------------------------------------------ */

HRESULT store_open(struct daemon *daemon, struct hcs_error *error);
/* Making what was written down, on a net that is new: reads it all; then each
 * step makes one object, S_FALSE as long as there may be more. What cannot be
 * read or made is put aside (NAME.bad). */
HRESULT store_load_begin(struct daemon *daemon, struct hcs_error *error);
HRESULT store_load_step(struct daemon *daemon, struct hcs_error *error);
/* Forgets what is not made yet, if there is any. */
void store_load_end(struct daemon *daemon);
/* Writes down what has changed. HCN_E_REGKEY_FAILURE when something could not
 * be; it is tried again the next time. */
HRESULT store_sync(struct daemon *daemon, struct hcs_error *error);
/* For net_env: it is no more, and nor is its file. */
void store_forget(void *daemon, enum net_kind kind, const struct guid *id);
/* That the plane has an uplink is kept, too. */
void store_uplink(struct daemon *daemon);
bool store_has_uplink(const struct daemon *daemon);
/* Removes what says nothing, and the folders if nothing is in them. */
void store_close(struct daemon *daemon);

#define STORE_NAME_SIZE 48
void store_name(const struct guid *id, char out[STORE_NAME_SIZE]);

#endif
