/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdio.h>
#include <string.h>

#include "os.h"
#include "utf.h"

#define TEXT_SIZE sizeof(((struct hcs_error *)0)->text)

/* Takes away a character that the end of the buffer cut in two. */
static void cut_at_character(char *text) {
    size_t length = strlen(text);
    size_t tail = 0;
    uint32_t code;

    while (tail < length && tail < 4) {
        unsigned char c = (unsigned char)text[length - 1 - tail];
        tail++;
        if ((c & 0xC0) != 0x80)
            break;
    }
    if (tail > 0 && utf8_step(text + length - tail, tail, &code) != tail)
        text[length - tail] = '\0';
}

/* What is quoted in a text is foreign and may be cut anywhere: a byte that is
 * no character becomes "?", or no document could hold the text. */
static void mend(char *text) {
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t code;
        size_t step = utf8_step(text, left, &code);
        if (step == 0) {
            *text = '?';
            step = 1;
        }
        text += step;
        left -= step;
    }
}

static void copy_cut(char *out, size_t size, const char *text) {
    if ((size_t)snprintf(out, size, "%s", text) >= size)
        cut_at_character(out);
    mend(out);
}

static void HCS_PRINTF(2, 0)
    format_cut(char out[TEXT_SIZE], const char *format, va_list args) {
    int length = vsnprintf(out, TEXT_SIZE, format, args);
    if (length < 0)
        out[0] = '\0';
    else if ((size_t)length >= TEXT_SIZE)
        cut_at_character(out);
    mend(out);
}

/* "<first>: <second>" becomes the text; neither may lie in it. */
static void join_text(struct hcs_error *error, const char *first,
                      const char *second) {
    char joined[2 * TEXT_SIZE + 2];
    snprintf(joined, sizeof joined, "%s%s%s", first, *second ? ": " : "",
             second);
    copy_cut(error->text, sizeof error->text, joined);
}

HRESULT error_set(struct hcs_error *error, HRESULT code, const char *path,
                  const char *format, ...) {
    char text[TEXT_SIZE]; /* the arguments may lie in `error` itself */
    va_list args;

    if (!error)
        return code;
    va_start(args, format);
    format_cut(text, format, args);
    va_end(args);
    if (path != error->path)
        copy_cut(error->path, sizeof error->path, path ? path : "");
    memcpy(error->text, text, sizeof text);
    error->code = code;
    return code;
}

HRESULT error_wrap(struct hcs_error *error, HRESULT code, const char *format,
                   ...) {
    char prefix[TEXT_SIZE];
    char text[TEXT_SIZE];
    va_list args;

    if (!error)
        return code;
    va_start(args, format);
    format_cut(prefix, format, args);
    va_end(args);
    memcpy(text, error->text, sizeof text);
    join_text(error, prefix, text);
    if (error->code == S_OK)
        error->code = code;
    return error->code;
}

HRESULT error_because(struct hcs_error *error, HRESULT code, const char *why,
                      const char *format, va_list args) {
    char what[TEXT_SIZE];

    if (!error)
        return code;
    format_cut(what, format, args);
    error->code = code;
    error->path[0] = '\0';
    join_text(error, what, why);
    return code;
}

HRESULT error_errno(struct hcs_error *error, int number, const char *format,
                    ...) {
    char why[128];
    va_list args;

    os_error_text(number, why, sizeof why);
    va_start(args, format);
    error_because(error, hresult_from_errno(number), why, format, args);
    va_end(args);
    return hresult_from_errno(number);
}
