/* SPDX-License-Identifier: MIT */
#include "nics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu.h"

static const struct guid mac_space = {{0x5e, 0x0c, 0x1f, 0x92, 0x77, 0x3a, 0x4d,
                                       0x61, 0x9b, 0x28, 0x04, 0xd5, 0xaa, 0x3e,
                                       0x60, 0x17}};

void nics_init(struct nics *nics) {
    memset(nics, 0, sizeof *nics);
    for (int i = 0; i < QEMU_NICS; i++)
        nics->slots[i].tap = -1;
}

void nic_free(struct nic *nic) {
    if (nic->tap >= 0)
        close(nic->tap);
    free(nic->name);
    memset(nic, 0, sizeof *nic);
    nic->tap = -1;
}

void nics_free(struct nics *nics) {
    for (int i = 0; i < QEMU_NICS; i++)
        nic_free(&nics->slots[i]);
}

/* --- documents ------------------------------------------------------------ */

/* Without an address of its own: one from Hyper-V's range that is always the
 * same for that machine and name. */
static void invent_mac(struct nic *nic, const char *runtime_id) {
    static const uint8_t range[3] = {0x00, 0x15, 0x5d};
    struct buf text = {0};
    struct guid digest;

    buf_printf(&text, "%s/%s", runtime_id, nic->name);
    guid_from_name(&mac_space, text.data ? text.data : "", text.length,
                   &digest);
    memcpy(nic->mac.bytes, range, sizeof range);
    memcpy(nic->mac.bytes + 3, digest.bytes, 3);
    buf_free(&text);
}

HRESULT nic_read(struct nic *nic, const char *name, const char *runtime_id,
                 const struct json *settings, struct hcs_error *error) {
    const char *endpoint = json_text(json_get(settings, "EndpointId"), "");
    const char *mac = json_text(json_get(settings, "MacAddress"), "");

    memset(nic, 0, sizeof *nic);
    nic->tap = -1;
    if (*endpoint && !guid_parse(endpoint, &nic->endpoint))
        return error_set(error, HR_INVALID_DATA, "EndpointId",
                         "\"%.64s\" is not a GUID", endpoint);
    if (*mac && !mac_parse(mac, &nic->mac))
        return error_set(error, HR_INVALID_DATA, "MacAddress",
                         "\"%.64s\" is not a MAC address", mac);
    nic->has_mac = *mac != '\0';
    nic->name = strdup(name);
    if (!nic->name)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a device");
    if (!nic->has_mac)
        invent_mac(nic, runtime_id);
    return S_OK;
}

void nic_blame(const char *name, struct hcs_error *error) {
    char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.NetworkAdapters";
    struct json_string adapter = {name, strlen(name)};
    struct json_string member = {error->path, strlen(error->path)};

    json_path_member(path, &adapter);
    if (member.length > 0)
        json_path_member(path, &member);
    memcpy(error->path, path, sizeof path);
}

static HRESULT read_each(struct nics *nics, const char *runtime_id,
                         const struct json *adapters, struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < adapters->as.object.count; i++) {
        const struct json_member *one = &adapters->as.object.members[i];

        hr = nic_read(&nics->slots[i], one->name.text, runtime_id, &one->value,
                      error);
        if (FAILED(hr))
            nic_blame(one->name.text, error);
    }
    return hr;
}

HRESULT nics_read(struct nics *nics, const char *runtime_id,
                  const struct json *vm, struct hcs_error *error) {
    const struct json *adapters = json_at(vm, "Devices.NetworkAdapters");
    struct hcs_error why = {0};
    HRESULT hr;

    nics_init(nics);
    if (!adapters || adapters->type != JSON_OBJECT)
        return S_OK;
    if (adapters->as.object.count > QEMU_NICS)
        return error_set(error, HR_NO_SYSTEM_RESOURCES,
                         "$.VirtualMachine.Devices.NetworkAdapters",
                         "a machine has %d network adapters at most",
                         QEMU_NICS);
    hr = read_each(nics, runtime_id, adapters, &why);
    if (FAILED(hr)) {
        nics_free(nics);
        if (error)
            *error = why;
    }
    return hr;
}

/* --- slots ---------------------------------------------------------------- */

struct nic *nics_find(struct nics *nics, const char *name) {
    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &nics->slots[i];

        if (nic->name && !nic->leaving && strcmp(nic->name, name) == 0)
            return nic;
    }
    return NULL;
}

struct nic *nics_vacant(struct nics *nics) {
    for (int i = 0; i < QEMU_NICS; i++)
        if (!nics->slots[i].name)
            return &nics->slots[i];
    return NULL;
}

void nics_handed_over(struct nics *nics) {
    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &nics->slots[i];

        if (!nic->wired || nic->tap < 0)
            continue;
        close(nic->tap);
        nic->tap = -1;
    }
}

int nic_slot(const struct nics *nics, const struct nic *nic) {
    return (int)(nic - nics->slots);
}

void nic_mac(const struct nic *nic, char out[MAC_TEXT_SIZE]) {
    const uint8_t *b = nic->mac.bytes;

    snprintf(out, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
             b[2], b[3], b[4], b[5]);
}

void nic_device(const struct nics *nics, const struct nic *nic, bool connected,
                char out[NIC_DEVICE_SIZE]) {
    int slot = nic_slot(nics, nic);
    char mac[MAC_TEXT_SIZE], netdev[24] = "";

    nic_mac(nic, mac);
    if (connected)
        snprintf(netdev, sizeof netdev, ",netdev=net%d", slot);
    snprintf(out, NIC_DEVICE_SIZE,
             "virtio-net-pci,id=nic%d,bus=rp%d%s,romfile=,mac=%s", slot, slot,
             netdev, mac);
}

/* --- endpoints ------------------------------------------------------------ */

HRESULT nic_attach(struct nic *nic, const struct qemu_platform *platform,
                   const char *id, const char *runtime_id,
                   struct hcs_error *error) {
    const struct machine_adapter adapter = {
        .endpoint = nic->endpoint,
        .mac = nic->has_mac ? &nic->mac : NULL,
        .machine_id = id,
        .runtime_id = runtime_id,
    };
    struct mac_address mac;
    HRESULT hr;

    if (guid_is_zero(&nic->endpoint))
        return S_OK;
    hr = platform->attach(platform->context, &adapter, &nic->tap, &mac, error);
    if (FAILED(hr))
        return hr;
    nic->attached = true;
    nic->mac = mac;
    nic->has_mac = true;
    return S_OK;
}

HRESULT nics_attach(struct nics *nics, const struct qemu_platform *platform,
                    const char *id, const char *runtime_id,
                    struct hcs_error *error) {
    struct hcs_error why = {0};
    HRESULT hr = S_OK;

    for (int i = 0; SUCCEEDED(hr) && i < QEMU_NICS; i++) {
        struct nic *nic = &nics->slots[i];

        if (!nic->name)
            continue;
        hr = nic_attach(nic, platform, id, runtime_id, &why);
        if (FAILED(hr))
            nic_blame(nic->name, &why);
    }
    if (FAILED(hr)) {
        nics_detach(nics, platform);
        if (error)
            *error = why;
    }
    return hr;
}

void nic_detach(struct nic *nic, const struct qemu_platform *platform) {
    if (nic->tap >= 0)
        close(nic->tap);
    nic->tap = -1;
    if (!nic->attached)
        return;
    nic->attached = false;
    platform->detach(platform->context, &nic->endpoint);
}

void nics_detach(struct nics *nics, const struct qemu_platform *platform) {
    for (int i = 0; i < QEMU_NICS; i++)
        nic_detach(&nics->slots[i], platform);
}

bool nics_attached(const struct nics *nics) {
    for (int i = 0; i < QEMU_NICS; i++)
        if (nics->slots[i].attached)
            return true;
    return false;
}
