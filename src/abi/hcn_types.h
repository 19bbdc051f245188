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

#if defined(_WIN32) && defined(HCS_SYSTEM_HEADERS)
/* As in hcs_types.h. */
#include <computenetwork.h>
#else

/* Microsoft's headers do not tell one kind from another, so neither do these;
 * the host does. */
typedef void *HCN_NETWORK;
typedef void *HCN_ENDPOINT;
typedef void *HCN_NAMESPACE;
typedef void *HCN_CALLBACK;

typedef enum HCN_NOTIFICATIONS {
    HcnNotificationInvalid = 0x00000000,
    HcnNotificationNetworkPreCreate = 0x00000001,
    HcnNotificationNetworkCreate = 0x00000002,
    HcnNotificationNetworkPreDelete = 0x00000003,
    HcnNotificationNetworkDelete = 0x00000004,
    HcnNotificationNamespaceCreate = 0x00000005,
    HcnNotificationNamespaceDelete = 0x00000006,
    HcnNotificationGuestNetworkServiceCreate = 0x00000007,
    HcnNotificationGuestNetworkServiceDelete = 0x00000008,
    HcnNotificationNetworkEndpointAttached = 0x00000009,
    HcnNotificationNetworkEndpointDetached = 0x00000010,
    HcnNotificationGuestNetworkServiceStateChanged = 0x00000011,
    HcnNotificationGuestNetworkServiceInterfaceStateChanged = 0x00000012,
    HcnNotificationServiceDisconnect = 0x01000000
} HCN_NOTIFICATIONS;

/* `data` is a document or NULL, valid during the call only. */
typedef void(CALLBACK *HCN_NOTIFICATION_CALLBACK)(DWORD type, void *context,
                                                  HRESULT status, PCWSTR data);

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

#endif /* HCS_SYSTEM_HEADERS */

#endif
