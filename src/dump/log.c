/* SPDX-License-Identifier: MIT
 * The kernel's log: where it is. */
#include "printk.h"
#include "vmcoreinfo.h"

HRESULT printk_u64(struct printk *printk, uint64_t address, uint64_t *out,
                   struct hcs_error *error) {
    uint8_t bytes[8];
    HRESULT hr = dump_read_virtual_in(printk->dump, &printk->space, address,
                                      bytes, sizeof bytes, NULL, error);

    if (SUCCEEDED(hr))
        *out = le64(bytes);
    return hr;
}

HRESULT printk_u32(struct printk *printk, uint64_t address, uint32_t *out,
                   struct hcs_error *error) {
    uint8_t bytes[4];
    HRESULT hr = dump_read_virtual_in(printk->dump, &printk->space, address,
                                      bytes, sizeof bytes, NULL, error);

    if (SUCCEEDED(hr))
        *out = le32(bytes);
    return hr;
}

bool printk_offset(struct printk *printk, const char *name, uint64_t *out) {
    return vmcoreinfo_number(printk->dump, "OFFSET", name, out);
}

/* --- finding it ---------------------------------------------------------- */

static HRESULT log_in_space(struct printk *printk, struct hcs_error *error) {
    HRESULT hr = printk_ring(printk, error);

    if (hr == HR_NOT_FOUND)
        hr = printk_records(printk, error);
    if (hr == HR_NOT_FOUND)
        error_set(error, hr, NULL,
                  "the dump does not tell how its kernel keeps its log");
    return hr;
}

static bool same(const struct dump_space *a, const struct dump_space *b) {
    return a->mode == b->mode && a->root == b->root && a->levels == b->levels;
}

/* The kernel's own tables first; a CPU's may be those of a program, which do
 * not map all of the kernel. */
HRESULT dump_log(struct dump *dump, dump_log_fn line, void *context,
                 struct hcs_error *error) {
    struct printk printk = {dump, {DUMP_PAGING_INVALID, 0, 0}, line, context};
    struct dump_space last = {DUMP_PAGING_INVALID, 0, 0};
    HRESULT hr = HR_NOT_FOUND;
    uint32_t cpu;

    if (!dump->vmcoreinfo)
        return error_set(error, HR_NOT_FOUND, NULL,
                         "the dump has no notes of a Linux kernel, so its log "
                         "cannot be found");
    if (SUCCEEDED(dump_get_kernel_space(dump, &printk.space, NULL))) {
        last = printk.space;
        hr = log_in_space(&printk, error);
    } else {
        error_set(error, hr, NULL,
                  "no page tables lead to the log of the kernel");
    }
    for (cpu = 0; FAILED(hr) && cpu < dump->facts.cpu_count && cpu < 64;
         cpu++) {
        if (FAILED(dump_get_space(dump, cpu, &printk.space, NULL)) ||
            same(&last, &printk.space))
            continue;
        last = printk.space;
        hr = log_in_space(&printk, error);
    }
    return hr;
}
