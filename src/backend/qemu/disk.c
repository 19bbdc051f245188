/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define VHD_FOOTER 512

static bool has_mark(int fd, off_t offset, const char *mark) {
    char bytes[16];
    size_t length = strlen(mark);

    return pread(fd, bytes, length, offset) == (ssize_t)length &&
           memcmp(bytes, mark, length) == 0;
}

static bool ends_with(const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);

    return length > tail && strcasecmp(path + length - tail, end) == 0;
}

static HRESULT probe_open(int fd, const char *path, const char **driver,
                          struct hcs_error *error) {
    struct stat st;

    if (fstat(fd, &st) != 0)
        return error_errno(error, errno, "%s", path);
    *driver = "raw";
    if (has_mark(fd, 0, "vhdxfile"))
        *driver = "vhdx";
    else if (st.st_size >= VHD_FOOTER &&
             has_mark(fd, st.st_size - VHD_FOOTER, "conectix"))
        *driver = "vpc";
    else if (ends_with(path, ".vhdx") || ends_with(path, ".vhd"))
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "%s is not a virtual hard disk", path);
    return S_OK;
}

HRESULT disk_probe(const char *path, const char **driver,
                   struct hcs_error *error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HRESULT hr;

    if (fd < 0)
        return error_errno(error, errno, "%s", path);
    hr = probe_open(fd, path, driver, error);
    close(fd);
    return hr;
}

HRESULT disk_from_attachment(const struct json *attachment, const char *where,
                             struct qemu_disk *out, struct hcs_error *error) {
    const char *type = json_text(json_get(attachment, "Type"), "VirtualDisk");
    const char *path = json_text(json_get(attachment, "Path"), "");

    out->cdrom = strcmp(type, "Iso") == 0;
    out->read_only =
        out->cdrom || json_is_true(json_get(attachment, "ReadOnly"));
    out->no_flush = json_is_true(json_get(attachment, "IgnoreFlushes"));
    if (path[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, where,
                         "\"%s\" is not an absolute path", path);
    out->path = strdup(path);
    if (!out->path)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    return S_OK;
}

void disk_free(struct qemu_disk *disk) {
    free(disk->path);
    disk->path = NULL;
}

void disk_node_name(const struct qemu_disk *disk, char out[32]) {
    snprintf(out, 32, "disk%u-%u", disk->controller, disk->lun);
}

void disk_device_name(const struct qemu_disk *disk, char out[32]) {
    snprintf(out, 32, "dev%u-%u", disk->controller, disk->lun);
}

static void write_format(struct json_writer *w, const struct qemu_disk *disk,
                         const char *node) {
    json_begin_object(w);
    json_pair_string(w, "driver", disk->driver);
    if (node)
        json_pair_string(w, "node-name", node);
    json_pair_bool(w, "read-only", disk->read_only);
    if (disk->no_flush) {
        json_key(w, "cache");
        json_begin_object(w);
        json_pair_bool(w, "no-flush", true);
        json_end_object(w);
    }
    json_key(w, "file");
    json_begin_object(w);
    json_pair_string(w, "driver", "file");
    json_pair_string(w, "filename", disk->path);
    json_end_object(w);
    json_end_object(w);
}

void disk_write_blockdev(struct json_writer *w, const struct qemu_disk *disk) {
    char node[32];

    disk_node_name(disk, node);
    if (!disk->throttled) {
        write_format(w, disk, node);
        return;
    }
    json_begin_object(w);
    json_pair_string(w, "driver", "throttle");
    json_pair_string(w, "node-name", node);
    json_pair_bool(w, "read-only", disk->read_only);
    json_pair_string(w, "throttle-group", "qos");
    json_key(w, "file");
    write_format(w, disk, NULL);
    json_end_object(w);
}

int disk_controller(const struct json *virtual_machine, const char *name) {
    const struct json *scsi = json_at(virtual_machine, "Devices.Scsi");

    if (!scsi || scsi->type != JSON_OBJECT)
        return -1;
    for (size_t i = 0; i < scsi->as.object.count; i++)
        if (strcmp(scsi->as.object.members[i].name.text, name) == 0)
            return (int)i;
    return -1;
}
