/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: opening and releasing. */
#include "dump.h"

#include <stdlib.h>

#include "calls.h"
#include "result.h"
#include "surroundings.h"

/* --- handles -------------------------------------------------------------- */

static void destroy(struct object *object) {
    struct dumped *dumped = HCS_CONTAINER(object, struct dumped, object);
    dump_close(dumped->dump);
    for (size_t i = 0; i < dumped->fix_count; i++)
        free(dumped->fixes[i].bytes);
    free(dumped->fixes);
    free(dumped->forced);
    free(dumped->ranges);
    mutex_destroy(&dumped->lock);
    free(dumped);
}

HRESULT dump_begin(VM_SAVED_STATE_DUMP_HANDLE handle, struct dumped **out) {
    struct object *object = handle_get(handle, HANDLE_DUMP);
    if (!object)
        return E_HANDLE;
    *out = HCS_CONTAINER(object, struct dumped, object);
    mutex_lock(&(*out)->lock);
    return S_OK;
}

HRESULT dump_begin_answer(VM_SAVED_STATE_DUMP_HANDLE handle, const void *answer,
                          struct dumped **out) {
    HRESULT hr = dump_begin(handle, out);
    if (FAILED(hr) || answer)
        return hr;
    hr = error_set(&(*out)->error, E_INVALIDARG, NULL,
                   "where the answer goes is NULL");
    return dump_end(*out, hr);
}

HRESULT dump_end(struct dumped *dumped, HRESULT hr) {
    mutex_unlock(&dumped->lock);
    object_unref(&dumped->object);
    return hr;
}

/* --- opening -------------------------------------------------------------- */

static HRESULT open_path(const char *path, VM_SAVED_STATE_DUMP_HANDLE *out,
                         struct hcs_error *error) {
    struct dumped *dumped = calloc(1, sizeof *dumped);
    HRESULT hr;

    if (!dumped)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a dump");
    mutex_init(&dumped->lock);
    object_init(&dumped->object, HANDLE_DUMP, destroy);
    hr = dump_open(path, &dumped->dump, error);
    if (SUCCEEDED(hr))
        hr = handle_create(&dumped->object, error);
    if (SUCCEEDED(hr))
        *out = (VM_SAVED_STATE_DUMP_HANDLE)dumped->object.number;
    object_unref(&dumped->object);
    return hr;
}

static HRESULT open_file(PCWSTR file, VM_SAVED_STATE_DUMP_HANDLE *out,
                         struct hcs_error *error) {
    char *name = NULL, *path = NULL;
    HRESULT hr = out && file
                     ? call_name(file, &name)
                     : error_set(error, E_INVALIDARG, NULL,
                                 "the path, or where the dump goes, is NULL");

    if (FAILED(hr) && !name && file && out)
        error_set(error, hr, NULL, "the path is empty or not UTF-16");
    if (SUCCEEDED(hr))
        hr = surroundings_full_path(name, &path, error);
    if (SUCCEEDED(hr))
        hr = open_path(path, out, error);
    free(path);
    free(name);
    return hr;
}

HRESULT hcshost_dump_open(PCWSTR file, VM_SAVED_STATE_DUMP_HANDLE *out,
                          PWSTR *reason) {
    struct hcs_error error = {.code = S_OK};
    HRESULT hr;

    if (out)
        *out = NULL;
    hr = open_file(file, out, &error);
    if (reason)
        *reason = FAILED(hr) ? result_text(error.text, NULL) : NULL;
    return hr;
}

HRESULT hcshost_dump_reason(VM_SAVED_STATE_DUMP_HANDLE dump, PWSTR *reason) {
    struct dumped *dumped;
    HRESULT hr;

    if (reason)
        *reason = NULL;
    hr = dump_begin_answer(dump, reason, &dumped);
    if (FAILED(hr))
        return hr;
    if (FAILED(dumped->error.code)) {
        *reason = result_text(dumped->error.text, NULL);
        hr = *reason ? S_OK : E_OUTOFMEMORY;
    }
    return dump_end(dumped, hr);
}

/* --- Microsoft's ---------------------------------------------------------- */

/* Where Hyper-V keeps the files of its systems only Hyper-V knows. */
HRESULT WINAPI LocateSavedStateFiles(PCWSTR system, PCWSTR snapshot, PWSTR *bin,
                                     PWSTR *vsv, PWSTR *vmrs) {
    (void)snapshot;
    if (bin)
        *bin = NULL;
    if (vsv)
        *vsv = NULL;
    if (vmrs)
        *vmrs = NULL;
    if (!system || !bin || !vsv || !vmrs)
        return E_INVALIDARG;
    return HR_NOT_SUPPORTED;
}

HRESULT WINAPI LoadSavedStateFile(PCWSTR file,
                                  VM_SAVED_STATE_DUMP_HANDLE *dump) {
    return hcshost_dump_open(file, dump, NULL);
}

/* The pairs of files that Hyper-V wrote before Windows 10. */
HRESULT WINAPI LoadSavedStateFiles(PCWSTR bin, PCWSTR vsv,
                                   VM_SAVED_STATE_DUMP_HANDLE *dump) {
    if (dump)
        *dump = NULL;
    return bin && vsv && dump ? HR_NOT_SUPPORTED : E_INVALIDARG;
}

/* A log that was never applied is read as if it were, so nothing need be
 * written; a file that cannot be read this way cannot be mended either. */
HRESULT WINAPI ApplyPendingSavedStateFileReplayLog(PCWSTR file) {
    VM_SAVED_STATE_DUMP_HANDLE dump = NULL;
    HRESULT hr = hcshost_dump_open(file, &dump, NULL);
    return SUCCEEDED(hr) ? ReleaseSavedStateFiles(dump) : hr;
}

HRESULT WINAPI ReleaseSavedStateFiles(VM_SAVED_STATE_DUMP_HANDLE dump) {
    struct object *object = handle_take(dump, HANDLE_DUMP);
    if (!object)
        return E_HANDLE;
    object_unref(object);
    return S_OK;
}
