/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <stdio.h>
#include <string.h>

#include "document.h"

static void add_base(const struct qemu_inputs *in, struct arguments *args) {
    struct buf name = {0};

    arguments_add(args, in->qemu);
    arguments_add(args, "-nodefaults");
    arguments_add(args, "-no-user-config");
    arguments_option(args, "-display", "none");
    arguments_add(args, "-S");
    buf_puts(&name, "guest=");
    arguments_put_value(&name, in->id);
    arguments_option_buf(args, "-name", &name);
    arguments_option(args, "-uuid", "%s", in->runtime_id);
    arguments_option(args, "-chardev", "socket,id=mon,fd=%d", in->monitor);
    arguments_option(args, "-mon", "chardev=mon,mode=control");
    arguments_option(args, "-accel", "%s", in->accelerator);
    arguments_option(args, "-cpu", "max");
    arguments_option(
        args, "-smp", "%llu",
        (unsigned long long)number_at(in->virtual_machine,
                                      "ComputeTopology.Processor.Count", 1));
    arguments_option(args, "-sandbox",
                     "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                     "resourcecontrol=deny");
    arguments_option(
        args, "-rtc", "base=%s",
        json_is_true(json_at(in->virtual_machine, "Chipset.UseUtc"))
            ? "utc"
            : "localtime");
}

/* RAM is a file by descriptor from the start: shareable with clones, and not
 * part of the stream when a template is saved. */
static void add_memory(const struct qemu_inputs *in, struct arguments *args) {
    unsigned long long size = (unsigned long long)number_at(
        in->virtual_machine, "ComputeTopology.Memory.SizeInMB", 0);

    arguments_option(args, "-object",
                     "memory-backend-file,id=m0,size=%lluM,"
                     "mem-path=/proc/self/fd/%d,share=%s",
                     size, in->memory, in->memory_private ? "off" : "on");
    arguments_option(args, "-m", "%lluM", size);
    if (in->firmware_code)
        arguments_option(args, "-M", "q35,memory-backend=m0,smm=%s",
                         in->secure_boot ? "on" : "off");
    else
        arguments_option(args, "-M", "q35,memory-backend=m0");
}

static void add_crash(struct arguments *args) {
    arguments_option(args, "-device", "pvpanic-pci");
    arguments_option(args, "-device", "vmcoreinfo");
    arguments_option(args, "-action",
                     "panic=pause,reboot=shutdown,shutdown=pause");
    /* QEMU tells a triple fault from a reset in this log alone. */
    arguments_option(args, "-d", "cpu_reset");
}

static void add_standard(const struct qemu_inputs *in, struct arguments *args) {
    /* Where adapters come and go; at boot the ports cost nothing that could be
     * measured. */
    for (int i = 0; i < QEMU_NICS; i++)
        arguments_option(args, "-device", "pcie-root-port,id=rp%d,chassis=%d",
                         i, i + 1);
    arguments_option(args, "-device", "virtio-serial-pci,id=vs");
    arguments_option(
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
        arguments_option(args, "-chardev", "socket,id=com%d,fd=%d", i,
                         in->ports[i]);
        arguments_option(args, "-device", "isa-serial,chardev=com%d,index=%d",
                         i, i);
    }
}

static void add_throttle(const struct json *vm, struct arguments *args) {
    unsigned long long iops =
        (unsigned long long)number_at(vm, "StorageQoS.IopsMaximum", 0);
    unsigned long long bytes =
        (unsigned long long)number_at(vm, "StorageQoS.BandwidthMaximum", 0);

    if (iops || bytes)
        arguments_option(
            args, "-object",
            "throttle-group,id=qos,x-iops-total=%llu,x-bps-total=%llu", iops,
            bytes);
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
    arguments_option_buf(args, "-blockdev", &text);
    disk_node_name(disk, node);
    disk_device_name(disk, device);
    if (index >= 0)
        snprintf(order, sizeof order, ",bootindex=%d", index);
    arguments_option(args, "-device", "%s,id=%s,bus=scsi%u.0,lun=%u,drive=%s%s",
                     disk->cdrom ? "scsi-cd" : "scsi-hd", device,
                     disk->controller, disk->lun, node, order);
}

static HRESULT add_scsi(const struct qemu_inputs *in, struct arguments *args,
                        struct hcs_error *error) {
    const struct json *scsi = object_at(in->virtual_machine, "Devices.Scsi");
    const struct json *boot =
        object_at(in->virtual_machine, "Chipset.Uefi.BootThis");
    bool found = !boot;

    for (size_t i = 0; scsi && i < scsi->as.object.count; i++)
        arguments_option(args, "-device", "virtio-scsi-pci,id=scsi%zu", i);
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

/* Without a network nobody is behind it; like Windows', such an adapter has a
 * link all the same. */
static void add_network(const struct qemu_inputs *in, struct arguments *args) {
    char device[NIC_DEVICE_SIZE];

    for (int i = 0; i < QEMU_NICS; i++) {
        const struct nic *nic = &in->nics->slots[i];

        if (!nic->name || nic->late)
            continue;
        if (in->taps[i] >= 0)
            arguments_option(args, "-netdev", "tap,id=net%d,fd=%d", i,
                             in->taps[i]);
        nic_device(in->nics, nic, in->taps[i] >= 0, device);
        arguments_option(args, "-device", "%s", device);
    }
}

static void add_screen(const struct json *vm, struct arguments *args) {
    const struct json *monitor = object_at(vm, "Devices.VideoMonitor");
    unsigned long long x, y;

    if (!monitor)
        return;
    x = (unsigned long long)number_at(monitor, "HorizontalResolution", 1024);
    y = (unsigned long long)number_at(monitor, "VerticalResolution", 768);
    arguments_option(args, "-device", "VGA,edid=on,xres=%llu,yres=%llu", x, y);
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
        arguments_put_value(&text, value);
        given++;
    }
    if (given)
        arguments_option_buf(args, "-smbios", &text);
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
        arguments_put_value(&text, in->firmware_code);
        arguments_option_buf(args, "-drive", &text);
        buf_puts(&text, "if=pflash,unit=1,format=raw,file=");
        arguments_put_value(&text, in->firmware_variables);
        arguments_option_buf(args, "-drive", &text);
        if (in->secure_boot)
            arguments_option(args, "-global",
                             "driver=cfi.pflash01,property=secure,value=on");
        return;
    }
    arguments_option(args, "-kernel", "%s", in->kernel);
    if (initrd[0])
        arguments_option(args, "-initrd", "%s", initrd);
    if (line[0])
        arguments_option(args, "-append", "%s", line);
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
    if (SUCCEEDED(hr)) {
        add_network(inputs, out);
        add_screen(inputs->virtual_machine, out);
        add_identity(inputs->virtual_machine, out);
        add_boot(inputs, out);
        if (inputs->incoming)
            arguments_option(out, "-incoming", "defer");
        if (out->failed)
            hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    if (FAILED(hr))
        arguments_free(out);
    return hr;
}
