/* SPDX-License-Identifier: MIT
 * What a .vmrs holds, and the chunks of its partition state
 * (docs/formats/vmrs.md). */
#ifndef HCS_DUMP_VMRS_FORMAT_H
#define HCS_DUMP_VMRS_FORMAT_H

#define VMRS_VERSION_KEY "savedstate/VmVersion"
#define VMRS_PROPERTIES_KEY "configuration/properties/version"
#define VMRS_TYPE_KEY "savedstate/type"
#define VMRS_STATE_KEY "savedstate/savedVM/partition_state"
#define VMRS_RANGE_NAME "RamMemoryBlock"
#define VMRS_BLOCK_NAME "RamBlock"
#define VMRS_VERSION 0x0A00
#define VMRS_OLD_VERSION 0x0500 /* up to it everything lies elsewhere */

/* Ours: what a .vmrs has no place for. */
#define VMRS_EXTRA "luahcs"
#define VMRS_EXTRA_VMCOREINFO VMRS_EXTRA "/vmcoreinfo"
#define VMRS_EXTRA_CPU VMRS_EXTRA "/cpu" /* and its number: register_list.h */
#define VMRS_EXTRA_BUGCHECK VMRS_EXTRA "/bugcheck"
#define VMRS_EXTRA_CREATED VMRS_EXTRA "/created"
#define VMRS_BUGCHECK_SIZE 40u /* code, then four parameters, 8 bytes each */

#define VMRS_BLOCK_SIZE (UINT32_C(1) << 20)
#define VMRS_BLOCK_PAGES 256u

/* RamMemoryBlock */
#define VMRS_RANGE_SIZE 48u
#define VMRS_RANGE_VERSION 3
#define VMRS_RANGE_PAGES 8
#define VMRS_RANGE_ROW 16   /* its first page among all that are saved */
#define VMRS_RANGE_START 24 /* its first page in the guest */

/* The descriptor before the chunks. */
#define VMRS_STATE_DESCRIPTOR 24u
#define VMRS_STATE_BEFORE 8 /* bytes before the gap and the chunks */
#define VMRS_STATE_GAP 16u

#define VMRS_CHUNK_HEADER 16u /* id, length, 8 bytes of nothing */
#define VMRS_PROLOG_SIZE 4080u
#define VMRS_PROLOG_TAG UINT32_C(0x50546475)
#define VMRS_PROLOG_VENDOR 8 /* after the tag and the summary flag */
#define VMRS_VENDOR_INTEL 1
#define VMRS_VENDOR_ARM 16

#define VMRS_CHUNK_PROLOG UINT32_C(0)
#define VMRS_CHUNK_OS_ID UINT32_C(0x20001000)
#define VMRS_CHUNK_PARTITION_VTL UINT32_C(0x20008000)
#define VMRS_CHUNK_INDICES UINT32_C(0x30000000)
#define VMRS_CHUNK_CPU UINT32_C(0x30001000)
#define VMRS_CHUNK_GENERAL UINT32_C(0x30005000)
#define VMRS_CHUNK_FP UINT32_C(0x30006000)
#define VMRS_CHUNK_CONTROL UINT32_C(0x30007000)
#define VMRS_CHUNK_DEBUG UINT32_C(0x30008000)
#define VMRS_CHUNK_SEGMENTS UINT32_C(0x30009000)
#define VMRS_CHUNK_TABLES UINT32_C(0x3000A000)
#define VMRS_CHUNK_XSAVE_CONTROL UINT32_C(0x3000D000)
#define VMRS_CHUNK_CPU_VTL UINT32_C(0x3001A000)
#define VMRS_CHUNK_EPILOG UINT32_C(0xF0000000)

#endif
