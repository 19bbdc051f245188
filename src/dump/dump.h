/* SPDX-License-Identifier: MIT
 * Dumps of machines, whatever wrote them: facts, registers, physical and
 * virtual memory, the kernel's log.
 *
 * A dump is foreign input: what it says is believed only as far as the file
 * bears it out, and no dump can end the process, loop for ever or make it take
 * more memory than DUMP_MAX_MEMORY. Nothing is read before it is asked for but
 * headers and indexes.
 *
 * A dump belongs to one thread at a time; several dumps may be open at once,
 * also of one file. Numbers are those of the machine: addresses and sizes in
 * bytes, CPUs from 0. A file that is damaged answers HR_FILE_CORRUPT, one that
 * cannot be read what file.h says, wherever that is found out. */
#ifndef HCS_DUMP_H
#define HCS_DUMP_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/error.h"
#include "../base/file.h"

/* Windows' codes for what is not in a dump. */
#ifndef VM_SAVED_STATE_DUMP_E_PARTITION_STATE_NOT_FOUND
#define VM_SAVED_STATE_DUMP_E_PARTITION_STATE_NOT_FOUND HCS_HR(0xC0370500)
#define VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND HCS_HR(0xC0370501)
#define VM_SAVED_STATE_DUMP_E_NO_VP_FOUND_IN_PARTITION_STATE HCS_HR(0xC0370502)
#define VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED HCS_HR(0xC0370505)
#define VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE HCS_HR(0xC0370506)
#endif

/* The most that one open dump allocates. */
#define DUMP_MAX_MEMORY (UINT64_C(256) << 20)
#define DUMP_PAGE 4096u

struct dump;

enum dump_format {
    DUMP_FORMAT_ELF,     /* an ELF core of a machine, with or without paging */
    DUMP_FORMAT_KDUMP,   /* kdump-compressed, also flattened */
    DUMP_FORMAT_WINDOWS, /* a 64-bit kernel dump of Windows */
    DUMP_FORMAT_SAVED,   /* a saved state of our own host */
    DUMP_FORMAT_VMRS,    /* a saved state of Hyper-V */
    DUMP_FORMAT_RAW      /* memory as it is, beside a map of it */
};

enum dump_os { DUMP_OS_UNKNOWN, DUMP_OS_LINUX, DUMP_OS_WINDOWS };

enum dump_arch {
    DUMP_ARCH_UNKNOWN,
    DUMP_ARCH_X86, /* 32-bit */
    DUMP_ARCH_X64,
    DUMP_ARCH_ARM64
};

struct dump_facts {
    enum dump_format format;
    const char *format_name; /* "elf", "kdump", "windows", "saved", "vmrs" … */
    const char *variant;     /* "zlib, flattened" …, or "" */
    enum dump_os os;
    char os_release[64]; /* "6.1.0-56-cloud-amd64", "10.0.26100", or "" */
    char created[32];    /* when, in ISO 8601, or "" when it does not say */
    enum dump_arch arch;
    uint32_t cpu_count;
    uint64_t file_bytes; /* when it was opened; nothing after them is read */
    bool truncated; /* the file ends before what it says that it has: what is
                       missing is in no range, or answers HR_FILE_CORRUPT */
};

/* Physical memory that the dump has. */
struct dump_range {
    uint64_t start;
    uint64_t bytes; /* more than 0; start + bytes does not wrap */
};

struct dump_bugcheck {
    uint32_t code;
    uint64_t parameters[4];
    const char *name; /* "KMODE_EXCEPTION_NOT_HANDLED", or "" */
};

const char *dump_os_name(enum dump_os os);       /* "linux" … "unknown" */
const char *dump_arch_name(enum dump_arch arch); /* "x86_64" … "unknown" */

/* --- opening ------------------------------------------------------------- */

/* Opens the file, whose format its contents tell. `path` is absolute, UTF-8.
 * HR_FILE_CORRUPT when it is no dump that is known, or damaged;
 * HR_NOT_SUPPORTED for one of a kind that is known and not read, with the
 * reason. */
HRESULT dump_open(const char *path, struct dump **out, struct hcs_error *error);
/* The same of a file that is open for reading and stays the caller's; it must
 * be open as long as the dump is. */
HRESULT dump_open_file(hcs_file file, struct dump **out,
                       struct hcs_error *error);
/* The same of `length` bytes in memory, which must stay until it is closed. */
HRESULT dump_open_memory(const void *bytes, size_t length, struct dump **out,
                         struct hcs_error *error);
/* NULL is fine. */
void dump_close(struct dump *dump);

/* All that follows stays until the dump is closed. */
const struct dump_facts *dump_get_facts(const struct dump *dump);
/* What the Linux kernel noted about itself, NUL-terminated lines of text;
 * NULL when there is none. */
const char *dump_get_vmcoreinfo(const struct dump *dump, size_t *length);
/* NULL when the dump is none of a Windows that ended by one. */
const struct dump_bugcheck *dump_get_bugcheck(const struct dump *dump);

/* --- physical memory ----------------------------------------------------- */

/* The first range that has something at or after `from`, cut to begin there.
 * Ranges come in order, do not overlap or touch. S_FALSE when none is left. */
HRESULT dump_next_range(struct dump *dump, uint64_t from,
                        struct dump_range *out, struct hcs_error *error);
/* The sum of all ranges. */
HRESULT dump_memory_bytes(struct dump *dump, uint64_t *bytes,
                          struct hcs_error *error);
/* The same as dump_next_range but for memory that is known to be all zeros
 * without reading it (holes of a sparse file), which is left out. Ranges may
 * touch. */
HRESULT dump_next_data(struct dump *dump, uint64_t from, struct dump_range *out,
                       struct hcs_error *error);
/* Reads `size` bytes from `address` on; *got, unless NULL, is how many there
 * are before memory that the dump does not have. If `got` is NULL, or nothing
 * is there: VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND. */
HRESULT dump_read_physical(struct dump *dump, uint64_t address, void *bytes,
                           size_t size, size_t *got, struct hcs_error *error);
/* The address of the first `length` (1..DUMP_MAX_PATTERN) bytes like these at
 * or after `from`, in memory that touches. S_FALSE when there are none. Stops
 * with HR_CANCELLED when `go_on` (NULL: never), asked about every 16 MB,
 * answers false. */
#define DUMP_MAX_PATTERN 65536u
HRESULT dump_find(struct dump *dump, uint64_t from, const void *bytes,
                  size_t length, bool (*go_on)(void *context, uint64_t at),
                  void *context, uint64_t *address, struct hcs_error *error);

/* --- CPUs ---------------------------------------------------------------- */

/* The numbers are those of Windows' REGISTER_ID below DUMP_REG_ARM64_MAX, and
 * then ours. ARM64's begin at DUMP_REG_X0. */
enum dump_register_id {
#define X(name, text, kind) DUMP_REG_##name,
#include "registers.def"
#undef X
    DUMP_REG_COUNT
};

enum dump_register_kind {
    DUMP_KIND_NUMBER,  /* value.number */
    DUMP_KIND_WIDE,    /* value.wide: 128 bits */
    DUMP_KIND_SEGMENT, /* value.segment */
    DUMP_KIND_TABLE,   /* value.table */
    DUMP_KIND_FPU,     /* value.fpu */
    DUMP_KIND_SSE,     /* value.sse */
    DUMP_KIND_NONE     /* no register: a gap in the numbers */
};

struct dump_register {
    const char *name; /* lower case: "rip" */
    enum dump_register_kind kind;
};

union dump_value {
    uint64_t number;
    struct {
        uint64_t low, high;
    } wide;
    struct {
        uint64_t base;
        uint32_t limit; /* in bytes */
        uint16_t selector;
        uint16_t attributes; /* type 4, code or data 1, DPL 2, present 1, 0 4,
                                available 1, long 1, default 1, 4 KB 1 */
    } segment;
    struct {
        uint64_t base;
        uint16_t limit;
    } table;
    struct {
        uint16_t control, status;
        uint8_t tag, reserved;
        uint16_t last_op;
        uint64_t last_rip;
    } fpu;
    struct {
        uint64_t last_rdp;
        uint32_t control, mask;
    } sse;
};

struct dump_cpu {
    enum dump_arch arch;
    union dump_value values[DUMP_REG_COUNT];
    bool known[DUMP_REG_COUNT]; /* by the dump; unknown ones are 0 */
};

/* The table of registers: DUMP_REG_COUNT of them, by number. */
extern const struct dump_register dump_registers[];
/* DUMP_REG_COUNT for a name that is none. */
enum dump_register_id dump_register_find(const char *name);

/* All registers of a CPU. E_INVALIDARG for a number that is none. */
HRESULT dump_get_cpu(struct dump *dump, uint32_t index, struct dump_cpu *out,
                     struct hcs_error *error);

/* --- virtual memory ------------------------------------------------------ */

enum dump_paging { /* numbered as Windows' PAGING_MODE */
                   DUMP_PAGING_INVALID,
                   DUMP_PAGING_NONE,
                   DUMP_PAGING_32BIT,
                   DUMP_PAGING_PAE,
                   DUMP_PAGING_LONG, /* 4 levels or 5 */
                   DUMP_PAGING_ARMV8
};

/* How a CPU's addresses are to be understood. */
struct dump_space {
    enum dump_paging mode;
    uint64_t root;   /* of the page tables, physical */
    unsigned levels; /* 2 to 5; 0 without paging */
};

/* The CPU's own space; if its registers do not tell, that of the kernel.
 * VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE when neither is known. */
HRESULT dump_get_space(struct dump *dump, uint32_t cpu, struct dump_space *out,
                       struct hcs_error *error);
/* The kernel's, by what it noted about itself. */
HRESULT dump_get_kernel_space(struct dump *dump, struct dump_space *out,
                              struct hcs_error *error);

/* Where `address` lies; *size, unless NULL, is how many bytes from there on to
 * the end of its page (4 KB to 1 GB). VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED when
 * it is not mapped: then *size is how many bytes from there on are not, as far
 * as the table that said so tells (0: to the end of all addresses).
 * VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND when the tables are not in the
 * dump. */
HRESULT dump_translate_in(struct dump *dump, const struct dump_space *space,
                          uint64_t address, uint64_t *physical, uint64_t *size,
                          struct hcs_error *error);
HRESULT dump_translate(struct dump *dump, uint32_t cpu, uint64_t address,
                       uint64_t *physical, uint64_t *size,
                       struct hcs_error *error);
/* Reads physical memory, as dump_read_physical with a `got`. */
typedef HRESULT dump_physical_reader(void *context, uint64_t address,
                                     void *bytes, size_t size, size_t *got,
                                     struct hcs_error *error);
/* Reads page after page by `read`. *got is how many bytes there are before what
 * it fails with; fewer than `size` without a failure: addresses end there. */
HRESULT dump_read_pages(struct dump *dump, const struct dump_space *space,
                        uint64_t address, void *bytes, size_t size,
                        dump_physical_reader *read, void *context, size_t *got,
                        struct hcs_error *error);
/* The same of the dump's own memory, with *got as dump_read_physical. */
HRESULT dump_read_virtual_in(struct dump *dump, const struct dump_space *space,
                             uint64_t address, void *bytes, size_t size,
                             size_t *got, struct hcs_error *error);
HRESULT dump_read_virtual(struct dump *dump, uint32_t cpu, uint64_t address,
                          void *bytes, size_t size, size_t *got,
                          struct hcs_error *error);

/* --- what it means ------------------------------------------------------- */

struct dump_log_line {
    uint64_t sequence;
    uint64_t nanoseconds; /* since the kernel began */
    uint8_t level;        /* 0 (emergency) to 7 (debug) */
    uint8_t facility;
    const char *text; /* no NUL after it, may hold any byte and lines */
    size_t length;
};

/* The kernel's log, oldest line first, each told to `line`, which stops by
 * answering false. HR_NOT_FOUND when the dump does not tell where it is.
 * Lines that were being written are left out. */
typedef bool (*dump_log_fn)(void *context, const struct dump_log_line *line);
HRESULT dump_log(struct dump *dump, dump_log_fn line, void *context,
                 struct hcs_error *error);
/* A dozen lines for a person: what it is, what happened, where. What cannot be
 * found out is left out, so it fails only for want of memory. */
HRESULT dump_summary(struct dump *dump, struct buf *out,
                     struct hcs_error *error);

#endif
