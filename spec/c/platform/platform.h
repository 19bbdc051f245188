/* SPDX-License-Identifier: MIT
 * What tests ask of the system that they run on. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/hresult.h"

/* A file that is on every such system, and what is said of a file whose folder
 * is not there. How many times as long as elsewhere what takes many system
 * calls may take: under Wine each of them asks another process. What the text
 * has to say where no host is chosen. */
#ifdef _WIN32
#define PLATFORM_SLOWNESS 6
#define PLATFORM_FILE "C:/windows/system32/cmd.exe"
#define PLATFORM_NO_FOLDER HR_PATH_NOT_FOUND
#define PLATFORM_ADVICE "HCS_HOST"
#else
#define PLATFORM_SLOWNESS 1
#define PLATFORM_FILE "/bin/sh"
#define PLATFORM_NO_FOLDER HR_FILE_NOT_FOUND
#define PLATFORM_ADVICE "qemu-system-x86"
#endif

/* A new folder's absolute path, with "/" only, so that it can be put into a
 * document as it is. */
void platform_folder(char *out, size_t size);
/* False: it was not empty, and something is left of it. */
bool platform_remove_folder(const char *path);
/* False: there is no such file. */
bool platform_remove(const char *path);
/* The file's length, -1 when there is none; and the room it takes. */
int64_t platform_size(const char *path);
int64_t platform_room_taken(const char *path);

/* The calendar's date of a time (seconds since 1970 UTC), by the C library;
 * false where it has none. */
bool platform_date(int64_t seconds, struct tm *out);

void platform_pause(int milliseconds); /* 0: lets others run */
/* Runs this program once more with one argument; what it says (both streams)
 * into `out`. Returns its status, which is not 0 when it ended badly. */
int platform_run_self(const char *argument, char *out, size_t size);

/* What the host library exports by that name, or NULL. */
void *platform_symbol(const char *name);
/* NULL: takes the variable away. */
void platform_set(const char *name, const char *value);

#endif
