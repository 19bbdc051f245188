/* SPDX-License-Identifier: MIT
 * A provider of saved states that ends its process, as Microsoft's does with
 * some files, never answers, or says things of its own. */
#include "../../src/abi/dump_types.h"

#include <wchar.h>

#define EXPORT __declspec(dllexport)

EXPORT HRESULT WINAPI LoadSavedStateFile(PCWSTR file,
                                         VM_SAVED_STATE_DUMP_HANDLE *dump);
EXPORT HRESULT WINAPI GetVpCount(VM_SAVED_STATE_DUMP_HANDLE dump,
                                 uint32_t *count);
EXPORT HRESULT WINAPI GetPagingMode(VM_SAVED_STATE_DUMP_HANDLE dump,
                                    uint32_t cpu, PAGING_MODE *mode);
EXPORT HRESULT WINAPI GetRegisterValue(VM_SAVED_STATE_DUMP_HANDLE dump,
                                       uint32_t cpu, void *both);
EXPORT HRESULT WINAPI LocateSavedStateFiles(PCWSTR system, PCWSTR snapshot,
                                            PWSTR *bin, PWSTR *vsv,
                                            PWSTR *vmrs);

static void end(DWORD status) {
    TerminateProcess(GetCurrentProcess(), status);
}

HRESULT WINAPI LoadSavedStateFile(PCWSTR file,
                                  VM_SAVED_STATE_DUMP_HANDLE *dump) {
    if (wcsstr(file, L"encrypted"))
        end(0xC0000409);
    *dump = dump;
    return S_OK;
}

HRESULT WINAPI GetVpCount(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t *count) {
    (void)dump;
    *count = 77;
    return S_OK;
}

HRESULT WINAPI GetPagingMode(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                             PAGING_MODE *mode) {
    (void)dump;
    (void)mode;
    if (cpu == 0xFFFF)
        Sleep(INFINITE);
    end(cpu);
    return S_OK;
}

/* Of an old SDK: what is called in its new shape would write to nowhere. */
HRESULT WINAPI GetRegisterValue(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                                void *both) {
    (void)dump;
    (void)cpu;
    *(volatile char *)both = 0;
    return S_OK;
}

static PWSTR copy(PCWSTR text) {
    size_t size = (wcslen(text) + 1) * sizeof *text;
    PWSTR out = LocalAlloc(LMEM_FIXED, size);
    if (out)
        wmemcpy(out, text, size / sizeof *text);
    return out;
}

HRESULT WINAPI LocateSavedStateFiles(PCWSTR system, PCWSTR snapshot, PWSTR *bin,
                                     PWSTR *vsv, PWSTR *vmrs) {
    *bin = copy(L"");
    *vsv = copy(snapshot ? snapshot : L"none");
    *vmrs = copy(system);
    return S_OK;
}
