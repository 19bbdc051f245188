/* SPDX-License-Identifier: MIT
 * QEMU's argument list from a VirtualMachine document: a pure function, so
 * that golden files can hold it. */
#ifndef HCS_QEMU_ARGS_H
#define HCS_QEMU_ARGS_H

#include "arguments.h"
#include "disk.h"
#include "nics.h"

#define QEMU_PORTS 2

struct qemu_inputs {
    const struct json *virtual_machine;
    const char *id;
    const char *runtime_id;
    const char *qemu;          /* the program */
    const char *accelerator;   /* "kvm" or "tcg" */
    const char *kernel;        /* what kernel_prepare gave, or NULL */
    const char *firmware_code; /* UEFI: both set */
    const char *firmware_variables;
    bool secure_boot;
    int monitor; /* descriptors as QEMU will have them */
    int memory;
    bool memory_private;   /* a clone: copy on write */
    int ports[QEMU_PORTS]; /* serial ports, -1: not there */
    bool incoming;         /* the state comes by migration */
    const struct qemu_disk *disks;
    size_t disk_count;
    const struct nics *nics;
    int taps[QEMU_NICS]; /* by slot; -1: it leads nowhere */
};

/* HCS_E_INVALID_JSON with the path for a member that has no meaning (an
 * address that is none, a boot device that does not exist). */
HRESULT qemu_arguments(const struct qemu_inputs *inputs, struct arguments *out,
                       struct hcs_error *error);

/* Digest of everything that a saved state depends on: two machines of one
 * shape can take each other's. `accelerator` is part of it. */
void qemu_shape(const struct json *virtual_machine, const char *accelerator,
                const struct qemu_disk *disks, size_t disk_count, char out[37]);

#endif
