/* SPDX-License-Identifier: MIT
 * Dumps in the flattened form: nothing is written past the limit. The head,
 * which is large and says little, is put in front of the input. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/qemu/flatten.h"
#include "fuzz.h"

#define HEAD_SIZE 4096
#define LIMIT 65536

static int file_of(const char *head, size_t head_size, const uint8_t *data,
                   size_t size) {
    int fd = memfd_create("dump", MFD_CLOEXEC);

    require(fd >= 0);
    require(write(fd, head, head_size) == (ssize_t)head_size);
    require(write(fd, data, size) == (ssize_t)size);
    require(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check(HRESULT hr, int out, uint64_t written) {
    struct stat st;

    require(fstat(out, &st) == 0 && st.st_size <= LIMIT);
    if (SUCCEEDED(hr))
        require((uint64_t)st.st_size == written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char head[HEAD_SIZE] = "makedumpfile";
    int in = file_of(head, sizeof head, data, size), out;
    uint64_t written = 0;

    out = memfd_create("out", MFD_CLOEXEC);
    require(out >= 0);
    check(flatten_undo(in, out, LIMIT, 0, &written, NULL), out, written);
    close(in);
    close(out);
    in = file_of("", 0, data, size);
    out = memfd_create("out", MFD_CLOEXEC);
    require(out >= 0);
    check(sparse_copy(in, out, LIMIT, 0, &written, NULL), out, written);
    close(in);
    close(out);
    return 0;
}
