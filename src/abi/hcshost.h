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

/* X-macro of this header's functions: HCSHOST_FUNCTION(ret, name, (params)).
 * See hcshost.def for what each does. */
#define HCSHOST_FUNCTION(ret, name, params) HCS_EXPORT ret name params;
#include "hcshost.def"
#undef HCSHOST_FUNCTION

#ifdef __cplusplus
}
#endif
#endif
