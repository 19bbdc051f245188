/* SPDX-License-Identifier: MIT
 * Where things are in a HyperVStorage file (docs/formats/vmrs.md). Structures
 * are packed, so they are offsets here. */
#ifndef HCS_DUMP_HVS_FORMAT_H
#define HCS_DUMP_HVS_FORMAT_H

#define HVS_PAGE 4096u

#define HVS_HEADER_MAGIC UINT32_C(0x01282014)
#define HVS_HEADER_SIZE 46
#define HVS_HEADER_SUM 4
#define HVS_HEADER_SEQUENCE 8
#define HVS_HEADER_VERSION 10
#define HVS_HEADER_ALIGNMENT 22
#define HVS_HEADER_LOG 26
#define HVS_HEADER_LOG_SIZE 34
#define HVS_HEADER_LOG_HEADER_SIZE 42
#define HVS_VERSION 0x0400u

#define HVS_OBJECTS_AT (2 * HVS_PAGE) /* where the first table is */
#define HVS_OBJECTS_MAGIC UINT32_C(0x01110001)
#define HVS_OBJECTS_HEADER 8
#define HVS_OBJECT_SIZE 18
#define HVS_OBJECT_SUM 1
#define HVS_OBJECT_OFFSET 5
#define HVS_OBJECT_LENGTH 13
#define HVS_OBJECT_FLAGS 17
#define HVS_OBJECT_REQUIRED 1
enum hvs_object { HVS_EMPTY, HVS_OBJECT_TABLE, HVS_KEY_TABLE, HVS_FILE_OBJECT };

#define HVS_KEYS_MAGIC 2u
#define HVS_KEYS_HEADER 10u
#define HVS_KEYS_INDEX 2
#define HVS_KEYS_SEQUENCE 4
#define HVS_KEYS_SUM 6

#define HVS_ENTRY_HEADER 21u
#define HVS_ENTRY_FLAGS 1
#define HVS_ENTRY_SIZE 2
#define HVS_ENTRY_PARENT_TABLE 6
#define HVS_ENTRY_PARENT_OFFSET 8
#define HVS_ENTRY_SUM 12
#define HVS_ENTRY_SEQUENCE 16
#define HVS_ENTRY_NAME_LENGTH 20
#define HVS_ENTRY_OUTSIDE 1    /* flag: the value is a file object */
#define HVS_OUTSIDE_FROM 2048u /* bytes from which a value is one */
#define HVS_OUTSIDE_SIZE 12u
#define HVS_NODE_SIZE 12u

#define HVS_LOG_MAGIC UINT32_C(0x01110003)
#define HVS_LOG_HEADER 34
#define HVS_LOG_SUM 4
#define HVS_LOG_COUNT 8
#define HVS_LOG_MOST 13
#define HVS_LOG_ENTRY 28
#define HVS_LOG_ENTRY_TO 4
#define HVS_LOG_ENTRY_SIZE 12
#define HVS_LOG_ENTRY_FROM 16
#define HVS_LOG_ENTRY_DATA_SUM 24

#endif
