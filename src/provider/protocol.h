/* SPDX-License-Identifier: MIT
 * How the binding speaks to hcs-provider, the process that Microsoft's
 * vmsavedstatedumpprovider.dll is called in: bad input can end it.
 *
 * A request is its head and `length` bytes, an answer likewise. Both sides are
 * of one build, so what goes over the pipes is what lies in memory. One process
 * has one dump open. */
#ifndef HCS_PROVIDER_PROTOCOL_H
#define HCS_PROVIDER_PROTOCOL_H

#include <stdint.h>

#include "../abi/dump_types.h"

enum provider_call {
    PROVIDER_LoadSavedStateFile = 1, /* bytes: the path, with its end */
    PROVIDER_LoadSavedStateFiles,    /* bytes: both paths */
    PROVIDER_ApplyPendingSavedStateFileReplayLog,
    PROVIDER_LocateSavedStateFiles, /* bytes: both names; answers three paths */
    PROVIDER_GetGuestEnabledVirtualTrustLevels,
    PROVIDER_GetGuestOsInfo,
    PROVIDER_GetVpCount,
    PROVIDER_GetArchitecture,
    PROVIDER_ForceArchitecture,
    PROVIDER_GetActiveVirtualTrustLevel,
    PROVIDER_GetEnabledVirtualTrustLevels,
    PROVIDER_ForceActiveVirtualTrustLevel,
    PROVIDER_IsActiveVirtualTrustLevelEnabled,
    PROVIDER_IsNestedVirtualizationEnabled,
    PROVIDER_GetNestedVirtualizationMode,
    PROVIDER_ForceNestedHostMode,
    PROVIDER_InKernelSpace,
    PROVIDER_GetRegisterValue,
    PROVIDER_GetPagingMode,
    PROVIDER_ForcePagingMode,
    PROVIDER_ReadGuestPhysicalAddress, /* answers the bytes */
    PROVIDER_GuestVirtualAddressToPhysicalAddress,
    PROVIDER_GetGuestPhysicalMemoryChunks, /* answers the chunks */
    PROVIDER_GuestPhysicalAddressToRawSavedMemoryOffset,
    PROVIDER_ReadGuestRawSavedMemory, /* answers the bytes */
    PROVIDER_GetGuestRawSavedMemorySize,
    PROVIDER_SetMemoryBlockCacheLimit,
    PROVIDER_GetMemoryBlockCacheLimit,
    PROVIDER_ApplyGuestMemoryFix /* bytes: the fix */
};

/* The most bytes that either side sends at once. */
#define PROVIDER_MOST ((uint32_t)1 << 24)

struct provider_request {
    uint32_t call; /* enum provider_call */
    uint32_t length;
    uint64_t values[3]; /* the parameters that are numbers, in their order */
};

struct provider_answer {
    int32_t result;
    uint32_t length;
    uint64_t values[2]; /* what the call gave, in its order */
};

#endif
