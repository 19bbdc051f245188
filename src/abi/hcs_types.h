/* SPDX-License-Identifier: MIT
 * The types of Microsoft's Host Compute System API, for every platform.
 *
 * On Windows the basic types come from <windows.h>. Elsewhere they are
 * defined here so that the ABI keeps its shape: WCHAR is a 16-bit unit, a
 * HANDLE is a file descriptor plus one (so that 0 stays "no handle").
 */
#ifndef HCS_TYPES_H
#define HCS_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#ifdef __cplusplus
typedef char16_t WCHAR;
#else
#include <uchar.h>
typedef char16_t WCHAR;
#endif
typedef int32_t HRESULT;
typedef uint32_t DWORD;
typedef int32_t BOOL;
typedef uint64_t UINT64;
typedef WCHAR *PWSTR;
typedef const WCHAR *PCWSTR;
typedef void *HANDLE;
typedef void *HLOCAL;
typedef struct SECURITY_DESCRIPTOR SECURITY_DESCRIPTOR;
#define WINAPI
#define CALLBACK
#ifndef INFINITE
#define INFINITE 0xFFFFFFFFu
#endif
#ifndef GENERIC_ALL
#define GENERIC_ALL 0x10000000u
#endif
#endif

#if defined(_WIN32) && defined(HCS_SYSTEM_HEADERS)
/* A Windows program that includes Microsoft's headers and ours has theirs. */
#include <computedefs.h>
#else

/* Handles are numbers in pointer's clothing: the host looks them up and never
 * follows them, so a stale or foreign one is an error and not a crash. */
typedef struct HcsOperationHandle *HCS_OPERATION;
typedef struct HcsSystemHandle *HCS_SYSTEM;
typedef struct HcsProcessHandle *HCS_PROCESS;

#define HCS_INVALID_OPERATION_ID UINT64_C(0xFFFFFFFFFFFFFFFF)

typedef enum HCS_OPERATION_TYPE {
    HcsOperationTypeNone = -1,
    HcsOperationTypeEnumerate = 0,
    HcsOperationTypeCreate = 1,
    HcsOperationTypeStart = 2,
    HcsOperationTypeShutdown = 3,
    HcsOperationTypePause = 4,
    HcsOperationTypeResume = 5,
    HcsOperationTypeSave = 6,
    HcsOperationTypeTerminate = 7,
    HcsOperationTypeModify = 8,
    HcsOperationTypeGetProperties = 9,
    HcsOperationTypeCreateProcess = 10,
    HcsOperationTypeSignalProcess = 11,
    HcsOperationTypeGetProcessInfo = 12,
    HcsOperationTypeGetProcessProperties = 13,
    HcsOperationTypeModifyProcess = 14,
    HcsOperationTypeCrash = 15
} HCS_OPERATION_TYPE;

typedef enum HCS_EVENT_TYPE {
    HcsEventInvalid = 0x00000000,
    HcsEventSystemExited = 0x00000001,
    HcsEventSystemCrashInitiated = 0x00000002,
    HcsEventSystemCrashReport = 0x00000003,
    HcsEventSystemRdpEnhancedModeStateChanged = 0x00000004,
    HcsEventSystemSiloJobCreated = 0x00000005,
    HcsEventSystemGuestConnectionClosed = 0x00000006,
    HcsEventProcessExited = 0x00010000,
    HcsEventOperationCallback = 0x01000000,
    HcsEventServiceDisconnect = 0x02000000
} HCS_EVENT_TYPE;

typedef enum HCS_EVENT_OPTIONS {
    HcsEventOptionNone = 0x00000000,
    HcsEventOptionEnableOperationCallbacks = 0x00000001,
    HcsEventOptionEnableVmLifecycle = 0x00000002,
    HcsEventOptionEnableLiveMigrationEvents = 0x00000004
} HCS_EVENT_OPTIONS;

typedef struct HCS_EVENT {
    HCS_EVENT_TYPE Type;
    PCWSTR EventData;        /* NULL when the event carries no document */
    HCS_OPERATION Operation; /* only with HcsEventOperationCallback */
} HCS_EVENT;

typedef void(CALLBACK *HCS_OPERATION_COMPLETION)(HCS_OPERATION operation,
                                                 void *context);
typedef void(CALLBACK *HCS_EVENT_CALLBACK)(HCS_EVENT *event, void *context);

/* The standard handles are NULL where the process was made without them. */
typedef struct HCS_PROCESS_INFORMATION {
    DWORD ProcessId;
    DWORD Reserved;
    HANDLE StdInput;
    HANDLE StdOutput;
    HANDLE StdError;
} HCS_PROCESS_INFORMATION;

/* Which structure options are: each begins with its Version. */
typedef enum HCS_CREATE_OPTIONS {
    HcsCreateOptions_1 = 0x00010000
} HCS_CREATE_OPTIONS;

typedef struct HCS_CREATE_OPTIONS_1 {
    HCS_CREATE_OPTIONS Version;
    HANDLE UserToken;
    SECURITY_DESCRIPTOR *SecurityDescriptor;
    HCS_EVENT_OPTIONS CallbackOptions;
    void *CallbackContext;
    HCS_EVENT_CALLBACK Callback;
} HCS_CREATE_OPTIONS_1;

#endif /* HCS_SYSTEM_HEADERS */

#endif
