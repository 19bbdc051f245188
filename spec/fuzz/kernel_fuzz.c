/* SPDX-License-Identifier: MIT
 * Kernel images: unpacked within the limit, taken as they are, or refused. */
#include "backend/qemu/inflate.h"
#include "backend/qemu/kernel.h"
#include "fuzz.h"

#define LIMIT ((size_t)1 << 20)

/* A copy of its own, so that reading past its end shows. */
static unsigned char *copy_of(const uint8_t *data, size_t size) {
    unsigned char *copy = malloc(size ? size : 1);

    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static void check_inflate(const unsigned char *bytes, size_t size) {
    enum inflate_format format = inflate_format(bytes, size);
    unsigned char *out = NULL;
    size_t length = 0;

    if (format == INFLATE_UNKNOWN ||
        FAILED(inflate_all(format, bytes, size, LIMIT, &out, &length, NULL)))
        return;
    require(length <= LIMIT);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char *bytes = copy_of(data, size), *out = NULL;
    struct hcs_error error = {0};
    size_t length = 0;
    HRESULT hr = kernel_unpack(bytes, size, LIMIT, &out, &length, &error);

    if (FAILED(hr))
        require(!out && (hr == HR_FILE_CORRUPT || hr == HR_INVALID_DATA));
    else if (out)
        require(length <= LIMIT && kernel_has_pvh(out, length));
    free(out);
    kernel_has_pvh(bytes, size);
    check_inflate(bytes, size);
    free(bytes);
    return 0;
}
