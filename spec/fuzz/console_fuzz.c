/* SPDX-License-Identifier: MIT
 * A console with clients that come, read, type, fall behind and go in any
 * order: each gets all that was printed, in order, or is told how much it
 * missed; the keeper of the console gets all they typed. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/state/console.h"
#include "host/state/history.h"

#define CLIENTS 4
#define STEPS 64
#define LARGEST (128u * 1024)

struct reader {
    int fd; /* -1: not there */
    uint64_t place;
    struct buf got; /* what is not matched yet */
    bool typed_end;
};

struct world {
    struct console_set *set;
    struct console *console;
    uint64_t total;
    uint64_t typed, heard;
    bool replay, ended;
    struct reader readers[CLIENTS];
};

/* The guest's output repeats itself. No line begins with the notice's
 * bracket. */
#define PERIOD (61 * 23)
static char output[PERIOD + LARGEST];

static void fill_output(void) {
    for (size_t i = 0; i < sizeof output && !output[sizeof output - 1]; i++)
        output[i] = i % 61 == 0 ? '\n' : (char)('a' + i % 23);
}

static const char *output_at(uint64_t place) {
    return output + place % PERIOD;
}

static void on_input(void *context, const char *bytes, size_t length) {
    struct world *world = context;

    require(!world->ended && length > 0);
    for (size_t i = 0; i < length; i++)
        require(bytes[i] == 't');
    world->heard += length;
    require(world->heard <= world->typed);
}

static void print(struct world *world, size_t length) {
    const char *bytes = output_at(world->total);

    world->total += length;
    console_output(world->console, bytes, length);
}

static void attach(struct world *world, struct reader *reader, int room) {
    int fds[2];

    if (reader->fd >= 0)
        return;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                       fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    reader->fd = fds[1];
    reader->place = world->replay ? 0 : world->total;
    reader->typed_end = false;
    require(console_attach(world->console, fds[0], NULL) == S_OK);
}

static void leave(struct reader *reader) {
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    buf_free(&reader->got);
}

/* The length of a notice at the start of what came; 0: it is none; SIZE_MAX:
 * more must come first. */
static size_t notice(const struct buf *got, uint64_t *missed) {
    static const char mark[] = "\n[";
    const char *end;
    unsigned long long count = 0;
    int length = 0;

    if (got->length < 2)
        return got->data[0] == '\n' ? SIZE_MAX : 0;
    if (memcmp(got->data, mark, 2) != 0)
        return 0;
    end = memchr(got->data + 2, '\n', got->length - 2);
    if (!end)
        return SIZE_MAX;
    require(sscanf(got->data + 2, "\xe2\x80\xa6 %llu bytes not kept%n", &count,
                   &length) == 1 &&
            length > 0 && count > 0);
    *missed = count;
    return (size_t)(end - got->data) + 1;
}

/* Bytes before the next end of line. */
static size_t line_of(const struct buf *text) {
    const char *end = memchr(text->data + 1, '\n', text->length - 1);

    return end ? (size_t)(end - text->data) : text->length;
}

static void match(struct world *world, struct reader *reader, bool whole) {
    struct buf *got = &reader->got;
    size_t at = 0;

    while (at < got->length) {
        struct buf rest = {got->data + at, got->length - at, 0, false};
        uint64_t missed = 0;
        size_t length = rest.data[0] == '\n' ? notice(&rest, &missed) : 0;

        if (length == SIZE_MAX && !whole)
            break;
        if (length > 0 && length < SIZE_MAX) {
            require(reader->place >= HISTORY_HEAD_SIZE);
            reader->place += missed;
            at += length;
        } else {
            length = line_of(&rest);
            require(memcmp(rest.data, output_at(reader->place), length) == 0);
            reader->place += length;
            at += length;
        }
        require(reader->place <= world->total);
    }
    buf_consume(got, at);
}

/* False at the end of the connection. */
static bool read_some(struct world *world, struct reader *reader,
                      size_t length) {
    static char bytes[LARGEST];
    ssize_t count;

    if (reader->fd < 0)
        return false;
    count = recv(reader->fd, bytes, length, 0);
    if (count > 0)
        buf_add(&reader->got, bytes, (size_t)count);
    if (count > 0)
        match(world, reader, false);
    return count > 0;
}

static void type(struct world *world, struct reader *reader, size_t length) {
    char bytes[256];
    ssize_t sent;

    if (reader->fd < 0 || reader->typed_end)
        return;
    memset(bytes, 't', sizeof bytes);
    sent = send(reader->fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0)
        world->typed += (uint64_t)sent;
}

static void check_tail(const struct world *world, size_t most) {
    struct buf tail = {0};
    uint64_t start;

    console_tail(world->console, most, &tail);
    require(!tail.failed && tail.length <= most);
    start = world->total - tail.length;
    require(tail.length == 0 ||
            memcmp(tail.data, output_at(start), tail.length) == 0);
    buf_free(&tail);
}

static void do_step(struct world *world, struct input *input) {
    unsigned what = take(input);
    struct reader *reader = &world->readers[choose(input, CLIENTS)];
    unsigned much = take(input);

    switch (what % 9) {
    case 0:
        print(world, much * 16);
        return;
    case 1:
        print(world, much * 256);
        return;
    case 2:
        attach(world, reader, (int)much * 512);
        return;
    case 3:
        read_some(world, reader, much * 64 + 1);
        return;
    case 4:
        type(world, reader, much);
        return;
    case 5:
        if (reader->fd >= 0)
            reader->typed_end |= shutdown(reader->fd, SHUT_WR) == 0;
        return;
    case 6:
        if (what >= 128)
            leave(reader);
        return;
    case 7:
        console_set_pump(world->set);
        return;
    case 8:
        check_tail(world, much * 64);
        return;
    }
}

/* Everybody who stayed gets the rest and then the end. */
static void finish(struct world *world) {
    world->ended = true;
    console_end(world->console);
    for (int i = 0; i < CLIENTS; i++) {
        struct reader *reader = &world->readers[i];

        if (reader->fd < 0)
            continue;
        console_set_pump(world->set);
        while (read_some(world, reader, LARGEST))
            console_set_pump(world->set);
        require(recv(reader->fd, &(char){0}, 1, MSG_PEEK) <= 0);
        match(world, reader, true);
        require(reader->place == world->total);
    }
    /* Of those who left, all typed is read before their end is seen. */
    for (int i = 0; i < STEPS && !console_set_idle(world->set); i++)
        console_set_pump(world->set);
    require(console_set_idle(world->set));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    struct world world = {.replay = take(&input) & 1};

    fill_output();
    require(console_set_create(&world.set, NULL) == S_OK);
    require(console_create(world.set, world.replay, on_input, &world,
                           &world.console, NULL) == S_OK);
    for (int i = 0; i < CLIENTS; i++)
        world.readers[i].fd = -1;
    for (int i = 0; i < STEPS && input.left > 0; i++)
        do_step(&world, &input);
    finish(&world);
    for (int i = 0; i < CLIENTS; i++)
        leave(&world.readers[i]);
    console_set_destroy(world.set);
    return 0;
}
