/* SPDX-License-Identifier: MIT
 * Serial ports and their named pipes. A pipe exists while its machine is on;
 * connecting gives one end of a socket pair, the other is the console's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim.h"

static const char prefix[] = "\\\\.\\pipe\\";

/* NAME of "\\.\pipe\NAME"; a bare NAME is fine too. */
static const char *bare_name(const char *name) {
    size_t length = sizeof prefix - 1;
    return strncasecmp(name, prefix, length) == 0 ? name + length : name;
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
        for (size_t i = 0; i < SIM_PORTS && machine->on; i++) {
            struct sim_port *port = &machine->ports[i];
            if (port->pipe && strcasecmp(port->pipe, bare_name(name)) == 0)
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

/* A console outlives its machine's power until somebody needs a new one. */
static HRESULT open_port(struct sim_port *port, const char *pipe,
                         const char *path, struct hcs_error *error) {
    struct sim *sim = port->machine->sim;
    struct sim_port *rival = *pipe ? find_pipe(sim, pipe) : NULL;
    char *copy = NULL;
    if (rival && rival != port)
        return error_set(error, HR_SHARING_VIOLATION, path,
                         "the pipe \"%s\" belongs to the system \"%s\"", pipe,
                         rival->machine->id);
    if (*pipe && !(copy = strdup(bare_name(pipe))))
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a pipe");
    if (!port->console) {
        HRESULT hr = console_create(sim->consoles, !sim->options.no_replay,
                                    on_input, port, &port->console, error);
        if (FAILED(hr)) {
            free(copy);
            return hr;
        }
    }
    free(port->pipe);
    port->pipe = copy;
    return S_OK;
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
        free(port->pipe);
        port->pipe = NULL;
        if (port->console)
            console_end(port->console);
    }
}

void sim_ports_close(struct machine *machine) {
    for (size_t i = 0; i < SIM_PORTS; i++) {
        struct sim_port *port = &machine->ports[i];
        free(port->pipe);
        port->pipe = NULL;
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

HRESULT sim_pipe_connect(struct sim *sim, const char *name, int *fd,
                         struct hcs_error *error) {
    struct sim_port *port = find_pipe(sim, name);
    int ends[2];
    if (!port)
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "there is no pipe \"%s\": it exists while its system "
                         "runs",
                         name);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(error, errno, "cannot connect to \"%s\"", name);
    HRESULT hr = console_attach(port->console, ends[0], error);
    if (FAILED(hr)) {
        close(ends[1]);
        return hr;
    }
    *fd = ends[1];
    return S_OK;
}
