/* SPDX-License-Identifier: MIT
 * What only the embedded host can do. The binding resolves these names at run
 * time like any other, so that against Microsoft's DLLs they are just absent.
 *
 * A host is a value: a process may open several, each a world of its own.
 * Times are nanoseconds of the host's own clock, in int64_t.
 */
#ifndef HCSHOST_H
#define HCSHOST_H

#include "computecore.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HCSHOST_ABI_VERSION 1u

typedef struct HcsHostHandle *HCSHOST; /* looked up, never followed */

typedef enum HCSHOST_CLOCK {
    HcsHostClockReal = 0,    /* the machine's monotonic clock */
    HcsHostClockVirtual = 1, /* waiting moves it to the next due event */
    HcsHostClockManual = 2   /* only hcshost_step moves it */
} HCSHOST_CLOCK;

typedef enum HCSHOST_DRIVER {
    HcsHostDriverThread = 0, /* a service thread pumps, as on Windows */
    HcsHostDriverStep = 1    /* no thread: hcshost_step and waits pump */
} HCSHOST_DRIVER;

/* What a simulated guest's program is told. */
typedef enum HCSHOST_GUEST_EVENT {
    HcsHostGuestBoot = 1,  /* powered on or reset */
    HcsHostGuestWake = 2,  /* the time asked for by hcshost_guest_wake came */
    HcsHostGuestInput = 3, /* bytes arrived on a serial port */
    HcsHostGuestPower = 4, /* the ACPI power button */
    HcsHostGuestNmi = 5,   /* a non-maskable interrupt */
    HcsHostGuestOff = 6    /* gone: its number means nothing from now on */
} HCSHOST_GUEST_EVENT;

/* What a simulated guest can do to its machine. */
typedef enum HCSHOST_GUEST_ACTION {
    HcsHostGuestPowerOff = 1,
    HcsHostGuestReboot = 2,
    HcsHostGuestPanic = 3, /* text: the crash log */
    HcsHostGuestTripleFault = 4,
    HcsHostGuestHang = 5,   /* answers nothing any more */
    HcsHostGuestDefault = 6 /* do what the built-in guest would do now */
} HCSHOST_GUEST_ACTION;

/* Runs on the pumping thread without any lock held. `text` holds `length`
 * bytes (Input: what was sent; Boot: the id of the guest's system, which tells
 * one guest of a common program from another) and is valid during the call
 * only. */
typedef void (*HCSHOST_GUEST_CALLBACK)(void *context, uint64_t guest,
                                       HCSHOST_GUEST_EVENT event,
                                       const char *text, size_t length);

/* What a register of a dump is made of, in VIRTUAL_PROCESSOR_REGISTER. */
typedef enum HCSHOST_DUMP_REGISTER {
    HcsHostDumpNumber = 0,  /* Reg64 */
    HcsHostDumpWide = 1,    /* Reg128 */
    HcsHostDumpSegment = 2, /* X64.Segment */
    HcsHostDumpTable = 3,   /* X64.Table */
    HcsHostDumpFpu = 4,     /* X64.FpControlStatus */
    HcsHostDumpSse = 5,     /* X64.XmmControlStatus */
    HcsHostDumpNone = 6     /* no register: a gap in the numbers */
} HCSHOST_DUMP_REGISTER;

/* A line of a kernel's log. `text` holds `length` bytes, which may be any. */
typedef struct HCSHOST_DUMP_LINE {
    uint64_t Sequence;
    uint64_t Nanoseconds; /* since the kernel began */
    uint8_t Level;        /* 0 (emergency) to 7 (debug) */
    uint8_t Facility;
    const char *Text;
    size_t Length;
} HCSHOST_DUMP_LINE;

/* Told a line, valid during the call; FALSE ends it. */
typedef BOOL (*HCSHOST_DUMP_LOG_CALLBACK)(void *context,
                                          const HCSHOST_DUMP_LINE *line);

typedef enum HCSHOST_DUMP_FORMAT {
    HcsHostDumpElf = 0,   /* an ELF core: gdb, crash */
    HcsHostDumpKdump = 1, /* kdump-compressed: crash, makedumpfile */
    HcsHostDumpRaw = 2,   /* each byte at its physical address, and PATH.map */
    HcsHostDumpVmrs = 3   /* a saved state of Hyper-V: WinDbg */
} HCSHOST_DUMP_FORMAT;

typedef struct HCSHOST_DUMP_EXPORT {
    HCSHOST_DUMP_FORMAT Format;
    BOOL Compress;     /* of kdump: each page that gets shorter by it */
    uint64_t MaxBytes; /* of the file; 0: any */
    uint64_t KeepFree; /* bytes that must stay free on the disk */
} HCSHOST_DUMP_EXPORT;

/* How far a long call is; FALSE ends it with 0x800704C7. */
typedef BOOL (*HCSHOST_DUMP_PROGRESS)(void *context, uint64_t done,
                                      uint64_t total);

/* X-macro of this header's functions: HCSHOST_FUNCTION(ret, name, (params)).
 * See hcshost.def for what each does. */
#define HCSHOST_FUNCTION(ret, name, params) HCS_EXPORT ret name params;
#include "hcshost.def"
#undef HCSHOST_FUNCTION

#ifdef __cplusplus
}
#endif
#endif
