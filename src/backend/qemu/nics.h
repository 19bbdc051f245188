/* SPDX-License-Identifier: MIT
 * Network adapters. Each sits behind a root port of its own, so that it can
 * come and go; its place among them is its slot, by which QEMU knows it: nicN
 * and netN behind rpN. */
#ifndef HCS_QEMU_NICS_H
#define HCS_QEMU_NICS_H

#include "../../base/json.h"
#include "../adapter.h"

#define QEMU_NICS 8 /* as many as a Windows machine may have */

struct qemu_platform;
struct saved_header;

struct nic {
    char *name;           /* its key in the document; NULL: the slot is free */
    struct guid endpoint; /* zero: it leads nowhere */
    struct mac_address mac;
    bool has_mac;  /* by the document or its endpoint */
    bool attached; /* its endpoint has it for its port */
    int tap;       /* for QEMU, until that has it, else -1 */
    bool wired;    /* QEMU has the tap */
    bool late;     /* it comes once the saved state has been taken over */
    bool replug;   /* that state has it with an address that was another's */
    bool renewed;  /* `tap` is another, for when the guest has let go of it */
    bool leaving;  /* removed, but the guest has not let go of it yet */
};

struct nics {
    struct nic slots[QEMU_NICS];
};

void nics_init(struct nics *nics);
/* Closes taps and frees; endpoints are to be detached before. */
void nics_free(struct nics *nics);
void nic_free(struct nic *nic);

/* Reads the settings of an adapter that is called `name` on the machine
 * `runtime_id`. HR_INVALID_DATA with the member's name as path. */
HRESULT nic_read(struct nic *nic, const char *name, const char *runtime_id,
                 const struct json *settings, struct hcs_error *error);
/* Those of a VirtualMachine document, in its order. The same with the whole
 * path; HR_NO_SYSTEM_RESOURCES when they are more than a machine can have. */
HRESULT nics_read(struct nics *nics, const char *runtime_id,
                  const struct json *vm, struct hcs_error *error);
/* The error's path, which is an adapter's member, from the document's root. */
void nic_blame(const char *name, struct hcs_error *error);

/* The adapter of that name that is not leaving, or NULL. */
struct nic *nics_find(struct nics *nics, const char *name);
/* A slot for one more, or NULL. */
struct nic *nics_vacant(struct nics *nics);
/* Closes the taps that QEMU has. */
void nics_handed_over(struct nics *nics);
int nic_slot(const struct nics *nics, const struct nic *nic);
/* Its address as QEMU has them: "00:15:5d:00:00:01". */
void nic_mac(const struct nic *nic, char out[MAC_TEXT_SIZE]);

/* How QEMU is told of it: "virtio-net-pci,id=nic0,bus=rp0,…". */
#define NIC_DEVICE_SIZE 128
void nic_device(const struct nics *nics, const struct nic *nic, bool connected,
                char out[NIC_DEVICE_SIZE]);

/* Makes those with an endpoint its port, or none. May block. */
HRESULT nic_attach(struct nic *nic, const struct qemu_platform *platform,
                   const char *id, const char *runtime_id,
                   struct hcs_error *error);
HRESULT nics_attach(struct nics *nics, const struct qemu_platform *platform,
                    const char *id, const char *runtime_id,
                    struct hcs_error *error);
void nic_detach(struct nic *nic, const struct qemu_platform *platform);
void nics_detach(struct nics *nics, const struct qemu_platform *platform);
bool nics_attached(const struct nics *nics);

/* --- saved states --------------------------------------------------------- */

/* What a saved state has of an adapter. */
struct saved_nic {
    char name[37]; /* a digest */
    struct mac_address mac;
    int slot;
    bool connected;
};

/* Writes down what is there. False while one is leaving. */
bool nics_save(const struct nics *nics, struct saved_header *header);
/* Puts the adapters where the state `path` has them: by their names, the others
 * in order. One more than it has comes late. HR_FILE_CORRUPT when the state has
 * one that the document has not, or one with a network that is to be without.
 * To be called before they are attached. */
HRESULT nics_arrange(struct nics *nics, const struct saved_header *header,
                     const char *path, struct hcs_error *error);
/* Once they are attached: which of them have to be plugged in anew. */
void nics_compare(struct nics *nics, const struct saved_header *header);

#endif
