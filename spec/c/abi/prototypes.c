/* SPDX-License-Identifier: MIT
 * The prototypes of functions.def against those of the system's headers, while
 * compiling for Windows. */
#include <windows.h>

#include <computecore.h>
#include <computenetwork.h>
#include <computestorage.h>

#ifdef __has_include
#if __has_include(<vmsavedstatedump.h>)
#include <vmsavedstatedump.h>
#define HCS_NO_DUMPS(name, reason)
#endif
#endif
#ifndef HCS_NO_DUMPS
#define HCS_SYSTEM_HEADERS
#include "abi/dump_types.h"
#define HCS_NO_DUMPS(name, reason) HCS_NO_PROTOTYPE(name, reason)
#endif

/* In place of what the headers lack: declaring it is an error once they do. */
#define HCS_NO_PROTOTYPE(name, reason) extern struct lacking name;
#define HCS_NO_IMPORT(name, reason)
#include "abi/mingw.def"

#define HCS_FUNCTION(dll, build, kind, ret, name, params)       \
    _Static_assert(_Generic(&(name), ret(WINAPI *) params : 1,  \
                            struct lacking * : 1, default : 0), \
                   #name " has another prototype");
#include "abi/functions.def"
