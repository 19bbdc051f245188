/* SPDX-License-Identifier: MIT
 * What each request does once its turn has come and its state is legal. */
#include <string.h>

#include "vm_private.h"

/* --- start, pause, resume --------------------------------------------- */

static void started(struct vm *vm, HRESULT result,
                    const struct hcs_error *error) {
    if (SUCCEEDED(result))
        vm_set_state(vm, VM_RUNNING);
    vm_finish(vm, result, error, NULL);
}

static void start(struct vm *vm, const struct json *options) {
    struct hcs_error error;
    HRESULT hr = vm_start_check(options, &error);
    if (SUCCEEDED(hr))
        hr = vm_access_check(vm, &error);
    if (FAILED(hr))
        vm_finish(vm, hr, &error, NULL);
    else
        vm->host.machine->start(vm->machine, VM_CALL(vm, started));
}

static void paused(struct vm *vm, HRESULT result,
                   const struct hcs_error *error) {
    if (SUCCEEDED(result))
        vm_set_state(vm, VM_PAUSED);
    vm_finish(vm, result, error, NULL);
}

static void pause_vm(struct vm *vm, const struct json *options) {
    struct hcs_error error;
    HRESULT hr = vm_pause_check(options, &error);
    if (FAILED(hr))
        vm_finish(vm, hr, &error, NULL);
    else
        vm->host.machine->pause(vm->machine, VM_CALL(vm, paused));
}

static void resume(struct vm *vm, const struct json *options) {
    (void)options;
    vm->host.machine->resume(vm->machine, VM_CALL(vm, started));
}

/* --- save ------------------------------------------------------------- */

static void saved(struct vm *vm, HRESULT result,
                  const struct hcs_error *error) {
    vm_finish(vm, result, error, NULL);
}

static void saved_as_template(struct vm *vm, HRESULT result,
                              const struct hcs_error *error) {
    if (SUCCEEDED(result))
        vm_set_state(vm, VM_SAVED_AS_TEMPLATE);
    vm_finish(vm, result, error, NULL);
}

static void save(struct vm *vm, const struct json *options) {
    enum machine_save_kind kind;
    const char *path;
    struct hcs_error error;
    HRESULT hr = vm_save_options(vm, options, &kind, &path, &error);
    if (FAILED(hr)) {
        vm_finish(vm, hr, &error, NULL);
        return;
    }
    vm->host.machine->save(
        vm->machine, kind, path,
        VM_CALL(vm, kind == MACHINE_SAVE_TEMPLATE ? saved_as_template : saved));
}

/* --- shut down, terminate --------------------------------------------- */

static void button_pressed(struct vm *vm, HRESULT result,
                           const struct hcs_error *error) {
    vm->shutdown_pending = SUCCEEDED(result);
    vm_finish(vm, result, error, NULL);
}

static void shut_down(struct vm *vm, const struct json *options) {
    struct hcs_error error;
    HRESULT hr = vm_shutdown_check(vm, options, &error);
    if (SUCCEEDED(hr) && vm->shutdown_pending)
        hr = error_set(&error, HCS_E_SYSTEM_ALREADY_STOPPED, NULL,
                       "the guest was asked to shut down already");
    if (FAILED(hr))
        vm_finish(vm, hr, &error, NULL);
    else
        vm->host.machine->press_power(vm->machine, VM_CALL(vm, button_pressed));
}

HRESULT vm_terminate_check(struct vm *vm, struct hcs_error *error) {
    if (vm->state == VM_SAVED_AS_TEMPLATE && vm->host.has_clones &&
        vm->host.has_clones(vm->host.context, vm))
        return error_set(error, HCS_E_INVALID_STATE, NULL,
                         "clones of this template are still alive");
    return S_OK;
}

/* --- crash ------------------------------------------------------------ */

static void nmi_injected(struct vm *vm, HRESULT result,
                         const struct hcs_error *error) {
    if (SUCCEEDED(result))
        vm_nmi_injected(vm);
    vm_finish(vm, result, error, NULL);
}

/* The capture's own result outlives the resume that follows it. */
static void capture_resumed(struct vm *vm, HRESULT result,
                            const struct hcs_error *error) {
    if (FAILED(result) && SUCCEEDED(vm->capture_error.code))
        vm->capture_error = *error;
    vm_finish(vm, vm->capture_error.code, &vm->capture_error, NULL);
}

static void captured(struct vm *vm, HRESULT result,
                     const struct hcs_error *error) {
    if (FAILED(result))
        vm->capture_error = *error;
    /* What the guest did meanwhile holds it still; that comes next. */
    if (vm->guest_event || vm->state == VM_PAUSED)
        capture_resumed(vm, S_OK, NULL);
    else
        vm->host.machine->resume(vm->machine, VM_CALL(vm, capture_resumed));
}

static void capture_paused(struct vm *vm, HRESULT result,
                           const struct hcs_error *error) {
    const char *path;
    struct hcs_error bad;
    if (FAILED(result)) {
        vm_finish(vm, result, error, NULL);
        return;
    }
    vm->capture_error = (struct hcs_error){0};
    if (FAILED(vm_crash_options(vm->active->options.root, &path, &bad))) {
        captured(vm, bad.code, &bad);
        return;
    }
    vm_dump(vm, path, vm_dump_format(path), 0, "Capture", captured);
}

static void crash(struct vm *vm, const struct json *options) {
    const char *path;
    struct hcs_error error;
    HRESULT hr = vm_crash_options(options, &path, &error);
    if (FAILED(hr))
        vm_finish(vm, hr, &error, NULL);
    else if (path && vm->state == VM_PAUSED)
        capture_paused(vm, S_OK, NULL);
    else if (path)
        vm->host.machine->pause(vm->machine, VM_CALL(vm, capture_paused));
    else
        vm->host.machine->inject_nmi(vm->machine, VM_CALL(vm, nmi_injected));
}

/* --- modify ----------------------------------------------------------- */

static void modified(struct vm *vm, HRESULT result,
                     const struct hcs_error *error) {
    if (SUCCEEDED(result))
        vm_modified(vm, vm->active->options.root);
    vm_finish(vm, result, error, NULL);
}

static bool is_about_dumps(const struct json *request) {
    return strcmp(json_text(json_get(request, "ResourcePath"), ""),
                  VM_DUMPS_PATH) == 0;
}

static void modify(struct vm *vm, const struct json *options) {
    struct hcs_error error;
    HRESULT hr = vm_modify_check(vm, options, &error);
    if (SUCCEEDED(hr) && is_about_dumps(options))
        vm_dumps_modified(vm, options); /* no matter of the machine's */
    if (FAILED(hr) || is_about_dumps(options))
        vm_finish(vm, hr, SUCCEEDED(hr) ? NULL : &error, NULL);
    else
        vm->host.machine->modify(vm->machine, options, VM_CALL(vm, modified));
}

/* --- which is which --------------------------------------------------- */

static const struct {
    HCS_OPERATION_TYPE verb;
    void (*perform)(struct vm *vm, const struct json *options);
} verbs[] = {
    {HcsOperationTypeStart, start},        {HcsOperationTypePause, pause_vm},
    {HcsOperationTypeResume, resume},      {HcsOperationTypeSave, save},
    {HcsOperationTypeShutdown, shut_down}, {HcsOperationTypeCrash, crash},
    {HcsOperationTypeModify, modify},
};

void vm_perform(struct vm *vm, struct vm_request *request) {
    struct hcs_error error;
    for (size_t i = 0; i < HCS_COUNT(verbs); i++) {
        if (verbs[i].verb == request->verb) {
            verbs[i].perform(vm, request->options.root);
            return;
        }
    }
    error_set(&error, HR_NOT_SUPPORTED, NULL,
              "operation %d is not one of a virtual machine",
              (int)request->verb);
    vm_finish(vm, error.code, &error, NULL);
}
