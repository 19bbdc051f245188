/* SPDX-License-Identifier: MIT */
#include "vmrs_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "vmrs_format.h"

static const struct {
    uint32_t id;
    uint32_t size;
} parts[VMRS_PARTS] = {
    [VMRS_GENERAL] = {VMRS_CHUNK_GENERAL, 18 * 8},
    [VMRS_FP] = {VMRS_CHUNK_FP, 26 * 16},
    [VMRS_CONTROL] = {VMRS_CHUNK_CONTROL, 6 * 8},
    [VMRS_DEBUG] = {VMRS_CHUNK_DEBUG, 6 * 8},
    [VMRS_SEGMENTS] = {VMRS_CHUNK_SEGMENTS, 8 * 16},
    [VMRS_TABLES] = {VMRS_CHUNK_TABLES, 2 * 16},
};

/* --- looking through the chunks ------------------------------------------ */

struct walk {
    struct vmrs_state *state;
    uint32_t capacity;
    uint32_t current; /* the CPU's number plus one; 0: none yet */
    unsigned vtl;
    uint16_t numbers[VMRS_MAX_CPUS]; /* by index, plus one */
};

static HRESULT add_cpu(struct walk *walk, uint32_t index,
                       struct hcs_error *error) {
    struct vmrs_state *state = walk->state;
    if (state->count == walk->capacity) {
        uint32_t capacity = walk->capacity ? 2 * walk->capacity : 8;
        struct vmrs_cpu *more =
            realloc(state->cpus, capacity * sizeof *state->cpus);
        if (!more)
            return dump_no_memory(error);
        state->cpus = more;
        walk->capacity = capacity;
    }
    memset(&state->cpus[state->count], 0, sizeof *state->cpus);
    state->cpus[state->count++].index = index;
    walk->numbers[index] = (uint16_t)state->count;
    return S_OK;
}

static HRESULT begin_cpu(struct walk *walk, uint32_t index,
                         struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (index >= VMRS_MAX_CPUS)
        return dump_corrupt(error, "has a CPU of number %u", (unsigned)index);
    if (walk->numbers[index] == 0)
        hr = add_cpu(walk, index, error);
    walk->current = walk->numbers[index];
    walk->vtl = 0;
    return hr;
}

/* Of several trust levels the lowest counts, where the guest's own kernel is,
 * and of several chunks of one kind the first. */
static void take_part(struct walk *walk, uint32_t id, uint32_t at,
                      uint32_t size) {
    struct vmrs_cpu *cpu;
    if (walk->current == 0 || walk->vtl != 0)
        return;
    cpu = &walk->state->cpus[walk->current - 1];
    for (unsigned i = 0; i < VMRS_PARTS; i++)
        if (parts[i].id == id && size >= parts[i].size && cpu->parts[i] == 0)
            cpu->parts[i] = at;
}

static HRESULT one_chunk(struct walk *walk, uint32_t id, uint32_t at,
                         uint32_t size, struct hcs_error *error) {
    const uint8_t *data = walk->state->bytes + at;
    switch (id) {
    case VMRS_CHUNK_PROLOG:
        if (size >= VMRS_PROLOG_VENDOR + 4)
            walk->state->arm64 =
                le32(data + VMRS_PROLOG_VENDOR) == VMRS_VENDOR_ARM;
        return S_OK;
    case VMRS_CHUNK_OS_ID:
        if (size >= 8)
            walk->state->os_id = le64(data);
        return S_OK;
    case VMRS_CHUNK_CPU:
        return size >= 4 ? begin_cpu(walk, le32(data), error)
                         : dump_corrupt(error, "has a CPU without a number");
    case VMRS_CHUNK_CPU_VTL:
        if (size >= 1)
            walk->vtl = data[0];
        return S_OK;
    default:
        take_part(walk, id, at, size);
        return S_OK;
    }
}

static HRESULT walk_chunks(struct walk *walk, size_t length,
                           struct hcs_error *error) {
    const uint8_t *bytes = walk->state->bytes;
    uint64_t before = length >= VMRS_STATE_DESCRIPTOR
                          ? le64(bytes + VMRS_STATE_BEFORE)
                          : UINT64_MAX;
    size_t at;
    HRESULT hr = S_OK;
    if (before > length || length - before < VMRS_STATE_GAP)
        return dump_corrupt(error, "has a damaged partition state");
    at = (size_t)before + VMRS_STATE_GAP;
    while (SUCCEEDED(hr) && length - at >= VMRS_CHUNK_HEADER) {
        uint32_t id = le32(bytes + at), size = le32(bytes + at + 4);
        if (id == VMRS_CHUNK_EPILOG)
            return S_OK;
        at += VMRS_CHUNK_HEADER;
        if (size > length - at)
            break;
        hr = one_chunk(walk, id, (uint32_t)at, size, error);
        at += size;
    }
    return FAILED(hr)
               ? hr
               : dump_corrupt(error, "has a partition state without an end");
}

HRESULT vmrs_state_parse(const uint8_t *bytes, size_t length,
                         struct vmrs_state *out, struct hcs_error *error) {
    struct walk *walk = calloc(1, sizeof *walk);
    HRESULT hr;
    memset(out, 0, sizeof *out);
    if (!walk)
        return dump_no_memory(error);
    out->bytes = bytes;
    walk->state = out;
    hr = length <= UINT32_MAX
             ? walk_chunks(walk, length, error)
             : dump_corrupt(error, "has too large a partition state");
    free(walk);
    if (FAILED(hr))
        vmrs_state_free(out);
    return hr;
}

void vmrs_state_free(struct vmrs_state *state) {
    free(state->cpus);
    memset(state, 0, sizeof *state);
}

/* --- a CPU's registers ---------------------------------------------------- */

static const enum dump_register_id control_ids[] = {
    DUMP_REG_CR0, DUMP_REG_CR2, DUMP_REG_CR3,
    DUMP_REG_CR4, DUMP_REG_CR8, DUMP_REG_EFER};
static const enum dump_register_id debug_ids[] = {DUMP_REG_DR0, DUMP_REG_DR1,
                                                  DUMP_REG_DR2, DUMP_REG_DR3,
                                                  DUMP_REG_DR6, DUMP_REG_DR7};
static const enum dump_register_id segment_ids[] = {
    DUMP_REG_ES, DUMP_REG_CS, DUMP_REG_SS,   DUMP_REG_DS,
    DUMP_REG_FS, DUMP_REG_GS, DUMP_REG_LDTR, DUMP_REG_TR};

static union dump_value *know(struct dump_cpu *cpu, enum dump_register_id id) {
    cpu->known[id] = true;
    return &cpu->values[id];
}

static void read_general(const uint8_t *at, struct dump_cpu *out) {
    for (int id = DUMP_REG_RAX; id <= DUMP_REG_RFLAGS; id++, at += 8)
        know(out, (enum dump_register_id)id)->number = le64(at);
}

static void read_six(const uint8_t *at, const enum dump_register_id *ids,
                     struct dump_cpu *out) {
    for (unsigned i = 0; i < 6; i++)
        know(out, ids[i])->number = le64(at + 8 * i);
}

static void read_fp(const uint8_t *at, struct dump_cpu *out) {
    union dump_value *value;
    for (int id = DUMP_REG_XMM0; id <= DUMP_REG_ST7; id++, at += 16) {
        value = know(out, (enum dump_register_id)id);
        value->wide.low = le64(at);
        value->wide.high = le64(at + 8);
    }
    value = know(out, DUMP_REG_FP_CONTROL);
    value->fpu.control = le16(at);
    value->fpu.status = le16(at + 2);
    value->fpu.tag = at[4];
    value->fpu.reserved = at[5];
    value->fpu.last_op = le16(at + 6);
    value->fpu.last_rip = le64(at + 8);
    at += 16;
    value = know(out, DUMP_REG_XMM_CONTROL);
    value->sse.last_rdp = le64(at);
    value->sse.control = le32(at + 8);
    value->sse.mask = le32(at + 12);
}

static void read_segments(const uint8_t *at, struct dump_cpu *out) {
    for (unsigned i = 0; i < HCS_COUNT(segment_ids); i++, at += 16) {
        union dump_value *value = know(out, segment_ids[i]);
        value->segment.base = le64(at);
        value->segment.limit = le32(at + 8);
        value->segment.selector = le16(at + 12);
        value->segment.attributes = le16(at + 14);
    }
}

static void read_tables(const uint8_t *at, struct dump_cpu *out) {
    dump_put_table(out, DUMP_REG_IDTR, le64(at + 8), le16(at + 6));
    dump_put_table(out, DUMP_REG_GDTR, le64(at + 24), le16(at + 22));
}

void vmrs_state_cpu(const struct vmrs_state *state, uint32_t number,
                    struct dump_cpu *out) {
    const uint32_t *at = state->cpus[number].parts;
    const uint8_t *bytes = state->bytes;
    if (at[VMRS_GENERAL])
        read_general(bytes + at[VMRS_GENERAL], out);
    if (at[VMRS_FP])
        read_fp(bytes + at[VMRS_FP], out);
    if (at[VMRS_CONTROL])
        read_six(bytes + at[VMRS_CONTROL], control_ids, out);
    if (at[VMRS_DEBUG])
        read_six(bytes + at[VMRS_DEBUG], debug_ids, out);
    if (at[VMRS_SEGMENTS])
        read_segments(bytes + at[VMRS_SEGMENTS], out);
    if (at[VMRS_TABLES])
        read_tables(bytes + at[VMRS_TABLES], out);
}

/* --- what system the guest is --------------------------------------------- */

#define OPEN_SOURCE (UINT64_C(1) << 63)
#define OPEN_LINUX (UINT64_C(1) << 56)
#define VENDOR_MICROSOFT (UINT64_C(1) << 48)
#define MICROSOFT_NT (UINT64_C(4) << 40)

static void numbers_of(const char *release, unsigned out[3]) {
    out[0] = out[1] = out[2] = 0;
    for (unsigned i = 0; i < 3; i++) {
        while (*release >= '0' && *release <= '9' && out[i] < 1000000)
            out[i] = out[i] * 10 + (unsigned)(*release++ - '0');
        if (*release++ != '.')
            return;
    }
}

uint64_t vmrs_os_id(enum dump_os os, const char *release) {
    unsigned n[3];
    numbers_of(release, n);
    if (os == DUMP_OS_LINUX) /* its version code is 8 bits of each */
        return OPEN_SOURCE | OPEN_LINUX | (uint64_t)(n[0] & 255) << 32 |
               (uint64_t)(n[1] & 255) << 24 |
               (uint64_t)(n[2] > 255 ? 255 : n[2]) << 16;
    if (os == DUMP_OS_WINDOWS)
        return VENDOR_MICROSOFT | MICROSOFT_NT | (uint64_t)(n[0] & 255) << 32 |
               (uint64_t)(n[1] & 255) << 24 | (n[2] & 0xFFFF);
    return 0;
}

void vmrs_os_facts(uint64_t id, enum dump_os *os, char *release, size_t size) {
    unsigned major = id >> 32 & 255, minor = id >> 24 & 255;
    *os = DUMP_OS_UNKNOWN;
    release[0] = 0;
    if ((id & OPEN_SOURCE) && (id >> 56 & 127) == 1) {
        *os = DUMP_OS_LINUX;
        if (major)
            snprintf(release, size, "%u.%u.%u", major, minor,
                     (unsigned)(id >> 16 & 255));
    } else if (id >> 48 == 1 && (id >> 40 & 255) == 4) {
        *os = DUMP_OS_WINDOWS;
        snprintf(release, size, "%u.%u.%u", major, minor,
                 (unsigned)(id & 0xFFFF));
    }
}
