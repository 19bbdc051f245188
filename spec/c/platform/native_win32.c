/* SPDX-License-Identifier: MIT */
#include "native.h"

#include <winternl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    struct handle_table *table = test_malloc(size);
    long count = 0;
    while (NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, table, size,
                                    &needed)) {
        assert_true(size < (64u << 20));
        size *= 2;
        table = test_realloc(table, size);
    }
    for (ULONG_PTR i = 0; i < table->count; i++)
        if (table->entries[i].process == GetCurrentProcessId())
            count++;
    test_free(table);
    return count;
}

long native_count(void) {
    DWORD count = 0;
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
    return count > 0 ? (long)count : handles_listed();
}

/* What the system still has to finish keeps its handles until then. */
void native_settles(long most) {
    for (int i = 0; i < 200 && native_count() > most; i++)
        Sleep(10);
    assert_true(native_count() <= most);
}
