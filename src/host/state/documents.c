/* SPDX-License-Identifier: MIT
 * Properties: the answer to a query and the entry of an enumeration. Members
 * are written in the schema's order; a default is left out. */
#include <string.h>

#include "../../base/clock.h"
#include "vm_private.h"

#define PAGES_PER_MB 256u

enum property {
    ASKED_MEMORY = 1,
    ASKED_STATISTICS = 2,
    ASKED_TERMINATE_ON_CLOSE = 4
};

/* What a PropertyType leads to. Those without a flag have nothing to report
 * for a virtual machine without guest services, so that their members stay at
 * their defaults and are left out. */
static const struct {
    const char *name;
    unsigned flag;
    bool unsupported;
} types[] = {
    {"Memory", ASKED_MEMORY, false},
    {"Statistics", ASKED_STATISTICS, false},
    {"TerminateOnLastHandleClosed", ASKED_TERMINATE_ON_CLOSE, false},
    {"ProcessList", 0, false},
    {"SharedMemoryRegion", 0, false},
    {"GuestConnection", 0, false},
    {"CpuGroup", 0, false},
    {"CpuFrequencyPowerCap", 0, false},
    {"CosIndex", 0, false},
    {"Rmid", 0, false},
    {"SystemGUID", 0, false},
    {"Silo", 0, false},
    {"ContainerMemory", 0, true},
    {"GuestMemory", 0, true},
    {"ICHeartbeatStatus", 0, true},
    {"IdledProcessors", 0, true},
    {"CacheStats", 0, true},
    {"MemoryTopology", 0, true},
};

const char *vm_display_name(const struct vm *vm) {
    return json_text(json_get(vm->virtual_machine, "DisplayName"), "");
}

/* --- parts ------------------------------------------------------------ */

static void pair_if(struct json_writer *w, const char *name, const char *text) {
    if (text && *text)
        json_pair_string(w, name, text);
}

static void write_identity(struct json_writer *w, const struct vm *vm) {
    json_pair_string(w, "Id", vm->id);
    json_pair_string(w, "SystemType", "VirtualMachine");
    pair_if(w, "Name", vm_display_name(vm));
    pair_if(w, "Owner", vm_owner(vm));
    json_pair_string(w, "RuntimeId", vm->runtime_id);
}

static void write_state(struct json_writer *w, const struct vm *vm) {
    if (vm->state == VM_SAVED_AS_TEMPLATE)
        json_pair_bool(w, "IsRuntimeTemplate", true);
    pair_if(w, "RuntimeTemplateId", vm->template_id);
    if (vm->state != VM_CREATED)
        json_pair_string(w, "State", vm_state_name(vm->state));
    if (vm->state == VM_STOPPED) {
        json_pair_bool(w, "Stopped", true);
        pair_if(w, "ExitType", vm_exit_type_name(vm->exit_cause));
    }
}

static uint64_t processor_count(const struct vm *vm) {
    uint64_t count = 1;
    json_to_uint64(
        json_at(vm->virtual_machine, "ComputeTopology.Processor.Count"),
        &count);
    return count;
}

/* One virtual node on the first physical one: neither backend spreads them. */
static void write_memory(struct json_writer *w, const struct vm *vm) {
    uint64_t pages = vm->memory_mb * PAGES_PER_MB;
    json_begin_object(w);
    json_pair_uint(w, "VirtualNodeCount", 1);
    json_key(w, "VirtualMachineMemory");
    json_begin_object(w);
    json_pair_int(w, "AvailableMemory", -1); /* no balancing: not known */
    json_pair_int(w, "AvailableMemoryBuffer", 0);
    json_pair_uint(w, "ReservedMemory", 0);
    json_pair_uint(w, "AssignedMemory", pages);
    json_pair_bool(w, "SlpActive", false);
    json_pair_bool(w, "BalancingEnabled", false);
    json_pair_bool(w, "DmOperationInProgress", false);
    json_end_object(w);
    json_key(w, "VirtualNodes");
    json_begin_array(w);
    json_begin_object(w);
    json_pair_uint(w, "VirtualNodeIndex", 0);
    json_pair_uint(w, "PhysicalNodeNumber", 0);
    json_pair_uint(w, "VirtualProcessorCount", processor_count(vm));
    json_pair_uint(w, "MemoryUsageInPages", pages);
    json_end_object(w);
    json_end_array(w);
    json_end_object(w);
}

static void write_statistics(struct json_writer *w, const struct vm *vm) {
    struct machine_statistics s = {0};
    char timestamp[CLOCK_ISO_SIZE];
    vm->host.machine->statistics(vm->machine, &s);
    clock_format_iso(vm_wall(vm), timestamp);
    json_begin_object(w);
    json_pair_string(w, "Timestamp", timestamp);
    json_pair_int(w, "Uptime100ns", vm_uptime(vm) / 100);
    json_key(w, "Processor");
    json_begin_object(w);
    json_pair_int(w, "TotalRuntime100ns", s.runtime / 100);
    json_end_object(w);
    json_key(w, "Memory");
    json_begin_object(w);
    json_pair_uint(w, "MemoryUsageCommitBytes", s.memory_bytes);
    json_pair_uint(w, "MemoryUsageCommitPeakBytes", s.memory_peak);
    json_pair_uint(w, "MemoryUsagePrivateWorkingSetBytes", s.memory_bytes);
    json_end_object(w);
    json_key(w, "Storage");
    json_begin_object(w);
    json_pair_uint(w, "ReadCountNormalized", s.read_count);
    json_pair_uint(w, "ReadSizeBytes", s.read_bytes);
    json_pair_uint(w, "WriteCountNormalized", s.write_count);
    json_pair_uint(w, "WriteSizeBytes", s.write_bytes);
    json_end_object(w);
    json_end_object(w);
}

/* --- the Queries form ------------------------------------------------- */

static void write_basic(struct json_writer *w, const struct vm *vm) {
    json_begin_object(w);
    write_identity(w, vm);
    pair_if(w, "RuntimeTemplateId", vm->template_id);
    if (vm->state != VM_CREATED)
        json_pair_string(w, "State", vm_state_name(vm->state));
    json_end_object(w);
}

static void write_response(struct json_writer *w, const struct vm *vm,
                           const struct json_string *name) {
    json_begin_object(w);
    if (strcmp(name->text, "Basic") == 0) {
        json_key(w, "Response");
        write_basic(w, vm);
    } else {
        json_key(w, "Error");
        json_begin_object(w);
        json_pair_int(w, "Error", HCS_E_INVALID_JSON);
        json_pair_string(w, "ErrorMessage", "This host answers no such query.");
        json_end_object(w);
    }
    json_end_object(w);
}

static void write_responses(struct json_writer *w, const struct vm *vm,
                            const struct json *queries) {
    json_key(w, "PropertyResponses");
    json_begin_object(w);
    for (size_t i = 0; i < queries->as.object.count; i++) {
        const struct json_string *name = &queries->as.object.members[i].name;
        json_key_n(w, name->text, name->length);
        write_response(w, vm, name);
    }
    json_end_object(w);
}

/* --- the whole -------------------------------------------------------- */

static HRESULT ask(const char *name, size_t index, unsigned *asked,
                   struct hcs_error *error) {
    char path[JSON_MAX_PATH] = "$.PropertyTypes";
    json_path_index(path, index);
    for (size_t i = 0; i < HCS_COUNT(types); i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        if (types[i].unsupported)
            return error_set(error, HR_NOT_SUPPORTED, path,
                             "this host does not know a system's %s", name);
        *asked |= types[i].flag;
        return S_OK;
    }
    return error_set(error, HCS_E_INVALID_JSON, path,
                     "\"%s\" is not a property of a system", name);
}

static HRESULT read_types(const struct json *list, unsigned *asked,
                          struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (!list || list->type != JSON_ARRAY)
        return S_OK;
    for (size_t i = 0; i < list->as.array.count && SUCCEEDED(hr); i++)
        hr = ask(json_text(&list->as.array.items[i], ""), i, asked, error);
    return hr;
}

static HRESULT check_state(const struct vm *vm, const struct json *list,
                           unsigned asked, struct hcs_error *error) {
    bool any = list && list->type == JSON_ARRAY && list->as.array.count > 0;
    if (vm->state == VM_STOPPED && any)
        return error_set(error, HCS_E_SYSTEM_ALREADY_STOPPED, NULL,
                         "a system that has exited tells only how it ended");
    if (vm->state == VM_CREATED && (asked & (ASKED_MEMORY | ASKED_STATISTICS)))
        return error_set(error, HCS_E_INVALID_STATE, NULL,
                         "a system has no memory and no statistics before it "
                         "starts");
    return S_OK;
}

static void write_all(struct json_writer *w, const struct vm *vm,
                      unsigned asked, const struct json *queries) {
    const struct json *flag =
        json_get(vm->document.root, "ShouldTerminateOnLastHandleClosed");
    json_begin_object(w);
    write_identity(w, vm);
    write_state(w, vm);
    if (asked & ASKED_MEMORY) {
        json_key(w, "Memory");
        write_memory(w, vm);
    }
    if (asked & ASKED_STATISTICS) {
        json_key(w, "Statistics");
        write_statistics(w, vm);
    }
    if ((asked & ASKED_TERMINATE_ON_CLOSE) && json_is_true(flag))
        json_pair_bool(w, "TerminateOnLastHandleClosed", true);
    if (queries && queries->type == JSON_OBJECT)
        write_responses(w, vm, queries);
    json_end_object(w);
}

HRESULT vm_write_properties(struct vm *vm, const struct json *query,
                            struct buf *out, struct hcs_error *error) {
    const struct json *list = json_get(query, "PropertyTypes");
    unsigned asked = 0;
    struct json_writer w = {out, false};
    HRESULT hr = read_types(list, &asked, error);
    if (SUCCEEDED(hr))
        hr = check_state(vm, list, asked, error);
    if (SUCCEEDED(hr))
        write_all(&w, vm, asked, json_get(query, "Queries"));
    return hr;
}

void vm_write_summary(const struct vm *vm, struct json_writer *w) {
    write_all(w, vm, 0, NULL);
}
