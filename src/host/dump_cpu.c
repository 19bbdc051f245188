/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: processors. Trust levels and nested guests are
 * Hyper-V's; what we read has one level, 0, and no such guest. */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#define CR0_PG (UINT64_C(1) << 31)
#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)

HRESULT dump_check_cpu(struct dumped *dumped, uint32_t cpu) {
    uint32_t count = dump_get_facts(dumped->dump)->cpu_count;
    if (cpu < count)
        return S_OK;
    if (count == 0)
        return error_set(&dumped->error,
                         VM_SAVED_STATE_DUMP_E_NO_VP_FOUND_IN_PARTITION_STATE,
                         NULL, "the dump has no processors' registers");
    return error_set(&dumped->error, E_INVALIDARG, NULL,
                     "there is no processor %u, only %u of them, from 0 on",
                     (unsigned)cpu, (unsigned)count);
}

/* Begins a call about a processor. */
static HRESULT begin_cpu(VM_SAVED_STATE_DUMP_HANDLE handle, uint32_t cpu,
                         const void *answer, struct dumped **out) {
    HRESULT hr = dump_begin_answer(handle, answer, out);
    if (SUCCEEDED(hr)) {
        hr = dump_check_cpu(*out, cpu);
        if (FAILED(hr))
            dump_end(*out, hr);
    }
    return hr;
}

/* --- what is there -------------------------------------------------------- */

HRESULT WINAPI GetVpCount(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t *count) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, count, &dumped);
    if (FAILED(hr))
        return hr;
    *count = dump_get_facts(dumped->dump)->cpu_count;
    return dump_end(dumped, S_OK);
}

/* "6.1.90-cloud" as the kernel numbers itself: 0x06015A. */
static uint32_t linux_version(const char *release) {
    uint32_t version = 0;
    for (int i = 0; i < 3; i++) {
        unsigned long part = 0;
        char *end = NULL;
        if (*release >= '0' && *release <= '9')
            part = strtoul(release, &end, 10);
        version = version << 8 | (uint32_t)(part > 255 ? 255 : part);
        release = end && *end == '.' ? end + 1 : "";
    }
    return version;
}

static void windows_version(const char *release, GUEST_OS_INFO *out) {
    unsigned long parts[3] = {0, 0, 0};
    for (int i = 0; i < 3 && *release >= '0' && *release <= '9'; i++) {
        char *end;
        parts[i] = strtoul(release, &end, 10);
        release = *end == '.' ? end + 1 : "";
    }
    out->ClosedSource.MajorVersion = parts[0] & 0xFF;
    out->ClosedSource.MinorVersion = parts[1] & 0xFF;
    out->ClosedSource.BuildNumber = parts[2] & 0xFFFF;
    out->ClosedSource.OsId = GuestOsMicrosoftWindowsNT;
    out->ClosedSource.VendorId = GuestOsVendorMicrosoft;
}

static HRESULT check_level(struct dumped *dumped, uint8_t level) {
    if (level == 0)
        return S_OK;
    return error_set(&dumped->error, DUMP_E_VTL_NOT_ENABLED, NULL,
                     "the dump has trust level 0 only");
}

HRESULT WINAPI GetGuestOsInfo(VM_SAVED_STATE_DUMP_HANDLE dump, uint8_t level,
                              GUEST_OS_INFO *info) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, info, &dumped);
    const struct dump_facts *facts;
    if (FAILED(hr))
        return hr;
    info->AsUINT64 = 0;
    facts = dump_get_facts(dumped->dump);
    hr = check_level(dumped, level);
    if (SUCCEEDED(hr) && facts->os == DUMP_OS_LINUX) {
        info->OpenSource.Version = linux_version(facts->os_release);
        info->OpenSource.OsId = GuestOsOpenSourceLinux;
        info->OpenSource.IsOpenSource = 1;
    } else if (SUCCEEDED(hr) && facts->os == DUMP_OS_WINDOWS) {
        windows_version(facts->os_release, info);
    }
    return dump_end(dumped, hr);
}

/* --- trust levels and nested guests --------------------------------------- */

HRESULT WINAPI GetGuestEnabledVirtualTrustLevels(
    VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t *levels) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, levels, &dumped);
    if (FAILED(hr))
        return hr;
    *levels = 1;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI GetEnabledVirtualTrustLevels(VM_SAVED_STATE_DUMP_HANDLE dump,
                                            uint32_t cpu, uint32_t *levels) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, levels, &dumped);
    if (FAILED(hr))
        return hr;
    *levels = 1;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI GetActiveVirtualTrustLevel(VM_SAVED_STATE_DUMP_HANDLE dump,
                                          uint32_t cpu, uint8_t *level) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, level, &dumped);
    if (FAILED(hr))
        return hr;
    *level = 0;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI ForceActiveVirtualTrustLevel(VM_SAVED_STATE_DUMP_HANDLE dump,
                                            uint32_t cpu, uint8_t level) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, &cpu, &dumped);
    if (FAILED(hr))
        return hr;
    return dump_end(dumped, check_level(dumped, level));
}

HRESULT WINAPI IsActiveVirtualTrustLevelEnabled(VM_SAVED_STATE_DUMP_HANDLE dump,
                                                uint32_t cpu, BOOL *enabled) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, enabled, &dumped);
    if (FAILED(hr))
        return hr;
    *enabled = 1;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI IsNestedVirtualizationEnabled(VM_SAVED_STATE_DUMP_HANDLE dump,
                                             BOOL *enabled) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, enabled, &dumped);
    if (FAILED(hr))
        return hr;
    *enabled = 0;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI GetNestedVirtualizationMode(VM_SAVED_STATE_DUMP_HANDLE dump,
                                           uint32_t cpu, BOOL *enabled) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, enabled, &dumped);
    if (FAILED(hr))
        return hr;
    *enabled = 0;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI ForceNestedHostMode(VM_SAVED_STATE_DUMP_HANDLE dump,
                                   uint32_t cpu, BOOL host_mode, BOOL *before) {
    struct dumped *dumped;
    HRESULT hr = begin_cpu(dump, cpu, &cpu, &dumped);
    if (FAILED(hr))
        return hr;
    if (before)
        *before = 0;
    if (host_mode)
        hr = error_set(&dumped->error, DUMP_E_NESTED_NOT_SUPPORTED, NULL,
                       "the dump has no nested guest");
    return dump_end(dumped, hr);
}

/* --- registers ------------------------------------------------------------ */

const char *hcshost_dump_register(uint32_t id, HCSHOST_DUMP_REGISTER *kind) {
    if (id >= DUMP_REG_COUNT)
        return NULL;
    if (kind)
        *kind = (HCSHOST_DUMP_REGISTER)dump_registers[id].kind;
    return dump_registers[id].name;
}

_Static_assert((int)DUMP_REG_GDTR == (int)X64_RegisterGdtr &&
                   (int)DUMP_REG_X0 == (int)ARM64_RegisterX0 &&
                   (int)DUMP_REG_ARM64_MAX == (int)ARM64_RegisterMax,
               "registers are numbered as Microsoft numbers them");
_Static_assert((int)DUMP_KIND_NONE == (int)HcsHostDumpNone &&
                   (int)DUMP_KIND_SSE == (int)HcsHostDumpSse,
               "kinds are numbered as the ABI numbers them");

static void put_value(enum dump_register_kind kind,
                      const union dump_value *value,
                      VIRTUAL_PROCESSOR_REGISTER *out) {
    memset(out, 0, sizeof *out);
    switch (kind) {
    case DUMP_KIND_NUMBER:
        out->Reg64 = value->number;
        break;
    case DUMP_KIND_WIDE:
        out->Reg128.Low64 = value->wide.low;
        out->Reg128.High64 = value->wide.high;
        break;
    case DUMP_KIND_SEGMENT:
        out->X64.Segment.Base = value->segment.base;
        out->X64.Segment.Limit = value->segment.limit;
        out->X64.Segment.Selector = value->segment.selector;
        out->X64.Segment.Attributes = value->segment.attributes;
        break;
    case DUMP_KIND_TABLE:
        out->X64.Table.Limit = value->table.limit;
        out->X64.Table.Base = value->table.base;
        break;
    case DUMP_KIND_FPU:
        out->X64.FpControlStatus.FpControl = value->fpu.control;
        out->X64.FpControlStatus.FpStatus = value->fpu.status;
        out->X64.FpControlStatus.FpTag = value->fpu.tag;
        out->X64.FpControlStatus.Reserved = value->fpu.reserved;
        out->X64.FpControlStatus.LastFpOp = value->fpu.last_op;
        out->X64.FpControlStatus.LastFpRip = value->fpu.last_rip;
        break;
    case DUMP_KIND_SSE:
        out->X64.XmmControlStatus.LastFpRdp = value->sse.last_rdp;
        out->X64.XmmControlStatus.XmmStatusControl = value->sse.control;
        out->X64.XmmControlStatus.XmmStatusControlMask = value->sse.mask;
        break;
    case DUMP_KIND_NONE:
        break;
    }
}

HRESULT WINAPI GetRegisterValue(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                                DWORD id, VIRTUAL_PROCESSOR_REGISTER *value) {
    struct dumped *dumped;
    struct dump_cpu state;
    HRESULT hr = begin_cpu(dump, cpu, value, &dumped);

    if (FAILED(hr))
        return hr;
    if (id >= DUMP_REG_COUNT || dump_registers[id].kind == DUMP_KIND_NONE)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "there is no register %lu", (unsigned long)id);
    else
        hr = dump_get_cpu(dumped->dump, cpu, &state, &dumped->error);
    if (SUCCEEDED(hr) && !state.known[id])
        hr = error_set(&dumped->error, HR_NOT_FOUND, NULL,
                       "the dump does not have the register %s",
                       dump_registers[id].name);
    if (SUCCEEDED(hr))
        put_value(dump_registers[id].kind, &state.values[id], value);
    return dump_end(dumped, hr);
}

/* The level that a processor runs at; *kernel: the one of the kernel. */
static HRESULT read_level(struct dumped *dumped, uint32_t cpu, bool *kernel) {
    struct dump_cpu state;
    HRESULT hr = dump_get_cpu(dumped->dump, cpu, &state, &dumped->error);
    if (FAILED(hr))
        return hr;
    if (state.arch == DUMP_ARCH_ARM64 && state.known[DUMP_REG_CPSR])
        *kernel = (state.values[DUMP_REG_CPSR].number & 0xC) != 0;
    else if (state.arch != DUMP_ARCH_ARM64 && state.known[DUMP_REG_CS])
        *kernel = (state.values[DUMP_REG_CS].segment.selector & 3) == 0;
    else
        return error_set(&dumped->error, VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE,
                         NULL,
                         "the dump does not tell where the processor was");
    return S_OK;
}

HRESULT WINAPI InKernelSpace(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                             BOOL *in_kernel) {
    struct dumped *dumped;
    bool kernel = false;
    HRESULT hr = begin_cpu(dump, cpu, in_kernel, &dumped);
    if (FAILED(hr))
        return hr;
    hr = read_level(dumped, cpu, &kernel);
    if (SUCCEEDED(hr))
        *in_kernel = kernel;
    return dump_end(dumped, hr);
}

/* --- what a processor is taken for ---------------------------------------- */

struct dump_forced *dump_find_forced(struct dumped *dumped, uint32_t cpu) {
    for (size_t i = 0; i < dumped->forced_count; i++)
        if (dumped->forced[i].cpu == cpu)
            return &dumped->forced[i];
    return NULL;
}

static HRESULT make_forced(struct dumped *dumped, uint32_t cpu,
                           struct dump_forced **out) {
    struct dump_forced *more;
    *out = dump_find_forced(dumped, cpu);
    if (*out)
        return S_OK;
    more = realloc(dumped->forced, (dumped->forced_count + 1) * sizeof *more);
    if (!more)
        return error_set(&dumped->error, E_OUTOFMEMORY, NULL, "out of memory");
    dumped->forced = more;
    *out = &more[dumped->forced_count++];
    **out = (struct dump_forced){.cpu = cpu};
    return S_OK;
}

HRESULT WINAPI GetArchitecture(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                               VIRTUAL_PROCESSOR_ARCH *architecture) {
    struct dumped *dumped;
    const struct dump_forced *forced;
    HRESULT hr = begin_cpu(dump, cpu, architecture, &dumped);
    if (FAILED(hr))
        return hr;
    forced = dump_find_forced(dumped, cpu);
    *architecture = (VIRTUAL_PROCESSOR_ARCH)dump_get_facts(dumped->dump)->arch;
    if (forced && forced->arch != DUMP_ARCH_UNKNOWN)
        *architecture = (VIRTUAL_PROCESSOR_ARCH)forced->arch;
    return dump_end(dumped, S_OK);
}

_Static_assert((int)DUMP_ARCH_X64 == (int)Arch_x64 &&
                   (int)DUMP_ARCH_ARM64 == (int)Arch_Armv8 &&
                   (int)DUMP_PAGING_LONG == (int)Paging_Long,
               "kinds of processors are numbered as Microsoft numbers them");

HRESULT WINAPI ForceArchitecture(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                                 VIRTUAL_PROCESSOR_ARCH architecture) {
    struct dumped *dumped;
    struct dump_forced *forced;
    HRESULT hr = begin_cpu(dump, cpu, &cpu, &dumped);
    if (FAILED(hr))
        return hr;
    if (architecture != Arch_x86 && architecture != Arch_x64)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "a processor can be taken for x86 or x64 only");
    else
        hr = make_forced(dumped, cpu, &forced);
    if (SUCCEEDED(hr))
        forced->arch = (enum dump_arch)architecture;
    return dump_end(dumped, hr);
}

HRESULT WINAPI ForcePagingMode(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                               PAGING_MODE mode) {
    struct dumped *dumped;
    struct dump_forced *forced;
    HRESULT hr = begin_cpu(dump, cpu, &cpu, &dumped);
    if (FAILED(hr))
        return hr;
    if (mode < Paging_NonPaged || mode > Paging_Long)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "paging can be taken for none, 32-bit, PAE or long");
    else
        hr = make_forced(dumped, cpu, &forced);
    if (SUCCEEDED(hr))
        forced->paging = (enum dump_paging)mode;
    return dump_end(dumped, hr);
}

HRESULT WINAPI GetPagingMode(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                             PAGING_MODE *mode) {
    struct dumped *dumped;
    struct dump_space space;
    HRESULT hr = begin_cpu(dump, cpu, mode, &dumped);
    if (FAILED(hr))
        return hr;
    hr = dump_space_of(dumped, cpu, &space);
    if (SUCCEEDED(hr))
        *mode = (PAGING_MODE)space.mode;
    return dump_end(dumped, hr);
}

/* The mode that a 32-bit processor with these control registers is in. */
static enum dump_paging mode_of_x86(const struct dump_cpu *cpu) {
    if (!(cpu->values[DUMP_REG_CR0].number & CR0_PG))
        return DUMP_PAGING_NONE;
    return cpu->values[DUMP_REG_CR4].number & CR4_PAE ? DUMP_PAGING_PAE
                                                      : DUMP_PAGING_32BIT;
}

HRESULT dump_space_of(struct dumped *dumped, uint32_t cpu,
                      struct dump_space *out) {
    const struct dump_forced *forced = dump_find_forced(dumped, cpu);
    struct dump_cpu state;
    enum dump_paging mode;
    HRESULT hr;

    if (!forced || (forced->paging == DUMP_PAGING_INVALID &&
                    forced->arch != DUMP_ARCH_X86))
        return dump_get_space(dumped->dump, cpu, out, &dumped->error);
    hr = dump_get_cpu(dumped->dump, cpu, &state, &dumped->error);
    if (FAILED(hr))
        return hr;
    if (!state.known[DUMP_REG_CR3])
        return error_set(&dumped->error, VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE,
                         NULL, "the dump does not have the register cr3");
    mode = forced->paging != DUMP_PAGING_INVALID ? forced->paging
                                                 : mode_of_x86(&state);
    out->mode = mode;
    out->root = state.values[DUMP_REG_CR3].number;
    out->root &= mode == DUMP_PAGING_PAE    ? UINT64_C(0xFFFFFFE0)
                 : mode == DUMP_PAGING_LONG ? UINT64_C(0x000FFFFFFFFFF000)
                                            : UINT64_C(0xFFFFF000);
    out->levels = mode == DUMP_PAGING_NONE                       ? 0
                  : mode == DUMP_PAGING_32BIT                    ? 2
                  : mode == DUMP_PAGING_PAE                      ? 3
                  : state.values[DUMP_REG_CR4].number & CR4_LA57 ? 5
                                                                 : 4;
    return S_OK;
}
