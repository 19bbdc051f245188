/* SPDX-License-Identifier: MIT
 * Memory as it is, each byte at its physical address, for tools that know
 * nothing else. What is where, and the registers, a small file beside it says
 * in JSON. */
#include "writer.h"

HRESULT write_raw(struct writer *writer, struct hcs_error *error) {
    struct dump_range range = {0, 0};
    HRESULT hr;
    while ((hr = writer_next_range(writer, range.start + range.bytes, &range,
                                   error)) == S_OK) {
        if (range.start + range.bytes > INT64_MAX)
            return error_set(error, HR_NOT_SUPPORTED, NULL,
                             "the dump has memory where no file has bytes");
        hr = writer_copy(writer, &range, range.start, error);
        if (FAILED(hr))
            return hr;
    }
    return FAILED(hr) ? hr : S_OK;
}
