/* SPDX-License-Identifier: MIT
 * Unpacking of made-up kernels: whole, cut short, with bits flipped, too
 * large. */
#include "test.h"

#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "../../../src/backend/qemu/inflate.h"
#include "../../../src/backend/qemu/kernel.h"

#define PAYLOAD_AT ((2 + 1) * 512 + 0x100)
#define LIMIT ((size_t)8 << 20)

/* An ELF file with one note segment and some filling. */
#define VMLINUX_SIZE 300000

static unsigned char *vmlinux(bool pvh) {
    unsigned char *bytes = calloc(1, VMLINUX_SIZE);
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64},
                         .e_machine = EM_X86_64,
                         .e_phoff = sizeof header,
                         .e_phnum = 2};
    Elf64_Phdr segments[2] = {
        {.p_type = PT_LOAD},
        {.p_type = PT_NOTE, .p_offset = 512, .p_filesz = 64}};
    Elf64_Nhdr note = {4, 8, pvh ? 18 : 6};

    assert_non_null(bytes);
    for (size_t i = 1024; i < VMLINUX_SIZE; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, segments, sizeof segments);
    memcpy(bytes + 512, &note, sizeof note);
    memcpy(bytes + 512 + sizeof note, "Xen", 4);
    return bytes;
}

static size_t pack_gzip(const unsigned char *in, unsigned char *out,
                        size_t room) {
    z_stream z = {.next_in = (unsigned char *)(size_t)in,
                  .avail_in = VMLINUX_SIZE,
                  .next_out = out,
                  .avail_out = (uInt)room};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_xz(const unsigned char *in, unsigned char *out,
                      size_t room) {
    size_t length = 0;

    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, in,
                                             VMLINUX_SIZE, out, &length, room),
                     LZMA_OK);
    return length;
}

static size_t pack_zstd(const unsigned char *in, unsigned char *out,
                        size_t room) {
    return ZSTD_compress(out, room, in, VMLINUX_SIZE, 1);
}

static size_t pack_lz4(const unsigned char *in, unsigned char *out,
                       size_t room) {
    static const unsigned char magic[] = {0x02, 0x21, 0x4c, 0x18};
    int length = LZ4_compress_default((const char *)in, (char *)out + 8,
                                      VMLINUX_SIZE, (int)room - 8);

    assert_true(length > 0);
    memcpy(out, magic, 4);
    for (int i = 0; i < 4; i++)
        out[4 + i] = (unsigned char)(length >> (8 * i));
    return (size_t)length + 8;
}

typedef size_t (*packer)(const unsigned char *, unsigned char *, size_t);
static const packer packers[] = {pack_gzip, pack_xz, pack_zstd, pack_lz4};

/* A bzImage around the packed kernel, with the size that kernels append. */
static unsigned char *image(packer pack, bool pvh, size_t *length) {
    size_t room = 2 * VMLINUX_SIZE, payload;
    unsigned char *bytes = calloc(1, PAYLOAD_AT + room);
    unsigned char *kernel = vmlinux(pvh);

    assert_non_null(bytes);
    bytes[0x1f1] = 2;
    memcpy(bytes + 0x202, "HdrS", 4);
    bytes[0x206] = 15;
    bytes[0x207] = 2;
    payload = pack(kernel, bytes + PAYLOAD_AT, room - 4);
    payload += 4;
    bytes[0x249] = 1;
    for (int i = 0; i < 4; i++)
        bytes[0x24c + i] = (unsigned char)(payload >> (8 * i));
    *length = PAYLOAD_AT + payload;
    free(kernel);
    return bytes;
}

static void whole(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++) {
        size_t length, got;
        unsigned char *bytes = image(packers[i], true, &length), *out;
        unsigned char *kernel = vmlinux(true);
        struct hcs_error error = {0};

        if (FAILED(kernel_unpack(bytes, length, LIMIT, &out, &got, &error)))
            fail_msg("format %zu: %s", i, error.text);
        assert_int_equal(got, VMLINUX_SIZE);
        assert_memory_equal(out, kernel, VMLINUX_SIZE);
        assert_true(kernel_has_pvh(out, got));
        free(out);
        free(kernel);
        free(bytes);
    }
}

static void without_pvh(void **state) {
    size_t length, got;
    unsigned char *bytes = image(pack_gzip, false, &length), *out;

    (void)state;
    assert_int_equal(kernel_unpack(bytes, length, LIMIT, &out, &got, NULL),
                     S_OK);
    assert_null(out);
    free(bytes);
}

/* The buffer is exactly as long as it is said to be, so that a sanitizer sees
 * what is read beyond. */
static HRESULT unpack_copy(const unsigned char *bytes, size_t length) {
    unsigned char *copy = malloc(length ? length : 1), *out = NULL;
    size_t got;
    HRESULT hr;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    hr = kernel_unpack(copy, length, LIMIT, &out, &got, NULL);
    free(out);
    free(copy);
    return hr;
}

static void cut_short(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++) {
        size_t length;
        unsigned char *bytes = image(packers[i], true, &length);

        for (size_t cut = 0; cut < length; cut += cut < 0x300 ? 1 : 4099)
            assert_true(FAILED(unpack_copy(bytes, cut)));
        free(bytes);
    }
}

/* Never a crash; formats with checks find every flip in what they cover. */
static void flipped(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++) {
        size_t length;
        unsigned char *bytes = image(packers[i], true, &length);

        for (size_t at = 0x1f1; at < length; at += at < 0x260 ? 1 : 9973) {
            bytes[at] ^= 0x41;
            unpack_copy(bytes, length);
            bytes[at] ^= 0x41;
        }
        free(bytes);
    }
}

static void too_large(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++) {
        size_t length, got;
        unsigned char *bytes = image(packers[i], true, &length), *out = NULL;

        assert_int_equal(
            kernel_unpack(bytes, length, VMLINUX_SIZE - 1, &out, &got, NULL),
            HR_FILE_CORRUPT);
        assert_null(out);
        assert_int_equal(
            kernel_unpack(bytes, length, VMLINUX_SIZE + 1, &out, &got, NULL),
            S_OK);
        free(out);
        free(bytes);
    }
}

static void no_kernels(void **state) {
    static const unsigned char zeros[4096];
    unsigned char *kernel = vmlinux(true), *out;
    size_t got;

    (void)state;
    assert_int_equal(unpack_copy(zeros, sizeof zeros), HR_INVALID_DATA);
    assert_int_equal(unpack_copy(zeros, 0), HR_INVALID_DATA);
    /* One that is unpacked already is fine as it is. */
    assert_int_equal(
        kernel_unpack(kernel, VMLINUX_SIZE, LIMIT, &out, &got, NULL), S_OK);
    assert_null(out);
    free(kernel);
}

/* Notes and program headers that point out of the file. */
static void wild_notes(void **state) {
    unsigned char *kernel = vmlinux(true);

    (void)state;
    for (size_t at = 0; at < 600; at++) {
        unsigned char kept = kernel[at];

        kernel[at] = 0xff;
        kernel_has_pvh(kernel, VMLINUX_SIZE);
        kernel_has_pvh(kernel, 600);
        kernel[at] = kept;
    }
    for (size_t length = 0; length < 700; length++)
        kernel_has_pvh(kernel, length);
    assert_true(kernel_has_pvh(kernel, VMLINUX_SIZE));
    free(kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),     cmocka_unit_test(without_pvh),
        cmocka_unit_test(cut_short), cmocka_unit_test(flipped),
        cmocka_unit_test(too_large), cmocka_unit_test(no_kernels),
        cmocka_unit_test(wild_notes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
