/* SPDX-License-Identifier: MIT */
#include "utf.h"

#include <stdlib.h>

/* What a lead byte promises: bytes in all (0: it leads nothing), and the
 * smallest code that may be written with so many. */
struct lead {
    size_t length;
    uint32_t least;
    uint32_t bits; /* of the lead byte that belong to the code */
};

static struct lead lead_of(unsigned char byte) {
    if (byte < 0x80)
        return (struct lead){1, 0, byte};
    if (byte >= 0xC2 && byte <= 0xDF)
        return (struct lead){2, 0x80, byte & 0x1Fu};
    if (byte >= 0xE0 && byte <= 0xEF)
        return (struct lead){3, 0x800, byte & 0x0Fu};
    if (byte >= 0xF0 && byte <= 0xF4)
        return (struct lead){4, 0x10000, byte & 0x07u};
    return (struct lead){0, 0, 0};
}

static bool is_surrogate(uint32_t code) {
    return code >= 0xD800 && code <= 0xDFFF;
}

size_t utf8_step(const char *text, size_t length, uint32_t *code) {
    struct lead lead;
    uint32_t value;

    if (length == 0)
        return 0;
    lead = lead_of((unsigned char)text[0]);
    if (lead.length > length)
        return 0;
    value = lead.bits;
    for (size_t i = 1; i < lead.length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (byte & 0x3Fu);
    }
    if (value < lead.least || value > 0x10FFFF || is_surrogate(value))
        return 0;
    *code = value;
    return lead.length;
}

size_t utf8_put(uint32_t code, char out[4]) {
    static const unsigned char marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t length = 1u + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(marks[length] | code);
    return length;
}

bool utf8_valid(const char *text, size_t length) {
    uint32_t code;
    size_t at = 0;
    while (at < length) {
        size_t step = utf8_step(text + at, length - at, &code);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t utf16_length(PCWSTR text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static HRESULT out_of_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory for a text");
}

/* The UTF-16 units that the text takes, in *units. */
static HRESULT count_units(const char *text, size_t length, size_t *units,
                           struct hcs_error *error) {
    uint32_t code;
    size_t at = 0;
    *units = 0;
    while (at < length) {
        size_t step = utf8_step(text + at, length - at, &code);
        if (step == 0)
            return error_set(error, HR_INVALID_DATA, NULL,
                             "byte %zu is not valid UTF-8", at);
        at += step;
        *units += code >= 0x10000 ? 2 : 1;
    }
    return S_OK;
}

static WCHAR *put_utf16(WCHAR *out, uint32_t code) {
    if (code < 0x10000) {
        *out++ = (WCHAR)code;
        return out;
    }
    code -= 0x10000;
    *out++ = (WCHAR)(0xD800 + (code >> 10));
    *out++ = (WCHAR)(0xDC00 + (code & 0x3FF));
    return out;
}

HRESULT utf16_into(const char *text, size_t length, void *(*allocate)(size_t),
                   PWSTR *out, size_t *out_length, struct hcs_error *error) {
    size_t units;
    WCHAR *to;
    HRESULT hr = count_units(text, length, &units, error);

    if (FAILED(hr))
        return hr;
    /* Units are at most bytes, so only the doubling can be too much. */
    to = units < SIZE_MAX / 2 ? allocate((units + 1) * sizeof *to) : NULL;
    if (!to)
        return out_of_memory(error);
    *out = to;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        at += utf8_step(text + at, length - at, &code);
        to = put_utf16(to, code);
    }
    *to = 0;
    if (out_length)
        *out_length = units;
    return S_OK;
}

HRESULT utf16_from_utf8(const char *text, size_t length, PWSTR *out,
                        size_t *out_length, struct hcs_error *error) {
    return utf16_into(text, length, malloc, out, out_length, error);
}

/* The units (1 or 2) of the character at the start of `text`, 0 for a
 * surrogate without its other half. */
static size_t utf16_step(PCWSTR text, size_t length, uint32_t *code) {
    uint32_t first = text[0];
    uint32_t second;
    *code = first;
    if (!is_surrogate(first))
        return 1;
    if (first >= 0xDC00 || length < 2)
        return 0;
    second = text[1];
    if (second < 0xDC00 || second > 0xDFFF)
        return 0;
    *code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    return 2;
}

static HRESULT count_bytes(PCWSTR text, size_t length, size_t *bytes,
                           struct hcs_error *error) {
    uint32_t code;
    char unused[4];
    size_t at = 0;
    *bytes = 0;
    while (at < length) {
        size_t step = utf16_step(text + at, length - at, &code);
        if (step == 0)
            return error_set(error, HR_INVALID_DATA, NULL,
                             "unit %zu is a lone surrogate", at);
        at += step;
        *bytes += utf8_put(code, unused);
    }
    return S_OK;
}

HRESULT utf8_from_utf16(PCWSTR text, size_t length, char **out,
                        size_t *out_length, struct hcs_error *error) {
    size_t bytes;
    char *to;
    HRESULT hr = count_bytes(text, length, &bytes, error);

    if (FAILED(hr))
        return hr;
    to = malloc(bytes + 1);
    if (!to)
        return out_of_memory(error);
    *out = to;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        char character[4];
        size_t wide;
        at += utf16_step(text + at, length - at, &code);
        wide = utf8_put(code, character);
        for (size_t i = 0; i < wide; i++)
            *to++ = character[i];
    }
    *to = '\0';
    if (out_length)
        *out_length = bytes;
    return S_OK;
}
