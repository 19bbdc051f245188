/* SPDX-License-Identifier: MIT
 * The layouts of the system's headers, which Windows programs are built with.
 * Those of mingw-w64 lack what came in later SDKs. */
#include <windows.h>

#include <computecore.h>
#include <computenetwork.h>

#ifdef __has_include
#if __has_include(<vmsavedstatedumpdefs.h>)
#include <vmsavedstatedumpdefs.h>
#define LAYOUTS_OF_DUMPS
#endif
#endif

#define HCS_NEW_VALUE(constant, value)
#include "layouts.h"
