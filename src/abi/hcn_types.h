/* SPDX-License-Identifier: MIT
 * The types of Microsoft's Host Compute Network API, for every platform. */
#ifndef HCN_TYPES_H
#define HCN_TYPES_H

#include "hcs_types.h"

#ifndef _WIN32
typedef struct GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
#endif

typedef enum HCN_PORT_PROTOCOL {
    HCN_PORT_PROTOCOL_TCP = 0x01,
    HCN_PORT_PROTOCOL_UDP = 0x02,
    HCN_PORT_PROTOCOL_BOTH = 0x03
} HCN_PORT_PROTOCOL;

typedef struct HCN_PORT_RANGE_ENTRY {
    GUID OwningPartitionId;
    GUID TargetPartitionId;
    HCN_PORT_PROTOCOL Protocol;
    UINT64 Priority;
    uint32_t ReservationType;
    uint32_t SharingFlags;
    uint32_t DeliveryMode;
    uint16_t StartingPort;
    uint16_t EndingPort;
} HCN_PORT_RANGE_ENTRY;

#endif
