/* SPDX-License-Identifier: MIT
 * What converts to UTF-16 converts back to the same bytes, what does not is
 * not UTF-8; and the other way round. */
#include "base/utf.h"
#include "fuzz.h"

static void check_bytes(const char *text, size_t size) {
    PWSTR wide = NULL;
    char *again = NULL;
    size_t units, bytes;
    HRESULT hr = utf16_from_utf8(text, size, &wide, &units, NULL);

    require(SUCCEEDED(hr) == utf8_valid(text, size));
    if (FAILED(hr))
        return;
    require(utf8_from_utf16(wide, units, &again, &bytes, NULL) == S_OK);
    require(bytes == size && memcmp(text, again, size) == 0);
    require(wide[units] == 0 && again[bytes] == 0);
    free(wide);
    free(again);
}

static void check_units(const WCHAR *text, size_t units) {
    char *bytes = NULL;
    PWSTR again = NULL;
    size_t length, count;

    if (FAILED(utf8_from_utf16(text, units, &bytes, &length, NULL)))
        return;
    require(utf8_valid(bytes, length));
    require(utf16_from_utf8(bytes, length, &again, &count, NULL) == S_OK);
    require(count == units && memcmp(text, again, units * sizeof *text) == 0);
    free(bytes);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t units = size / sizeof(WCHAR);
    WCHAR *wide = malloc((units + 1) * sizeof *wide);

    require(wide != NULL);
    if (size > 0)
        memcpy(wide, data, units * sizeof *wide);
    check_bytes((const char *)data, size);
    check_units(wide, units);
    free(wide);
    return 0;
}
