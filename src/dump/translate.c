/* SPDX-License-Identifier: MIT
 * Page tables: where a virtual address lies. A walk takes one step for each
 * level and no more, whatever the tables say. */
#include "reader.h"
#include "vmcoreinfo.h"

#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)

#define ENTRY_PRESENT 1u
#define ENTRY_LARGE 0x80u
/* Address bits of an entry, and of CR3. */
#define ADDRESS_BITS UINT64_C(0x000FFFFFFFFFF000)

/* Where the Linux kernel's own text is mapped before it is moved. */
#define KERNEL_MAP UINT64_C(0xFFFFFFFF80000000)

/* --- spaces -------------------------------------------------------------- */

static unsigned levels_of(enum dump_paging mode, uint64_t cr4) {
    switch (mode) {
    case DUMP_PAGING_LONG:
        return cr4 & CR4_LA57 ? 5 : 4;
    case DUMP_PAGING_PAE:
        return 3;
    case DUMP_PAGING_32BIT:
        return 2;
    default:
        return 0;
    }
}

/* Where the dump has no EFER, its arch tells whether that was long mode. */
static enum dump_paging mode_of(const struct dump_cpu *cpu) {
    uint64_t cr0 = cpu->values[DUMP_REG_CR0].number;
    uint64_t cr4 = cpu->values[DUMP_REG_CR4].number;
    uint64_t efer = cpu->values[DUMP_REG_EFER].number;
    bool wide = cpu->known[DUMP_REG_EFER] ? (efer & EFER_LMA) != 0
                                          : cpu->arch == DUMP_ARCH_X64;

    if (!(cr0 & CR0_PG))
        return DUMP_PAGING_NONE;
    if (!(cr4 & CR4_PAE))
        return DUMP_PAGING_32BIT;
    return wide ? DUMP_PAGING_LONG : DUMP_PAGING_PAE;
}

static bool space_of(const struct dump_cpu *cpu, struct dump_space *out) {
    uint64_t cr3 = cpu->values[DUMP_REG_CR3].number;
    uint64_t cr4 = cpu->values[DUMP_REG_CR4].number;

    if (!cpu->known[DUMP_REG_CR3])
        return false;
    if (cpu->known[DUMP_REG_CR0] && cpu->known[DUMP_REG_CR4]) {
        out->mode = mode_of(cpu);
    } else if (cpu->arch == DUMP_ARCH_X64) {
        out->mode = DUMP_PAGING_LONG;
    } else {
        return false;
    }
    out->levels = levels_of(out->mode, cr4);
    out->root = out->mode == DUMP_PAGING_PAE ? cr3 & UINT64_C(0xFFFFFFE0)
                                             : cr3 & ADDRESS_BITS;
    return true;
}

HRESULT dump_get_kernel_space(struct dump *dump, struct dump_space *out,
                              struct hcs_error *error) {
    uint64_t table, base, wide = 0;

    if (dump->facts.arch != DUMP_ARCH_X64 ||
        (!vmcoreinfo_symbol(dump, "init_top_pgt", &table) &&
         !vmcoreinfo_symbol(dump, "swapper_pg_dir", &table) &&
         !vmcoreinfo_symbol(dump, "init_level4_pgt", &table)) ||
        !vmcoreinfo_number(dump, "NUMBER", "phys_base", &base) ||
        table < KERNEL_MAP)
        return error_set(error, VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE, NULL,
                         "the dump does not tell where the kernel's page "
                         "tables are");
    vmcoreinfo_number(dump, "NUMBER", "pgtable_l5_enabled", &wide);
    out->mode = DUMP_PAGING_LONG;
    out->root = (table - KERNEL_MAP + base) & ADDRESS_BITS;
    out->levels = wide == 1 ? 5 : 4;
    return S_OK;
}

HRESULT dump_get_space(struct dump *dump, uint32_t cpu, struct dump_space *out,
                       struct hcs_error *error) {
    struct dump_cpu registers;
    HRESULT hr;

    if (dump->has_space && dump->space_cpu == cpu) {
        *out = dump->space;
        return S_OK;
    }
    hr = dump_get_cpu(dump, cpu, &registers, error);
    if (SUCCEEDED(hr) && !space_of(&registers, out))
        hr = dump_get_kernel_space(dump, out, error);
    if (FAILED(hr))
        return hr;
    dump->has_space = true;
    dump->space_cpu = cpu;
    dump->space = *out;
    return S_OK;
}

/* --- walking ------------------------------------------------------------- */

struct walk {
    struct dump *dump;
    uint64_t table; /* of the level that is next */
    uint64_t entry;
    unsigned shift; /* of the address bits that choose the entry */
    unsigned bits;
    unsigned entry_bytes;
};

static HRESULT read_entry(struct walk *walk, uint64_t address,
                          struct hcs_error *error) {
    uint64_t index = address >> walk->shift & ((UINT64_C(1) << walk->bits) - 1);
    uint8_t bytes[8] = {0};
    HRESULT hr =
        dump_read_physical(walk->dump, walk->table + index * walk->entry_bytes,
                           bytes, walk->entry_bytes, NULL, error);

    if (FAILED(hr))
        return hr;
    walk->entry = le64(bytes);
    return S_OK;
}

/* Bytes from `address` to the end of what one entry at `shift` maps; at the
 * very end of all addresses that is 0 as a sum, and right as a difference. */
static uint64_t rest_of(uint64_t address, unsigned shift) {
    uint64_t whole = UINT64_C(1) << shift;

    return whole - (address & (whole - 1));
}

static HRESULT not_mapped(uint64_t address, struct hcs_error *error) {
    return error_set(error, VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED, NULL,
                     "0x%llx is not mapped", (unsigned long long)address);
}

/* What `space` does not have between its halves, or past its end. */
static bool canonical(const struct dump_space *space, uint64_t address,
                      uint64_t *size) {
    unsigned width = 12 + 9 * space->levels;
    uint64_t half = UINT64_C(1) << (width - 1);

    if (space->mode != DUMP_PAGING_LONG) {
        *size = 0;
        return address >> 32 == 0;
    }
    *size = 0 - half - address; /* to where the upper half begins */
    return address < half || address >= 0 - half;
}

static HRESULT walk_tables(struct walk *walk, const struct dump_space *space,
                           uint64_t address, uint64_t *physical, uint64_t *size,
                           struct hcs_error *error) {
    unsigned level;
    bool large = false;

    for (level = space->levels; level > 0 && !large; level--) {
        HRESULT hr;
        walk->shift = 12 + walk->bits * (level - 1);
        if (space->mode == DUMP_PAGING_PAE && level == 3)
            walk->bits = 2;
        hr = read_entry(walk, address, error);
        if (space->mode == DUMP_PAGING_PAE)
            walk->bits = 9;
        if (FAILED(hr))
            return hr;
        *size = rest_of(address, walk->shift);
        if (!(walk->entry & ENTRY_PRESENT))
            return not_mapped(address, error);
        large = (walk->entry & ENTRY_LARGE) &&
                (level == 2 || (level == 3 && space->mode == DUMP_PAGING_LONG));
        walk->table = walk->entry & ADDRESS_BITS;
    }
    *physical = (walk->table & ~((UINT64_C(1) << walk->shift) - 1)) |
                (address & ((UINT64_C(1) << walk->shift) - 1));
    return S_OK;
}

/* A page of 4 MB may lie past 4 GB: more address bits are in the entry. */
static uint64_t far_page(uint64_t entry, uint64_t address) {
    return (entry & 0xFFC00000u) | (entry >> 13 & 0xFF) << 32 |
           (address & 0x3FFFFFu);
}

static HRESULT translate(struct dump *dump, const struct dump_space *space,
                         uint64_t address, uint64_t *physical, uint64_t *size,
                         struct hcs_error *error) {
    bool narrow = space->mode == DUMP_PAGING_32BIT;
    struct walk walk = {dump, space->root,     0,
                        12,   narrow ? 10 : 9, narrow ? 4 : 8};
    HRESULT hr;

    if (!canonical(space, address, size))
        return not_mapped(address, error);
    hr = walk_tables(&walk, space, address, physical, size, error);
    if (SUCCEEDED(hr) && narrow && walk.shift == 22)
        *physical = far_page(walk.entry, address);
    return hr;
}

static bool valid(const struct dump_space *space) {
    switch (space->mode) {
    case DUMP_PAGING_NONE:
        return true;
    case DUMP_PAGING_32BIT:
        return space->levels == 2;
    case DUMP_PAGING_PAE:
        return space->levels == 3;
    case DUMP_PAGING_LONG:
        return space->levels == 4 || space->levels == 5;
    default:
        return false;
    }
}

HRESULT dump_translate_in(struct dump *dump, const struct dump_space *space,
                          uint64_t address, uint64_t *physical, uint64_t *size,
                          struct hcs_error *error) {
    uint64_t unused;

    if (!size)
        size = &unused;
    if (!valid(space))
        return error_set(error, E_INVALIDARG, NULL,
                         "no page tables are like that");
    if (space->mode == DUMP_PAGING_NONE) {
        *physical = address;
        *size = rest_of(address, 12);
        return S_OK;
    }
    return translate(dump, space, address, physical, size, error);
}

HRESULT dump_translate(struct dump *dump, uint32_t cpu, uint64_t address,
                       uint64_t *physical, uint64_t *size,
                       struct hcs_error *error) {
    struct dump_space space;
    HRESULT hr = dump_get_space(dump, cpu, &space, error);

    return FAILED(hr) ? hr
                      : dump_translate_in(dump, &space, address, physical, size,
                                          error);
}

/* --- reads --------------------------------------------------------------- */

HRESULT dump_read_pages(struct dump *dump, const struct dump_space *space,
                        uint64_t address, void *bytes, size_t size,
                        dump_physical_reader *read, void *context, size_t *got,
                        struct hcs_error *error) {
    HRESULT hr = S_OK;

    *got = 0;
    while (SUCCEEDED(hr) && *got < size) {
        uint64_t physical = 0, page = 0;
        size_t more = 0;

        hr = dump_translate_in(dump, space, address + *got, &physical, &page,
                               error);
        if (SUCCEEDED(hr))
            hr = read(context, physical, (uint8_t *)bytes + *got,
                      (size_t)smaller(size - *got, page), &more, error);
        if (SUCCEEDED(hr))
            *got += more;
        if (address + *got < address) /* the end of all addresses */
            break;
    }
    return hr;
}

static HRESULT read_plain(void *context, uint64_t address, void *bytes,
                          size_t size, size_t *got, struct hcs_error *error) {
    return dump_read_physical(context, address, bytes, size, got, error);
}

/* What is not mapped or not in the dump ends a read that has begun. */
static bool is_absent(HRESULT hr) {
    return hr == VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED ||
           hr == VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND;
}

HRESULT dump_read_virtual_in(struct dump *dump, const struct dump_space *space,
                             uint64_t address, void *bytes, size_t size,
                             size_t *got, struct hcs_error *error) {
    struct hcs_error why = {0};
    size_t done = 0;
    HRESULT hr = dump_read_pages(dump, space, address, bytes, size, read_plain,
                                 dump, &done, &why);

    if (FAILED(hr) && !(is_absent(hr) && got && done > 0))
        return error_set(error, hr, NULL, "%s", why.text);
    if (!got && done < size)
        return not_mapped(0, error);
    if (got)
        *got = done;
    return S_OK;
}

HRESULT dump_read_virtual(struct dump *dump, uint32_t cpu, uint64_t address,
                          void *bytes, size_t size, size_t *got,
                          struct hcs_error *error) {
    struct dump_space space;
    HRESULT hr = dump_get_space(dump, cpu, &space, error);

    return FAILED(hr) ? hr
                      : dump_read_virtual_in(dump, &space, address, bytes, size,
                                             got, error);
}
