/* SPDX-License-Identifier: MIT
 * snprintf writes the decimal separator of the locale that happens to be set,
 * so it is put right afterwards: everything else in its output is ASCII. */
#include "json_number.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "os.h"

static bool is_number_character(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
}

/* Makes the separator, of whatever length, a point. */
static void put_point(char *text) {
    char *to;
    while (is_number_character(*text))
        text++;
    if (*text == '\0')
        return;
    *text++ = '.';
    to = text;
    while (*text != '\0' && !is_number_character(*text))
        text++;
    memmove(to, text, strlen(text) + 1);
}

static bool reads_back(const char *text, double value) {
    double again;
    return os_strtod(text, &again) && again >= value && again <= value;
}

/* "1e+05" becomes "1e5". */
static void shorten_exponent(char *text) {
    char *to = strchr(text, 'e');
    char *from;
    if (!to)
        return;
    from = ++to;
    if (*from == '-')
        to++;
    from += strspn(from, "+-0");
    memmove(to, from, strlen(from) + 1);
}

size_t json_format_double(double value, char out[JSON_DOUBLE_SIZE]) {
    /* 15 digits always survive in a normal number; others have fewer. */
    int digits = number_is_normal(value) ? 15 : 1;
    for (; digits <= 17; digits++) {
        snprintf(out, JSON_DOUBLE_SIZE, "%.*g", digits, value);
        put_point(out);
        if (digits < 17 && reads_back(out, value))
            break;
    }
    shorten_exponent(out);
    if (!strpbrk(out, ".e"))
        strcat(out, ".0");
    return strlen(out);
}
