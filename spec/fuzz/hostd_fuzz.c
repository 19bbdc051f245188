/* SPDX-License-Identifier: MIT
 * The daemon of networks and clients that are not ours: whatever they send, in
 * whatever order they come and go, the daemon lives, what it has can be written
 * down and read again, and everything is freed with it. The plane is the
 * simulated one.
 *
 * Each line of the input is a step; its first two letters say what and which
 * of the clients: "o0" connects, "c0" goes, "r0" reads, "m0…" sends a message,
 * "f0…" sends one with a descriptor, "b0…" sends bytes as they are, "k0" ends
 * the daemon and begins the next, which has no clients, "w0" writes the rest of
 * the line into the first network's file before that. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "hostd/daemon.h"

#define CLIENTS 4
#define STEPS 60

/* --- the daemon ---------------------------------------------------------- */

static char root[64];
static int directory = -1;

/* At the fuzzer's end. */
static void remove_root(void) {
    unlinkat(directory, "uplink", 0);
    close(directory);
    directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unlinkat(directory, "net", AT_REMOVEDIR);
    close(directory);
    rmdir(root);
}

static void find_root(void) {
    char path[80];

    if (directory >= 0)
        return;
    snprintf(root, sizeof root, "/tmp/hcs-fuzz-XXXXXX");
    require(mkdtemp(root) != NULL);
    snprintf(path, sizeof path, "%s/net", root);
    require(mkdir(path, 0700) == 0);
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(directory >= 0 && atexit(remove_root) == 0);
}

static void begin(struct daemon *daemon) {
    HRESULT hr;

    require(daemon_open(daemon, root, directory, NULL) == S_OK);
    do
        hr = store_load_step(daemon, NULL);
    while (hr == S_FALSE);
    require(hr == S_OK);
    require(uv_loop_init(&daemon->loop) == 0);
}

static void run(struct daemon *daemon) {
    for (int i = 0; i < 8; i++) {
        uv_run(&daemon->loop, UV_RUN_NOWAIT);
        clients_flush(daemon);
    }
}

static void end(struct daemon *daemon) {
    clients_drop_all(daemon);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    require(link_alone(&daemon->holds));
    require(uv_loop_close(&daemon->loop) == 0);
    daemon_close(daemon);
}

/* Every file of a kind that is one of ours; `text`: what becomes of the first,
 * else they are removed. */
static void each_file(const char *kind, const char *text, size_t length) {
    char path[64];
    struct dirent *entry;
    DIR *list;
    int fd;

    snprintf(path, sizeof path, "objects/%s", kind);
    fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list = fd >= 0 ? fdopendir(fd) : NULL;
    while (list && (entry = readdir(list))) {
        int file;

        if (entry->d_name[0] == '.')
            continue;
        if (!text) {
            unlinkat(dirfd(list), entry->d_name, 0);
            continue;
        }
        file = openat(dirfd(list), entry->d_name, O_WRONLY | O_TRUNC);
        require(file >= 0 && write(file, text, length) == (ssize_t)length);
        close(file);
        break;
    }
    if (list)
        closedir(list);
}

/* --- the clients --------------------------------------------------------- */

static void connect_one(struct daemon *daemon, struct channel *client) {
    int fds[2];

    if (client->fd >= 0)
        return;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                       fds) == 0);
    channel_open(client, fds[0]);
    require(client_add(daemon, fds[1], NULL) == S_OK);
}

/* What a daemon sends is whole messages, and of its kinds. */
static void read_all(struct channel *client) {
    struct hostd_message message;
    struct json_doc doc;
    HRESULT hr;
    int fd;

    if (client->fd < 0)
        return;
    do {
        hr = channel_receive(client, NULL);
        require(hr != HCS_E_PROTOCOL_ERROR);
        while (channel_next(client, &message, &doc, &fd, NULL) == S_OK) {
            require(message.kind == HOSTD_HELLO ||
                    message.kind == HOSTD_REPLY || message.kind == HOSTD_EVENT);
            if (fd >= 0)
                close(fd);
            json_doc_free(&doc);
        }
    } while (hr == S_OK);
    require(channel_next(client, &message, &doc, &fd, NULL) == S_FALSE);
}

static void send_bytes(struct channel *client, const char *bytes,
                       size_t length) {
    if (client->fd >= 0)
        (void)!send(client->fd, bytes, length, MSG_NOSIGNAL);
}

static void send_message(struct channel *client, const char *text,
                         size_t length) {
    char head[4];

    for (int i = 0; i < 4; i++)
        head[i] = (char)(unsigned char)(length >> (8 * i));
    send_bytes(client, head, sizeof head);
    send_bytes(client, text, length);
}

static void send_descriptor(struct channel *client) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    char nothing = 0;
    struct iovec part = {&nothing, 1};
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control.room,
                          .msg_controllen = sizeof control.room};

    if (client->fd < 0)
        return;
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &client->fd, sizeof(int));
    (void)!sendmsg(client->fd, &head, MSG_NOSIGNAL);
}

/* With the first byte of its length, so that of up to 256 bytes. */
static void send_with(struct channel *client, const char *text, size_t length) {
    char head[4] = {0};

    if (length % 256 != 0)
        return;
    send_descriptor(client);
    head[0] = (char)(unsigned char)(length >> 8);
    send_bytes(client, head, 3);
    send_bytes(client, text, length);
}

static void do_step(struct daemon *daemon, struct channel *clients,
                    struct input *input) {
    size_t length;
    const char *line = take_until(input, '\n', &length);
    struct channel *client;

    if (length < 2)
        return;
    client = &clients[(unsigned char)line[1] % CLIENTS];
    switch (line[0]) {
    case 'o':
        connect_one(daemon, client);
        break;
    case 'c':
        channel_close(client);
        break;
    case 'r':
        read_all(client);
        break;
    case 'm':
        send_message(client, line + 2, length - 2);
        return; /* several may arrive at once */
    case 'f':
        send_with(client, line + 2, length - 2);
        return;
    case 'b':
        send_bytes(client, line + 2, length - 2);
        return;
    case 'w':
    case 'k':
        run(daemon);
        end(daemon);
        if (line[0] == 'w')
            each_file("networks", line + 2, length - 2);
        begin(daemon);
        break;
    default:
        break;
    }
    run(daemon);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct daemon daemon;
    struct channel clients[CLIENTS];
    struct input input = {data, size};

    find_root();
    begin(&daemon);
    for (int i = 0; i < CLIENTS; i++)
        channel_open(&clients[i], -1);
    connect_one(&daemon, &clients[0]);
    for (int i = 0; i < STEPS && input.left > 0; i++)
        do_step(&daemon, clients, &input);
    run(&daemon);
    for (int i = 0; i < CLIENTS && size % 2 == 0; i++)
        channel_close(&clients[i]);
    run(&daemon);
    end(&daemon);
    for (int i = 0; i < CLIENTS; i++) {
        read_all(&clients[i]);
        channel_close(&clients[i]);
    }
    each_file("networks", NULL, 0);
    each_file("endpoints", NULL, 0);
    each_file("namespaces", NULL, 0);
    return 0;
}
