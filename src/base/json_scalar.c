/* SPDX-License-Identifier: MIT
 * The reader's tokens: strings, numbers, true, false and null. */
#include <string.h>

#include "json_reader.h"
#include "number.h"
#include "os.h"
#include "utf.h"

/* Past the end reads as NUL, which no token holds. */
static char peek(const struct reader *reader) {
    return reader->at < reader->length ? reader->text[reader->at] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Moves over four hexadecimal digits; false when they are not there. */
static bool hex4(struct reader *reader, uint32_t *out) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(reader);
        uint32_t digit;
        if (is_digit(c))
            digit = (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return false;
        value = value * 16 + digit;
        reader->at++;
    }
    *out = value;
    return true;
}

static bool second_half(struct reader *reader, uint32_t *code) {
    uint32_t low;
    if (peek(reader) != '\\')
        return false;
    reader->at++;
    if (peek(reader) != 'u')
        return false;
    reader->at++;
    if (!hex4(reader, &low) || low < 0xDC00 || low > 0xDFFF)
        return false;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* What follows "\u". */
static HRESULT read_unicode(struct reader *reader) {
    size_t start = reader->at - 2;
    char bytes[4];
    uint32_t code;

    if (!hex4(reader, &code))
        return reader_expected(reader, "four hexadecimal digits");
    if (code >= 0xDC00 && code <= 0xDFFF)
        return reader_fail(reader, start,
                           "expected a character, found the "
                           "second half of a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF && !second_half(reader, &code))
        return reader_fail(reader, start,
                           "expected a character, found half "
                           "of a surrogate pair");
    buf_add(&reader->scratch, bytes, utf8_put(code, bytes));
    return S_OK;
}

/* What follows a backslash. */
static HRESULT read_escape(struct reader *reader) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = peek(reader);
    const char *name = c ? strchr(names, c) : NULL;

    if (c == 'u') {
        reader->at++;
        return read_unicode(reader);
    }
    if (!name)
        return reader_expected(reader, "one of \"\\/bfnrtu");
    buf_putc(&reader->scratch, values[name - names]);
    reader->at++;
    return S_OK;
}

/* Takes what needs no escape. */
static HRESULT read_run(struct reader *reader) {
    size_t start = reader->at;
    uint32_t code;

    while (reader->at < reader->length) {
        unsigned char c = (unsigned char)reader->text[reader->at];
        size_t step = 1;
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        if (c >= 0x80)
            step = utf8_step(reader->text + reader->at,
                             reader->length - reader->at, &code);
        if (step == 0)
            return reader_fail(reader, reader->at,
                               "expected UTF-8, found the "
                               "byte 0x%02X that is not",
                               c);
        reader->at += step;
    }
    buf_add(&reader->scratch, reader->text + start, reader->at - start);
    return S_OK;
}

HRESULT reader_string(struct reader *reader, struct json_string *out) {
    HRESULT hr = S_OK;

    reader->at++; /* the quote */
    buf_clear(&reader->scratch);
    while (SUCCEEDED(hr = read_run(reader)) && peek(reader) == '\\') {
        reader->at++;
        hr = read_escape(reader);
        if (FAILED(hr))
            break;
    }
    if (FAILED(hr))
        return hr;
    if (peek(reader) != '"')
        return reader_expected(reader, "the end of the string");
    reader->at++;
    if (reader->scratch.failed)
        return reader_out_of_memory(reader);
    out->length = reader->scratch.length;
    out->text = arena_text(reader->arena, reader->scratch.data, out->length);
    return out->text ? S_OK : reader_out_of_memory(reader);
}

static HRESULT skip_digits(struct reader *reader) {
    if (!is_digit(peek(reader)))
        return reader_expected(reader, "a digit");
    while (is_digit(peek(reader)))
        reader->at++;
    return S_OK;
}

static HRESULT skip_integer(struct reader *reader) {
    if (peek(reader) == '-')
        reader->at++;
    if (peek(reader) != '0')
        return skip_digits(reader);
    reader->at++;
    if (is_digit(peek(reader)))
        return reader_fail(reader, reader->at,
                           "expected a number without leading zeros");
    return S_OK;
}

static HRESULT skip_fraction(struct reader *reader) {
    if (peek(reader) != '.')
        return S_OK;
    reader->at++;
    return skip_digits(reader);
}

static HRESULT skip_exponent(struct reader *reader) {
    if (peek(reader) != 'e' && peek(reader) != 'E')
        return S_OK;
    reader->at++;
    if (peek(reader) == '+' || peek(reader) == '-')
        reader->at++;
    return skip_digits(reader);
}

/* The digits as a number; false when it needs more than 64 bits. */
static bool to_uint64(const char *text, size_t length, uint64_t *out) {
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* An integer in 64 bits; false for any other and for -0, whose sign would be
 * lost. */
static bool to_integer(const char *text, size_t length, struct json *out) {
    const uint64_t limit = (uint64_t)INT64_MAX;
    bool negative = text[0] == '-';
    uint64_t value;

    if (!to_uint64(text + negative, length - negative, &value))
        return false;
    if (negative && (value == 0 || value > limit + 1))
        return false;
    if (negative || value <= limit) {
        out->type = JSON_INT;
        /* Negated before it is widened by one: INT64_MIN has no positive. */
        out->as.integer = negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    } else {
        out->type = JSON_UINT;
        out->as.uinteger = value;
    }
    return true;
}

/* Whether the text before the exponent has a digit other than 0. */
static bool is_zero(const char *text) {
    return text[strspn(text, "-0.")] == '\0' ||
           strchr("eE", text[strspn(text, "-0.")]) != NULL;
}

/* A number past double's range, above or below, keeps its text. */
static HRESULT to_double(struct reader *reader, const char *text, size_t length,
                         struct json *out) {
    char *copy = arena_text(reader->arena, text, length);
    double value;

    if (!copy || !os_strtod(copy, &value))
        return reader_out_of_memory(reader);
    if (number_is_finite(value) && (fabs(value) > 0 || is_zero(copy))) {
        out->type = JSON_DOUBLE;
        out->as.number = value;
    } else {
        out->type = JSON_NUMBER;
        out->as.string = (struct json_string){copy, length};
    }
    return S_OK;
}

HRESULT reader_number(struct reader *reader, struct json *out) {
    const char *text = reader->text + reader->at;
    size_t start = reader->at;
    size_t integer;
    size_t length;
    HRESULT hr = skip_integer(reader);

    if (FAILED(hr))
        return hr;
    integer = reader->at - start;
    if (FAILED(hr = skip_fraction(reader)) ||
        FAILED(hr = skip_exponent(reader)))
        return hr;
    length = reader->at - start;
    if (length == integer && to_integer(text, length, out))
        return S_OK;
    if (length == integer && !(length == 2 && text[1] == '0')) {
        out->type = JSON_NUMBER;
        out->as.string.length = length;
        out->as.string.text = arena_text(reader->arena, text, length);
        return out->as.string.text ? S_OK : reader_out_of_memory(reader);
    }
    return to_double(reader, text, length, out);
}

HRESULT reader_word(struct reader *reader, struct json *out) {
    static const struct {
        const char *text;
        struct json value;
    } words[] = {
        {"null", {.type = JSON_NULL}},
        {"true", {.type = JSON_BOOL, .as.boolean = true}},
        {"false", {.type = JSON_BOOL, .as.boolean = false}},
    };

    for (size_t i = 0; i < HCS_COUNT(words); i++) {
        size_t length = strlen(words[i].text);
        if (reader->length - reader->at >= length &&
            memcmp(reader->text + reader->at, words[i].text, length) == 0) {
            *out = words[i].value;
            reader->at += length;
            return S_OK;
        }
    }
    return reader_expected(reader, "a value");
}
