/* SPDX-License-Identifier: MIT
 * A console keeps one history and each client a place in it, so that clients
 * cost the same however slow they are: one that falls behind what is kept is
 * told how much it missed and goes on from there. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/list.h"

#define NOTICE_SIZE 64
#define INPUT_CHUNK 4096
#define EVENTS_AT_ONCE 32

struct console_set {
    int epoll;
    bool pumping;
    struct link consoles;
    struct link dead; /* clients that a pump under way may still name */
};

struct client {
    struct link link;
    struct console *console; /* NULL: dead */
    int fd;
    uint64_t place; /* in the guest's output, of the next byte to send */
    char notice[NOTICE_SIZE]; /* to be sent before that */
    size_t notice_length;
    bool deaf;    /* it sends nothing any more */
    bool waiting; /* for room in its socket */
};

struct console {
    struct link link;
    struct console_set *set;
    void (*input)(void *context, const char *bytes, size_t length);
    void *context;
    bool replay;
    bool ended;
    struct link clients;
    uint64_t total;   /* bytes the guest has printed */
    struct buf head;  /* the first CONSOLE_HEAD_SIZE of them */
    char *tail;       /* a ring of the last ones that are not in `head` */
    size_t tail_room; /* grows up to CONSOLE_TAIL_SIZE */
    size_t tail_size;
};

/* --- what is kept ----------------------------------------------------- */

static uint64_t tail_start(const struct console *console) {
    return console->total - console->tail_size;
}

/* Byte `position` of the output lies at this index of the ring. */
static size_t ring_index(const struct console *console, uint64_t position) {
    uint64_t since_head = position - console->head.length;
    return (size_t)(since_head % console->tail_room);
}

/* Makes the ring larger. What lies in it is moved to where a ring of the new
 * size has it. Without memory the ring stays as it is and keeps less. */
static void grow_tail(struct console *console, size_t wanted) {
    size_t room = console->tail_room ? console->tail_room : 4096;
    while (room < wanted && room < CONSOLE_TAIL_SIZE)
        room *= 2;
    if (room <= console->tail_room)
        return;
    char *larger = malloc(room);
    if (!larger)
        return;
    for (uint64_t p = tail_start(console); p < console->total; p++)
        larger[(size_t)((p - console->head.length) % room)] =
            console->tail[ring_index(console, p)];
    free(console->tail);
    console->tail = larger;
    console->tail_room = room;
}

static void keep_in_tail(struct console *console, const char *bytes,
                         size_t length) {
    if (console->tail_size + length > console->tail_room)
        grow_tail(console, console->tail_size + length);
    if (console->tail_room == 0) {
        console->total += length;
        return;
    }
    while (length > 0) {
        size_t at = ring_index(console, console->total);
        size_t part = console->tail_room - at;
        if (part > length)
            part = length;
        memcpy(console->tail + at, bytes, part);
        console->total += part;
        bytes += part;
        length -= part;
        console->tail_size += part;
        if (console->tail_size > console->tail_room)
            console->tail_size = console->tail_room;
    }
}

static void keep(struct console *console, const char *bytes, size_t length) {
    size_t part = 0;
    if (console->total == console->head.length &&
        console->head.length < CONSOLE_HEAD_SIZE && !console->head.failed) {
        part = CONSOLE_HEAD_SIZE - console->head.length;
        if (part > length)
            part = length;
        buf_add(&console->head, bytes, part);
        if (console->head.failed)
            part = 0;
        console->total += part;
    }
    if (part < length)
        keep_in_tail(console, bytes + part, length - part);
}

/* The longest piece in one block from `position` on; *length 0: it is not
 * kept, or not printed yet. */
static const char *piece(const struct console *console, uint64_t position,
                         size_t *length) {
    *length = 0;
    if (position < console->head.length) {
        *length = console->head.length - (size_t)position;
        return console->head.data + position;
    }
    if (position < tail_start(console) || position >= console->total)
        return NULL;
    size_t at = ring_index(console, position);
    uint64_t left = console->total - position;
    *length = console->tail_room - at;
    if (*length > left)
        *length = (size_t)left;
    return console->tail + at;
}

/* --- clients ---------------------------------------------------------- */

static void bury(struct console_set *set) {
    while (!link_alone(&set->dead)) {
        struct link *first = set->dead.next;
        link_remove(first);
        free(HCS_CONTAINER(first, struct client, link));
    }
}

static void drop_client(struct client *client) {
    struct console_set *set = client->console->set;
    close(client->fd); /* which takes it off the epoll set */
    client->fd = -1;
    client->console = NULL;
    link_remove(&client->link);
    link_append(&set->dead, &client->link);
    if (!set->pumping)
        bury(set);
}

static bool watch_client(struct client *client, int operation) {
    struct epoll_event event = {.events =
                                    (client->deaf ? 0u : (uint32_t)EPOLLIN) |
                                    (client->waiting ? (uint32_t)EPOLLOUT : 0u),
                                .data.ptr = client};
    return epoll_ctl(client->console->set->epoll, operation, client->fd,
                     &event) == 0;
}

/* A client that has fallen behind gets a notice and the oldest that is kept. */
static void skip_gap(struct client *client) {
    const struct console *console = client->console;
    uint64_t start = tail_start(console);
    if (client->place < console->head.length || client->place >= start)
        return;
    int length = snprintf(client->notice, sizeof client->notice,
                          "\n[\xe2\x80\xa6 %llu bytes not kept \xe2\x80\xa6]\n",
                          (unsigned long long)(start - client->place));
    client->notice_length = length > 0 ? (size_t)length : 0;
    client->place = start;
}

/* The bytes sent; 0: no room now; -1: the client is gone. */
static ssize_t push(int fd, const char *bytes, size_t length) {
    ssize_t sent;
    do
        sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return sent;
}

static ssize_t send_notice(struct client *client) {
    ssize_t sent = push(client->fd, client->notice, client->notice_length);
    if (sent > 0) {
        client->notice_length -= (size_t)sent;
        memmove(client->notice, client->notice + sent, client->notice_length);
    }
    return sent;
}

static ssize_t send_piece(struct client *client) {
    size_t length;
    const char *bytes = piece(client->console, client->place, &length);
    ssize_t sent = push(client->fd, bytes, length);
    if (sent > 0)
        client->place += (uint64_t)sent;
    return sent;
}

static bool has_more(const struct client *client) {
    return client->notice_length > 0 || client->place < client->console->total;
}

/* Sends what the client's socket takes; false when the client was dropped. */
static bool feed(struct client *client) {
    ssize_t sent = 1;
    while (sent > 0 && has_more(client)) {
        if (client->notice_length == 0)
            skip_gap(client);
        sent = client->notice_length > 0 ? send_notice(client)
                                         : send_piece(client);
    }
    if (sent < 0 || (client->console->ended && !has_more(client))) {
        drop_client(client);
        return false;
    }
    if (client->waiting == has_more(client))
        return true;
    client->waiting = has_more(client);
    if (!watch_client(client, EPOLL_CTL_MOD)) {
        drop_client(client);
        return false;
    }
    return true;
}

/* Reads what the client typed. At its end only output is left to do. */
static void listen_to(struct client *client) {
    char bytes[INPUT_CHUNK];
    ssize_t count = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) {
        struct console *console = client->console;
        if (console->input && !console->ended)
            console->input(console->context, bytes, (size_t)count);
    } else if (count == 0) {
        client->deaf = true;
        if (!watch_client(client, EPOLL_CTL_MOD))
            drop_client(client);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        drop_client(client);
    }
}

static void handle(struct client *client, uint32_t events) {
    if (client->console && (events & EPOLLIN))
        listen_to(client);
    if (client->console && (events & (EPOLLHUP | EPOLLERR)) &&
        !(events & EPOLLIN)) {
        drop_client(client);
        return;
    }
    if (client->console && (events & EPOLLOUT))
        feed(client);
}

HRESULT console_attach(struct console *console, int fd,
                       struct hcs_error *error) {
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no memory for a console's client");
    }
    client->console = console;
    client->fd = fd;
    client->place = console->replay ? 0 : console->total;
    link_init(&client->link);
    link_append(&console->clients, &client->link);
    if (!watch_client(client, EPOLL_CTL_ADD)) {
        int number = errno;
        drop_client(client);
        return error_errno(error, number, "cannot watch a console's client");
    }
    feed(client);
    return S_OK;
}

/* --- consoles --------------------------------------------------------- */

HRESULT console_create(struct console_set *set, bool replay,
                       void (*input)(void *context, const char *bytes,
                                     size_t length),
                       void *context, struct console **out,
                       struct hcs_error *error) {
    struct console *console = calloc(1, sizeof *console);
    if (!console)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a console");
    console->set = set;
    console->replay = replay;
    console->input = input;
    console->context = context;
    link_init(&console->clients);
    link_append(&set->consoles, &console->link);
    *out = console;
    return S_OK;
}

void console_destroy(struct console *console) {
    if (!console)
        return;
    while (!link_alone(&console->clients))
        drop_client(HCS_CONTAINER(console->clients.next, struct client, link));
    link_remove(&console->link);
    buf_free(&console->head);
    free(console->tail);
    free(console);
}

static void feed_all(struct console *console) {
    struct link *next;
    for (struct link *l = console->clients.next; l != &console->clients;
         l = next) {
        struct client *client = HCS_CONTAINER(l, struct client, link);
        next = l->next;
        if (!client->waiting)
            feed(client);
    }
}

void console_output(struct console *console, const char *bytes, size_t length) {
    if (length == 0)
        return;
    keep(console, bytes, length);
    feed_all(console);
}

void console_end(struct console *console) {
    console->ended = true;
    feed_all(console);
}

/* Copies from a place that is kept to the end. */
static void copy_from(const struct console *console, uint64_t place,
                      struct buf *out) {
    size_t length;
    const char *bytes;
    while ((bytes = piece(console, place, &length)) && length > 0) {
        buf_add(out, bytes, length);
        place += length;
    }
}

static char byte_at(const struct console *console, uint64_t position) {
    size_t length;
    return *piece(console, position, &length);
}

void console_tail(const struct console *console, size_t most, struct buf *out) {
    uint64_t oldest = tail_start(console);
    uint64_t place;
    if (oldest <= console->head.length)
        oldest = 0;
    place = console->total - oldest > most ? console->total - most : oldest;
    if (place > 0) {
        uint64_t line = place;
        bool starts = place > oldest && byte_at(console, place - 1) == '\n';
        while (!starts && line < console->total &&
               byte_at(console, line) != '\n')
            line++;
        if (!starts && line < console->total)
            place = line + 1;
    }
    copy_from(console, place, out);
}

/* --- sets ------------------------------------------------------------- */

HRESULT console_set_create(struct console_set **out, struct hcs_error *error) {
    struct console_set *set = calloc(1, sizeof *set);
    if (!set)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for consoles");
    link_init(&set->consoles);
    link_init(&set->dead);
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0) {
        int number = errno;
        free(set);
        return error_errno(error, number, "cannot watch consoles");
    }
    *out = set;
    return S_OK;
}

void console_set_destroy(struct console_set *set) {
    if (!set)
        return;
    while (!link_alone(&set->consoles))
        console_destroy(
            HCS_CONTAINER(set->consoles.next, struct console, link));
    bury(set);
    close(set->epoll);
    free(set);
}

int console_set_pollfd(const struct console_set *set) {
    return set->epoll;
}

void console_set_pump(struct console_set *set) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(set->epoll, events, EVENTS_AT_ONCE, 0);
    set->pumping = true;
    for (int i = 0; i < count; i++)
        handle(events[i].data.ptr, events[i].events);
    set->pumping = false;
    bury(set);
}

bool console_set_idle(const struct console_set *set) {
    for (struct link *l = set->consoles.next; l != &set->consoles; l = l->next)
        if (!link_alone(&HCS_CONTAINER(l, struct console, link)->clients))
            return false;
    return true;
}
