/* SPDX-License-Identifier: MIT
 * Physical reads of a dump beside those of the same file by pread, and copies
 * of memory that is there already. All of it is in the page cache.
 * usage: hcs-bench-dump FILE ROUNDS */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dump/dump.h"

#define BLOCK (1u << 20)
#define READS 20000u /* random ones in a round */

struct bench {
    struct dump *dump;
    int file;
    uint8_t *copy; /* of the memory */
    uint8_t *block;
    uint64_t start, bytes; /* the first range */
    unsigned seed;
};

typedef bool (*reader)(struct bench *bench, uint64_t at, size_t size);

static bool by_dump(struct bench *bench, uint64_t at, size_t size) {
    return SUCCEEDED(dump_read_physical(bench->dump, bench->start + at,
                                        bench->block, size, NULL, NULL));
}

/* The file begins with some pages that are no memory: it is as good. */
static bool by_pread(struct bench *bench, uint64_t at, size_t size) {
    return pread(bench->file, bench->block, size, (off_t)at) == (ssize_t)size;
}

static bool by_copy(struct bench *bench, uint64_t at, size_t size) {
    memcpy(bench->block, bench->copy + at, size);
    __asm__ volatile("" : : "r"(bench->block) : "memory");
    return true;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds for all of the memory, block after block; negative: it failed. */
static double in_order(struct bench *bench, reader read) {
    double began = now();
    for (uint64_t at = 0; at + BLOCK <= bench->bytes; at += BLOCK)
        if (!read(bench, at, BLOCK))
            return -1;
    return now() - began;
}

/* Seconds for READS reads of `size` bytes anywhere; the same places for all. */
static double anywhere(struct bench *bench, reader read, size_t size) {
    uint64_t state = bench->seed, room = bench->bytes - size;
    double began = now();
    for (unsigned i = 0; i < READS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (!read(bench, (state >> 20) % room / size * size, size))
            return -1;
    }
    return now() - began;
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double *list, unsigned count) {
    qsort(list, count, sizeof *list, by_size);
    return list[count / 2];
}

static const reader readers[] = {by_dump, by_pread, by_copy};

static int row(struct bench *bench, const char *name, size_t size,
               unsigned rounds) {
    double times[3][101], result[3];
    for (unsigned round = 0; round < rounds; round++) {
        bench->seed = round + 1;
        for (unsigned i = 0; i < 3; i++) {
            times[i][round] = size ? anywhere(bench, readers[i], size)
                                   : in_order(bench, readers[i]);
            if (times[i][round] < 0)
                return 1;
        }
    }
    for (unsigned i = 0; i < 3; i++)
        result[i] = median(times[i], rounds);
    if (size)
        printf("%-22s %9.0f ns %9.0f ns %9.0f ns", name,
               result[0] / READS * 1e9, result[1] / READS * 1e9,
               result[2] / READS * 1e9);
    else
        printf("%-22s %9.0f MB/s %7.0f MB/s %7.0f MB/s", name,
               (double)bench->bytes / 1e6 / result[0],
               (double)bench->bytes / 1e6 / result[1],
               (double)bench->bytes / 1e6 / result[2]);
    printf("   %.2f x pread\n", result[0] / result[1]);
    return 0;
}

static bool prepare(struct bench *bench, const char *path) {
    struct hcs_error error = {0};
    struct dump_range range;
    char full[4096];
    if (!realpath(path, full) ||
        FAILED(dump_open(full, &bench->dump, &error)) ||
        dump_next_range(bench->dump, 0, &range, &error) != S_OK) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        return false;
    }
    bench->start = range.start;
    bench->bytes = range.bytes;
    bench->file = open(full, O_RDONLY | O_CLOEXEC);
    bench->copy = malloc((size_t)range.bytes);
    bench->block = malloc(BLOCK);
    return bench->file >= 0 && bench->copy && bench->block &&
           SUCCEEDED(dump_read_physical(bench->dump, range.start, bench->copy,
                                        (size_t)range.bytes, NULL, NULL));
}

int main(int count, char **words) {
    struct bench bench = {0};
    int rounds = count == 3 ? atoi(words[2]) : 0;
    int status = 1;
    if (rounds < 1 || rounds > 101) {
        fprintf(stderr, "usage: hcs-bench-dump FILE ROUNDS (1 to 101)\n");
        return 2;
    }
    if (prepare(&bench, words[1])) {
        printf("%-22s %14s %12s %12s\n",
               dump_get_facts(bench.dump)->format_name, "lua-hcs", "pread",
               "memcpy");
        status = row(&bench, "in order, 1 MB each", 0, (unsigned)rounds) |
                 row(&bench, "anywhere, 4 KB each", 4096, (unsigned)rounds) |
                 row(&bench, "anywhere, 8 bytes", 8, (unsigned)rounds);
    }
    dump_close(bench.dump);
    if (bench.file > 0)
        close(bench.file);
    free(bench.copy);
    free(bench.block);
    return status;
}
