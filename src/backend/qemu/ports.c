/* SPDX-License-Identifier: MIT
 * Serial ports. They are always drained: one that nobody reads would hold up
 * the whole guest. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Typed bytes that wait for the guest; what is beyond is dropped, as a UART
 * without flow control drops it. */
#define INPUT_LIMIT ((size_t)1 << 20)
#define LOG_TAIL ((size_t)16 << 10)
#define READS_AT_END 64

static void on_port(uv_poll_t *poll, int status, int events);

static void port_watch(struct port *port) {
    uv_poll_start(&port->poll,
                  port->input.length ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                  on_port);
}

static void port_send(struct port *port) {
    ssize_t sent;

    if (!port->open || port->input.length == 0)
        return;
    sent = send(port->fd, port->input.data, port->input.length,
                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        buf_consume(&port->input, (size_t)sent);
    port_watch(port);
}

static void on_typed(void *context, const char *bytes, size_t length) {
    struct port *port = context;

    if (!port->open || port->input.length + length > INPUT_LIMIT)
        return;
    buf_add(&port->input, bytes, length);
    port->input.failed = false;
    port_send(port);
}

/* One read; false at the end or when there is nothing more now. */
static bool port_read(struct port *port) {
    char bytes[32768];
    ssize_t got = recv(port->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    if (got <= 0) {
        uv_poll_stop(&port->poll);
        return false;
    }
    port->printed += (uint64_t)got;
    console_output(port->console, bytes, (size_t)got);
    return true;
}

static void on_port(uv_poll_t *poll, int status, int events) {
    struct port *port = poll->data;

    if (status < 0) {
        uv_poll_stop(poll);
        return;
    }
    if ((events & UV_READABLE) && !port_read(port))
        return;
    if (events & UV_WRITABLE)
        port_send(port);
}

static void on_client(uv_poll_t *poll, int status, int events) {
    struct port *port = poll->data;
    int fd;

    (void)events;
    if (status < 0)
        return;
    fd = accept4(port->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        console_attach(port->console, fd, NULL); /* takes it over */
}

static void on_consoles(uv_poll_t *poll, int status, int events) {
    struct machine *machine = poll->data;

    (void)events;
    if (status >= 0)
        console_set_pump(machine->consoles);
}

static HRESULT consoles_open(struct machine *machine, struct hcs_error *error) {
    HRESULT hr = console_set_create(&machine->consoles, error);

    if (FAILED(hr))
        return hr;
    if (uv_poll_init(machine->platform->loop, &machine->consoles_poll,
                     console_set_waitable(machine->consoles)) != 0)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "the consoles");
    machine->consoles_poll.data = machine;
    machine->consoles_open = true;
    machine_hold(machine);
    uv_poll_start(&machine->consoles_poll, UV_READABLE, on_consoles);
    return S_OK;
}

HRESULT ports_create(struct machine *machine, struct hcs_error *error) {
    static const char *const paths[QEMU_PORTS] = {"Devices.ComPorts.0",
                                                  "Devices.ComPorts.1"};
    HRESULT hr = consoles_open(machine, error);

    for (int i = 0; SUCCEEDED(hr) && i < QEMU_PORTS; i++) {
        struct port *port = &machine->ports[i];
        const struct json *device = json_at(machine->vm, paths[i]);
        const char *pipe = json_text(json_get(device, "NamedPipe"), "");

        if (!device || device->type != JSON_OBJECT)
            continue;
        port->machine = machine;
        port->pipe = pipe[0] ? pipe : NULL;
        hr = console_create(machine->consoles, machine->platform->replay,
                            on_typed, port, &port->console, error);
    }
    return hr;
}

static HRESULT port_listen(struct port *port, struct hcs_error *error) {
    const struct qemu_platform *platform = port->machine->platform;
    HRESULT hr = platform->pipe_listen(platform->context, port->pipe,
                                       &port->listen_fd, error);

    if (FAILED(hr))
        return hr;
    if (uv_poll_init(platform->loop, &port->listener, port->listen_fd) != 0) {
        close(port->listen_fd);
        platform->pipe_remove(platform->context, port->pipe);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "%s", port->pipe);
    }
    port->listener.data = port;
    port->listening = true;
    machine_hold(port->machine);
    uv_poll_start(&port->listener, UV_READABLE, on_client);
    return S_OK;
}

static HRESULT port_open(struct port *port, int *theirs,
                         struct hcs_error *error) {
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return error_errno(error, errno, "a serial port");
    if (uv_poll_init(port->machine->platform->loop, &port->poll, fds[0]) != 0) {
        close(fds[0]);
        close(fds[1]);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "a serial port");
    }
    port->fd = fds[0];
    port->poll.data = port;
    port->open = true;
    machine_hold(port->machine);
    port_watch(port);
    *theirs = fds[1];
    return port->pipe ? port_listen(port, error) : S_OK;
}

HRESULT ports_open(struct machine *machine, int theirs[QEMU_PORTS],
                   struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (int i = 0; i < QEMU_PORTS; i++)
        theirs[i] = -1;
    for (int i = 0; SUCCEEDED(hr) && i < QEMU_PORTS; i++)
        if (machine->ports[i].console)
            hr = port_open(&machine->ports[i], &theirs[i], error);
    return hr;
}

/* Bounded, since a guest that floods need never come to an end. */
void ports_drain(struct machine *machine) {
    for (int i = 0; i < QEMU_PORTS; i++) {
        struct port *port = &machine->ports[i];

        for (int n = 0; port->open && n < READS_AT_END; n++)
            if (!port_read(port))
                break;
    }
}

static void port_close(struct port *port) {
    const struct qemu_platform *platform;

    if (port->open) {
        port->open = false;
        uv_poll_stop(&port->poll);
        machine_close_handle(port->machine, (uv_handle_t *)&port->poll);
        close(port->fd);
    }
    if (port->listening) {
        platform = port->machine->platform;
        port->listening = false;
        uv_poll_stop(&port->listener);
        machine_close_handle(port->machine, (uv_handle_t *)&port->listener);
        close(port->listen_fd);
        platform->pipe_remove(platform->context, port->pipe);
    }
    buf_free(&port->input);
}

void ports_close(struct machine *machine, bool ended) {
    for (int i = 0; i < QEMU_PORTS; i++) {
        port_close(&machine->ports[i]);
        if (ended && machine->ports[i].console)
            console_end(machine->ports[i].console);
    }
}

void ports_destroy(struct machine *machine) {
    ports_close(machine, true);
    if (machine->consoles_open) {
        machine->consoles_open = false;
        console_set_pump(machine->consoles);
        uv_poll_stop(&machine->consoles_poll);
        machine_close_handle(machine, (uv_handle_t *)&machine->consoles_poll);
    }
    console_set_destroy(machine->consoles);
    machine->consoles = NULL;
    for (int i = 0; i < QEMU_PORTS; i++)
        machine->ports[i].console = NULL;
}

void ports_tail(struct machine *machine, struct buf *out) {
    for (int i = 0; i < QEMU_PORTS; i++) {
        const struct port *port = &machine->ports[i];
        uint64_t most = port->printed - port->before;

        if (!port->console)
            continue;
        if (most > 0)
            console_tail(port->console, most < LOG_TAIL ? most : LOG_TAIL, out);
        return;
    }
}

void ports_rebooted(struct machine *machine) {
    ports_drain(machine);
    for (int i = 0; i < QEMU_PORTS; i++)
        machine->ports[i].before = machine->ports[i].printed;
}

uint64_t ports_printed(const struct machine *machine) {
    uint64_t sum = 0;

    for (int i = 0; i < QEMU_PORTS; i++)
        sum += machine->ports[i].printed;
    return sum;
}

bool qemu_machine_quiet(const struct machine *machine) {
    return !machine || !machine->consoles ||
           console_set_idle(machine->consoles);
}
