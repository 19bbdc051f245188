/* SPDX-License-Identifier: MIT
 * Ours and the system's headers in one source, while compiling for Windows:
 * two declarations of a function that differ are an error. */
#include <windows.h>

#include <computecore.h>
#include <computenetwork.h>

#define HCS_SYSTEM_HEADERS
#include "abi/hcshost.h"

extern HRESULT(WINAPI *const abi_together[])(HCS_OPERATION operation);
HRESULT(WINAPI *const abi_together[])
(HCS_OPERATION operation) = {
    HcsCancelOperation,
};
