/* SPDX-License-Identifier: MIT
 * The header of QEMU's saved states: refused, or read and written again the
 * same. The first two bytes add a tail to the file. */
#include <sys/mman.h>
#include <unistd.h>

#include "backend/qemu/saved.h"
#include "fuzz.h"

static bool same_nics(const struct saved_header *a,
                      const struct saved_header *b) {
    for (size_t i = 0; i < a->nic_count; i++) {
        const struct saved_nic *one = &a->nics[i], *other = &b->nics[i];

        if (strcmp(one->name, other->name) != 0 || one->slot != other->slot ||
            one->connected != other->connected ||
            memcmp(&one->mac, &other->mac, sizeof one->mac) != 0)
            return false;
    }
    return true;
}

static bool same(const struct saved_header *a, const struct saved_header *b) {
    return a->nic_count == b->nic_count && same_nics(a, b) &&
           strcmp(a->shape, b->shape) == 0 && a->held == b->held &&
           a->memory_bytes == b->memory_bytes &&
           a->stream_bytes == b->stream_bytes;
}

static void check_again(int fd, const struct saved_header *header) {
    struct saved_header again = {0};

    require(saved_write_header(fd, header, NULL) == S_OK);
    require(saved_read_header(fd, "x", &again, NULL) == S_OK);
    require(same(header, &again));
    require(saved_check(&again, header->shape, header->memory_bytes, "x",
                        NULL) == S_OK);
    require(FAILED(saved_check(&again, "", header->memory_bytes, "x", NULL)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    unsigned tail = take(&input), whole = take(&input);
    int fd = memfd_create("saved", MFD_CLOEXEC);
    struct saved_header header = {0};
    struct hcs_error error = {0};
    HRESULT hr;

    require(fd >= 0);
    require(write(fd, SAVED_MAGIC, SAVED_MAGIC_LENGTH) == SAVED_MAGIC_LENGTH);
    require(write(fd, input.next, input.left) == (ssize_t)input.left);
    if (whole & 1)
        require(ftruncate(fd, SAVED_HEADER_SIZE + tail) == 0);
    hr = saved_read_header(fd, "x", &header, &error);
    if (SUCCEEDED(hr))
        check_again(fd, &header);
    else
        require(hr == HR_FILE_CORRUPT && error.code == hr && error.text[0]);
    close(fd);
    return 0;
}
