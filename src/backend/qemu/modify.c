/* SPDX-License-Identifier: MIT
 * Changes of a running machine: disks come and go, memory is given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sequence.h"
#include "support.h"

#define SCSI_PATH "VirtualMachine/Devices/Scsi/"
#define MEMORY_PATH "VirtualMachine/ComputeTopology/Memory/SizeInMB"

/* A disk on its way in or out. */
struct plug {
    struct machine *machine;
    struct waiter waiter;
    struct qemu_disk disk;
};

static void answer_error(machine_done done, void *context,
                         const struct hcs_error *error) {
    done(context, error->code, error);
}

/* --- memory --------------------------------------------------------------- */

static void change_memory(struct machine *machine, const struct json *request,
                          machine_done done, void *context) {
    struct sequence *sequence;
    struct hcs_error error;
    uint64_t megabytes = 0;

    json_to_uint64(json_get(request, "Settings"), &megabytes);
    if (megabytes > machine->memory_bytes >> 20) {
        error_set(&error, HR_NOT_SUPPORTED, "$.Settings",
                  "the guest's memory cannot grow past the %llu MB it started "
                  "with",
                  (unsigned long long)(machine->memory_bytes >> 20));
        answer_error(done, context, &error);
        return;
    }
    sequence = sequence_new(machine, done, context);
    sequence_add(sequence, "balloon", "{\"value\":%llu}",
                 (unsigned long long)megabytes << 20);
    sequence_run(sequence);
}

/* --- disks ---------------------------------------------------------------- */

/* "…/Scsi/NAME/Attachments/LUN". */
static HRESULT parse_path(struct machine *machine, const char *path,
                          struct qemu_disk *disk, struct hcs_error *error) {
    static const char middle[] = "/Attachments/";
    const char *name = path + strlen(SCSI_PATH);
    const char *lun = strstr(name, middle);
    char controller[128], *end = NULL;
    unsigned long number;
    int place;

    if (!lun || (size_t)(lun - name) >= sizeof controller)
        return error_set(error, HR_NOT_FOUND, "$.ResourcePath",
                         "there is no \"%s\"", path);
    snprintf(controller, sizeof controller, "%.*s", (int)(lun - name), name);
    place = disk_controller(machine->vm, controller);
    if (place < 0)
        return error_set(error, HR_NOT_FOUND, "$.ResourcePath",
                         "there is no SCSI controller \"%s\"", controller);
    lun += strlen(middle);
    number = strtoul(lun, &end, 10);
    if (*lun < '0' || *lun > '9' || *end || number > DISK_LUN_LAST)
        return error_set(error, HR_NOT_FOUND, "$.ResourcePath",
                         "a controller takes attachments 0 to %d",
                         DISK_LUN_LAST);
    disk->controller = (unsigned)place;
    disk->lun = (unsigned)number;
    return S_OK;
}

static struct qemu_disk *find_disk(struct machine *machine,
                                   const struct qemu_disk *like) {
    for (size_t i = 0; i < machine->disk_count; i++)
        if (machine->disks[i].controller == like->controller &&
            machine->disks[i].lun == like->lun)
            return &machine->disks[i];
    return NULL;
}

static void plug_end(struct plug *plug, HRESULT result,
                     const struct hcs_error *error) {
    struct waiter waiter = plug->waiter;
    bool destroyed = plug->machine->destroyed;

    disk_free(&plug->disk);
    free(plug);
    if (!destroyed)
        answer(&waiter, result, error);
}

static struct plug *plug_new(struct machine *machine,
                             const struct qemu_disk *disk, machine_done done,
                             void *context) {
    struct plug *plug = calloc(1, sizeof *plug);

    if (!plug) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return NULL;
    }
    plug->machine = machine;
    plug->waiter = (struct waiter){done, context};
    plug->disk = *disk;
    return plug;
}

static void on_plugged(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct plug *plug = context;
    struct machine *machine = plug->machine;
    char node[32], arguments[64];

    machine->plugging--;
    if (FAILED(result)) {
        disk_node_name(&plug->disk, node);
        snprintf(arguments, sizeof arguments, "{\"node-name\":\"%s\"}", node);
        if (machine->qmp) /* its node may be there without the device */
            qmp_send(machine->qmp, "blockdev-del", arguments, -1, NULL, NULL);
        plug_end(plug, result, error);
        return;
    }
    machine->disks[machine->disk_count++] = plug->disk;
    plug->disk.path = NULL;
    plug_end(plug, S_OK, NULL);
}

/* Room in the list for one more disk than are there and on their way. */
static bool reserve(struct machine *machine) {
    size_t count = machine->disk_count + machine->plugging + 1;
    struct qemu_disk *disks = realloc(machine->disks, count * sizeof *disks);

    if (disks)
        machine->disks = disks;
    return disks != NULL;
}

static void plug_in(struct machine *machine, struct qemu_disk *disk,
                    machine_done done, void *context) {
    struct plug *plug;
    struct sequence *sequence;
    struct buf blockdev = {0};
    struct json_writer w = {&blockdev, false};
    char node[32], device[32];

    if (!reserve(machine)) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        disk_free(disk);
        return;
    }
    plug = plug_new(machine, disk, done, context);
    if (!plug) {
        disk_free(disk);
        return;
    }
    machine->plugging++;
    disk_write_blockdev(&w, disk);
    disk_node_name(disk, node);
    disk_device_name(disk, device);
    sequence = sequence_new(machine, on_plugged, plug);
    sequence_internal(sequence);
    sequence_add(sequence, "blockdev-add", "%s",
                 blockdev.data ? blockdev.data : "");
    sequence_add(sequence, "device_add",
                 "{\"driver\":\"%s\",\"id\":\"%s\",\"bus\":\"scsi%u.0\","
                 "\"lun\":%u,\"drive\":\"%s\"}",
                 disk->cdrom ? "scsi-cd" : "scsi-hd", device, disk->controller,
                 disk->lun, node);
    sequence_run(sequence);
    buf_free(&blockdev);
}

static void add_disk(struct machine *machine, struct qemu_disk *disk,
                     const struct json *request, machine_done done,
                     void *context) {
    const struct json *settings = json_get(request, "Settings");
    struct hcs_error error;
    HRESULT hr;

    if (find_disk(machine, disk)) {
        refuse(done, context, HR_FILE_EXISTS, "something is attached there");
        return;
    }
    hr = support_check_attachment(settings, "$.Settings", &error);
    if (SUCCEEDED(hr))
        hr = disk_from_attachment(settings, "$.Settings.Path", disk, &error);
    if (SUCCEEDED(hr))
        hr = disk_probe(disk->path, &disk->driver, &error);
    if (FAILED(hr)) {
        disk_free(disk);
        answer_error(done, context, &error);
        return;
    }
    disk->throttled = json_get(machine->vm, "StorageQoS") != NULL;
    plug_in(machine, disk, done, context);
}

static void on_unplugged(void *context, HRESULT result,
                         const struct hcs_error *error) {
    struct plug *plug = context;
    struct machine *machine = plug->machine;
    struct qemu_disk *disk = find_disk(machine, &plug->disk);

    if (SUCCEEDED(result) && disk) {
        disk_free(disk);
        *disk = machine->disks[--machine->disk_count];
    }
    plug_end(plug, result, error);
}

static void remove_disk(struct machine *machine, const struct qemu_disk *disk,
                        machine_done done, void *context) {
    struct plug *plug;
    struct sequence *sequence;
    char node[32], device[32];

    if (!find_disk(machine, disk)) {
        refuse(done, context, HR_NOT_FOUND, "nothing is attached there");
        return;
    }
    plug = plug_new(machine, disk, done, context);
    if (!plug)
        return;
    disk_node_name(disk, node);
    disk_device_name(disk, device);
    sequence = sequence_new(machine, on_unplugged, plug);
    sequence_internal(sequence);
    sequence_add(sequence, "device_del", "{\"id\":\"%s\"}", device);
    sequence_await(sequence, "DEVICE_DELETED", device);
    sequence_add(sequence, "blockdev-del", "{\"node-name\":\"%s\"}", node);
    sequence_run(sequence);
}

static void change_disk(struct machine *machine, const char *path,
                        const struct json *request, machine_done done,
                        void *context) {
    const char *type = json_text(json_get(request, "RequestType"), "Add");
    struct qemu_disk disk;
    struct hcs_error error;

    memset(&disk, 0, sizeof disk);
    if (FAILED(parse_path(machine, path, &disk, &error)))
        answer_error(done, context, &error);
    else if (strcmp(type, "Add") == 0)
        add_disk(machine, &disk, request, done, context);
    else if (strcmp(type, "Remove") == 0)
        remove_disk(machine, &disk, done, context);
    else
        refuse(done, context, HR_NOT_SUPPORTED,
               "an attachment can be added and removed, not updated");
}

void machine_modify(struct machine *machine, const struct json *request,
                    machine_done done, void *context) {
    const char *path = json_text(json_get(request, "ResourcePath"), "");
    struct hcs_error error;

    if (machine->phase != PHASE_ALIVE) {
        refuse(done, context, HCS_E_INVALID_STATE, "the guest does not run");
    } else if (strncmp(path, SCSI_PATH, strlen(SCSI_PATH)) == 0) {
        change_disk(machine, path, request, done, context);
    } else if (strncmp(path, NICS_PATH, strlen(NICS_PATH)) == 0) {
        nic_modify(machine, path, request, done, context);
    } else if (strcmp(path, MEMORY_PATH) == 0) {
        change_memory(machine, request, done, context);
    } else {
        error_set(&error,
                  strncmp(path, "VirtualMachine/", 15) == 0 ? HR_NOT_SUPPORTED
                                                            : HR_NOT_FOUND,
                  "$.ResourcePath", "QEMU machines cannot change \"%s\"", path);
        answer_error(done, context, &error);
    }
}
