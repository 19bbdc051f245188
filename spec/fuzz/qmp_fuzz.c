/* SPDX-License-Identifier: MIT
 * Whatever QEMU sends, cut anywhere: each command is answered once, the end is
 * told once, and nobody is called after that or after qmp_close. An event's
 * name says what the handler does about it. */
#include <sys/socket.h>
#include <unistd.h>

#include "backend/qemu/qmp.h"
#include "fuzz.h"

#define COMMANDS 32
#define READY "{\"QMP\":{}}\n{\"return\":{},\"id\":1}\n"

struct client {
    uv_loop_t loop;
    struct qmp *qmp; /* NULL: closed */
    unsigned sent, ready, ended;
    unsigned answers[COMMANDS];
    bool over; /* no call may come any more */
};

struct slot {
    struct client *client;
    unsigned place;
};

static struct slot slots[COMMANDS];

static void on_reply(void *context, const struct json *value,
                     const struct hcs_error *error) {
    struct slot *slot = context;

    require((value == NULL) == (error != NULL));
    require(!error || FAILED(error->code));
    require(++slot->client->answers[slot->place] == 1);
}

static void send_one(struct client *client) {
    struct slot *slot = &slots[client->sent];

    if (client->sent == COMMANDS || !client->qmp)
        return;
    *slot = (struct slot){client, client->sent++};
    qmp_send(client->qmp, "device_add", "{\"id\":\"a\"}", -1, on_reply, slot);
}

static void close_now(struct client *client) {
    qmp_close(client->qmp);
    client->qmp = NULL;
    client->over = true;
}

static void on_ready(void *context) {
    struct client *client = context;

    require(++client->ready == 1 && !client->over);
}

static void on_event(void *context, const char *name, const struct json *data) {
    struct client *client = context;

    require(!client->over && client->ready == 1);
    if (strcmp(name, "SEND") == 0)
        send_one(client);
    else if (strcmp(name, "CLOSE") == 0)
        close_now(client);
    else
        (void)json_text(json_get(data, "device"), NULL);
}

static void on_closed(void *context, const struct hcs_error *error) {
    struct client *client = context;

    require(FAILED(error->code) && !client->over);
    require(++client->ended == 1);
    client->over = true;
    for (unsigned i = 0; i < client->sent; i++)
        require(client->answers[i] == 1);
}

/* Through the socket, so that failures take their usual way. */
static void feed(struct client *client, int other, const char *bytes,
                 size_t length, size_t step) {
    while (length > 0 && !client->over) {
        size_t part = length < step ? length : step;

        if (send(other, bytes, part, MSG_NOSIGNAL) != (ssize_t)part)
            break;
        uv_run(&client->loop, UV_RUN_NOWAIT);
        bytes += part;
        length -= part;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    struct client client = {0};
    struct qmp_handler handler = {on_ready, on_event, on_closed, &client};
    unsigned way = take(&input);
    size_t step = take(&input) * 16 + 1;
    int fds[2];

    require(uv_loop_init(&client.loop) == 0);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    require(qmp_open(&client.loop, fds[0], &handler, &client.qmp, NULL) ==
            S_OK);
    if (way & 1)
        feed(&client, fds[1], READY, sizeof READY - 1, step);
    for (unsigned i = 0; client.ready && i < (way >> 1) % 4; i++)
        send_one(&client);
    feed(&client, fds[1], (const char *)input.next, input.left, step);
    if (way & 16)
        close_now(&client);
    close(fds[1]);
    while (!client.over)
        uv_run(&client.loop, UV_RUN_ONCE);
    send_one(&client); /* answered at once */
    if (client.qmp)
        close_now(&client);
    uv_run(&client.loop, UV_RUN_DEFAULT);
    require(uv_loop_close(&client.loop) == 0);
    return 0;
}
