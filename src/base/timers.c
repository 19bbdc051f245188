/* SPDX-License-Identifier: MIT
 * A binary heap of pointers. `capacity` counts the timers that were added; the
 * array behind it is as long as the next power of two, so that adding one at a
 * time stays cheap and arming needs no memory. */
#include "timers.h"

#include <stdlib.h>

static bool before(const struct timer *a, const struct timer *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct timers *timers, size_t place, struct timer *timer) {
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static struct timer *at(const struct timers *timers, size_t place) {
    return timers->heap[place - 1];
}

static void sift_up(struct timers *timers, struct timer *timer) {
    size_t place = timer->place;
    while (place > 1 && before(timer, at(timers, place / 2))) {
        put(timers, place, at(timers, place / 2));
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct timers *timers, struct timer *timer) {
    size_t place = timer->place;
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count)
            break;
        if (child < timers->count &&
            before(at(timers, child + 1), at(timers, child)))
            child++;
        if (!before(at(timers, child), timer))
            break;
        put(timers, place, at(timers, child));
        place = child;
    }
    put(timers, place, timer);
}

/* Whether one more needs a longer array: at 0 and at each power of two. */
static bool is_full(size_t capacity) {
    return (capacity & (capacity - 1)) == 0;
}

HRESULT timers_add(struct timers *timers, struct timer *timer, timer_fn fire,
                   void *context, struct hcs_error *error) {
    size_t room = timers->capacity;
    if (is_full(room)) {
        size_t length = room ? room * 2 : 1;
        struct timer **heap = realloc(timers->heap, length * sizeof *heap);
        if (!heap)
            return error_set(error, E_OUTOFMEMORY, NULL,
                             "out of memory for a timer");
        timers->heap = heap;
    }
    timers->capacity = room + 1;
    *timer = (struct timer){.fire = fire, .context = context};
    return S_OK;
}

void timers_remove(struct timers *timers, struct timer *timer) {
    if (!timer->fire)
        return;
    timers_disarm(timers, timer);
    timer->fire = NULL;
    timers->capacity--;
}

void timers_arm(struct timers *timers, struct timer *timer, int64_t due) {
    timer->due = due;
    timer->order = ++timers->orders;
    if (!timer->place)
        put(timers, ++timers->count, timer);
    sift_up(timers, timer);
    sift_down(timers, timer);
}

void timers_disarm(struct timers *timers, struct timer *timer) {
    size_t place = timer->place;
    struct timer *last;

    if (!place)
        return;
    timer->place = 0;
    last = at(timers, timers->count--);
    if (last == timer)
        return;
    put(timers, place, last);
    sift_up(timers, last);
    sift_down(timers, last);
}

bool timer_armed(const struct timer *timer) {
    return timer->place != 0;
}

int64_t timers_next(const struct timers *timers) {
    return timers->count ? timers->heap[0]->due : INT64_MAX;
}

bool timers_fire_one(struct timers *timers, int64_t now) {
    struct timer *timer;
    if (timers->count == 0 || timers->heap[0]->due > now)
        return false;
    timer = timers->heap[0];
    timers_disarm(timers, timer);
    timer->fire(timer, timer->context); /* may free the timer */
    return true;
}

void timers_free(struct timers *timers) {
    for (size_t i = 0; i < timers->count; i++)
        timers->heap[i]->place = 0;
    free(timers->heap);
    *timers = (struct timers){0};
}
