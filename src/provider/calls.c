/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define NO_FUNCTION ((HRESULT)0x8007007F)
#define NO_MEMORY ((HRESULT)0x8007000E)
#define NOT_VALID ((HRESULT)0x80070057)

/* A type for each function, by its name. */
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    typedef ret(WINAPI *fn_##name) params;
#include "../abi/hcn_types.h"
#include "../abi/functions.def"
#undef HCS_FUNCTION

static FARPROC find(const struct provider *provider, const char *name) {
    return provider->module ? GetProcAddress(provider->module, name) : NULL;
}

/* Calls a function if it is there. */
#define CALL(name, ...)                                                        \
    do {                                                                       \
        fn_##name function = (fn_##name)(void (*)(void))find(provider, #name); \
        answer->result = function                    ? function(__VA_ARGS__)   \
                         : FAILED(provider->missing) ? provider->missing       \
                                                     : NO_FUNCTION;            \
    } while (0)

/* The DLLs of SDKs before 22000 have this one and the next in another shape,
 * and none of the functions about trust levels. */
static bool is_old(const struct provider *provider) {
    return provider->module && !find(provider, "GetGuestOsInfo");
}

/* --- files ---------------------------------------------------------------- */

/* The text behind the first one. */
static const WCHAR *second(const WCHAR *text, uint32_t length) {
    size_t first = wcslen(text) + 1;
    return first < length / sizeof *text ? text + first : NULL;
}

static void locate(struct provider *provider,
                   const struct provider_request *request, WCHAR *names,
                   struct provider_answer *answer, void **out) {
    PWSTR paths[3] = {NULL, NULL, NULL};
    size_t units = 0, at = 0;
    WCHAR *text;

    CALL(LocateSavedStateFiles, names, second(names, request->length),
         &paths[0], &paths[1], &paths[2]);
    for (int i = 0; i < 3; i++)
        units += (paths[i] ? wcslen(paths[i]) : 0) + 1;
    text = SUCCEEDED(answer->result) ? calloc(units, sizeof *text) : NULL;
    for (int i = 0; i < 3; i++) {
        if (text && paths[i]) {
            memcpy(text + at, paths[i], wcslen(paths[i]) * sizeof *text);
            at += wcslen(paths[i]);
        }
        at++;
        LocalFree(paths[i]);
    }
    *out = text;
    answer->length = text ? (uint32_t)(units * sizeof *text) : 0;
}

static bool call_file(struct provider *provider,
                      const struct provider_request *request, WCHAR *text,
                      struct provider_answer *answer, void **out) {
    switch (request->call) {
    case PROVIDER_LoadSavedStateFile:
        CALL(LoadSavedStateFile, text, &provider->dump);
        return true;
    case PROVIDER_LoadSavedStateFiles:
        CALL(LoadSavedStateFiles, text, second(text, request->length),
             &provider->dump);
        return true;
    case PROVIDER_ApplyPendingSavedStateFileReplayLog:
        CALL(ApplyPendingSavedStateFileReplayLog, text);
        return true;
    case PROVIDER_LocateSavedStateFiles:
        locate(provider, request, text, answer, out);
        return true;
    default:
        return false;
    }
}

/* --- numbers -------------------------------------------------------------- */

#define ASK(name, type, none)                \
    case PROVIDER_##name: {                  \
        type value = none;                   \
        CALL(name, provider->dump, &value);  \
        answer->values[0] = (uint64_t)value; \
        return true;                         \
    }

#define ASK_CPU(name, type, none)                \
    case PROVIDER_##name: {                      \
        type value = none;                       \
        CALL(name, provider->dump, cpu, &value); \
        answer->values[0] = (uint64_t)value;     \
        return true;                             \
    }

#define FORCE(name, type)                                          \
    case PROVIDER_##name:                                          \
        CALL(name, provider->dump, cpu, (type)request->values[1]); \
        return true;

static bool call_dump(struct provider *provider,
                      const struct provider_request *request,
                      struct provider_answer *answer) {
    switch (request->call) {
        ASK(GetGuestEnabledVirtualTrustLevels, uint32_t, 0)
        ASK(GetVpCount, uint32_t, 0)
        ASK(IsNestedVirtualizationEnabled, BOOL, 0)
        ASK(GetGuestRawSavedMemorySize, UINT64, 0)
        ASK(GetMemoryBlockCacheLimit, UINT64, 0)
    case PROVIDER_GetGuestOsInfo: {
        GUEST_OS_INFO info = {.AsUINT64 = 0};
        CALL(GetGuestOsInfo, provider->dump, (uint8_t)request->values[0],
             &info);
        answer->values[0] = info.AsUINT64;
        return true;
    }
    case PROVIDER_SetMemoryBlockCacheLimit:
        CALL(SetMemoryBlockCacheLimit, provider->dump, request->values[0]);
        return true;
    case PROVIDER_GuestPhysicalAddressToRawSavedMemoryOffset: {
        UINT64 offset = 0;
        CALL(GuestPhysicalAddressToRawSavedMemoryOffset, provider->dump,
             request->values[0], &offset);
        answer->values[0] = offset;
        return true;
    }
    default:
        return false;
    }
}

static bool call_cpu(struct provider *provider,
                     const struct provider_request *request,
                     struct provider_answer *answer) {
    uint32_t cpu = (uint32_t)request->values[0];

    switch (request->call) {
        ASK_CPU(GetArchitecture, VIRTUAL_PROCESSOR_ARCH, Arch_Unknown)
        ASK_CPU(GetActiveVirtualTrustLevel, uint8_t, 0)
        ASK_CPU(GetEnabledVirtualTrustLevels, uint32_t, 0)
        ASK_CPU(IsActiveVirtualTrustLevelEnabled, BOOL, 0)
        ASK_CPU(GetNestedVirtualizationMode, BOOL, 0)
        ASK_CPU(InKernelSpace, BOOL, 0)
        ASK_CPU(GetPagingMode, PAGING_MODE, Paging_Invalid)
        FORCE(ForceArchitecture, VIRTUAL_PROCESSOR_ARCH)
        FORCE(ForceActiveVirtualTrustLevel, uint8_t)
        FORCE(ForcePagingMode, PAGING_MODE)
    case PROVIDER_ForceNestedHostMode: {
        BOOL before = 0;
        CALL(ForceNestedHostMode, provider->dump, cpu, (BOOL)request->values[1],
             &before);
        answer->values[0] = (uint64_t)before;
        return true;
    }
    default:
        return false;
    }
}

static bool call_changed(struct provider *provider,
                         const struct provider_request *request,
                         struct provider_answer *answer) {
    uint32_t cpu = (uint32_t)request->values[0];

    if (request->call == PROVIDER_GetRegisterValue) {
        VIRTUAL_PROCESSOR_REGISTER value = {.Reg128 = {0, 0}};
        answer->result = NO_FUNCTION;
        if (!is_old(provider))
            CALL(GetRegisterValue, provider->dump, cpu,
                 (DWORD)request->values[1], &value);
        answer->values[0] = value.Reg128.Low64;
        answer->values[1] = value.Reg128.High64;
        return true;
    }
    if (request->call == PROVIDER_GuestVirtualAddressToPhysicalAddress) {
        answer->result = NO_FUNCTION;
        if (!is_old(provider))
            CALL(GuestVirtualAddressToPhysicalAddress, provider->dump, cpu,
                 request->values[1], &answer->values[0], &answer->values[1]);
        return true;
    }
    return false;
}

/* --- bytes ---------------------------------------------------------------- */

static void *room(uint64_t size, struct provider_answer *answer) {
    void *bytes = size <= PROVIDER_MOST ? malloc((size_t)size + 1) : NULL;
    if (!bytes)
        answer->result = size > PROVIDER_MOST ? NOT_VALID : NO_MEMORY;
    return bytes;
}

static void read_memory(struct provider *provider,
                        const struct provider_request *request,
                        struct provider_answer *answer, void **out) {
    uint32_t size = (uint32_t)request->values[1], got = 0;
    *out = room(request->values[1], answer);
    if (!*out)
        return;
    if (request->call == PROVIDER_ReadGuestPhysicalAddress)
        CALL(ReadGuestPhysicalAddress, provider->dump, request->values[0], *out,
             size, &got);
    else
        CALL(ReadGuestRawSavedMemory, provider->dump, request->values[0], *out,
             size, &got);
    if (SUCCEEDED(answer->result) && got <= size)
        answer->length = got;
}

static void chunks(struct provider *provider,
                   const struct provider_request *request,
                   struct provider_answer *answer, void **out) {
    UINT64 page = 0, count = request->values[0];
    *out = count <= PROVIDER_MOST / sizeof(GPA_MEMORY_CHUNK)
               ? room(count * sizeof(GPA_MEMORY_CHUNK), answer)
               : room(UINT64_MAX, answer);
    if (!*out)
        return;
    CALL(GetGuestPhysicalMemoryChunks, provider->dump, &page, *out, &count);
    answer->values[0] = page;
    answer->values[1] = count;
    if (SUCCEEDED(answer->result) && count <= request->values[0])
        answer->length = (uint32_t)(count * sizeof(GPA_MEMORY_CHUNK));
}

static void call_bytes(struct provider *provider,
                       const struct provider_request *request, void *bytes,
                       struct provider_answer *answer, void **out) {
    switch (request->call) {
    case PROVIDER_ReadGuestPhysicalAddress:
    case PROVIDER_ReadGuestRawSavedMemory:
        read_memory(provider, request, answer, out);
        break;
    case PROVIDER_GetGuestPhysicalMemoryChunks:
        chunks(provider, request, answer, out);
        break;
    case PROVIDER_ApplyGuestMemoryFix:
        CALL(ApplyGuestMemoryFix, provider->dump, (uint32_t)request->values[0],
             request->values[1], bytes, request->length);
        break;
    default:
        answer->result = NOT_VALID;
        break;
    }
}

void provider_call(struct provider *provider,
                   const struct provider_request *request, void *bytes,
                   struct provider_answer *answer, void **out) {
    memset(answer, 0, sizeof *answer);
    *out = NULL;
    if (call_file(provider, request, bytes, answer, out))
        return;
    if (!provider->dump && SUCCEEDED(provider->missing)) {
        answer->result = NOT_VALID; /* an invalid handle may hang the DLL */
        return;
    }
    if (!call_dump(provider, request, answer) &&
        !call_cpu(provider, request, answer) &&
        !call_changed(provider, request, answer))
        call_bytes(provider, request, bytes, answer, out);
}
