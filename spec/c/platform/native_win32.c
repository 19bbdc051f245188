/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <stdlib.h>
#include <winternl.h>

bool native_wait(hcs_waitable waitable, int milliseconds) {
    return WaitForSingleObject(waitable, (DWORD)milliseconds) == WAIT_OBJECT_0;
}

void native_close(stream_native native) {
    CloseHandle(native);
}

/* SystemExtendedHandleInformation, which no header describes. */
struct handle_entry {
    void *object;
    ULONG_PTR process, handle;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};

struct handle_table {
    ULONG_PTR count, reserved;
    struct handle_entry entries[1];
};

/* Wine answers GetProcessHandleCount with 0. */
static long handles_listed(void) {
    ULONG size = 1u << 20;
    ULONG needed = 0;
    struct handle_table *table = malloc(size);
    long count = 0;
    while (NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, table, size,
                                    &needed)) {
        size *= 2;
        free(table);
        table = malloc(size);
        if (!table)
            abort();
    }
    for (ULONG_PTR i = 0; i < table->count; i++)
        if (table->entries[i].process == GetCurrentProcessId())
            count++;
    free(table);
    return count;
}

long native_count(void) {
    DWORD count = 0;
    if (!GetProcessHandleCount(GetCurrentProcess(), &count))
        abort();
    return count > 0 ? (long)count : handles_listed();
}

/* What the system still has to finish keeps its handles until then. */
bool native_settles(long most) {
    for (int i = 0; i < 1000 && native_count() > most; i++)
        Sleep(10);
    return native_count() <= most;
}
