/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define LIKELY_LENGTH 31 /* what most formats need at most */

void buf_free(struct buf *buf) {
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) {
    buf->length = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* A capacity of at least `need`, doubling so that writing stays linear. */
static size_t grown(size_t capacity, size_t need) {
    size_t next = capacity ? capacity : FIRST_CAPACITY;
    while (next < need) {
        if (next > SIZE_MAX / 2)
            return need;
        next *= 2;
    }
    return next;
}

/* Room for `extra` more bytes and the terminator. */
static bool reserve(struct buf *buf, size_t extra) {
    size_t capacity;
    char *data;
    if (buf->failed)
        return false;
    if (extra < buf->capacity - buf->length)
        return true;
    if (extra >= SIZE_MAX - buf->length) {
        buf->failed = true;
        return false;
    }
    capacity = grown(buf->capacity, buf->length + extra + 1);
    data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t length) {
    if (!reserve(buf, length))
        return;
    if (length > 0)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_puts(struct buf *buf, const char *text) {
    buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c) {
    buf_add(buf, &c, 1);
}

/* Prints into the room there is; returns the length it needs. */
static int HCS_PRINTF(2, 0)
    print_within(struct buf *buf, const char *format, va_list args) {
    return vsnprintf(buf->data + buf->length, buf->capacity - buf->length,
                     format, args);
}

void buf_printf(struct buf *buf, const char *format, ...) {
    va_list args;
    int length = -1;

    if (reserve(buf, LIKELY_LENGTH)) {
        va_start(args, format);
        length = print_within(buf, format, args);
        va_end(args);
    }
    if (length < 0) {
        buf->failed = true;
        return;
    }
    if ((size_t)length >= buf->capacity - buf->length) {
        buf->data[buf->length] = '\0';
        if (!reserve(buf, (size_t)length))
            return;
        va_start(args, format);
        print_within(buf, format, args);
        va_end(args);
    }
    buf->length += (size_t)length;
}

void buf_consume(struct buf *buf, size_t length) {
    if (length > buf->length)
        length = buf->length;
    if (length == 0)
        return;
    buf->length -= length;
    memmove(buf->data, buf->data + length, buf->length + 1);
}

char *buf_take(struct buf *buf) {
    char *text;
    buf_add(buf, NULL, 0); /* an empty buffer gives "" and not NULL */
    if (buf->failed) {
        buf_free(buf);
        return NULL;
    }
    text = buf->data;
    *buf = (struct buf){0};
    return text;
}
