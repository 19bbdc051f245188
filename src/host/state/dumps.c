/* SPDX-License-Identifier: MIT
 * Dumps: what they are to be, how many are kept, and what is put beside each,
 * so that it can be understood where it is carried to. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vm_private.h"

#define MOST_KEPT 1000

/* --- the policy, a resource that Windows does not have -------------------- */

static HRESULT refuse(struct hcs_error *error, const char *path,
                      const char *text) {
    return error_set(error, HCS_E_INVALID_JSON, path, "%s", text);
}

static HRESULT check_member(const char *name, const struct json *value,
                            struct hcs_error *error) {
    uint64_t number = 0;
    bool is_number = json_to_uint64(value, &number);
    if (strcmp(name, "Keep") == 0)
        return is_number && number >= 1 && number <= MOST_KEPT
                   ? S_OK
                   : refuse(error, "$.Settings.Keep",
                            "so many dumps are kept: 1 to 1000");
    if (strcmp(name, "FreeBytes") == 0)
        return is_number ? S_OK
                         : refuse(error, "$.Settings.FreeBytes",
                                  "so many bytes stay free on the disk: a "
                                  "number");
    return refuse(error, "$.Settings", "only Keep and FreeBytes are known");
}

HRESULT vm_dumps_check(const struct json *request, struct hcs_error *error) {
    const struct json *settings = json_get(request, "Settings");
    HRESULT hr = S_OK;
    if (strcmp(json_text(json_get(request, "RequestType"), "Add"), "Update") !=
        0)
        return refuse(error, "$.RequestType", "it can only be updated");
    if (!settings || settings->type != JSON_OBJECT)
        return refuse(error, "$.Settings", "the settings are missing");
    for (size_t i = 0; SUCCEEDED(hr) && i < settings->as.object.count; i++)
        hr = check_member(settings->as.object.members[i].name.text,
                          &settings->as.object.members[i].value, error);
    return hr;
}

void vm_dumps_modified(struct vm *vm, const struct json *request) {
    const struct json *settings = json_get(request, "Settings");
    uint64_t keep = vm->dumps.keep;
    json_to_uint64(json_get(settings, "Keep"), &keep);
    json_to_uint64(json_get(settings, "FreeBytes"), &vm->dumps.free);
    vm->dumps.keep = (uint32_t)keep;
}

/* --- what is beside a dump ------------------------------------------------ */

static void write_time(struct json_writer *w, int64_t nanoseconds) {
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    struct tm parts;
    char text[40];
#ifdef _WIN32
    if (gmtime_s(&parts, &seconds) != 0)
        return;
#else
    if (!gmtime_r(&seconds, &parts))
        return;
#endif
    if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
        json_pair_string(w, "Created", text);
}

static char *about(struct vm *vm, const char *why) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    json_begin_object(&w);
    json_pair_string(&w, "Why", why);
    write_time(&w, vm_wall(vm));
    json_key(&w, "Host");
    json_begin_object(&w);
    json_pair_string(&w, "Kind", vm->host.machine->name);
    json_pair_int(&w, "Build", vm->host.build);
    json_end_object(&w);
    json_pair_string(&w, "Id", vm->id);
    json_pair_string(&w, "RuntimeId", vm->runtime_id);
    json_key(&w, "Document");
    json_put_value(&w, vm->document.root);
    json_end_object(&w);
    buf_putc(&out, '\n');
    return buf_take(&out);
}

/* --- dumps ---------------------------------------------------------------- */

static bool ends(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    if (length <= tail)
        return false;
    for (text += length - tail; *ending; text++, ending++)
        if ((*text | 0x20) != (*ending | 0x20))
            return false;
    return true;
}

enum machine_dump_format vm_dump_format(const char *path) {
    if (ends(path, ".vmrs"))
        return MACHINE_DUMP_VMRS;
    if (ends(path, ".kdump"))
        return MACHINE_DUMP_KDUMP_ZLIB;
    return ends(path, ".raw") ? MACHINE_DUMP_RAW : MACHINE_DUMP_ELF;
}

void vm_dump(struct vm *vm, const char *path, enum machine_dump_format format,
             uint64_t limit, const char *why, vm_then then) {
    struct machine_dump_options options = {.format = format,
                                           .limit = limit,
                                           .keep_free = vm->dumps.free,
                                           .keep = vm->dumps.keep};
    free(vm->dumps.about);
    vm->dumps.about = about(vm, why);
    if (!vm->dumps.about) {
        struct hcs_error error;
        error_set(&error, E_OUTOFMEMORY, NULL, "no memory for a dump");
        then(vm, error.code, &error);
        return;
    }
    options.about = vm->dumps.about;
    vm->host.machine->dump(vm->machine, path, &options, &vm->crash.dump_bytes,
                           VM_CALL(vm, then));
}
