/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <stdlib.h>
#include <string.h>

HRESULT output_open(struct output *output, const char *path,
                    struct hcs_error *error) {
    HRESULT hr;

    memset(output, 0, sizeof *output);
    output->file = HCS_NO_FILE;
    if (!file_is_path(path))
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not an absolute path", path);
    output->path = malloc(strlen(path) + 1);
    if (!output->path)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    memcpy(output->path, path, strlen(path) + 1);
    hr = file_create_beside(path, &output->temporary, &output->file, error);
    if (FAILED(hr))
        output_close(output, NULL);
    return hr;
}

HRESULT output_commit(struct output *output, struct hcs_error *error) {
    HRESULT hr = file_flush(output->file, error);

    if (SUCCEEDED(hr))
        hr = file_replace(output->temporary, output->path, error);
    if (SUCCEEDED(hr)) {
        free(output->temporary);
        output->temporary = NULL;
    }
    return hr;
}

void output_close(struct output *output, hcs_file *file) {
    if (output->temporary && output->file != HCS_NO_FILE) {
        file_discard(output->file, output->temporary);
        output->file = HCS_NO_FILE;
    }
    if (file)
        *file = output->file;
    else
        file_close(output->file, NULL);
    free(output->temporary);
    free(output->path);
    memset(output, 0, sizeof *output);
    output->file = HCS_NO_FILE;
}
