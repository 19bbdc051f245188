/* SPDX-License-Identifier: MIT
 * What is plugged into a machine, and its change while it runs. Devices are
 * known by where they stand: "Devices/Scsi/0/Attachments/1". */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

static const char root[] = "VirtualMachine/";

static struct sim_device *find(const struct machine *machine,
                               const char *path) {
    for (struct link *l = machine->devices.next; l != &machine->devices;
         l = l->next) {
        struct sim_device *device = HCS_CONTAINER(l, struct sim_device, link);
        if (strcmp(device->path, path) == 0)
            return device;
    }
    return NULL;
}

static void unplug(struct machine *machine, struct sim_device *device) {
    sim_nic_detach(machine, device);
    link_remove(&device->link);
    free(device);
}

static bool is_nic(const char *path) {
    return strncmp(path, SIM_NICS, sizeof SIM_NICS - 1) == 0;
}

static HRESULT plug(struct machine *machine, const char *path,
                    const struct json *settings, struct hcs_error *error) {
    size_t size = strlen(path) + 1;
    struct sim_device *device = calloc(1, sizeof *device + size);
    HRESULT hr = S_OK;
    if (!device)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a device");
    memcpy(device->path, path, size);
    device->number = is_nic(path) ? guest_adapter_number(machine) : 0;
    device->is_nic = is_nic(path);
    link_init(&device->link);
    link_append(&machine->devices, &device->link);
    if (device->is_nic)
        hr = sim_nic_read(device, settings, error);
    if (SUCCEEDED(hr) && machine->on)
        hr = sim_nic_attach(machine, device, error);
    if (FAILED(hr))
        unplug(machine, device);
    return hr;
}

void sim_devices_free(struct machine *machine) {
    while (!link_alone(&machine->devices))
        unplug(machine,
               HCS_CONTAINER(machine->devices.next, struct sim_device, link));
}

/* --- what the document has -------------------------------------------- */

static HRESULT plug_one(struct machine *machine, const char *path,
                        const struct json *settings, struct hcs_error *error) {
    struct hcs_error why = {0};
    HRESULT hr = plug(machine, path, settings, &why);
    if (FAILED(hr) && is_nic(path))
        sim_nic_blame(path, &why);
    if (FAILED(hr) && error)
        *error = why;
    return hr;
}

static HRESULT plug_each(struct machine *machine, const struct json *map,
                         const char *place, struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (!map || map->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < map->as.object.count && SUCCEEDED(hr); i++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s", place, map->as.object.members[i].name.text);
        hr = path.failed ? error_set(error, E_OUTOFMEMORY, NULL,
                                     "no memory for a device")
                         : plug_one(machine, path.data,
                                    &map->as.object.members[i].value, error);
        buf_free(&path);
    }
    return hr;
}

static HRESULT plug_scsi(struct machine *machine, struct hcs_error *error) {
    const struct json *scsi = json_at(machine->config, "Devices.Scsi");
    HRESULT hr = plug_each(machine, scsi, "Devices/Scsi", error);
    if (!scsi || scsi->type != JSON_OBJECT)
        return hr;
    for (size_t i = 0; i < scsi->as.object.count && SUCCEEDED(hr); i++) {
        const struct json_member *controller = &scsi->as.object.members[i];
        struct buf place = {0};
        buf_printf(&place, "Devices/Scsi/%s/Attachments",
                   controller->name.text);
        hr = place.failed
                 ? error_set(error, E_OUTOFMEMORY, NULL,
                             "no memory for a device")
                 : plug_each(machine,
                             json_get(&controller->value, "Attachments"),
                             place.data, error);
        buf_free(&place);
    }
    return hr;
}

HRESULT sim_devices_read(struct machine *machine, struct hcs_error *error) {
    static const struct {
        const char *member, *place;
    } maps[] = {
        {"Devices.NetworkAdapters", "Devices/NetworkAdapters"},
        {"Devices.FlexibleIov", "Devices/FlexibleIov"},
        {"Devices.VirtualPci", "Devices/VirtualPci"},
        {"Devices.VirtualPMem.Devices", "Devices/VirtualPMem/Devices"},
    };
    HRESULT hr = plug_scsi(machine, error);
    for (size_t i = 0; i < HCS_COUNT(maps) && SUCCEEDED(hr); i++)
        hr = plug_each(machine, json_at(machine->config, maps[i].member),
                       maps[i].place, error);
    return hr;
}

/* --- changes ---------------------------------------------------------- */

static HRESULT not_found(struct hcs_error *error, const char *path) {
    return error_set(error, HR_NOT_FOUND, "$.ResourcePath",
                     "the system has no \"%s\"", path);
}

/* A disk needs its controller. */
static HRESULT check_parent(const struct machine *machine, const char *path,
                            struct hcs_error *error) {
    const char *child = strstr(path, "/Attachments/");
    if (!child)
        return S_OK;
    char *parent = text_copy_n(path, (size_t)(child - path));
    if (!parent)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a device");
    HRESULT hr = find(machine, parent) ? S_OK : not_found(error, parent);
    free(parent);
    return hr;
}

/* An adapter's document is the request's Settings. */
static HRESULT add_device(struct machine *machine, const char *path,
                          const struct json *settings,
                          struct hcs_error *error) {
    struct hcs_error why = {0};
    char place[JSON_MAX_PATH] = "$.Settings";
    HRESULT hr = plug(machine, path, settings, &why);
    if (FAILED(hr) && why.path[0]) {
        struct json_string member = {why.path, strlen(why.path)};
        json_path_member(place, &member);
        memcpy(why.path, place, sizeof place);
    }
    if (FAILED(hr) && error)
        *error = why;
    return hr;
}

static HRESULT change_device(struct machine *machine, const char *path,
                             const char *kind, const struct json *settings,
                             struct hcs_error *error) {
    struct sim_device *device = find(machine, path);
    HRESULT hr = check_parent(machine, path, error);
    if (FAILED(hr))
        return hr;
    if (strcmp(kind, "Add") == 0) {
        if (device)
            return error_set(error, HR_FILE_EXISTS, "$.ResourcePath",
                             "there is a \"%s\" already", path);
        return add_device(machine, path, settings, error);
    }
    if (!device)
        return not_found(error, path);
    if (strcmp(kind, "Remove") == 0) {
        unplug(machine, device);
        return S_OK;
    }
    if (strncmp(path, "Devices/Scsi/", 13) == 0)
        return S_OK; /* another disk in the same place */
    return error_set(error, HR_NOT_SUPPORTED, "$.RequestType",
                     "\"%s\" can be added and removed but not updated", path);
}

static HRESULT change_memory(struct machine *machine,
                             const struct json *settings,
                             struct hcs_error *error) {
    uint64_t size = 0;
    json_to_uint64(settings, &size);
    if (size > SIM_HOST_MEMORY_MB)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, "$.Settings",
                         "the simulated host has %llu MB",
                         (unsigned long long)SIM_HOST_MEMORY_MB);
    machine->memory_mb = size;
    return S_OK;
}

static HRESULT change_port(struct machine *machine, const char *number,
                           const struct json *request,
                           struct hcs_error *error) {
    const char *kind = json_text(json_get(request, "RequestType"), "Add");
    const struct json *settings = json_get(request, "Settings");
    bool removed = strcmp(kind, "Remove") == 0;
    if (!machine->on)
        return error_set(error, HR_NOT_SUPPORTED, "$.ResourcePath",
                         "serial ports are changed while the system runs");
    return sim_port_rename(
        machine, number,
        removed ? "" : json_text(json_get(settings, "NamedPipe"), ""), error);
}

static bool is_device(const char *path) {
    static const char *const places[] = {
        "Devices/Scsi/", "Devices/NetworkAdapters/", "Devices/FlexibleIov/",
        "Devices/VirtualPci/", "Devices/VirtualPMem/Devices/"};
    for (size_t i = 0; i < HCS_COUNT(places); i++)
        if (strncmp(path, places[i], strlen(places[i])) == 0)
            return true;
    return false;
}

HRESULT sim_devices_modify(struct machine *machine, const struct json *request,
                           struct hcs_error *error) {
    static const char ports[] = "Devices/ComPorts/";
    const char *path = json_text(json_get(request, "ResourcePath"), "");
    const char *kind = json_text(json_get(request, "RequestType"), "Add");
    if (strncmp(path, root, sizeof root - 1) != 0)
        return not_found(error, path);
    path += sizeof root - 1;
    if (strcmp(path, "ComputeTopology/Memory/SizeInMB") == 0)
        return change_memory(machine, json_get(request, "Settings"), error);
    if (strncmp(path, ports, sizeof ports - 1) == 0)
        return change_port(machine, path + sizeof ports - 1, request, error);
    if (is_device(path))
        return change_device(machine, path, kind, json_get(request, "Settings"),
                             error);
    return error_set(error, HR_NOT_SUPPORTED, "$.ResourcePath",
                     "the simulated host cannot change \"%s\"", path);
}
