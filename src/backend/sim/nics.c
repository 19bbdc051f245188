/* SPDX-License-Identifier: MIT
 * Network adapters: the machine's side of an endpoint's port. */
#include <string.h>

#include "sim.h"

static struct sim_device *device_at(struct link *link) {
    return HCS_CONTAINER(link, struct sim_device, link);
}

HRESULT sim_nic_read(struct sim_device *device, const struct json *settings,
                     struct hcs_error *error) {
    const char *endpoint = json_text(json_get(settings, "EndpointId"), "");
    const char *mac = json_text(json_get(settings, "MacAddress"), "");

    if (*endpoint && !guid_parse(endpoint, &device->endpoint))
        return error_set(error, HR_INVALID_DATA, "EndpointId",
                         "\"%.64s\" is not a GUID", endpoint);
    if (*mac && !mac_parse(mac, &device->mac))
        return error_set(error, HR_INVALID_DATA, "MacAddress",
                         "\"%.64s\" is not a MAC address", mac);
    device->has_mac = *mac != '\0';
    return S_OK;
}

HRESULT sim_nic_attach(struct machine *machine, struct sim_device *device,
                       struct hcs_error *error) {
    const struct sim_env *env = &machine->sim->env;
    struct machine_adapter adapter = {
        .endpoint = device->endpoint,
        .mac = device->has_mac ? &device->mac : NULL,
        .machine_id = machine->id,
        .runtime_id = machine->runtime_id,
    };
    HRESULT hr;

    if (guid_is_zero(&device->endpoint) || !env->attach)
        return S_OK;
    hr = env->attach(env->context, &adapter, error);
    device->attached = SUCCEEDED(hr);
    return hr;
}

void sim_nic_detach(struct machine *machine, struct sim_device *device) {
    const struct sim_env *env = &machine->sim->env;
    if (!device->attached)
        return;
    device->attached = false;
    env->detach(env->context, &device->endpoint);
}

void sim_nic_blame(const char *device, struct hcs_error *error) {
    char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.NetworkAdapters";
    const char *name = device + sizeof SIM_NICS - 1;
    struct json_string adapter = {name, strlen(name)};
    struct json_string member = {error->path, strlen(error->path)};

    json_path_member(path, &adapter);
    if (member.length > 0)
        json_path_member(path, &member);
    memcpy(error->path, path, sizeof path);
}

HRESULT sim_nics_attach(struct machine *machine, struct hcs_error *error) {
    struct hcs_error why = {0};
    HRESULT hr = S_OK;

    for (struct link *l = machine->devices.next;
         l != &machine->devices && SUCCEEDED(hr); l = l->next) {
        hr = sim_nic_attach(machine, device_at(l), &why);
        if (FAILED(hr))
            sim_nic_blame(device_at(l)->path, &why);
    }
    if (FAILED(hr)) {
        sim_nics_detach(machine);
        if (error)
            *error = why;
    }
    return hr;
}

void sim_nics_detach(struct machine *machine) {
    struct link *link;
    for (link = machine->devices.next; link != &machine->devices;
         link = link->next)
        sim_nic_detach(machine, device_at(link));
}
