/* SPDX-License-Identifier: MIT
 * The library and workers that are not ours: whatever they send, every
 * operation is answered once, events are those of the ABI and come to an end
 * with the exit, and everything is freed with its handle.
 *
 * Each line of the input is a step; its first two letters say what and which
 * of the systems: "n0" makes one, "o0" opens one, "x0" closes it, "s0…" submits
 * (the third letter says what), "l0" closes an operation, "c0" cancels one,
 * "w0" breaks the worker's end, "m0…" has the worker send a message, "b0…"
 * bytes as they are, "p0" pumps. */
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/hcshost.h"
#include "base/utf.h"
#include "fuzz.h"
#include "host/host.h"
#include "host/store_worker_private.h"

#define SYSTEMS 3
#define OPERATIONS 8
#define STEPS 60
#define DOCUMENT                                                     \
    u"{\"Owner\":\"a\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5}," \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"      \
    u"\"KernelFilePath\":\"/k\"}},\"ComputeTopology\":{\"Memory\":{" \
    u"\"SizeInMB\":64},\"Processor\":{\"Count\":1}}}}"

/* --- a store whose workers are played here ------------------------------- */

struct far {
    struct worker_store store;
    int ends[SYSTEMS]; /* the workers' */
    unsigned at;       /* whose turn it is to be made */
};

static struct far far_side;

static HRESULT line_on(struct store_sink *sink, struct store_line **out,
                       struct hcs_error *error) {
    int fds[2];

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                       fds) == 0);
    if (far_side.ends[far_side.at] >= 0)
        close(far_side.ends[far_side.at]);
    far_side.ends[far_side.at] = fds[1];
    return line_new(&far_side.store, "a", fds[0], sink, out, error);
}

static HRESULT far_create(struct store *store, const char *id,
                          struct json_doc *document, struct store_sink *sink,
                          struct store_request request, struct store_line **out,
                          struct hcs_error *error) {
    struct message message = {.kind = MESSAGE_CREATE, .id = id};
    HRESULT hr;

    (void)store;
    json_doc_free(document);
    hr = line_on(sink, out, error);
    if (SUCCEEDED(hr))
        line_request(*out, &message, request);
    return hr;
}

static HRESULT far_open(struct store *store, const char *id,
                        struct store_sink *sink, struct store_line **out,
                        struct hcs_error *error) {
    (void)store;
    (void)id;
    return line_on(sink, out, error);
}

static HRESULT far_enumerate(struct store *store, const struct json *query,
                             struct buf *out, struct hcs_error *error) {
    (void)store;
    (void)query;
    (void)error;
    buf_puts(out, "[]");
    return S_OK;
}

static hcs_waitable far_waitable(struct store *store) {
    return worker_store_of(store)->epoll;
}

static bool far_pump(struct store *store) {
    struct epoll_event event;
    int count = 0;

    while (count < 64 &&
           epoll_wait(worker_store_of(store)->epoll, &event, 1, 0) == 1) {
        line_handle(event.data.ptr, event.events);
        count++;
    }
    return count > 0;
}

static void far_inventory(struct store *store, struct store_inventory *out) {
    (void)store;
    (void)out;
}

static void far_destroy(struct store *base) {
    struct worker_store *store = worker_store_of(base);

    while (!link_alone(&store->lines))
        line_end(HCS_CONTAINER(store->lines.next, struct store_line, link));
    close(store->epoll);
}

static const struct store_ops far_ops = {
    .create = far_create,
    .open = far_open,
    .submit = line_submit,
    .close = line_close,
    .abandon = line_abandon,
    .enumerate = far_enumerate,
    .inventory = far_inventory,
    .waitable = far_waitable,
    .pump = far_pump,
    .destroy = far_destroy,
};

/* --- the client ---------------------------------------------------------- */

struct use {
    HCS_OPERATION operation;
    unsigned begun, ended; /* its uses, and callbacks about their ends */
};

struct world {
    HCSHOST host;
    HCS_SYSTEM systems[SYSTEMS];
    unsigned exits[SYSTEMS];
    struct use uses[OPERATIONS];
};

static void on_operation(HCS_OPERATION operation, void *context) {
    struct use *use = context;

    require(use->operation == operation);
    require(++use->ended <= use->begun);
}

static void on_event(HCS_EVENT *event, void *context) {
    unsigned *exits = context;

    require(*exits == 0); /* nothing comes after it */
    require(event->Type > HcsEventInvalid &&
            event->Type <= HcsEventSystemGuestConnectionClosed);
    require(event->Operation == NULL);
    if (event->Type == HcsEventSystemExited)
        ++*exits;
}

static struct use *free_use(struct world *world) {
    for (int i = 0; i < OPERATIONS; i++) {
        struct use *use = &world->uses[i];

        if (!use->operation) {
            *use = (struct use){0};
            use->operation = HcsCreateOperation(use, on_operation);
            require(use->operation != NULL);
        }
        if (use->begun == use->ended)
            return use;
    }
    return NULL;
}

static void listen_to(struct world *world, unsigned n) {
    world->exits[n] = 0;
    HcsSetComputeSystemCallback(world->systems[n], HcsEventOptionNone,
                                &world->exits[n], on_event);
}

static void make(struct world *world, unsigned n) {
    struct use *use = free_use(world);

    if (world->systems[n] || !use)
        return;
    far_side.at = n;
    use->begun++;
    require(SUCCEEDED(HcsCreateComputeSystem(u"a", DOCUMENT, use->operation,
                                             NULL, &world->systems[n])));
    listen_to(world, n);
}

static void open_one(struct world *world, unsigned n) {
    if (world->systems[n])
        return;
    far_side.at = n;
    require(HcsOpenComputeSystem(u"a", GENERIC_ALL, &world->systems[n]) ==
            S_OK);
    listen_to(world, n);
}

static void close_one(struct world *world, unsigned n) {
    if (world->systems[n])
        HcsCloseComputeSystem(world->systems[n]);
    world->systems[n] = NULL;
}

static void submit(struct world *world, unsigned n, char what) {
    static HRESULT (*const calls[])(HCS_SYSTEM, HCS_OPERATION, PCWSTR) = {
        HcsStartComputeSystem,     HcsShutDownComputeSystem,
        HcsTerminateComputeSystem, HcsPauseComputeSystem,
        HcsResumeComputeSystem,    HcsGetComputeSystemProperties,
    };
    struct use *use = free_use(world);

    if (!world->systems[n] || !use)
        return;
    use->begun++;
    if (FAILED(calls[(unsigned char)what % HCS_COUNT(calls)](
            world->systems[n], use->operation, NULL)))
        use->begun--;
}

static void drop_use(struct use *use) {
    if (use->operation)
        HcsCloseOperation(use->operation);
    use->operation = NULL;
}

/* --- the workers --------------------------------------------------------- */

static void send_bytes(int fd, const char *bytes, size_t length) {
    if (fd >= 0)
        (void)!send(fd, bytes, length, MSG_NOSIGNAL);
}

static void send_message(int fd, const char *text, size_t length) {
    char head[4];

    for (int i = 0; i < 4; i++)
        head[i] = (char)(unsigned char)(length >> (8 * i));
    send_bytes(fd, head, sizeof head);
    send_bytes(fd, text, length);
}

static void break_end(unsigned n) {
    if (far_side.ends[n] >= 0)
        close(far_side.ends[n]);
    far_side.ends[n] = -1;
}

/* --- the play ------------------------------------------------------------ */

static void do_step(struct world *world, struct input *input) {
    size_t length;
    const char *line = take_until(input, '\n', &length);
    unsigned place, n;

    if (length < 2)
        return;
    place = (unsigned char)line[1];
    n = place % SYSTEMS;
    switch (line[0]) {
    case 'n':
        make(world, n);
        return;
    case 'o':
        open_one(world, n);
        return;
    case 'x':
        close_one(world, n);
        return;
    case 's':
        submit(world, n, length > 2 ? line[2] : 0);
        return;
    case 'l':
        drop_use(&world->uses[place % OPERATIONS]);
        return;
    case 'c':
        if (world->uses[place % OPERATIONS].operation)
            HcsCancelOperation(world->uses[place % OPERATIONS].operation);
        return;
    case 'w':
        break_end(n);
        return;
    case 'm':
        send_message(far_side.ends[n], line + 2, length - 2);
        return;
    case 'b':
        send_bytes(far_side.ends[n], line + 2, length - 2);
        return;
    default:
        hcshost_step(world->host, 0, 0, NULL);
        return;
    }
}

static void replace_store(HCSHOST host) {
    struct object *object = handle_get(host, HANDLE_HOST);
    struct host *inside = HCS_CONTAINER(object, struct host, object);

    memset(&far_side, 0, sizeof far_side);
    far_side.store.store.ops = &far_ops;
    far_side.store.config.build = HOST_BUILD_DEFAULT;
    far_side.store.root = -1;
    far_side.store.epoll = epoll_create1(EPOLL_CLOEXEC);
    link_init(&far_side.store.lines);
    for (unsigned n = 0; n < SYSTEMS; n++)
        far_side.ends[n] = -1;
    inside->store->ops->destroy(inside->store);
    inside->store = &far_side.store.store;
    object_unref(object);
}

static void require_nothing_left(HCSHOST host) {
    PWSTR document = NULL;
    char *text = NULL;

    require(hcshost_inventory(host, &document) == S_OK);
    require(utf8_from_utf16(document, utf16_length(document), &text, NULL,
                            NULL) == S_OK);
    require(strstr(text, "\"Handles\":0,\"Operations\":0,") != NULL);
    free(text);
    LocalFree(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world = {0};
    struct input input = {data, size};

    require(hcshost_open("sim:?driver=step", &world.host, NULL) == S_OK);
    require(hcshost_enter(world.host, NULL) == S_OK);
    replace_store(world.host);
    make(&world, 0);
    for (int i = 0; i < STEPS && input.left > 0; i++)
        do_step(&world, &input);
    if (size % 2 == 0)
        for (unsigned n = 0; n < SYSTEMS; n++)
            close_one(&world, n);
    for (unsigned n = 0; n < SYSTEMS; n++)
        break_end(n);
    hcshost_step(world.host, 0, 0, NULL);
    for (int i = 0; i < OPERATIONS; i++)
        require(!world.uses[i].operation ||
                world.uses[i].begun == world.uses[i].ended);
    for (unsigned n = 0; n < SYSTEMS; n++)
        close_one(&world, n);
    for (int i = 0; i < OPERATIONS; i++)
        drop_use(&world.uses[i]);
    hcshost_step(world.host, 0, 0, NULL);
    require(link_alone(&far_side.store.lines));
    require_nothing_left(world.host);
    require(hcshost_enter(NULL, NULL) == S_OK);
    require(hcshost_close(world.host) == S_OK);
    return 0;
}
