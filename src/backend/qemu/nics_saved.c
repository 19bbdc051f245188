/* SPDX-License-Identifier: MIT
 * Adapters and saved states. A state has each in its slot, with the address
 * that the guest knows; a guest takes another address only with an adapter
 * that it has not seen yet. */
#include <stdio.h>
#include <string.h>

#include "nics.h"
#include "saved.h"

static const struct guid name_space = {{0x3d, 0x71, 0xe8, 0x04, 0x2b, 0xc9,
                                        0x45, 0x1e, 0xa0, 0x5f, 0x96, 0x1d,
                                        0x48, 0xf3, 0x0b, 0x72}};

static void digest(const char *name, char out[37]) {
    struct guid guid;

    guid_from_name(&name_space, name, strlen(name), &guid);
    guid_format(&guid, out);
}

bool nics_save(const struct nics *nics, struct saved_header *header) {
    header->nic_count = 0;
    for (int i = 0; i < QEMU_NICS; i++) {
        const struct nic *nic = &nics->slots[i];
        struct saved_nic *saved = &header->nics[header->nic_count];

        if (!nic->name)
            continue;
        if (nic->leaving || nic->renewed)
            return false;
        digest(nic->name, saved->name);
        saved->mac = nic->mac;
        saved->slot = i;
        saved->connected = !guid_is_zero(&nic->endpoint);
        header->nic_count++;
    }
    return true;
}

/* A place that had a network cannot be given an adapter without one: QEMU would
 * not take the state. */
static bool fits(const struct saved_nic *saved, const struct nic *nic) {
    return !saved->connected || !guid_is_zero(&nic->endpoint);
}

static struct nic *match(struct nics *wanted, const struct saved_nic *saved,
                         bool by_name) {
    char name[37];

    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &wanted->slots[i];

        if (!nic->name || !fits(saved, nic))
            continue;
        digest(nic->name, name);
        if (!by_name || strcmp(name, saved->name) == 0)
            return nic;
    }
    return NULL;
}

static void move(struct nic *from, struct nic *to) {
    *to = *from;
    memset(from, 0, sizeof *from);
    from->tap = -1;
}

static HRESULT missing(const struct saved_nic *saved, const char *path,
                       struct hcs_error *error) {
    return error_set(error, HR_FILE_CORRUPT,
                     "$.VirtualMachine.Devices.NetworkAdapters",
                     "%s was saved with an adapter %s that the document does "
                     "not have",
                     path, saved->connected ? "of an endpoint" : "more");
}

HRESULT nics_arrange(struct nics *nics, const struct saved_header *header,
                     const char *path, struct hcs_error *error) {
    struct nics wanted = *nics;
    HRESULT hr = S_OK;

    nics_init(nics);
    for (int by_name = 1; by_name >= 0; by_name--)
        for (size_t i = 0; SUCCEEDED(hr) && i < header->nic_count; i++) {
            const struct saved_nic *saved = &header->nics[i];
            struct nic *nic;

            if (nics->slots[saved->slot].name)
                continue;
            nic = match(&wanted, saved, by_name);
            if (nic)
                move(nic, &nics->slots[saved->slot]);
            else if (!by_name)
                hr = missing(saved, path, error);
        }
    for (int i = 0; SUCCEEDED(hr) && i < QEMU_NICS; i++) {
        struct nic *slot = nics_vacant(nics);

        if (!wanted.slots[i].name || !slot)
            continue;
        wanted.slots[i].late = true;
        move(&wanted.slots[i], slot);
    }
    nics_free(&wanted);
    return hr;
}

void nics_compare(struct nics *nics, const struct saved_header *header) {
    for (size_t i = 0; i < header->nic_count; i++) {
        const struct saved_nic *saved = &header->nics[i];
        struct nic *nic = &nics->slots[saved->slot];

        if (!nic->has_mac)
            nic->mac = saved->mac;
        nic->replug = memcmp(&nic->mac, &saved->mac, sizeof nic->mac) != 0;
    }
}
