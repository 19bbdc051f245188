/* SPDX-License-Identifier: MIT
 * The functions of saved states through the library: handles, what is asked of
 * nowhere, threads. What the formats hold is spec/c/dump's, what the functions
 * say of a machine that is known is spec/core's. */
#include "world.h"

#include "base/file.h"

#define GUEST_MEMORY (UINT64_C(1) << 20)

static char folder[512], path[1024];
static PWSTR wide;

static void put(uint8_t *at, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* An ELF core of a megabyte, whose every page begins with its number. */
static int make_dump(void **state) {
    size_t begin = 64 + 56;
    uint8_t *bytes = calloc(1, begin + GUEST_MEMORY);
    hcs_file file;

    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, "\177ELF\2\1\1", 7);
    put(bytes + 16, 4, 2);  /* core */
    put(bytes + 18, 62, 2); /* x86-64 */
    put(bytes + 20, 1, 4);
    put(bytes + 32, 64, 8); /* program headers */
    put(bytes + 52, 64, 2);
    put(bytes + 54, 56, 2);
    put(bytes + 56, 1, 2);
    put(bytes + 64, 1, 4); /* one of memory */
    put(bytes + 72, begin, 8);
    put(bytes + 96, GUEST_MEMORY, 8);
    put(bytes + 104, GUEST_MEMORY, 8);
    for (uint64_t page = 0; page < GUEST_MEMORY / 4096; page++)
        put(bytes + begin + page * 4096, page, 8);
    ok(file_open_to_write(path, false, &file, NULL));
    ok(file_write_all(file, bytes, begin + GUEST_MEMORY, NULL));
    ok(file_close(file, NULL));
    free(bytes);
    return 0;
}

static int remove_dump(void **state) {
    (void)state;
    file_remove(path);
    return platform_remove_folder(folder) ? 0 : 1;
}

static VM_SAVED_STATE_DUMP_HANDLE load(void) {
    VM_SAVED_STATE_DUMP_HANDLE dump = NULL;
    ok(LoadSavedStateFile(wide, &dump));
    assert_non_null(dump);
    return dump;
}

static void it_is_read(void **state) {
    VM_SAVED_STATE_DUMP_HANDLE dump = load(), other = load();
    UINT64 size = 0, page = 0, count = 0, number = 0;
    GPA_MEMORY_CHUNK chunk = {7, 7};
    uint32_t read = 0;

    (void)state;
    ok(GetGuestRawSavedMemorySize(dump, &size));
    assert_int_equal(size, GUEST_MEMORY);
    fails(HR_INSUFFICIENT_BUFFER,
          GetGuestPhysicalMemoryChunks(dump, &page, NULL, &count));
    assert_int_equal(count, 1);
    ok(GetGuestPhysicalMemoryChunks(dump, &page, &chunk, &count));
    assert_int_equal(chunk.GuestPhysicalStartPageIndex, 0);
    assert_int_equal(chunk.PageCount * page, GUEST_MEMORY);
    ok(ReadGuestPhysicalAddress(dump, 9 * 4096, &number, 8, NULL));
    assert_int_equal(number, 9);
    /* Without a place for how much it was, all has to be there. */
    fails(0xC0370501,
          ReadGuestPhysicalAddress(dump, GUEST_MEMORY - 4, &number, 8, NULL));
    ok(ReadGuestPhysicalAddress(dump, GUEST_MEMORY - 4, &number, 8, &read));
    assert_int_equal(read, 4);
    ok(ReleaseSavedStateFiles(dump));
    ok(ReadGuestPhysicalAddress(other, 4096, &number, 8, NULL));
    ok(ReleaseSavedStateFiles(other));
}

/* No notes, no processors. */
static void there_need_be_no_processor(void **state) {
    VM_SAVED_STATE_DUMP_HANDLE dump = load();
    VIRTUAL_PROCESSOR_REGISTER value;
    PAGING_MODE mode;
    uint32_t count = 7;
    PWSTR reason = NULL;
    char *text = NULL;
    size_t length = 7;

    (void)state;
    ok(GetVpCount(dump, &count));
    assert_int_equal(count, 0);
    fails(0xC0370502, GetRegisterValue(dump, 0, X64_RegisterRip, &value));
    ok(hcshost_dump_reason(dump, &reason));
    assert_non_null(strstr(text_of(reason), "processors"));
    fails(0xC0370502, GetPagingMode(dump, 0, &mode));
    fails(HR_NOT_FOUND, hcshost_dump_vmcoreinfo(dump, &text, &length));
    assert_null(text);
    assert_int_equal(length, 0);
    ok(hcshost_dump_summary(dump, &text, &length));
    assert_int_equal(strlen(text), length);
    LocalFree(text);
    ok(ReleaseSavedStateFiles(dump));
}

static void handles_that_are_none_are_refused(void **state) {
    VM_SAVED_STATE_DUMP_HANDLE dump = load();
    HCS_OPERATION operation;
    HCSHOST host = world_open("sim:?driver=step");
    uint32_t count;
    PWSTR text = NULL;

    (void)state;
    operation = HcsCreateOperation(NULL, NULL);
    fails(E_HANDLE, GetVpCount(NULL, &count));
    fails(E_HANDLE, GetVpCount((void *)operation, &count));
    fails(E_HANDLE, GetVpCount(&count, &count));
    fails(E_HANDLE, ReleaseSavedStateFiles((void *)operation));
    fails(E_HANDLE, HcsCancelOperation((HCS_OPERATION)dump));
    ok(ReleaseSavedStateFiles(dump));
    fails(E_HANDLE, ReleaseSavedStateFiles(dump));
    fails(E_HANDLE, GetVpCount(dump, &count));
    fails(E_HANDLE, hcshost_dump_describe(dump, &text));
    assert_null(text);
    HcsCloseOperation(operation);
    /* A dump is no host's. */
    dump = load();
    world_close(host);
    ok(GetVpCount(dump, &count));
    ok(ReleaseSavedStateFiles(dump));
}

static void what_goes_nowhere_is_refused(void **state) {
    VM_SAVED_STATE_DUMP_HANDLE dump = load(), none = dump;
    HCSHOST_DUMP_EXPORT how = {HcsHostDumpElf, 0, 0, 0};
    UINT64 number = 0;
    char byte = 0;

    (void)state;
    fails(E_INVALIDARG, LoadSavedStateFile(NULL, &none));
    assert_null(none);
    fails(E_INVALIDARG, LoadSavedStateFile(wide, NULL));
    fails(E_INVALIDARG, LoadSavedStateFile(u"", &none));
    fails(E_INVALIDARG, GetVpCount(dump, NULL));
    fails(E_INVALIDARG, GetGuestRawSavedMemorySize(dump, NULL));
    fails(E_INVALIDARG, ReadGuestPhysicalAddress(dump, 0, NULL, 1, NULL));
    fails(E_INVALIDARG, GetGuestPhysicalMemoryChunks(dump, NULL, NULL, NULL));
    fails(E_INVALIDARG, hcshost_dump_log(dump, NULL, NULL));
    fails(E_INVALIDARG,
          hcshost_dump_find(dump, 0, &byte, 0, NULL, NULL, &number));
    fails(E_INVALIDARG, hcshost_dump_find(dump, 0, &byte, 1, NULL, NULL, NULL));
    fails(E_INVALIDARG,
          hcshost_dump_export(dump, wide, NULL, NULL, NULL, NULL));
    fails(E_INVALIDARG,
          hcshost_dump_export(dump, NULL, &how, NULL, NULL, NULL));
    how.Format = (HCSHOST_DUMP_FORMAT)99;
    fails(E_INVALIDARG,
          hcshost_dump_export(dump, wide, &how, NULL, NULL, NULL));
    fails(E_INVALIDARG, LocateSavedStateFiles(NULL, NULL, NULL, NULL, NULL));
    ok(ReleaseSavedStateFiles(dump));
}

static BOOL stop(void *context, uint64_t done, uint64_t total) {
    int *calls = context;
    assert_true(done <= total);
    (*calls)++;
    return 0;
}

static void long_calls_can_be_ended(void **state) {
    VM_SAVED_STATE_DUMP_HANDLE dump = load();
    HCSHOST_DUMP_EXPORT how = {HcsHostDumpElf, 0, 0, 0};
    char other[1100];
    PWSTR name = NULL;
    int calls = 0;

    (void)state;
    snprintf(other, sizeof other, "%s.other", path);
    ok(utf16_from_utf8(other, strlen(other), &name, NULL, NULL));
    fails(HR_CANCELLED,
          hcshost_dump_export(dump, name, &how, stop, &calls, NULL));
    assert_true(calls > 0);
    assert_false(file_exists(other));
    how.MaxBytes = 4096;
    fails(HR_DISK_FULL,
          hcshost_dump_export(dump, name, &how, NULL, NULL, NULL));
    assert_false(file_exists(other));
    free(name);
    ok(ReleaseSavedStateFiles(dump));
}

/* Many threads with one dump, which ends while they read it. */
static VM_SAVED_STATE_DUMP_HANDLE shared;

static void read_pages(void *context) {
    uint64_t *wrong = context;
    for (uint64_t i = 0; i < 4000; i++) {
        uint64_t page = i % (GUEST_MEMORY / 4096), number = ~page;
        HRESULT hr =
            ReadGuestPhysicalAddress(shared, page * 4096, &number, 8, NULL);
        if (hr == E_HANDLE)
            break;
        if (FAILED(hr) || number != page)
            (*wrong)++;
    }
}

static void threads_take_turns(void **state) {
    hcs_thread threads[4];
    uint64_t wrong[4] = {0};

    (void)state;
    shared = load();
    for (size_t i = 0; i < 4; i++)
        ok(thread_start(&threads[i], read_pages, &wrong[i], NULL));
    thread_join(threads[0]);
    ok(ReleaseSavedStateFiles(shared));
    for (size_t i = 1; i < 4; i++)
        thread_join(threads[i]);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wrong[i], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read),
        cmocka_unit_test(there_need_be_no_processor),
        cmocka_unit_test(handles_that_are_none_are_refused),
        cmocka_unit_test(what_goes_nowhere_is_refused),
        cmocka_unit_test(long_calls_can_be_ended),
        cmocka_unit_test(threads_take_turns),
    };
    int failed;
    platform_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/machine.elf", folder);
    if (FAILED(utf16_from_utf8(path, strlen(path), &wide, NULL, NULL)))
        return 1;
    failed = cmocka_run_group_tests(tests, make_dump, remove_dump);
    free(wide);
    return failed;
}
