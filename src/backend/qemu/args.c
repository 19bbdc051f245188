/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/guid.h"

/* Slots for devices that are plugged in later. */
#define ROOT_PORTS 8

static void add_text(struct arguments *args, char *text) {
    char **items;

    if (!text || args->failed)
        goto fail;
    items = realloc(args->items, (args->count + 2) * sizeof *items);
    if (!items)
        goto fail;
    args->items = items;
    args->items[args->count++] = text;
    args->items[args->count] = NULL;
    return;

fail:
    free(text);
    args->failed = true;
}

static void add(struct arguments *args, const char *text) {
    add_text(args, strdup(text));
}

static void add_format(struct arguments *args, const char *option,
                       const char *format, ...) HCS_PRINTF(3, 4);

static void add_format(struct arguments *args, const char *option,
                       const char *format, ...) {
    char *text = NULL;
    va_list list;

    add(args, option);
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    add_text(args, text);
}

/* A value inside an option that splits at commas: they are doubled. */
static void put_value(struct buf *out, const char *value) {
    for (; *value; value++) {
        if (*value == ',')
            buf_putc(out, ',');
        buf_putc(out, *value);
    }
}

static void add_buf(struct arguments *args, const char *option,
                    struct buf *text) {
    add(args, option);
    add_text(args, buf_take(text));
}

static uint64_t number_at(const struct json *vm, const char *path,
                          uint64_t otherwise) {
    uint64_t value;

    return json_to_uint64(json_at(vm, path), &value) ? value : otherwise;
}

/* The object at `path`, NULL also for a null. */
static const struct json *object_at(const struct json *vm, const char *path) {
    const struct json *value = json_at(vm, path);

    return value && value->type == JSON_OBJECT ? value : NULL;
}

static void add_base(const struct qemu_inputs *in, struct arguments *args) {
    struct buf name = {0};

    add(args, in->qemu);
    add(args, "-nodefaults");
    add(args, "-no-user-config");
    add_format(args, "-display", "none");
    add(args, "-S");
    buf_puts(&name, "guest=");
    put_value(&name, in->id);
    add_buf(args, "-name", &name);
    add_format(args, "-uuid", "%s", in->runtime_id);
    add_format(args, "-chardev", "socket,id=mon,fd=%d", in->monitor);
    add_format(args, "-mon", "chardev=mon,mode=control");
    add_format(args, "-accel", "%s", in->accelerator);
    add_format(args, "-cpu", "max");
    add_format(args, "-smp", "%llu",
               (unsigned long long)number_at(
                   in->virtual_machine, "ComputeTopology.Processor.Count", 1));
    add_format(args, "-sandbox",
               "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
               "resourcecontrol=deny");
    add_format(args, "-rtc", "base=%s",
               json_is_true(json_at(in->virtual_machine, "Chipset.UseUtc"))
                   ? "utc"
                   : "localtime");
}

/* RAM is a file by descriptor from the start: shareable with clones, and not
 * part of the stream when a template is saved. */
static void add_memory(const struct qemu_inputs *in, struct arguments *args) {
    unsigned long long size = (unsigned long long)number_at(
        in->virtual_machine, "ComputeTopology.Memory.SizeInMB", 0);

    add_format(args, "-object",
               "memory-backend-file,id=m0,size=%lluM,"
               "mem-path=/proc/self/fd/%d,share=%s",
               size, in->memory, in->memory_private ? "off" : "on");
    add_format(args, "-m", "%lluM", size);
    if (in->firmware_code)
        add_format(args, "-M", "q35,memory-backend=m0,smm=%s",
                   in->secure_boot ? "on" : "off");
    else
        add_format(args, "-M", "q35,memory-backend=m0");
}

static void add_crash(struct arguments *args) {
    add_format(args, "-device", "pvpanic-pci");
    add_format(args, "-device", "vmcoreinfo");
    add_format(args, "-action", "panic=pause,reboot=shutdown,shutdown=pause");
    /* QEMU tells a triple fault from a reset in this log alone. */
    add_format(args, "-d", "cpu_reset");
}

static void add_standard(const struct qemu_inputs *in, struct arguments *args) {
    for (int i = 0; i < ROOT_PORTS; i++)
        add_format(args, "-device", "pcie-root-port,id=rp%d,chassis=%d", i,
                   i + 1);
    add_format(args, "-device", "virtio-serial-pci,id=vs");
    add_format(
        args, "-device", "virtio-balloon-pci,id=bal%s",
        json_is_true(json_at(in->virtual_machine, "ComputeTopology.Memory."
                                                  "EnableColdDiscardHint"))
            ? ",free-page-reporting=on"
            : "");
}

static void add_ports(const struct qemu_inputs *in, struct arguments *args) {
    for (int i = 0; i < QEMU_PORTS; i++) {
        if (in->ports[i] < 0)
            continue;
        add_format(args, "-chardev", "socket,id=com%d,fd=%d", i, in->ports[i]);
        add_format(args, "-device", "isa-serial,chardev=com%d,index=%d", i, i);
    }
}

static void add_throttle(const struct json *vm, struct arguments *args) {
    unsigned long long iops =
        (unsigned long long)number_at(vm, "StorageQoS.IopsMaximum", 0);
    unsigned long long bytes =
        (unsigned long long)number_at(vm, "StorageQoS.BandwidthMaximum", 0);

    if (iops || bytes)
        add_format(args, "-object",
                   "throttle-group,id=qos,x-iops-total=%llu,x-bps-total=%llu",
                   iops, bytes);
}

/* The place in the boot order, or -1. Without BootThis the firmware tries the
 * disks as they come. */
static int boot_index(const struct qemu_inputs *in, size_t place) {
    const struct json *entry =
        object_at(in->virtual_machine, "Chipset.Uefi.BootThis");
    const struct qemu_disk *disk = &in->disks[place];
    int controller;

    if (!in->firmware_code)
        return -1;
    if (!entry)
        return (int)place;
    controller = disk_controller(in->virtual_machine,
                                 json_text(json_get(entry, "DevicePath"), "0"));
    if (controller != (int)disk->controller ||
        number_at(entry, "DiskNumber", 0) != disk->lun)
        return -1;
    return 0;
}

static void add_disk(const struct qemu_inputs *in, size_t place,
                     struct arguments *args) {
    const struct qemu_disk *disk = &in->disks[place];
    struct buf text = {0};
    struct json_writer w = {&text, false};
    char node[32], device[32], order[32] = "";
    int index = boot_index(in, place);

    disk_write_blockdev(&w, disk);
    add_buf(args, "-blockdev", &text);
    disk_node_name(disk, node);
    disk_device_name(disk, device);
    if (index >= 0)
        snprintf(order, sizeof order, ",bootindex=%d", index);
    add_format(args, "-device", "%s,id=%s,bus=scsi%u.0,lun=%u,drive=%s%s",
               disk->cdrom ? "scsi-cd" : "scsi-hd", device, disk->controller,
               disk->lun, node, order);
}

static HRESULT add_scsi(const struct qemu_inputs *in, struct arguments *args,
                        struct hcs_error *error) {
    const struct json *scsi = object_at(in->virtual_machine, "Devices.Scsi");
    const struct json *boot =
        object_at(in->virtual_machine, "Chipset.Uefi.BootThis");
    bool found = !boot;

    for (size_t i = 0; scsi && i < scsi->as.object.count; i++)
        add_format(args, "-device", "virtio-scsi-pci,id=scsi%zu", i);
    add_throttle(in->virtual_machine, args);
    for (size_t i = 0; i < in->disk_count; i++) {
        found = found || boot_index(in, i) >= 0;
        add_disk(in, i, args);
    }
    if (!found)
        return error_set(error, HR_NOT_FOUND,
                         "$.VirtualMachine.Chipset.Uefi.BootThis",
                         "there is no such disk to boot from");
    return S_OK;
}

/* "00-15-5D-00-00-01" or with colons, as "00:15:5d:00:00:01". */
static bool mac_read(const char *text, char out[18]) {
    for (int i = 0; i < 17; i++) {
        unsigned char c = (unsigned char)text[i];

        if (i % 3 == 2 ? c != '-' && c != ':' : !isxdigit(c))
            return false;
        out[i] = i % 3 == 2 ? ':' : (char)tolower(c);
    }
    out[17] = 0;
    return text[17] == 0;
}

static HRESULT add_adapter(const struct json_member *adapter, size_t index,
                           struct arguments *args, struct hcs_error *error) {
    const char *text = json_text(json_get(&adapter->value, "MacAddress"), "");
    char mac[18], path[JSON_MAX_PATH] = "$.VirtualMachine.Devices"
                                        ".NetworkAdapters";

    add_format(args, "-netdev", "user,id=net%zu", index);
    if (!text[0]) {
        add_format(args, "-device",
                   "virtio-net-pci,id=nic%zu,netdev=net%zu,romfile=", index,
                   index);
        return S_OK;
    }
    if (!mac_read(text, mac)) {
        json_path_member(path, &adapter->name);
        return error_set(error, HCS_E_INVALID_JSON, path,
                         "\"%s\" is not a MAC address", text);
    }
    add_format(args, "-device",
               "virtio-net-pci,id=nic%zu,netdev=net%zu,romfile=,mac=%s", index,
               index, mac);
    return S_OK;
}

static HRESULT add_network(const struct qemu_inputs *in, struct arguments *args,
                           struct hcs_error *error) {
    const struct json *adapters =
        object_at(in->virtual_machine, "Devices.NetworkAdapters");
    HRESULT hr = S_OK;

    for (size_t i = 0; adapters && i < adapters->as.object.count; i++) {
        hr = add_adapter(&adapters->as.object.members[i], i, args, error);
        if (FAILED(hr))
            break;
    }
    return hr;
}

static void add_screen(const struct json *vm, struct arguments *args) {
    const struct json *monitor = object_at(vm, "Devices.VideoMonitor");
    unsigned long long x, y;

    if (!monitor)
        return;
    x = (unsigned long long)number_at(monitor, "HorizontalResolution", 1024);
    y = (unsigned long long)number_at(monitor, "VerticalResolution", 768);
    add_format(args, "-device", "VGA,edid=on,xres=%llu,yres=%llu", x, y);
}

/* One -smbios structure from texts of the document. */
static void add_smbios(const struct json *vm, int type,
                       const char *const (*fields)[2], size_t count,
                       struct arguments *args) {
    struct buf text = {0};
    size_t given = 0;

    buf_printf(&text, "type=%d", type);
    for (size_t i = 0; i < count; i++) {
        const char *value = json_text(json_at(vm, fields[i][1]), "");

        if (!value[0])
            continue;
        buf_printf(&text, ",%s=", fields[i][0]);
        put_value(&text, value);
        given++;
    }
    if (given)
        add_buf(args, "-smbios", &text);
    buf_free(&text);
}

static void add_identity(const struct json *vm, struct arguments *args) {
    static const char *const system[][2] = {
        {"manufacturer", "Chipset.SystemInformation.Manufacturer"},
        {"product", "Chipset.SystemInformation.ProductName"},
        {"version", "Chipset.SystemInformation.Version"},
        {"serial", "Chipset.SystemInformation.SerialNumber"},
        {"serial", "Chipset.BiosSerialNumber"},
        {"uuid", "Chipset.SystemInformation.UUID"},
        {"uuid", "Chipset.BiosGUID"},
        {"sku", "Chipset.SystemInformation.SKUNumber"},
        {"family", "Chipset.SystemInformation.Family"}};
    static const char *const board[][2] = {
        {"serial", "Chipset.BaseBoardSerialNumber"}};
    static const char *const chassis[][2] = {
        {"serial", "Chipset.ChassisSerialNumber"},
        {"asset", "Chipset.ChassisAssetTag"}};

    add_smbios(vm, 1, system, HCS_COUNT(system), args);
    add_smbios(vm, 2, board, HCS_COUNT(board), args);
    add_smbios(vm, 3, chassis, HCS_COUNT(chassis), args);
}

static void add_boot(const struct qemu_inputs *in, struct arguments *args) {
    const struct json *direct =
        json_at(in->virtual_machine, "Chipset.LinuxKernelDirect");
    const char *initrd = json_text(json_get(direct, "InitRdPath"), "");
    const char *line = json_text(json_get(direct, "KernelCmdLine"), "");

    if (in->firmware_code) {
        struct buf text = {0};

        buf_puts(&text, "if=pflash,unit=0,format=raw,readonly=on,file=");
        put_value(&text, in->firmware_code);
        add_buf(args, "-drive", &text);
        buf_puts(&text, "if=pflash,unit=1,format=raw,file=");
        put_value(&text, in->firmware_variables);
        add_buf(args, "-drive", &text);
        if (in->secure_boot)
            add_format(args, "-global",
                       "driver=cfi.pflash01,property=secure,value=on");
        return;
    }
    add_format(args, "-kernel", "%s", in->kernel);
    if (initrd[0])
        add_format(args, "-initrd", "%s", initrd);
    if (line[0])
        add_format(args, "-append", "%s", line);
}

HRESULT qemu_arguments(const struct qemu_inputs *inputs, struct arguments *out,
                       struct hcs_error *error) {
    HRESULT hr;

    memset(out, 0, sizeof *out);
    add_base(inputs, out);
    add_memory(inputs, out);
    add_standard(inputs, out);
    add_crash(out);
    add_ports(inputs, out);
    hr = add_scsi(inputs, out, error);
    if (SUCCEEDED(hr))
        hr = add_network(inputs, out, error);
    if (SUCCEEDED(hr)) {
        add_screen(inputs->virtual_machine, out);
        add_identity(inputs->virtual_machine, out);
        add_boot(inputs, out);
        if (inputs->incoming)
            add_format(out, "-incoming", "defer");
        if (out->failed)
            hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    if (FAILED(hr))
        arguments_free(out);
    return hr;
}

void arguments_free(struct arguments *arguments) {
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    memset(arguments, 0, sizeof *arguments);
}

static const struct guid shape_space = {{0x1a, 0x77, 0x40, 0x9e, 0x63, 0xd2,
                                         0x4c, 0x0b, 0x8e, 0x15, 0xb1, 0x2c,
                                         0x7f, 0xe0, 0x39, 0xd4}};

static size_t member_count(const struct json *vm, const char *path) {
    const struct json *object = object_at(vm, path);

    return object ? object->as.object.count : 0;
}

/* Bits that say which luns of a controller hold a disk, and which a CD. */
static void put_disks(const struct qemu_disk *disks, size_t count,
                      size_t controller, struct buf *out) {
    uint64_t present = 0, cdroms = 0;

    for (size_t i = 0; i < count; i++) {
        if (disks[i].controller != controller)
            continue;
        present |= UINT64_C(1) << disks[i].lun;
        if (disks[i].cdrom)
            cdroms |= UINT64_C(1) << disks[i].lun;
    }
    buf_printf(out, " scsi=%llx/%llx", (unsigned long long)present,
               (unsigned long long)cdroms);
}

void qemu_shape(const struct json *vm, const char *accelerator,
                const struct qemu_disk *disks, size_t disk_count,
                char out[37]) {
    struct buf text = {0};
    struct guid guid;

    buf_printf(
        &text, "1 %s memory=%llu cpus=%llu uefi=%d cold=%d nics=%zu",
        accelerator,
        (unsigned long long)number_at(vm, "ComputeTopology.Memory.SizeInMB", 0),
        (unsigned long long)number_at(vm, "ComputeTopology.Processor.Count", 1),
        object_at(vm, "Chipset.Uefi") != NULL,
        json_is_true(
            json_at(vm, "ComputeTopology.Memory.EnableColdDiscardHint")),
        member_count(vm, "Devices.NetworkAdapters"));
    buf_printf(&text, " screen=%d",
               object_at(vm, "Devices.VideoMonitor") != NULL);
    buf_printf(&text, " com0=%d com1=%d",
               object_at(vm, "Devices.ComPorts.0") != NULL,
               object_at(vm, "Devices.ComPorts.1") != NULL);
    for (size_t i = 0; i < member_count(vm, "Devices.Scsi"); i++)
        put_disks(disks, disk_count, i, &text);
    guid_from_name(&shape_space, text.data ? text.data : "", text.length,
                   &guid);
    guid_format(&guid, out);
    buf_free(&text);
}
