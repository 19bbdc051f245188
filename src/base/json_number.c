/* SPDX-License-Identifier: MIT
 * snprintf writes the decimal separator of the locale that happens to be set,
 * so it is put right afterwards: everything else in its output is ASCII. */
#include "json_number.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

size_t json_format_double(double value, char out[JSON_DOUBLE_SIZE]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, JSON_DOUBLE_SIZE, "%.*g", digits, value);
        put_point(out);
        if (digits < 17 && reads_back(out, value))
            break;
    }
    if (!strpbrk(out, ".e"))
        strcat(out, ".0");
    return strlen(out);
}
