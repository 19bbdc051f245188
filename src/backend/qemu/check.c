/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "nics.h"
#include "support.h"

static uint64_t host_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static HRESULT read_memory(const struct json *vm, uint64_t *bytes,
                           struct hcs_error *error) {
    static const char place[] =
        "$.VirtualMachine.ComputeTopology.Memory.SizeInMB";
    uint64_t megabytes = 0, host = host_memory();

    json_to_uint64(json_at(vm, "ComputeTopology.Memory.SizeInMB"), &megabytes);
    if (megabytes == 0)
        return error_set(error, E_INVALIDARG, place,
                         "a machine needs memory; SizeInMB is missing or 0");
    if (megabytes > host >> 20)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, place,
                         "the machine is to have %llu MB, this computer has "
                         "%llu MB",
                         (unsigned long long)megabytes,
                         (unsigned long long)(host >> 20));
    *bytes = megabytes << 20;
    return S_OK;
}

static HRESULT check_processors(const struct json *vm,
                                struct hcs_error *error) {
    static const char place[] =
        "$.VirtualMachine.ComputeTopology.Processor.Count";
    uint64_t count = 1;

    json_to_uint64(json_at(vm, "ComputeTopology.Processor.Count"), &count);
    if (count == 0 || count > 255)
        return error_set(error, E_INVALIDARG, place,
                         "a machine has 1 to 255 processors");
    return S_OK;
}

static HRESULT check_ports(const struct json *vm, struct hcs_error *error) {
    const struct json *ports = json_at(vm, "Devices.ComPorts");

    if (!ports || ports->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < ports->as.object.count; i++) {
        const struct json_string *name = &ports->as.object.members[i].name;
        char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.ComPorts";

        if (strcmp(name->text, "0") == 0 || strcmp(name->text, "1") == 0)
            continue;
        json_path_member(path, name);
        return error_set(error, HCS_E_INVALID_JSON, path,
                         "a machine has the ports 0 and 1");
    }
    return S_OK;
}

static HRESULT check_nics(const struct json *vm, struct hcs_error *error) {
    struct nics nics;
    HRESULT hr = nics_read(&nics, "", vm, error);

    if (SUCCEEDED(hr))
        nics_free(&nics);
    return hr;
}

HRESULT document_check(const struct json *vm, uint64_t *memory,
                       struct hcs_error *error) {
    HRESULT hr = support_check(vm, error);

    if (SUCCEEDED(hr))
        hr = read_memory(vm, memory, error);
    if (SUCCEEDED(hr))
        hr = check_processors(vm, error);
    if (SUCCEEDED(hr))
        hr = check_ports(vm, error);
    if (SUCCEEDED(hr))
        hr = check_nics(vm, error);
    return hr;
}
