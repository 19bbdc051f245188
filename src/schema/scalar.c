/* SPDX-License-Identifier: MIT
 * Scalars: ranges of whole numbers and the formats of texts. */
#include <string.h>

#include "check.h"

struct range {
    int64_t least;
    uint64_t most;
    const char *words;
};

/* Whole numbers only; other scalars have an empty row. */
static const struct range ranges[SCALAR_COUNT] = {
    [SCALAR_UINT8] = {0, UINT8_MAX, "a whole number from 0 to 255"},
    [SCALAR_UINT16] = {0, UINT16_MAX, "a whole number from 0 to 65535"},
    [SCALAR_UINT32] = {0, UINT32_MAX, "a whole number from 0 to 4294967295"},
    [SCALAR_UINT64] = {0, UINT64_MAX,
                       "a whole number from 0 to 18446744073709551615"},
    [SCALAR_INT8] = {INT8_MIN, INT8_MAX, "a whole number from -128 to 127"},
    [SCALAR_INT32] = {INT32_MIN, INT32_MAX,
                      "a whole number from -2147483648 to 2147483647"},
    [SCALAR_INT64] = {INT64_MIN, INT64_MAX,
                      "a whole number from -9223372036854775808 to "
                      "9223372036854775807"},
};

static bool in_range(const struct range *range, const struct json *value) {
    if (value->type == JSON_UINT)
        return value->as.uinteger <= range->most;
    if (value->type != JSON_INT || value->as.integer < range->least)
        return false;
    return value->as.integer < 0 || (uint64_t)value->as.integer <= range->most;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_guid(const struct json_string *text) {
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text->length != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < text->length; i++)
        if (shape[i] == 'x' ? !is_hex(text->text[i]) : text->text[i] != '-')
            return false;
    return true;
}

/* The number of the digits that `shape` has 'd' for at `at`, or -1. */
static int two_digits(const char *text) {
    if (!is_digit(text[0]) || !is_digit(text[1]))
        return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool is_day(const char *text) {
    int century = two_digits(text);
    int year = two_digits(text + 2);
    int month = two_digits(text + 5);
    int day = two_digits(text + 8);
    return century >= 0 && year >= 0 && text[4] == '-' && text[7] == '-' &&
           month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in(century * 100 + year, month);
}

static bool is_hour(const char *text) {
    int hour = two_digits(text);
    return hour >= 0 && hour <= 23 && text[2] == ':' &&
           two_digits(text + 3) >= 0 && two_digits(text + 3) <= 59;
}

/* ".1234567" and the zone, "Z" or "+02:00". */
static bool is_time_tail(const char *text, size_t length) {
    size_t digits = 0;
    if (length > 0 && text[0] == '.') {
        while (1 + digits < length && is_digit(text[1 + digits]))
            digits++;
        if (digits < 1 || digits > 9)
            return false;
        text += 1 + digits;
        length -= 1 + digits;
    }
    if (length == 1)
        return text[0] == 'Z';
    return length == 6 && (text[0] == '+' || text[0] == '-') &&
           is_hour(text + 1);
}

static bool is_datetime(const struct json_string *text) {
    const char *t = text->text;
    int second;
    if (text->length < sizeof "2026-01-02T03:04:05Z" - 1)
        return false;
    second = two_digits(t + 17);
    return is_day(t) && t[10] == 'T' && is_hour(t + 11) && t[16] == ':' &&
           second >= 0 && second <= 59 &&
           is_time_tail(t + 19, text->length - 19);
}

static bool is_base64(const struct json_string *text) {
    size_t end = text->length;
    if (end % 4 != 0)
        return false;
    for (size_t pad = 0; pad < 2 && end > 0 && text->text[end - 1] == '=';
         pad++)
        end--;
    for (size_t i = 0; i < end; i++) {
        char c = text->text[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') &&
            !(c >= 'A' && c <= 'Z') && c != '+' && c != '/')
            return false;
    }
    return true;
}

static HRESULT check_text(const struct checker *checker,
                          const struct place *place, unsigned scalar,
                          const struct json *value) {
    const struct json_string *text = &value->as.string;
    char out[SHOWN_SIZE];
    if (value->type != JSON_STRING)
        return check_mismatch(checker, place, "a string", value);
    if (memchr(text->text, '\0', text->length))
        return check_fail(checker, place, "a string here may not hold a NUL");
    if (scalar == SCALAR_GUID && !is_guid(text))
        return check_fail(checker, place,
                          "\"%s\" is not a GUID: expected text like "
                          "\"01234567-89ab-cdef-0123-456789abcdef\"",
                          shown(text, out));
    if (scalar == SCALAR_DATETIME && !is_datetime(text))
        return check_fail(checker, place,
                          "\"%s\" is not a time: expected text like "
                          "\"2026-01-02T03:04:05.1234567Z\"",
                          shown(text, out));
    if (scalar == SCALAR_BYTES && !is_base64(text))
        return check_fail(checker, place, "expected bytes as base64 text");
    return S_OK;
}

static bool is_number(const struct json *value) {
    return value->type == JSON_INT || value->type == JSON_UINT ||
           value->type == JSON_DOUBLE;
}

HRESULT check_scalar(const struct checker *checker, const struct place *place,
                     unsigned scalar, const struct json *value) {
    switch (scalar) {
    case SCALAR_ANY:
        return S_OK;
    case SCALAR_BOOL:
        return value->type == JSON_BOOL
                   ? S_OK
                   : check_mismatch(checker, place, "true or false", value);
    case SCALAR_DOUBLE:
        return is_number(value)
                   ? S_OK
                   : check_mismatch(checker, place, "a number", value);
    case SCALAR_STRING:
    case SCALAR_GUID:
    case SCALAR_DATETIME:
    case SCALAR_BYTES:
        return check_text(checker, place, scalar, value);
    default:
        return in_range(&ranges[scalar], value)
                   ? S_OK
                   : check_mismatch(checker, place, ranges[scalar].words,
                                    value);
    }
}

/* Decimal digits without sign and leading zeros, at most `most`. */
static bool is_index(const struct json_string *text, uint64_t most) {
    uint64_t number = 0;
    if (text->length == 0 || (text->text[0] == '0' && text->length > 1))
        return false;
    for (size_t i = 0; i < text->length; i++) {
        uint64_t digit = (uint64_t)(text->text[i] - '0');
        if (!is_digit(text->text[i]) || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    return true;
}

HRESULT check_key(const struct checker *checker, const struct place *place,
                  unsigned scalar) {
    char out[SHOWN_SIZE];
    if (scalar == SCALAR_STRING)
        return S_OK;
    if (scalar == SCALAR_GUID)
        return is_guid(place->name)
                   ? S_OK
                   : check_fail(checker, place, "the key \"%s\" is not a GUID",
                                shown(place->name, out));
    if (is_index(place->name, ranges[scalar].most))
        return S_OK;
    return check_fail(checker, place, "the key \"%s\" is not %s",
                      shown(place->name, out), ranges[scalar].words);
}
