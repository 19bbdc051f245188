/* SPDX-License-Identifier: MIT */
#include "handle.h"

#include <stdlib.h>

#include "../base/thread.h"
#include "fork.h"

/* The number's fields, from the lowest bit; the highest bit stays clear. */
#define KIND_BITS 4
#define SLOT_BITS 20
#define GENERATION_BITS 28
#define EPOCH_BITS 11
#define MASK(bits) ((UINT64_C(1) << (bits)) - 1)
#define SLOT_SHIFT KIND_BITS
#define GENERATION_SHIFT (SLOT_SHIFT + SLOT_BITS)
#define EPOCH_SHIFT (GENERATION_SHIFT + GENERATION_BITS)

_Static_assert(sizeof(uintptr_t) >= 8, "a handle needs 63 bits");

struct slot {
    struct object *object; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* 1-based; 0 ends the list */
};

static struct {
    hcs_mutex lock;
    struct slot *slots;
    size_t count;
    uint32_t free;          /* 1-based */
    struct slot *inherited; /* the parent's, which nobody looks at */
} table = {.lock = HCS_MUTEX_INIT};

static void (*fork_reset)(void);

void object_init(struct object *object, enum handle_kind kind,
                 void (*destroy)(struct object *object)) {
    counter_set(&object->references, 1);
    object->kind = kind;
    object->number = 0;
    object->destroy = destroy;
}

void object_ref(struct object *object) {
    counter_up(&object->references);
}

void object_unref(struct object *object) {
    if (object && counter_down(&object->references) == 0)
        object->destroy(object);
}

void handle_on_fork(void (*reset)(void)) {
    fork_reset = reset;
}

/* Another thread may have been in the middle of the table, so the child does
 * not look at it but begins with an empty one. */
void handle_forked(void) {
    mutex_init(&table.lock);
    table.inherited = table.slots;
    table.slots = NULL;
    table.count = 0;
    table.free = 0;
    if (fork_reset)
        fork_reset();
}

static uintptr_t number_of(uint32_t slot, uint32_t generation,
                           enum handle_kind kind) {
    uint64_t number = ((uint64_t)fork_epoch() & MASK(EPOCH_BITS))
                      << EPOCH_SHIFT;
    number |= ((uint64_t)generation & MASK(GENERATION_BITS))
              << GENERATION_SHIFT;
    number |= (uint64_t)slot << SLOT_SHIFT;
    return (uintptr_t)(number | (uint64_t)kind);
}

/* The slot that the number names, or NULL. Called with the lock held. */
static struct slot *find(uintptr_t number, enum handle_kind kind) {
    size_t place = (size_t)((number >> SLOT_SHIFT) & MASK(SLOT_BITS));
    struct slot *slot;

    if (place >= table.count)
        return NULL;
    slot = &table.slots[place];
    if (!slot->object || slot->object->number != number ||
        slot->object->kind != kind)
        return NULL;
    return slot;
}

/* Whether the number could be one of this process: no lock is needed to know
 * that it is not. */
static bool is_ours(uintptr_t number) {
    return number >> EPOCH_SHIFT == (fork_epoch() & MASK(EPOCH_BITS)) &&
           (number & MASK(KIND_BITS)) != 0;
}

static HRESULT grow(struct hcs_error *error) {
    size_t count = table.count ? table.count * 2 : 64;
    struct slot *slots = NULL;

    if (count <= (size_t)MASK(SLOT_BITS) + 1)
        slots = realloc(table.slots, count * sizeof *slots);
    if (!slots)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a handle");
    for (size_t i = table.count; i < count; i++)
        slots[i] =
            (struct slot){.generation = 1,
                          .next_free = i + 1 < count ? (uint32_t)(i + 2) : 0};
    table.free = (uint32_t)(table.count + 1);
    table.slots = slots;
    table.count = count;
    return S_OK;
}

HRESULT handle_create(struct object *object, struct hcs_error *error) {
    HRESULT hr = fork_watch(error);
    uint32_t place;

    if (FAILED(hr))
        return hr;
    mutex_lock(&table.lock);
    if (!table.free)
        hr = grow(error);
    if (SUCCEEDED(hr)) {
        place = table.free - 1;
        table.free = table.slots[place].next_free;
        table.slots[place].object = object;
        object->number =
            number_of(place, table.slots[place].generation, object->kind);
        object_ref(object);
    }
    mutex_unlock(&table.lock);
    return hr;
}

/* Called with the lock held. */
static struct object *get_locked(uintptr_t number, enum handle_kind kind) {
    struct slot *slot = is_ours(number) ? find(number, kind) : NULL;
    if (!slot)
        return NULL;
    object_ref(slot->object);
    return slot->object;
}

struct object *handle_get(const void *handle, enum handle_kind kind) {
    struct object *object;
    if (!is_ours((uintptr_t)handle))
        return NULL;
    mutex_lock(&table.lock);
    object = get_locked((uintptr_t)handle, kind);
    mutex_unlock(&table.lock);
    return object;
}

void handle_get_two(const void *first, enum handle_kind first_kind,
                    struct object **first_out, const void *second,
                    enum handle_kind second_kind, struct object **second_out) {
    *first_out = NULL;
    *second_out = NULL;
    if (!is_ours((uintptr_t)first) && !is_ours((uintptr_t)second))
        return;
    mutex_lock(&table.lock);
    *first_out = get_locked((uintptr_t)first, first_kind);
    *second_out = get_locked((uintptr_t)second, second_kind);
    mutex_unlock(&table.lock);
}

struct object *handle_take(const void *handle, enum handle_kind kind) {
    uintptr_t number = (uintptr_t)handle;
    struct object *object = NULL;
    struct slot *slot;

    if (!is_ours(number))
        return NULL;
    mutex_lock(&table.lock);
    slot = find(number, kind);
    if (slot) {
        object = slot->object;
        slot->object = NULL;
        slot->generation++;
        slot->next_free = table.free;
        table.free = (uint32_t)(slot - table.slots) + 1;
    }
    mutex_unlock(&table.lock);
    return object;
}
