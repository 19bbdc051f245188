/* SPDX-License-Identifier: MIT */
#include "provider.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "../abi/computecore.h"
#include "../base/thread.h"
#include "../provider/protocol.h"

#define END_TIME 5000 /* ms that a process has to end by itself */

/* What the process of a dump is to the rest; the dump's handle. */
struct proxy {
    HANDLE process, job;
    HANDLE request, answer; /* ends of pipes */
    HRESULT ended;          /* S_OK while it lives */
    DWORD limit;            /* ms that a call may take */
    LONG late;              /* it was ended for taking longer */
};

static struct {
    hcs_mutex lock;
    WCHAR *dll, *program;
    unsigned seconds;
} chosen = {.lock = HCS_MUTEX_INIT};

HRESULT provider_choose(const WCHAR *dll, const WCHAR *program,
                        unsigned seconds, struct hcs_error *error) {
    WCHAR *first = _wcsdup(dll), *second = _wcsdup(program);
    if (first == NULL || second == NULL) {
        free(first);
        free(second);
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    mutex_lock(&chosen.lock);
    free(chosen.dll);
    free(chosen.program);
    chosen.dll = first;
    chosen.program = second;
    chosen.seconds = seconds;
    mutex_unlock(&chosen.lock);
    return S_OK;
}

/* --- a process ------------------------------------------------------------ */

static void close_handle(HANDLE *handle) {
    if (*handle != NULL)
        CloseHandle(*handle);
    *handle = NULL;
}

static void proxy_free(struct proxy *proxy) {
    if (proxy == NULL)
        return;
    close_handle(&proxy->request); /* at which it ends */
    close_handle(&proxy->answer);
    if (proxy->process != NULL &&
        WaitForSingleObject(proxy->process, END_TIME) != WAIT_OBJECT_0)
        TerminateProcess(proxy->process, 1);
    close_handle(&proxy->process);
    close_handle(&proxy->job);
    free(proxy);
}

/* A pipe of which one end is the other process's. */
static bool make_pipe(HANDLE *theirs, HANDLE *ours, bool they_read) {
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    HANDLE reader, writer;
    if (!CreatePipe(&reader, &writer, &inherited, 0))
        return false;
    *theirs = they_read ? reader : writer;
    *ours = they_read ? writer : reader;
    return SetHandleInformation(*ours, HANDLE_FLAG_INHERIT, 0) != 0;
}

/* It ends with us, also if we are killed. */
static HANDLE make_job(HANDLE process) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (job == NULL)
        return NULL;
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                            sizeof(limits));
    AssignProcessToJobObject(job, process);
    return job;
}

/* The attributes by which a process inherits these two handles and no other. */
static LPPROC_THREAD_ATTRIBUTE_LIST make_attributes(HANDLE *two) {
    SIZE_T size = 0;
    LPPROC_THREAD_ATTRIBUTE_LIST list;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    list = malloc(size);
    if (list == NULL || !InitializeProcThreadAttributeList(list, 1, 0, &size)) {
        free(list);
        return NULL;
    }
    if (UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                  two, 2 * sizeof(*two), NULL, NULL))
        return list;
    DeleteProcThreadAttributeList(list);
    free(list);
    return NULL;
}

static bool create(struct proxy *proxy, const WCHAR *program, WCHAR *command,
                   HANDLE two[2]) {
    STARTUPINFOEXW start;
    PROCESS_INFORMATION made;
    BOOL ok = FALSE;
    memset(&start, 0, sizeof(start));
    start.StartupInfo.cb = sizeof(start);
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdInput = two[0];
    start.StartupInfo.hStdOutput = two[1];
    start.lpAttributeList = make_attributes(two);
    if (start.lpAttributeList == NULL)
        return false;
    ok = CreateProcessW(program, command, NULL, NULL, TRUE,
                        CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT, NULL,
                        NULL, &start.StartupInfo, &made);
    DeleteProcThreadAttributeList(start.lpAttributeList);
    free(start.lpAttributeList);
    if (!ok)
        return false;
    CloseHandle(made.hThread);
    proxy->process = made.hProcess;
    proxy->job = make_job(made.hProcess);
    return true;
}

/* The command line, malloc'd: names of files hold no quotes. */
static WCHAR *command_of(const WCHAR *program, const WCHAR *dll) {
    size_t size = wcslen(program) + wcslen(dll) + 6;
    WCHAR *command = malloc(size * sizeof(*command));
    if (command != NULL)
        swprintf(command, size, L"\"%ls\" \"%ls\"", program, dll);
    return command;
}

static HRESULT start(struct proxy *proxy) {
    HANDLE two[2] = {NULL, NULL};
    WCHAR *command;
    HRESULT hr = S_OK;
    mutex_lock(&chosen.lock);
    command = command_of(chosen.program, chosen.dll);
    proxy->limit = chosen.seconds * 1000;
    if (command == NULL)
        hr = E_OUTOFMEMORY;
    else if (!make_pipe(&two[0], &proxy->request, true) ||
             !make_pipe(&two[1], &proxy->answer, false) ||
             !create(proxy, chosen.program, command, two))
        hr = HRESULT_FROM_WIN32(GetLastError());
    mutex_unlock(&chosen.lock);
    close_handle(&two[0]);
    close_handle(&two[1]);
    free(command);
    return hr;
}

static HRESULT proxy_make(struct proxy **out) {
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    HRESULT hr = proxy != NULL ? start(proxy) : E_OUTOFMEMORY;
    if (FAILED(hr)) {
        proxy_free(proxy);
        return hr;
    }
    *out = proxy;
    return S_OK;
}

/* --- a call --------------------------------------------------------------- */

static bool write_all(HANDLE pipe, const void *bytes, uint32_t size) {
    const char *at = bytes;
    while (size > 0) {
        DWORD done = 0;
        if (!WriteFile(pipe, at, size, &done, NULL) || done == 0)
            return false;
        at += done;
        size -= done;
    }
    return true;
}

static bool read_all(HANDLE pipe, void *bytes, uint32_t size) {
    char *at = bytes;
    while (size > 0) {
        DWORD got = 0;
        if (!ReadFile(pipe, at, size, &got, NULL) || got == 0)
            return false;
        at += got;
        size -= got;
    }
    return true;
}

/* How it ended. */
static HRESULT ended(struct proxy *proxy) {
    DWORD code = 0;
    if (WaitForSingleObject(proxy->process, END_TIME) != WAIT_OBJECT_0)
        TerminateProcess(proxy->process, 1);
    else
        GetExitCodeProcess(proxy->process, &code);
    if (InterlockedCompareExchange(&proxy->late, 0, 0))
        return HCS_E_OPERATION_TIMEOUT;
    if ((code & 0xC0000000) == 0xC0000000)
        return (HRESULT)(code | 0x10000000); /* an NTSTATUS as an HRESULT */
    return HCS_E_UNEXPECTED_EXIT;
}

struct parts {
    const void *bytes; /* to be sent */
    uint32_t length;
    void *room; /* for what is answered */
    uint32_t size;
};

static bool exchange(struct proxy *proxy,
                     const struct provider_request *request,
                     const struct parts *parts,
                     struct provider_answer *answer) {
    return write_all(proxy->request, request, sizeof(*request)) &&
           (request->length == 0 ||
            write_all(proxy->request, parts->bytes, request->length)) &&
           read_all(proxy->answer, answer, sizeof(*answer)) &&
           answer->length <= (parts != NULL ? parts->size : 0) &&
           (answer->length == 0 ||
            read_all(proxy->answer, parts->room, answer->length));
}

static void CALLBACK on_late(void *context, BOOLEAN fired) {
    struct proxy *proxy = context;
    (void)fired;
    InterlockedExchange(&proxy->late, 1);
    TerminateProcess(proxy->process, 1);
}

static HRESULT call(VM_SAVED_STATE_DUMP_HANDLE dump, enum provider_call what,
                    uint64_t first, uint64_t second, const struct parts *parts,
                    struct provider_answer *answer) {
    struct proxy *proxy = dump;
    struct provider_request request = {
        (uint32_t)what, parts != NULL ? parts->length : 0, {first, second, 0}};
    HANDLE timer;
    bool told;
    memset(answer, 0, sizeof(*answer));
    if (FAILED(proxy->ended))
        return proxy->ended;
    if (!CreateTimerQueueTimer(&timer, NULL, on_late, proxy, proxy->limit, 0,
                               WT_EXECUTEONLYONCE))
        return HRESULT_FROM_WIN32(GetLastError());
    told = exchange(proxy, &request, parts, answer);
    DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE);
    if (!told)
        return proxy->ended = ended(proxy);
    return answer->result;
}

/* --- files ---------------------------------------------------------------- */

/* Both texts, one behind the other, with their ends; malloc'd. */
static WCHAR *both(PCWSTR first, PCWSTR second, uint32_t *length) {
    size_t one = wcslen(first) + 1;
    size_t two = second != NULL ? wcslen(second) + 1 : 0;
    WCHAR *text = NULL;
    if (one + two <= PROVIDER_MOST / sizeof(*text))
        text = malloc((one + two) * sizeof(*text));
    if (text == NULL)
        return NULL;
    memcpy(text, first, one * sizeof(*text));
    if (second != NULL)
        memcpy(text + one, second, two * sizeof(*text));
    *length = (uint32_t)((one + two) * sizeof(*text));
    return text;
}

/* A call about files, in a new process. */
static HRESULT call_files(enum provider_call what, PCWSTR first, PCWSTR second,
                          struct parts *parts, struct proxy **out,
                          struct provider_answer *answer) {
    WCHAR *text = both(first, second, &parts->length);
    HRESULT hr = text != NULL ? proxy_make(out) : E_OUTOFMEMORY;
    parts->bytes = text;
    if (SUCCEEDED(hr))
        hr = call(*out, what, 0, 0, parts, answer);
    free(text);
    return hr;
}

static HRESULT load(enum provider_call what, PCWSTR first, PCWSTR second,
                    VM_SAVED_STATE_DUMP_HANDLE *dump) {
    struct provider_answer answer;
    struct parts parts = {NULL, 0, NULL, 0};
    struct proxy *proxy = NULL;
    HRESULT hr = call_files(what, first, second, &parts, &proxy, &answer);
    if (FAILED(hr))
        proxy_free(proxy);
    else
        *dump = proxy;
    return hr;
}

static HRESULT WINAPI
proxy_LoadSavedStateFile(PCWSTR file, VM_SAVED_STATE_DUMP_HANDLE *dump) {
    return load(PROVIDER_LoadSavedStateFile, file, NULL, dump);
}

static HRESULT WINAPI proxy_LoadSavedStateFiles(
    PCWSTR bin, PCWSTR vsv, VM_SAVED_STATE_DUMP_HANDLE *dump) {
    return load(PROVIDER_LoadSavedStateFiles, bin, vsv, dump);
}

static HRESULT WINAPI
proxy_ReleaseSavedStateFiles(VM_SAVED_STATE_DUMP_HANDLE dump) {
    proxy_free(dump);
    return S_OK;
}

static HRESULT WINAPI proxy_ApplyPendingSavedStateFileReplayLog(PCWSTR file) {
    struct provider_answer answer;
    struct parts parts = {NULL, 0, NULL, 0};
    struct proxy *proxy = NULL;
    HRESULT hr = call_files(PROVIDER_ApplyPendingSavedStateFileReplayLog, file,
                            NULL, &parts, &proxy, &answer);
    proxy_free(proxy);
    return hr;
}

static PWSTR local_copy(const WCHAR *text) {
    size_t size = (wcslen(text) + 1) * sizeof(*text);
    PWSTR copy = LocalAlloc(LMEM_FIXED, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

#define PATHS_MOST 100000 /* units of three paths */

static HRESULT WINAPI proxy_LocateSavedStateFiles(PCWSTR system,
                                                  PCWSTR snapshot, PWSTR *bin,
                                                  PWSTR *vsv, PWSTR *vmrs) {
    struct provider_answer answer;
    WCHAR *text = calloc(PATHS_MOST + 3, sizeof(*text));
    struct parts parts = {NULL, 0, text, PATHS_MOST * sizeof(*text)};
    struct proxy *proxy = NULL;
    HRESULT hr = E_OUTOFMEMORY;
    if (text != NULL)
        hr = call_files(PROVIDER_LocateSavedStateFiles, system, snapshot,
                        &parts, &proxy, &answer);
    if (SUCCEEDED(hr)) { /* there are three ends behind what came */
        const WCHAR *second = text + wcslen(text) + 1;
        const WCHAR *third = second + wcslen(second) + 1;
        *bin = local_copy(text);
        *vsv = local_copy(second);
        *vmrs = local_copy(third);
    }
    proxy_free(proxy);
    free(text);
    return hr;
}

/* --- numbers -------------------------------------------------------------- */

#define ASK(name, type)                                                 \
    static HRESULT WINAPI proxy_##name(VM_SAVED_STATE_DUMP_HANDLE dump, \
                                       type *out) {                     \
        struct provider_answer answer;                                  \
        HRESULT hr = call(dump, PROVIDER_##name, 0, 0, NULL, &answer);  \
        *out = (type)answer.values[0];                                  \
        return hr;                                                      \
    }

ASK(GetGuestEnabledVirtualTrustLevels, uint32_t)
ASK(GetVpCount, uint32_t)
ASK(IsNestedVirtualizationEnabled, BOOL)
ASK(GetGuestRawSavedMemorySize, UINT64)
ASK(GetMemoryBlockCacheLimit, UINT64)

#define ASK_CPU(name, type)                                              \
    static HRESULT WINAPI proxy_##name(VM_SAVED_STATE_DUMP_HANDLE dump,  \
                                       uint32_t cpu, type *out) {        \
        struct provider_answer answer;                                   \
        HRESULT hr = call(dump, PROVIDER_##name, cpu, 0, NULL, &answer); \
        *out = (type)answer.values[0];                                   \
        return hr;                                                       \
    }

ASK_CPU(GetArchitecture, VIRTUAL_PROCESSOR_ARCH)
ASK_CPU(GetActiveVirtualTrustLevel, uint8_t)
ASK_CPU(GetEnabledVirtualTrustLevels, uint32_t)
ASK_CPU(IsActiveVirtualTrustLevelEnabled, BOOL)
ASK_CPU(GetNestedVirtualizationMode, BOOL)
ASK_CPU(InKernelSpace, BOOL)
ASK_CPU(GetPagingMode, PAGING_MODE)

#define FORCE(name, type)                                               \
    static HRESULT WINAPI proxy_##name(VM_SAVED_STATE_DUMP_HANDLE dump, \
                                       uint32_t cpu, type value) {      \
        struct provider_answer answer;                                  \
        return call(dump, PROVIDER_##name, cpu, (uint64_t)value, NULL,  \
                    &answer);                                           \
    }

FORCE(ForceArchitecture, VIRTUAL_PROCESSOR_ARCH)
FORCE(ForceActiveVirtualTrustLevel, uint8_t)
FORCE(ForcePagingMode, PAGING_MODE)

static HRESULT WINAPI proxy_ForceNestedHostMode(VM_SAVED_STATE_DUMP_HANDLE dump,
                                                uint32_t cpu, BOOL mode,
                                                BOOL *before) {
    struct provider_answer answer;
    HRESULT hr = call(dump, PROVIDER_ForceNestedHostMode, cpu, (uint64_t)mode,
                      NULL, &answer);
    if (before != NULL)
        *before = (BOOL)answer.values[0];
    return hr;
}

static HRESULT WINAPI proxy_GetGuestOsInfo(VM_SAVED_STATE_DUMP_HANDLE dump,
                                           uint8_t level, GUEST_OS_INFO *info) {
    struct provider_answer answer;
    HRESULT hr = call(dump, PROVIDER_GetGuestOsInfo, level, 0, NULL, &answer);
    info->AsUINT64 = answer.values[0];
    return hr;
}

static HRESULT WINAPI
proxy_SetMemoryBlockCacheLimit(VM_SAVED_STATE_DUMP_HANDLE dump, UINT64 limit) {
    struct provider_answer answer;
    return call(dump, PROVIDER_SetMemoryBlockCacheLimit, limit, 0, NULL,
                &answer);
}

static HRESULT WINAPI proxy_GetRegisterValue(VM_SAVED_STATE_DUMP_HANDLE dump,
                                             uint32_t cpu, DWORD id,
                                             VIRTUAL_PROCESSOR_REGISTER *out) {
    struct provider_answer answer;
    HRESULT hr = call(dump, PROVIDER_GetRegisterValue, cpu, id, NULL, &answer);
    out->Reg128.Low64 = answer.values[0];
    out->Reg128.High64 = answer.values[1];
    return hr;
}

static HRESULT WINAPI proxy_GuestVirtualAddressToPhysicalAddress(
    VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
    const GUEST_VIRTUAL_ADDRESS address, GUEST_PHYSICAL_ADDRESS *physical,
    GUEST_VIRTUAL_ADDRESS *unmapped) {
    struct provider_answer answer;
    HRESULT hr = call(dump, PROVIDER_GuestVirtualAddressToPhysicalAddress, cpu,
                      address, NULL, &answer);
    *physical = answer.values[0];
    if (unmapped != NULL)
        *unmapped = answer.values[1];
    return hr;
}

static HRESULT WINAPI proxy_GuestPhysicalAddressToRawSavedMemoryOffset(
    VM_SAVED_STATE_DUMP_HANDLE dump, GUEST_PHYSICAL_ADDRESS address,
    UINT64 *offset) {
    struct provider_answer answer;
    HRESULT hr = call(dump, PROVIDER_GuestPhysicalAddressToRawSavedMemoryOffset,
                      address, 0, NULL, &answer);
    *offset = answer.values[0];
    return hr;
}

/* --- bytes ---------------------------------------------------------------- */

/* In pieces: the first that comes short is the last one. */
static HRESULT read_memory(VM_SAVED_STATE_DUMP_HANDLE dump,
                           enum provider_call what, UINT64 place, void *buffer,
                           uint32_t size, uint32_t *read) {
    uint32_t done = 0;
    HRESULT hr;
    do {
        struct provider_answer answer;
        uint32_t piece =
            size - done > PROVIDER_MOST ? PROVIDER_MOST : size - done;
        struct parts parts = {NULL, 0, (char *)buffer + done, piece};
        hr = call(dump, what, place + done, piece, &parts, &answer);
        done += answer.length;
        if (answer.length < piece)
            break;
    } while (SUCCEEDED(hr) && done < size);
    if (done > 0)
        hr = S_OK;
    if (read != NULL)
        *read = done;
    else if (SUCCEEDED(hr) && done < size)
        hr = HCS_HR(0xC0370501);
    return hr;
}

static HRESULT WINAPI proxy_ReadGuestPhysicalAddress(
    VM_SAVED_STATE_DUMP_HANDLE dump, GUEST_PHYSICAL_ADDRESS address,
    void *buffer, uint32_t size, uint32_t *read) {
    return read_memory(dump, PROVIDER_ReadGuestPhysicalAddress, address, buffer,
                       size, read);
}

static HRESULT WINAPI
proxy_ReadGuestRawSavedMemory(VM_SAVED_STATE_DUMP_HANDLE dump, UINT64 offset,
                              void *buffer, uint32_t size, uint32_t *read) {
    return read_memory(dump, PROVIDER_ReadGuestRawSavedMemory, offset, buffer,
                       size, read);
}

static HRESULT WINAPI proxy_GetGuestPhysicalMemoryChunks(
    VM_SAVED_STATE_DUMP_HANDLE dump, UINT64 *page, GPA_MEMORY_CHUNK *chunks,
    UINT64 *count) {
    struct provider_answer answer;
    UINT64 room = *count < PROVIDER_MOST / sizeof(*chunks)
                      ? *count
                      : PROVIDER_MOST / sizeof(*chunks);
    struct parts parts = {NULL, 0, chunks, (uint32_t)(room * sizeof(*chunks))};
    HRESULT hr = call(dump, PROVIDER_GetGuestPhysicalMemoryChunks, room, 0,
                      &parts, &answer);
    *page = answer.values[0];
    *count = answer.values[1];
    return hr;
}

static HRESULT WINAPI proxy_ApplyGuestMemoryFix(VM_SAVED_STATE_DUMP_HANDLE dump,
                                                uint32_t cpu,
                                                GUEST_VIRTUAL_ADDRESS address,
                                                void *buffer, uint32_t size) {
    struct provider_answer answer;
    struct parts parts = {buffer, size, NULL, 0};
    if (size > PROVIDER_MOST)
        return E_INVALIDARG;
    return call(dump, PROVIDER_ApplyGuestMemoryFix, cpu, address, &parts,
                &answer);
}

/* --- by name -------------------------------------------------------------- */

typedef void (*any_function)(void);

#define PROXY(name) {#name, (any_function)proxy_##name},

static const struct {
    const char *name;
    any_function function;
} proxies[] = {
    PROXY(LocateSavedStateFiles) PROXY(LoadSavedStateFile) PROXY(
        ApplyPendingSavedStateFileReplayLog) PROXY(LoadSavedStateFiles)
        PROXY(ReleaseSavedStateFiles) PROXY(
            GetGuestEnabledVirtualTrustLevels) PROXY(GetGuestOsInfo)
            PROXY(GetVpCount) PROXY(GetArchitecture) PROXY(
                ForceArchitecture) PROXY(GetActiveVirtualTrustLevel)
                PROXY(GetEnabledVirtualTrustLevels) PROXY(
                    ForceActiveVirtualTrustLevel)
                    PROXY(IsActiveVirtualTrustLevelEnabled) PROXY(
                        IsNestedVirtualizationEnabled)
                        PROXY(GetNestedVirtualizationMode) PROXY(
                            ForceNestedHostMode) PROXY(InKernelSpace)
                            PROXY(GetRegisterValue) PROXY(GetPagingMode) PROXY(
                                ForcePagingMode) PROXY(ReadGuestPhysicalAddress)
                                PROXY(GuestVirtualAddressToPhysicalAddress)
                                    PROXY(GetGuestPhysicalMemoryChunks) PROXY(
                                        GuestPhysicalAddressToRawSavedMemoryOffset)
                                        PROXY(ReadGuestRawSavedMemory) PROXY(
                                            GetGuestRawSavedMemorySize)
                                            PROXY(SetMemoryBlockCacheLimit)
                                                PROXY(GetMemoryBlockCacheLimit)
                                                    PROXY(ApplyGuestMemoryFix)};

void *provider_symbol(const char *name) {
    for (size_t i = 0; i < HCS_COUNT(proxies); i++)
        if (strcmp(proxies[i].name, name) == 0) {
            void *address;
            memcpy(&address, &proxies[i].function, sizeof(address));
            return address;
        }
    return NULL;
}
