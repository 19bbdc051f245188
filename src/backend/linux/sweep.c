/* SPDX-License-Identifier: MIT
 * Taking interfaces away. The kernel is quick to take one out of everybody's
 * sight, and then waits for all processors before it answers, some 30 ms; so
 * a thread waits there, and the plane goes on as soon as nothing can be seen
 * of the interface. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"

#define LOOK 100000 /* ns between looks whether it is gone */

/* All of a job at once: one wait. */
static void work(void *context) {
    struct sweep *sweep = context;
    uint32_t group = DEVICE_GROUP + 1 + sweep->number;
    struct wire *wire = &sweep->wire;

    if (sweep->count > 1) {
        for (size_t i = 0; i < sweep->count; i++)
            (void)device_group(wire, sweep->indexes[i], group, NULL);
        device_delete_group(wire, group);
    }
    /* And if it would not be put into a group. */
    for (size_t i = 0; i < sweep->count; i++)
        device_delete(wire, sweep->indexes[i]);
    wire_close(wire);
    if (sweep->fd >= 0)
        close(sweep->fd);
    atomic_store(&sweep->done, true);
}

static void finish(struct sweep *sweep) {
    thread_join(sweep->thread);
    sweep->busy = false;
}

/* One that has nothing to do; the longest at work when all have. */
static struct sweep *choose(struct plane *plane) {
    struct sweep *oldest = &plane->sweeps[plane->next_sweep];

    for (size_t i = 0; i < PLANE_SWEEPS; i++) {
        struct sweep *sweep = &plane->sweeps[i];
        if (sweep->busy && atomic_load(&sweep->done))
            finish(sweep);
        if (!sweep->busy)
            return sweep;
    }
    finish(oldest);
    plane->next_sweep = (plane->next_sweep + 1) % PLANE_SWEEPS;
    return oldest;
}

static bool is_there(struct plane *plane, int index) {
    char name[IFNAMSIZ];

    return SUCCEEDED(device_name(&plane->wire, index, name, NULL));
}

/* The kernel answers no question while it takes one out of sight. */
static void await(struct plane *plane, const struct sweep *sweep) {
    const struct timespec pause = {0, LOOK};

    for (size_t i = 0; i < sweep->count; i++)
        while (!atomic_load(&sweep->done) && is_there(plane, sweep->indexes[i]))
            nanosleep(&pause, NULL);
}

/* Where there is no thread to be had it takes its time. */
static void sweep_here(struct plane *plane, const int *indexes, size_t count,
                       int fd) {
    for (size_t i = 0; i < count; i++)
        device_delete(&plane->wire, indexes[i]);
    if (fd >= 0)
        close(fd);
}

void sweep(struct plane *plane, const int *indexes, size_t count, int fd) {
    struct sweep *sweep = choose(plane);

    sweep->number = (unsigned)(sweep - plane->sweeps);
    sweep->count = 0;
    for (size_t i = 0; i < count && sweep->count < SWEEP_MOST; i++)
        if (indexes[i] > 0)
            sweep->indexes[sweep->count++] = indexes[i];
    sweep->fd = fd;
    if (sweep->count == 0 && fd < 0)
        return;
    atomic_store(&sweep->done, false);
    if (FAILED(wire_open(&sweep->wire, NULL))) {
        sweep_here(plane, sweep->indexes, sweep->count, fd);
    } else if (FAILED(thread_start(&sweep->thread, work, sweep, NULL))) {
        wire_close(&sweep->wire);
        sweep_here(plane, sweep->indexes, sweep->count, fd);
    } else {
        sweep->busy = true;
        await(plane, sweep);
    }
}

void sweep_all(struct plane *plane) {
    for (size_t i = 0; i < PLANE_SWEEPS; i++)
        if (plane->sweeps[i].busy)
            finish(&plane->sweeps[i]);
}
