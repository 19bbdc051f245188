/* SPDX-License-Identifier: MIT */
#include "notes.h"

#include <stdlib.h>

#include "register_list.h"
#include "vmcoreinfo.h"

#define NOTE_HEADER 12u
#define NT_PRSTATUS 1u
#define MAX_NAME 256u

/* Where the registers begin in a Linux thread's status. */
#define STATUS_REGISTERS 112u
#define STATUS_X64_SIZE (STATUS_REGISTERS + 27 * 8)
#define STATUS_ARM64_SIZE (STATUS_REGISTERS + 34 * 8)

#define QEMU_SIZE 440u
#define QEMU_SEGMENTS 152u
#define QEMU_CONTROL 392u

struct note {
    uint32_t type;
    char name[16];
    uint64_t offset; /* of what it says */
    uint64_t size;
};

void notes_free(struct notes *notes) {
    free(notes->cpus);
    memset(notes, 0, sizeof *notes);
}

/* --- finding ------------------------------------------------------------- */

static HRESULT cpu_at(struct notes *notes, uint32_t index,
                      struct note_cpu **out, struct hcs_error *error) {
    if (index >= NOTES_MAX_CPUS)
        return dump_corrupt(error, "has more than %u CPUs", NOTES_MAX_CPUS);
    if (index >= notes->capacity) {
        uint32_t capacity = notes->capacity ? notes->capacity * 2 : 16;
        struct note_cpu *cpus =
            realloc(notes->cpus, capacity * sizeof *notes->cpus);
        if (!cpus)
            return dump_no_memory(error);
        memset(cpus + notes->capacity, 0,
               (capacity - notes->capacity) * sizeof *cpus);
        notes->cpus = cpus;
        notes->capacity = capacity;
    }
    if (index >= notes->cpu_count)
        notes->cpu_count = index + 1;
    *out = &notes->cpus[index];
    return S_OK;
}

static HRESULT take(struct notes *notes, const struct note *note,
                    uint32_t *statuses, struct hcs_error *error) {
    struct note_cpu *cpu;
    HRESULT hr;

    if (strcmp(note->name, "CORE") == 0 && note->type == NT_PRSTATUS) {
        hr = cpu_at(notes, (*statuses)++, &cpu, error);
        if (FAILED(hr))
            return hr;
        cpu->status = note->offset;
        cpu->status_size = note->size;
    } else if (strcmp(note->name, "QEMU") == 0) {
        hr = cpu_at(notes, notes->qemu_count++, &cpu, error);
        if (FAILED(hr))
            return hr;
        cpu->qemu = note->offset;
        cpu->qemu_size = note->size;
    } else if (strcmp(note->name, REGISTER_LIST_NOTE) == 0 &&
               note->type == REGISTER_LIST_TYPE) {
        hr = cpu_at(notes, notes->list_count++, &cpu, error);
        if (FAILED(hr))
            return hr;
        cpu->list = note->offset;
        cpu->list_size = note->size;
    } else if (strcmp(note->name, "VMCOREINFO") == 0) {
        notes->vmcoreinfo = note->offset;
        notes->vmcoreinfo_size = note->size;
    }
    return S_OK;
}

static uint64_t padded(uint64_t size) {
    return (size + 3) & ~UINT64_C(3);
}

/* Reads the note at *at and goes on behind it; S_FALSE when there is none, or
 * nothing that could be one. */
static HRESULT next_note(struct source *source, struct source_window *window,
                         uint64_t *at, uint64_t end, struct note *out,
                         struct hcs_error *error) {
    const uint8_t *bytes;
    uint64_t name_size, whole;
    HRESULT hr;

    if (end - *at < NOTE_HEADER)
        return S_FALSE;
    hr = source_look(source, window, *at, NOTE_HEADER, &bytes, error);
    if (FAILED(hr))
        return hr;
    name_size = le32(bytes);
    out->size = le32(bytes + 4);
    out->type = le32(bytes + 8);
    whole = NOTE_HEADER + padded(name_size) + padded(out->size);
    if ((name_size == 0 && out->size == 0) || name_size > MAX_NAME ||
        NOTE_HEADER + padded(name_size) > end - *at)
        return S_FALSE;
    memset(out->name, 0, sizeof out->name);
    hr = source_look(source, window, *at + NOTE_HEADER, (size_t)name_size,
                     &bytes, error);
    if (FAILED(hr))
        return hr;
    memcpy(out->name, bytes, (size_t)smaller(name_size, sizeof out->name - 1));
    out->offset = *at + NOTE_HEADER + padded(name_size);
    if (out->size > end - out->offset)
        return S_FALSE;
    *at += smaller(whole, end - *at);
    return S_OK;
}

HRESULT notes_scan(struct notes *notes, struct source *source, uint64_t offset,
                   uint64_t size, struct hcs_error *error) {
    struct source_window window = {0};
    uint32_t statuses = notes->cpu_count;
    struct note note;
    uint64_t end;
    HRESULT hr = S_OK;

    if (!source_has(source, offset, size))
        size =
            offset < source_length(source) ? source_length(source) - offset : 0;
    end = offset + size;
    while (offset < end && hr == S_OK && notes->seen++ < NOTES_MAX) {
        hr = next_note(source, &window, &offset, end, &note, error);
        if (hr == S_OK)
            hr = take(notes, &note, &statuses, error);
    }
    source_window_free(&window);
    return FAILED(hr) ? hr : S_OK;
}

/* --- registers ----------------------------------------------------------- */

static const uint8_t status_x64[27] = {
    DUMP_REG_R15, DUMP_REG_R14, DUMP_REG_R13, DUMP_REG_R12,    DUMP_REG_RBP,
    DUMP_REG_RBX, DUMP_REG_R11, DUMP_REG_R10, DUMP_REG_R9,     DUMP_REG_R8,
    DUMP_REG_RAX, DUMP_REG_RCX, DUMP_REG_RDX, DUMP_REG_RSI,    DUMP_REG_RDI,
    0xFF,         DUMP_REG_RIP, DUMP_REG_CS,  DUMP_REG_RFLAGS, DUMP_REG_RSP,
    DUMP_REG_SS,  0xFF,         0xFF,         DUMP_REG_DS,     DUMP_REG_ES,
    DUMP_REG_FS,  DUMP_REG_GS};

/* Of the segments the status has the selectors, and of two the bases. */
static void take_status_x64(const uint8_t *registers, struct dump_cpu *out) {
    unsigned i;

    for (i = 0; i < HCS_COUNT(status_x64); i++) {
        enum dump_register_id id = (enum dump_register_id)status_x64[i];
        uint64_t value = le64(registers + 8 * i);
        if (status_x64[i] == 0xFF)
            continue;
        if (dump_registers[id].kind == DUMP_KIND_SEGMENT)
            dump_put_segment(out, id, 0, 0, (uint16_t)value, 0);
        else
            dump_put(out, id, value);
    }
    out->values[DUMP_REG_FS].segment.base = le64(registers + 8 * 21);
    out->values[DUMP_REG_GS].segment.base = le64(registers + 8 * 22);
}

static void take_status_arm64(const uint8_t *registers, struct dump_cpu *out) {
    unsigned i;

    for (i = 0; i < 31; i++)
        dump_put(out, (enum dump_register_id)(DUMP_REG_X0 + i),
                 le64(registers + 8 * i));
    dump_put(out, DUMP_REG_SP_EL1, le64(registers + 8 * 31));
    dump_put(out, DUMP_REG_PC, le64(registers + 8 * 32));
    dump_put(out, DUMP_REG_CPSR, le64(registers + 8 * 33));
}

static HRESULT read_status(struct source *source, const struct note_cpu *cpu,
                           struct dump_cpu *out, struct hcs_error *error) {
    bool arm = out->arch == DUMP_ARCH_ARM64;
    uint8_t bytes[STATUS_ARM64_SIZE];
    size_t size = arm ? STATUS_ARM64_SIZE : STATUS_X64_SIZE;
    HRESULT hr;

    if (cpu->status == 0 || cpu->status_size < size ||
        (!arm && out->arch != DUMP_ARCH_X64))
        return S_OK;
    hr = source_read(source, cpu->status, bytes, size, error);
    if (FAILED(hr))
        return hr;
    if (arm)
        take_status_arm64(bytes + STATUS_REGISTERS, out);
    else
        take_status_x64(bytes + STATUS_REGISTERS, out);
    return S_OK;
}

static const uint8_t qemu_numbers[18] = {
    DUMP_REG_RAX, DUMP_REG_RBX, DUMP_REG_RCX,   DUMP_REG_RDX, DUMP_REG_RSI,
    DUMP_REG_RDI, DUMP_REG_RSP, DUMP_REG_RBP,   DUMP_REG_R8,  DUMP_REG_R9,
    DUMP_REG_R10, DUMP_REG_R11, DUMP_REG_R12,   DUMP_REG_R13, DUMP_REG_R14,
    DUMP_REG_R15, DUMP_REG_RIP, DUMP_REG_RFLAGS};
static const uint8_t qemu_segments[10] = {
    DUMP_REG_CS, DUMP_REG_DS,   DUMP_REG_ES, DUMP_REG_FS,   DUMP_REG_GS,
    DUMP_REG_SS, DUMP_REG_LDTR, DUMP_REG_TR, DUMP_REG_GDTR, DUMP_REG_IDTR};
static const uint8_t qemu_control[5] = {DUMP_REG_CR0, 0xFF, DUMP_REG_CR2,
                                        DUMP_REG_CR3, DUMP_REG_CR4};

static void take_qemu_segment(const uint8_t *bytes, enum dump_register_id id,
                              struct dump_cpu *out) {
    uint32_t limit = le32(bytes + 4);
    uint64_t base = le64(bytes + 16);

    if (dump_registers[id].kind == DUMP_KIND_TABLE)
        dump_put_table(out, id, base, (uint16_t)limit);
    else
        dump_put_segment(out, id, base, limit, (uint16_t)le32(bytes),
                         le32(bytes + 8));
}

static HRESULT read_qemu(struct source *source, const struct note_cpu *cpu,
                         struct dump_cpu *out, struct hcs_error *error) {
    uint8_t bytes[QEMU_SIZE];
    unsigned i;
    HRESULT hr;

    if (cpu->qemu == 0 || cpu->qemu_size < QEMU_SIZE - 8 ||
        (out->arch != DUMP_ARCH_X64 && out->arch != DUMP_ARCH_X86))
        return S_OK;
    memset(bytes, 0, sizeof bytes);
    hr = source_read(source, cpu->qemu, bytes,
                     (size_t)smaller(cpu->qemu_size, sizeof bytes), error);
    if (FAILED(hr))
        return hr;
    for (i = 0; i < HCS_COUNT(qemu_numbers); i++)
        dump_put(out, (enum dump_register_id)qemu_numbers[i],
                 le64(bytes + 8 + 8 * i));
    for (i = 0; i < HCS_COUNT(qemu_segments); i++)
        take_qemu_segment(bytes + QEMU_SEGMENTS + 24 * i,
                          (enum dump_register_id)qemu_segments[i], out);
    for (i = 0; i < HCS_COUNT(qemu_control); i++) {
        if (qemu_control[i] != 0xFF)
            dump_put(out, (enum dump_register_id)qemu_control[i],
                     le64(bytes + QEMU_CONTROL + 8 * i));
    }
    if (cpu->qemu_size >= QEMU_SIZE)
        dump_put(out, DUMP_REG_KERNEL_GS_BASE, le64(bytes + QEMU_SIZE - 8));
    return S_OK;
}

/* Where there is a list, nothing else is known. */
static HRESULT read_list(struct source *source, const struct note_cpu *cpu,
                         struct dump_cpu *out, struct hcs_error *error) {
    uint8_t bytes[REGISTER_LIST_MOST];
    size_t size = (size_t)smaller(cpu->list_size, sizeof bytes);
    HRESULT hr;

    if (cpu->list == 0)
        return S_OK;
    hr = source_read(source, cpu->list, bytes, size, error);
    if (SUCCEEDED(hr))
        register_list_read(bytes, size, out);
    return hr;
}

HRESULT notes_cpu(const struct notes *notes, struct source *source,
                  uint32_t index, struct dump_cpu *out,
                  struct hcs_error *error) {
    const struct note_cpu *cpu = &notes->cpus[index];
    HRESULT hr = read_status(source, cpu, out, error);

    /* QEMU's note has all that the status has, and the rest. */
    if (SUCCEEDED(hr))
        hr = read_qemu(source, cpu, out, error);
    return FAILED(hr) ? hr : read_list(source, cpu, out, error);
}

HRESULT notes_tell(const struct notes *notes, struct dump *dump,
                   struct hcs_error *error) {
    dump->facts.cpu_count = notes->cpu_count;
    return notes->vmcoreinfo
               ? dump_take_vmcoreinfo(dump, notes->vmcoreinfo,
                                      notes->vmcoreinfo_size, error)
               : S_OK;
}
