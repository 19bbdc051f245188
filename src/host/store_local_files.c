/* SPDX-License-Identifier: MIT
 * Files of the simulated world: who was granted them, which are made empty,
 * and the pipes of its guests. */
#include <string.h>

#include "store_local_private.h"

HRESULT local_grant(struct store *store, const char *id, const char *path,
                    struct hcs_error *error) {
    struct local *local = local_of(store);
    char runtime_id[37];

    if (!sim_file_exists(local->sim, path))
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "there is no file \"%s\"", path);
    if (id)
        vm_runtime_id_of(id, runtime_id);
    return ledger_grant(&local->ledger, id ? runtime_id : NULL, path, error);
}

/* Taking away what was never given is no failure, but there must be a file to
 * take it from. */
HRESULT local_revoke(struct store *store, const char *id, const char *path,
                     struct hcs_error *error) {
    struct local *local = local_of(store);
    char runtime_id[37];

    if (id)
        vm_runtime_id_of(id, runtime_id);
    if (!ledger_revoke(&local->ledger, id ? runtime_id : NULL, path) &&
        !sim_file_exists(local->sim, path))
        return error_set(error, HR_FILE_NOT_FOUND, NULL,
                         "there is no file \"%s\"", path);
    return S_OK;
}

HRESULT local_create_file(struct store *store, enum store_file_kind kind,
                          const char *path, struct hcs_error *error) {
    (void)kind; /* both are empty until a system writes to them */
    return sim_file_create(local_of(store)->sim, path, "", 0, error);
}

HRESULT local_pipe_connect(struct store *store, const char *name,
                           stream_native *out, struct hcs_error *error) {
    return sim_pipe_connect(local_of(store)->sim, name, out, error);
}

HRESULT local_pipe_path(struct store *store, const char *name, char *path,
                        size_t size, struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr = sim_pipe_path(local_of(store)->sim, name, &text, error);
    if (SUCCEEDED(hr) && text.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for a path");
    else if (SUCCEEDED(hr) && text.length >= size)
        hr = error_set(error, HR_INSUFFICIENT_BUFFER, NULL,
                       "the path needs %llu bytes",
                       (unsigned long long)text.length + 1);
    else if (SUCCEEDED(hr))
        memcpy(path, text.data, text.length + 1);
    buf_free(&text);
    return hr;
}
