/* SPDX-License-Identifier: MIT
 * A dump of the guest's memory as an ELF core: one note with the registers of
 * each processor and one segment with all of the memory. The guest has no
 * memory to speak of, so the file is a hole except for the kernel's log. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../base/file.h"
#include "sim.h"

#define LOG_ADDRESS UINT64_C(0x10000)
#define PAGE UINT64_C(4096)
#define KERNEL_TEXT UINT64_C(0xffffffff81000000)
/* What a dump leaves free on the disk. */
#define FREE_FLOOR (UINT64_C(16) << 20)

/* The elf_prstatus of x86-64, byte by byte, so that it is the same whatever
 * machine writes it. */
#define PRSTATUS_SIZE 336
#define PRSTATUS_PID 32
#define PRSTATUS_REGISTERS 112
#define REGISTER_RIP 16
#define REGISTER_CS 17
#define REGISTER_RFLAGS 18
#define REGISTER_SS 20
#define NOTE_SIZE (sizeof(Elf64_Nhdr) + 8 + PRSTATUS_SIZE)

struct layout {
    uint64_t notes;  /* bytes */
    uint64_t memory; /* bytes */
    uint64_t memory_offset;
};

static struct layout lay_out(const struct machine *machine) {
    struct layout layout;
    uint64_t headers = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
    layout.notes = machine->processors * NOTE_SIZE;
    layout.memory = machine->memory_mb << 20;
    layout.memory_offset = (headers + layout.notes + PAGE - 1) / PAGE * PAGE;
    return layout;
}

static void put_headers(struct buf *out, const struct layout *layout) {
    Elf64_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    Elf64_Phdr notes = {.p_type = PT_NOTE,
                        .p_offset = sizeof header + 2 * sizeof(Elf64_Phdr),
                        .p_filesz = layout->notes,
                        .p_memsz = layout->notes,
                        .p_align = 4};
    Elf64_Phdr memory = {.p_type = PT_LOAD,
                         .p_flags = PF_R | PF_W | PF_X,
                         .p_offset = layout->memory_offset,
                         .p_filesz = layout->memory,
                         .p_memsz = layout->memory};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    buf_add(out, &header, sizeof header);
    buf_add(out, &notes, sizeof notes);
    buf_add(out, &memory, sizeof memory);
}

static void put_register(unsigned char *status, size_t number, uint64_t value) {
    memcpy(status + PRSTATUS_REGISTERS + number * sizeof value, &value,
           sizeof value);
}

static void put_note(struct buf *out, const struct machine *machine,
                     uint64_t processor) {
    Elf64_Nhdr note = {
        .n_namesz = 5, .n_descsz = PRSTATUS_SIZE, .n_type = NT_PRSTATUS};
    unsigned char status[PRSTATUS_SIZE] = {0};
    uint32_t pid = (uint32_t)processor + 1;
    memcpy(status + PRSTATUS_PID, &pid, sizeof pid);
    put_register(status, REGISTER_RIP,
                 KERNEL_TEXT + machine->guest.kernel_offset);
    put_register(status, REGISTER_CS, 0x10);
    put_register(status, REGISTER_RFLAGS, 0x2);
    put_register(status, REGISTER_SS, 0x18);
    buf_add(out, &note, sizeof note);
    buf_add(out, "CORE\0\0\0", 8);
    buf_add(out, status, sizeof status);
}

static HRESULT write_parts(int fd, const struct machine *machine,
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
        hr = file_write_all(fd, head.data, head.length, error);
    if (SUCCEEDED(hr) && log->length)
        hr = sim_write_at(fd, log->data, log->length,
                          layout->memory_offset + LOG_ADDRESS, error);
    buf_free(&head);
    if (SUCCEEDED(hr) &&
        ftruncate(fd, (off_t)(layout->memory_offset + layout->memory)) != 0)
        hr = error_set(error, HR_DISK_FULL, NULL, "the dump does not fit");
    return hr;
}

/* Only what is not a hole takes room. */
static HRESULT check_room(int fd, const struct machine *machine,
                          const struct layout *layout,
                          struct hcs_error *error) {
    struct statvfs status;
    uint64_t needed = layout->memory_offset + machine->guest.log.length;
    if (fstatvfs(fd, &status) != 0 || status.f_blocks == 0)
        return S_OK; /* memory: it has no size of its own */
    if ((uint64_t)status.f_bavail * status.f_frsize >= needed + FREE_FLOOR)
        return S_OK;
    return error_set(error, HR_DISK_FULL, NULL,
                     "the disk has too little room for a dump");
}

HRESULT elfcore_write(const struct machine *machine, const char *path,
                      uint64_t limit, uint64_t *written,
                      struct hcs_error *error) {
    struct layout layout = lay_out(machine);
    uint64_t size = layout.memory_offset + layout.memory;
    struct sim_output out;
    if (limit && size > limit)
        return error_set(error, HR_DISK_FULL, NULL,
                         "a dump of %llu bytes is larger than the limit of "
                         "%llu",
                         (unsigned long long)size, (unsigned long long)limit);
    HRESULT hr = sim_output_open(machine->sim, path, &out, error);
    if (FAILED(hr))
        return hr;
    hr = check_room(out.fd, machine, &layout, error);
    if (SUCCEEDED(hr))
        hr = write_parts(out.fd, machine, &layout, error);
    if (FAILED(hr)) {
        sim_output_abandon(&out);
        return hr;
    }
    hr = sim_output_commit(&out, error);
    if (SUCCEEDED(hr))
        *written = size;
    return hr;
}
