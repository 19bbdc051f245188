/* SPDX-License-Identifier: MIT
 * What a format is to the rest: one reader, found by the first bytes of the
 * file. A reader checks whatever it uses of the file, at the time it uses it,
 * and keeps to DUMP_MAX_MEMORY. */
#ifndef HCS_DUMP_READER_H
#define HCS_DUMP_READER_H

#include "bytes.h"
#include "dump.h"
#include "source.h"

/* What a reader knows a file by: zeros after its end. */
#define DUMP_HEAD 8192u

struct dump_head {
    uint8_t bytes[DUMP_HEAD];
    uint64_t length; /* the file's */
};

struct dump_reader {
    enum dump_format format;
    const char *name;

    bool (*knows)(const struct dump_head *head);

    /* Reads the headers and sets dump->self, which is closed also after a
     * failure if it was set; fills what it knows of dump->facts (format and
     * format_name are filled), dump->vmcoreinfo and dump->bugcheck. */
    HRESULT(*open)
    (struct dump *dump, const struct dump_head *head, struct hcs_error *error);
    void (*close)(void *self);

    /* Reads up to `size` (> 0) bytes from physical `address` on, as many as
     * come easily and at least one; *got = 0: the first one is not in the
     * dump. address + size does not wrap. */
    HRESULT(*read)
    (void *self, uint64_t address, void *bytes, size_t size, size_t *got,
     struct hcs_error *error);

    /* As dump_next_range. */
    HRESULT(*next_range)
    (void *self, uint64_t from, struct dump_range *out,
     struct hcs_error *error);

    /* As dump_next_data; NULL: as next_range. */
    HRESULT(*next_data)
    (void *self, uint64_t from, struct dump_range *out,
     struct hcs_error *error);

    /* Fills what the dump knows of CPU `index` (< facts.cpu_count); `out` is
     * all zeros and has the arch of the facts. */
    HRESULT(*cpu)
    (void *self, uint32_t index, struct dump_cpu *out, struct hcs_error *error);
};

/* Pages that were read last, for the many small reads of page tables. */
#define DUMP_CACHED_PAGES 64u
/* Each page has so many places that it may be in. */
#define DUMP_CACHE_WAYS 4u

struct dump_cache {
    uint64_t address[DUMP_CACHED_PAGES]; /* of the page, plus one; 0: none */
    uint8_t *pages[DUMP_CACHED_PAGES];   /* NULL until one comes there */
    uint64_t used[DUMP_CACHED_PAGES];    /* when it was asked for last */
    uint64_t asked;
};

struct dump {
    const char *path; /* while it is being opened; NULL: it has none */
    const struct dump_reader *reader;
    void *self;
    struct source *source; /* the reader's bytes, in the order it expects */
    struct dump_facts facts;
    char *vmcoreinfo; /* malloc'd, NULL-terminated; NULL: none */
    size_t vmcoreinfo_length;
    struct dump_bugcheck bugcheck;
    bool has_bugcheck;
    struct dump_cache cache;
    bool has_space; /* that of `space_cpu`, which was asked for last */
    uint32_t space_cpu;
    struct dump_space space;
};

/* All readers there are, in the order in which they are asked; NULL ends. */
extern const struct dump_reader *const dump_readers[];

/* --- what readers share -------------------------------------------------- */

/* HR_FILE_CORRUPT with that text. */
HRESULT dump_corrupt(struct hcs_error *error, const char *format, ...)
    HCS_PRINTF(2, 3);
/* E_OUTOFMEMORY. */
HRESULT dump_no_memory(struct hcs_error *error);
/* Takes a copy of the note; at most 1 MB. */
HRESULT dump_set_vmcoreinfo(struct dump *dump, const void *text, size_t length,
                            struct hcs_error *error);
/* A register's value, which is known from then on. */
void dump_put(struct dump_cpu *cpu, enum dump_register_id id, uint64_t value);
/* A segment from the second word of its descriptor, as CPUs keep it. */
void dump_put_segment(struct dump_cpu *cpu, enum dump_register_id id,
                      uint64_t base, uint32_t limit, uint16_t selector,
                      uint32_t descriptor);
void dump_put_table(struct dump_cpu *cpu, enum dump_register_id id,
                    uint64_t base, uint16_t limit);

#endif
