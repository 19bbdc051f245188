/* SPDX-License-Identifier: MIT
 * Reads hresult.h itself: each code that is defined there has its entry. */
#include "unit.h"

#include "base/error.h"

static void check_code(const char *name, uint32_t code) {
    const char *symbol = hresult_symbol((HRESULT)code);
    const char *text = hresult_text((HRESULT)code);
    if (!symbol || !text)
        fail_msg("%s (0x%08x) has no entry", name, code);
    /* HR_FILE_NOT_FOUND is Microsoft's ERROR_FILE_NOT_FOUND, HR_RPC_… RPC_S_….
     */
    if (strncmp(name, "HR_RPC_", 7) == 0)
        assert_string_equal(symbol + 6, name + 7);
    else if (strncmp(name, "HR_", 3) == 0)
        assert_string_equal(symbol + 6, name + 3);
    else
        assert_string_equal(symbol, name);
    assert_true(strlen(text) > 10 && text[strlen(text) - 1] == '.');
}

static void every_code_has_an_entry(void **state) {
    FILE *file = fopen(HRESULT_HEADER, "r");
    char line[256], name[128];
    int codes = 0;
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned code;
        if (sscanf(line, "#define %127s HCS_HR(0x%x)", name, &code) != 2)
            continue;
        check_code(name, code);
        codes++;
    }
    fclose(file);
    assert_true(codes > 40);
}

static void others_have_none(void **state) {
    (void)state;
    assert_null(hresult_symbol(HCS_HR(0x80371234)));
    assert_null(hresult_text(HCS_HR(0x12345678)));
    assert_string_equal(hresult_symbol(S_OK), "S_OK");
    assert_string_equal(hresult_symbol(S_FALSE), "S_FALSE");
}

/* Whatever a system call says comes out under a name. */
static void every_errno_has_a_name(void **state) {
    (void)state;
    for (int number = 0; number < 200; number++)
        assert_non_null(hresult_symbol(hresult_from_errno(number)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_errno_has_a_name),
        cmocka_unit_test(every_code_has_an_entry),
        cmocka_unit_test(others_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
