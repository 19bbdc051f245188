/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: writing them in another format. */
#include "../dump/export.h"

#include <stdlib.h>

#include "calls.h"
#include "dump.h"
#include "surroundings.h"

_Static_assert((int)DUMP_EXPORT_KDUMP == (int)HcsHostDumpKdump &&
                   (int)DUMP_EXPORT_VMRS == (int)HcsHostDumpVmrs,
               "formats are numbered as the ABI numbers them");

/* Who is told how far it is. */
struct teller {
    HCSHOST_DUMP_PROGRESS progress;
    void *context;
};

static bool tell(void *context, uint64_t done, uint64_t total) {
    const struct teller *teller = context;
    return teller->progress(teller->context, done, total);
}

/* The path as it is from anywhere. */
static HRESULT read_path(PCWSTR path, char **out, struct hcs_error *error) {
    char *name = NULL;
    HRESULT hr = call_name(path, &name);
    if (FAILED(hr))
        return error_set(error, hr, NULL, "the path is empty or not UTF-16");
    hr = surroundings_full_path(name, out, error);
    free(name);
    return hr;
}

HRESULT hcshost_dump_export(VM_SAVED_STATE_DUMP_HANDLE dump, PCWSTR path,
                            const HCSHOST_DUMP_EXPORT *how,
                            HCSHOST_DUMP_PROGRESS progress, void *context,
                            UINT64 *bytes) {
    struct teller teller = {progress, context};
    struct dump_export_options options = {0};
    struct dumped *dumped;
    char *file = NULL;
    uint64_t length = 0;
    HRESULT hr = dump_begin_answer(dump, how, &dumped);

    if (bytes)
        *bytes = 0;
    if (FAILED(hr))
        return hr;
    if (how->Format > HcsHostDumpVmrs)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "there is no format %d", (int)how->Format);
    else
        hr = read_path(path, &file, &dumped->error);
    options.compress = how->Compress;
    options.max_bytes = how->MaxBytes;
    options.keep_free = how->KeepFree;
    options.progress = progress ? tell : NULL;
    options.context = &teller;
    if (SUCCEEDED(hr))
        hr = dump_export(dumped->dump, file,
                         (enum dump_export_format)how->Format, &options,
                         &length, &dumped->error);
    if (SUCCEEDED(hr) && bytes)
        *bytes = length;
    free(file);
    return dump_end(dumped, hr);
}
