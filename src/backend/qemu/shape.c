/* SPDX-License-Identifier: MIT
 * What a saved state depends on. */
#include "args.h"

#include "../../base/guid.h"
#include "document.h"

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
        &text, "2 %s memory=%llu cpus=%llu uefi=%d cold=%d", accelerator,
        (unsigned long long)number_at(vm, "ComputeTopology.Memory.SizeInMB", 0),
        (unsigned long long)number_at(vm, "ComputeTopology.Processor.Count", 1),
        object_at(vm, "Chipset.Uefi") != NULL,
        json_is_true(
            json_at(vm, "ComputeTopology.Memory.EnableColdDiscardHint")));
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
