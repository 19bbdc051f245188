/* SPDX-License-Identifier: MIT
 * Attachments of SCSI controllers. */
#ifndef HCS_QEMU_DISK_H
#define HCS_QEMU_DISK_H

#include "../../base/json.h"

#define DISK_LUN_LAST 63

struct qemu_disk {
    unsigned controller; /* place of the controller in the document */
    unsigned lun;
    bool cdrom;
    bool read_only;
    bool no_flush;      /* IgnoreFlushes */
    bool throttled;     /* the document has StorageQoS */
    const char *driver; /* "raw", "vhdx" or "vpc", by the file's content */
    char *path;
};

/* Reads an Attachment. `where` is its JSON path, for errors. */
HRESULT disk_from_attachment(const struct json *attachment, const char *where,
                             struct qemu_disk *out, struct hcs_error *error);
void disk_free(struct qemu_disk *disk);

/* Which driver the file's content asks for. HR_FILE_CORRUPT for a .vhdx or
 * .vhd that is none. A raw disk is whatever has no such mark: formats that can
 * name further files are never recognised, since a guest could write them. */
HRESULT disk_probe(const char *path, const char **driver,
                   struct hcs_error *error);

/* The value of -blockdev and the arguments of blockdev-add. */
void disk_write_blockdev(struct json_writer *w, const struct qemu_disk *disk);
/* "disk0-1": the node's name. */
void disk_node_name(const struct qemu_disk *disk, char out[32]);
/* "dev0-1": the device's. */
void disk_device_name(const struct qemu_disk *disk, char out[32]);

/* A controller's place in VirtualMachine.Devices.Scsi, or -1. */
int disk_controller(const struct json *virtual_machine, const char *name);

#endif
