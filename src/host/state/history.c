/* SPDX-License-Identifier: MIT */
#include "history.h"

#include <stdlib.h>
#include <string.h>

static uint64_t tail_start(const struct history *history) {
    return history->total - history->tail_size;
}

/* Byte `position` of the output lies at this index of the ring. */
static size_t ring_index(const struct history *history, uint64_t position) {
    uint64_t since_head = position - history->head.length;
    return (size_t)(since_head % history->tail_room);
}

/* Makes the ring larger. What lies in it is moved to where a ring of the new
 * size has it. Without memory the ring stays as it is and keeps less. */
static void grow_tail(struct history *history, size_t wanted) {
    size_t room = history->tail_room ? history->tail_room : 4096;
    while (room < wanted && room < HISTORY_TAIL_SIZE)
        room *= 2;
    if (room <= history->tail_room)
        return;
    char *larger = malloc(room);
    if (!larger)
        return;
    for (uint64_t p = tail_start(history); p < history->total; p++)
        larger[(size_t)((p - history->head.length) % room)] =
            history->tail[ring_index(history, p)];
    free(history->tail);
    history->tail = larger;
    history->tail_room = room;
}

static void keep_in_tail(struct history *history, const char *bytes,
                         size_t length) {
    if (history->tail_size + length > history->tail_room)
        grow_tail(history, history->tail_size + length);
    if (history->tail_room == 0) {
        history->total += length;
        return;
    }
    while (length > 0) {
        size_t at = ring_index(history, history->total);
        size_t part = history->tail_room - at;
        if (part > length)
            part = length;
        memcpy(history->tail + at, bytes, part);
        history->total += part;
        bytes += part;
        length -= part;
        history->tail_size += part;
        if (history->tail_size > history->tail_room)
            history->tail_size = history->tail_room;
    }
}

void history_add(struct history *history, const char *bytes, size_t length) {
    size_t part = 0;
    if (history->total == history->head.length &&
        history->head.length < HISTORY_HEAD_SIZE && !history->head.failed) {
        part = HISTORY_HEAD_SIZE - history->head.length;
        if (part > length)
            part = length;
        buf_add(&history->head, bytes, part);
        if (history->head.failed)
            part = 0;
        history->total += part;
    }
    if (part < length)
        keep_in_tail(history, bytes + part, length - part);
}

/* The longest piece in one block from `position` on; *length 0: it is not
 * kept, or not printed yet. */
const char *history_piece(const struct history *history, uint64_t position,
                          size_t *length) {
    *length = 0;
    if (position < history->head.length) {
        *length = history->head.length - (size_t)position;
        return history->head.data + position;
    }
    if (position < tail_start(history) || position >= history->total)
        return NULL;
    size_t at = ring_index(history, position);
    uint64_t left = history->total - position;
    *length = history->tail_room - at;
    if (*length > left)
        *length = (size_t)left;
    return history->tail + at;
}

uint64_t history_next(const struct history *history, uint64_t position) {
    uint64_t start = tail_start(history);
    if (position < history->head.length || position >= start)
        return position;
    return start;
}

void history_free(struct history *history) {
    buf_free(&history->head);
    free(history->tail);
    *history = (struct history){0};
}

/* --- the end of it ---------------------------------------------------- */

/* Copies from a place that is kept to the end. */
static void copy_from(const struct history *history, uint64_t place,
                      struct buf *out) {
    size_t length;
    const char *bytes;
    while ((bytes = history_piece(history, place, &length)) && length > 0) {
        buf_add(out, bytes, length);
        place += length;
    }
}

static char byte_at(const struct history *history, uint64_t position) {
    size_t length;
    return *history_piece(history, position, &length);
}

void history_tail(const struct history *history, size_t most, struct buf *out) {
    uint64_t oldest = tail_start(history);
    uint64_t place;
    if (oldest <= history->head.length)
        oldest = 0;
    place = history->total - oldest > most ? history->total - most : oldest;
    if (place > 0) {
        uint64_t line = place;
        bool starts = place > oldest && byte_at(history, place - 1) == '\n';
        while (!starts && line < history->total &&
               byte_at(history, line) != '\n')
            line++;
        if (!starts && line < history->total)
            place = line + 1;
    }
    copy_from(history, place, out);
}
