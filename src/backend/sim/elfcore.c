/* SPDX-License-Identifier: MIT
 * A dump of the guest's memory as an ELF core: one note with the registers of
 * each processor and one segment with all of the memory. The guest has no
 * memory to speak of, so the file is a hole except for the kernel's log. */
#include <string.h>

#include "sim.h"

#define LOG_ADDRESS UINT64_C(0x10000)
#define PAGE UINT64_C(4096)
#define KERNEL_TEXT UINT64_C(0xffffffff81000000)
/* What a dump leaves free on the disk. */
#define FREE_FLOOR (UINT64_C(16) << 20)

/* The parts of an ELF file of 64 bits, little-endian, are written number by
 * number, so that they are the same whatever machine writes them. */
#define FILE_HEADER_SIZE 64
#define SEGMENT_HEADER_SIZE 56
#define NOTE_HEADER_SIZE 12
#define TYPE_CORE 4
#define MACHINE_X86_64 62
#define SEGMENT_LOAD 1
#define SEGMENT_NOTE 4
#define READ_WRITE_EXECUTE 7

/* A processor's state, as Linux lays it out on x86-64. */
#define NOTE_PRSTATUS 1
#define PRSTATUS_SIZE 336
#define PRSTATUS_PID 32
#define PRSTATUS_REGISTERS 112
#define REGISTER_RIP 16
#define REGISTER_CS 17
#define REGISTER_RFLAGS 18
#define REGISTER_SS 20
#define NOTE_SIZE (NOTE_HEADER_SIZE + 8 + PRSTATUS_SIZE)

struct layout {
    uint64_t notes;  /* bytes */
    uint64_t memory; /* bytes */
    uint64_t memory_offset;
};

static struct layout lay_out(const struct machine *machine) {
    struct layout layout;
    uint64_t headers = FILE_HEADER_SIZE + 2 * SEGMENT_HEADER_SIZE;
    layout.notes = machine->processors * NOTE_SIZE;
    layout.memory = machine->memory_mb << 20;
    layout.memory_offset = (headers + layout.notes + PAGE - 1) / PAGE * PAGE;
    return layout;
}

static void put_number(struct buf *out, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        buf_putc(out, (char)(value >> 8 * i & 0xFF));
}

static void put_file_header(struct buf *out) {
    static const char identity[16] = "\177ELF\2\1\1"; /* 64 bits, little */
    buf_add(out, identity, sizeof identity);
    put_number(out, TYPE_CORE, 2);
    put_number(out, MACHINE_X86_64, 2);
    put_number(out, 1, 4);                /* version */
    put_number(out, 0, 8);                /* no entry */
    put_number(out, FILE_HEADER_SIZE, 8); /* the segments' headers follow */
    put_number(out, 0, 8);                /* no sections */
    put_number(out, 0, 4);                /* no flags */
    put_number(out, FILE_HEADER_SIZE, 2);
    put_number(out, SEGMENT_HEADER_SIZE, 2);
    put_number(out, 2, 2); /* segments */
    put_number(out, 0, 6); /* sections: their size, number and names */
}

static void put_segment(struct buf *out, uint32_t type, uint32_t flags,
                        uint64_t offset, uint64_t size, uint64_t align) {
    put_number(out, type, 4);
    put_number(out, flags, 4);
    put_number(out, offset, 8);
    put_number(out, 0, 8);    /* address */
    put_number(out, 0, 8);    /* physical address */
    put_number(out, size, 8); /* in the file */
    put_number(out, size, 8); /* in memory */
    put_number(out, align, 8);
}

static void put_headers(struct buf *out, const struct layout *layout) {
    put_file_header(out);
    put_segment(out, SEGMENT_NOTE, 0,
                FILE_HEADER_SIZE + 2 * SEGMENT_HEADER_SIZE, layout->notes, 4);
    put_segment(out, SEGMENT_LOAD, READ_WRITE_EXECUTE, layout->memory_offset,
                layout->memory, 0);
}

/* A processor's state, of which only what is not 0 is told. */
static uint64_t register_of(const struct machine *machine, size_t number) {
    switch (number) {
    case REGISTER_RIP:
        return KERNEL_TEXT + machine->guest.kernel_offset;
    case REGISTER_CS:
        return 0x10;
    case REGISTER_RFLAGS:
        return 0x2;
    case REGISTER_SS:
        return 0x18;
    default:
        return 0;
    }
}

static void put_note(struct buf *out, const struct machine *machine,
                     uint64_t processor) {
    size_t registers = (PRSTATUS_SIZE - PRSTATUS_REGISTERS) / 8;
    put_number(out, sizeof "CORE", 4);
    put_number(out, PRSTATUS_SIZE, 4);
    put_number(out, NOTE_PRSTATUS, 4);
    buf_add(out, "CORE\0\0\0", 8);
    for (size_t at = 0; at < PRSTATUS_REGISTERS; at += 4)
        put_number(out, at == PRSTATUS_PID ? processor + 1 : 0, 4);
    for (size_t i = 0; i < registers; i++)
        put_number(out, register_of(machine, i), 8);
}

static HRESULT write_parts(hcs_file file, const struct machine *machine,
                           const struct layout *layout,
                           struct hcs_error *error) {
    const struct buf *log = &machine->guest.log;
    struct buf head = {0};
    HRESULT hr = S_OK;
    put_headers(&head, layout);
    for (uint64_t i = 0; i < machine->processors; i++)
        put_note(&head, machine, i);
    if (head.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for a dump");
    if (SUCCEEDED(hr))
        hr = file_write_all(file, head.data, head.length, error);
    if (SUCCEEDED(hr) && log->length)
        hr = file_write_at(file, log->data, log->length,
                           layout->memory_offset + LOG_ADDRESS, error);
    buf_free(&head);
    if (SUCCEEDED(hr) &&
        FAILED(file_resize(file, layout->memory_offset + layout->memory, NULL)))
        hr = error_set(error, HR_DISK_FULL, NULL, "the dump does not fit");
    return hr;
}

/* What is not a hole takes room: all of it, where files have none. */
static HRESULT check_room(const struct sim_output *out,
                          const struct machine *machine,
                          const struct layout *layout, uint64_t keep_free,
                          struct hcs_error *error) {
    bool holes = file_make_sparse(out->file);
    uint64_t needed = layout->memory_offset +
                      (holes ? machine->guest.log.length : layout->memory);
    uint64_t room;
    if (!out->temporary || !file_room(out->temporary, &room))
        return S_OK; /* what is in the world has no disk of its own */
    if (keep_free == 0)
        keep_free = FREE_FLOOR;
    if (room >= keep_free && room - keep_free >= needed)
        return S_OK;
    return error_set(error, HR_DISK_FULL, NULL,
                     "the disk has too little room for a dump");
}

uint64_t elfcore_size(const struct machine *machine) {
    struct layout layout = lay_out(machine);
    return layout.memory_offset + layout.memory;
}

HRESULT elfcore_write(const struct machine *machine,
                      const struct sim_output *out, uint64_t keep_free,
                      struct hcs_error *error) {
    struct layout layout = lay_out(machine);
    HRESULT hr = check_room(out, machine, &layout, keep_free, error);
    return SUCCEEDED(hr) ? write_parts(out->file, machine, &layout, error) : hr;
}
