/* SPDX-License-Identifier: MIT
 * Prototypes of the HCS and HCN functions, for programs that link libhcshost
 * directly. Windows programs use the SDK's own header instead; with
 * HCS_SYSTEM_HEADERS defined, this one and hcshost.h go together with it. */
#ifndef HCS_COMPUTECORE_H
#define HCS_COMPUTECORE_H

#include "dump_types.h"
#include "hcn_types.h"

#if defined(HCSHOST_BUILD) && defined(__GNUC__) && !defined(_WIN32)
#define HCS_EXPORT __attribute__((visibility("default")))
#else
#define HCS_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    HCS_EXPORT ret WINAPI name params;
#include "functions.def"
#undef HCS_FUNCTION

#ifndef _WIN32
/* The releases that Windows clients use for what HCS hands them. LocalFree
 * and CoTaskMemFree accept the same blocks, since real clients mix them. */
HCS_EXPORT HLOCAL LocalFree(HLOCAL block);
HCS_EXPORT void CoTaskMemFree(void *block);
HCS_EXPORT BOOL CloseHandle(HANDLE handle);
#endif

#ifdef __cplusplus
}
#endif
#endif
