/* SPDX-License-Identifier: MIT
 * Serial ports and their named pipes. A pipe exists while its machine is on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

static const char prefix[] = "\\\\.\\pipe\\";

/* NAME of "\\.\pipe\NAME"; a bare NAME is fine too. */
static const char *bare_name(const char *name) {
    char head[sizeof prefix];
    snprintf(head, sizeof head, "%s", name);
    return text_same_folded(head, prefix) ? name + sizeof prefix - 1 : name;
}

static int port_number(const char *key) {
    if (key[0] >= '0' && key[0] < '0' + SIM_PORTS && key[1] == '\0')
        return key[0] - '0';
    return -1;
}

HRESULT sim_ports_check(const struct json *config, struct hcs_error *error) {
    const struct json *ports = json_at(config, "Devices.ComPorts");
    if (!ports || ports->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < ports->as.object.count; i++) {
        char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.ComPorts";
        const struct json_member *port = &ports->as.object.members[i];
        if (port_number(port->name.text) >= 0)
            continue;
        json_path_member(path, &port->name);
        return error_set(error, HCS_E_INVALID_JSON, path,
                         "a machine has the serial ports 0 and 1");
    }
    return S_OK;
}

static struct sim_port *find_pipe(const struct sim *sim, const char *name) {
    for (struct link *l = sim->machines.next; l != &sim->machines;
         l = l->next) {
        struct machine *machine = HCS_CONTAINER(l, struct machine, link);
        for (size_t i = 0; i < SIM_PORTS; i++) {
            struct sim_port *port = &machine->ports[i];
            if (port->pipe && text_same_folded(port->pipe, bare_name(name)))
                return port;
        }
    }
    return NULL;
}

static void on_input(void *context, const char *bytes, size_t length) {
    struct sim_port *port = context;
    struct machine *machine = port->machine;
    if (!machine->on)
        return;
    if (guest_runs(machine))
        guest_deliver(machine, HcsHostGuestInput, bytes, length);
    else
        buf_add(&machine->typed, bytes, length);
}

static void system_name(const struct sim *sim, const char *name,
                        struct buf *out) {
    buf_puts(out, prefix);
    buf_puts(out, sim->pipe_prefix);
    buf_puts(out, bare_name(name));
}

/* Clients come by the new name only; those who are there stay. */
static HRESULT change_pipe(struct sim_port *port, const char *pipe,
                           struct hcs_error *error) {
    struct buf name = {0};
    char *copy = text_copy(bare_name(pipe));
    HRESULT hr = E_OUTOFMEMORY;
    system_name(port->machine->sim, pipe, &name);
    if (!copy || name.failed)
        error_set(error, hr, NULL, "no memory for a pipe");
    else
        hr = console_listen(port->console, name.data, error);
    buf_free(&name);
    if (FAILED(hr)) {
        free(copy);
        return hr;
    }
    free(port->pipe);
    port->pipe = copy;
    return hr;
}

static void remove_pipe(struct sim_port *port) {
    if (!port->pipe)
        return;
    console_unlisten(port->console);
    free(port->pipe);
    port->pipe = NULL;
}

/* A console outlives its machine's power until somebody needs a new one. */
static HRESULT open_port(struct sim_port *port, const char *pipe,
                         const char *path, struct hcs_error *error) {
    struct sim *sim = port->machine->sim;
    struct sim_port *rival = *pipe ? find_pipe(sim, pipe) : NULL;
    HRESULT hr = S_OK;
    if (rival && rival != port)
        return error_set(error, HR_SHARING_VIOLATION, path,
                         "the pipe \"%s\" belongs to the system \"%s\"", pipe,
                         rival->machine->id);
    if (!port->console)
        hr = console_create(sim->consoles, !sim->options.no_replay, on_input,
                            port, &port->console, error);
    if (FAILED(hr))
        return hr;
    if (!*pipe)
        remove_pipe(port);
    else if (!rival)
        hr = change_pipe(port, pipe, error);
    if (hr == HR_SHARING_VIOLATION)
        error_set(error, hr, path, "the pipe \"%s\" belongs to another program",
                  pipe);
    return hr;
}

HRESULT sim_ports_open(struct machine *machine, struct hcs_error *error) {
    const struct json *ports = json_at(machine->config, "Devices.ComPorts");
    HRESULT hr = S_OK;
    if (!ports || ports->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < ports->as.object.count && SUCCEEDED(hr); i++) {
        const struct json_member *member = &ports->as.object.members[i];
        const struct json_string leaf = {"NamedPipe", 9};
        char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.ComPorts";
        json_path_member(path, &member->name);
        json_path_member(path, &leaf);
        hr = open_port(&machine->ports[port_number(member->name.text)],
                       json_text(json_get(&member->value, "NamedPipe"), ""),
                       path, error);
    }
    if (FAILED(hr))
        sim_ports_close(machine);
    return hr;
}

void sim_ports_end(struct machine *machine) {
    for (size_t i = 0; i < SIM_PORTS; i++) {
        struct sim_port *port = &machine->ports[i];
        remove_pipe(port);
        if (port->console)
            console_end(port->console);
    }
}

void sim_ports_close(struct machine *machine) {
    for (size_t i = 0; i < SIM_PORTS; i++) {
        struct sim_port *port = &machine->ports[i];
        remove_pipe(port);
        console_destroy(port->console);
        port->console = NULL;
    }
}

HRESULT sim_port_rename(struct machine *machine, const char *number,
                        const char *pipe, struct hcs_error *error) {
    int i = port_number(number);
    if (i < 0)
        return error_set(error, HR_NOT_FOUND, "$.ResourcePath",
                         "a machine has the serial ports 0 and 1");
    return open_port(&machine->ports[i], pipe, "$.Settings.NamedPipe", error);
}

HRESULT sim_pipe_connect(struct sim *sim, const char *name, stream_native *out,
                         struct hcs_error *error) {
    struct sim_port *port = find_pipe(sim, name);
    if (!port)
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "there is no pipe \"%s\": it exists while its system "
                         "runs",
                         name);
    return console_connect(port->console, out, error);
}

HRESULT sim_pipe_path(struct sim *sim, const char *name, struct buf *out,
                      struct hcs_error *error) {
    if (!STREAM_HAS_NAMES)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the pipe \"%s\" is inside this process", name);
    system_name(sim, name, out);
    return S_OK;
}
