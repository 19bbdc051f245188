/* SPDX-License-Identifier: MIT
 * Behind the linker's --wrap. Counters are atomic: threads allocate too. */
#include "faults.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ABSURD (SIZE_MAX / 1024)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static atomic_size_t fail_from;
static atomic_size_t allocations;
static atomic_long live;

/* What the runtime takes before a program begins is its own affair. */
__attribute__((constructor)) static void begin(void) {
    live = 0;
}

void faults_fail_from(size_t n) {
    fail_from = n;
    allocations = 0;
}

size_t faults_allocations(void) {
    return allocations;
}

long faults_live(void) {
    return live;
}

/* Sanitizers end the program where an absurd size is asked for. */
static bool must_fail(size_t size) {
    size_t number = ++allocations;
    return (fail_from && number >= fail_from) || size > ABSURD;
}

static void *counted(void *block) {
    if (block)
        live++;
    return block;
}

void *__wrap_malloc(size_t size) {
    return must_fail(size) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return must_fail(size) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size) {
    void *moved;
    if (must_fail(size))
        return NULL;
    moved = __real_realloc(block, size);
    return block ? moved : counted(moved);
}

void __wrap_free(void *block) {
    if (block)
        live--;
    __real_free(block);
}
