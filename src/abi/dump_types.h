/* SPDX-License-Identifier: MIT
 * The types of Microsoft's VmSavedStateDumpProvider API, for every platform.
 *
 * They are those of the SDK that came with Windows 11 and later. Older SDKs
 * had registers of another shape, and a GetRegisterValue that filled it in. */
#ifndef HCS_DUMP_TYPES_H
#define HCS_DUMP_TYPES_H

#include "hcs_types.h"

#if defined(_WIN32) && defined(HCS_SYSTEM_HEADERS) && defined(__has_include)
#if __has_include(<vmsavedstatedumpdefs.h>)
#define HCS_SYSTEM_DUMP_TYPES
#endif
#endif

#ifdef HCS_SYSTEM_DUMP_TYPES
/* As in hcs_types.h; mingw-w64 has no such header. */
#include <vmsavedstatedumpdefs.h>
#else

typedef void *VM_SAVED_STATE_DUMP_HANDLE;

typedef UINT64 GUEST_VIRTUAL_ADDRESS;
typedef UINT64 GUEST_PHYSICAL_ADDRESS;

typedef enum PAGING_MODE {
    Paging_Invalid = 0,
    Paging_NonPaged = 1,
    Paging_32Bit = 2,
    Paging_Pae = 3,
    Paging_Long = 4,
    Paging_Armv8 = 5
} PAGING_MODE;

typedef enum VIRTUAL_PROCESSOR_ARCH {
    Arch_Unknown = 0,
    Arch_x86 = 1,
    Arch_x64 = 2,
    Arch_Armv8 = 3
} VIRTUAL_PROCESSOR_ARCH;

typedef enum VIRTUAL_PROCESSOR_VENDOR {
    ProcessorVendor_Unknown = 0,
    ProcessorVendor_Amd = 1,
    ProcessorVendor_Intel = 2,
    ProcessorVendor_Hygon = 3,
    ProcessorVendor_Arm = 4
} VIRTUAL_PROCESSOR_VENDOR;

typedef enum GUEST_OS_VENDOR {
    GuestOsVendorUndefined = 0x0000,
    GuestOsVendorMicrosoft = 0x0001,
    GuestOsVendorHPE = 0x0002,
    GuestOsVendorLANCOM = 0x0200
} GUEST_OS_VENDOR;

typedef enum GUEST_OS_MICROSOFT_IDS {
    GuestOsMicrosoftUndefined = 0,
    GuestOsMicrosoftMSDOS = 1,
    GuestOsMicrosoftWindows3x = 2,
    GuestOsMicrosoftWindows9x = 3,
    GuestOsMicrosoftWindowsNT = 4,
    GuestOsMicrosoftWindowsCE = 5
} GUEST_OS_MICROSOFT_IDS;

typedef enum GUEST_OS_OPENSOURCE_IDS {
    GuestOsOpenSourceUndefined = 0,
    GuestOsOpenSourceLinux = 1,
    GuestOsOpenSourceFreeBSD = 2,
    GuestOsOpenSourceXen = 3,
    GuestOsOpenSourceIllumos = 4
} GUEST_OS_OPENSOURCE_IDS;

/* Pages of the size that comes with them. */
typedef struct GPA_MEMORY_CHUNK {
    UINT64 GuestPhysicalStartPageIndex;
    UINT64 PageCount;
} GPA_MEMORY_CHUNK;

/* What a guest tells a hypervisor of itself, in the form of the register that
 * it writes it to. Bits from the lowest one: ClosedSource has BuildNumber 16,
 * ServiceVersion 8, MinorVersion 8, MajorVersion 8, OsId 8, VendorId 16;
 * OpenSource has VendorSpecific1 16, Version 32, VendorSpecific2 8, OsId 7,
 * IsOpenSource 1. */
typedef union GUEST_OS_INFO {
    UINT64 AsUINT64;
    struct {
        UINT64 BuildNumber : 16;
        UINT64 ServiceVersion : 8;
        UINT64 MinorVersion : 8;
        UINT64 MajorVersion : 8;
        UINT64 OsId : 8;
        UINT64 VendorId : 16;
    } ClosedSource;
    struct {
        UINT64 VendorSpecific1 : 16;
        UINT64 Version : 32;
        UINT64 VendorSpecific2 : 8;
        UINT64 OsId : 7;
        UINT64 IsOpenSource : 1;
    } OpenSource;
} GUEST_OS_INFO;

/* One list for x86 and x64, and one behind it for ARM64. */
typedef enum REGISTER_ID {
    X64_RegisterRax = 0,
    X64_RegisterRcx = 1,
    X64_RegisterRdx = 2,
    X64_RegisterRbx = 3,
    X64_RegisterRsp = 4,
    X64_RegisterRbp = 5,
    X64_RegisterRsi = 6,
    X64_RegisterRdi = 7,
    X64_RegisterR8 = 8,
    X64_RegisterR9 = 9,
    X64_RegisterR10 = 10,
    X64_RegisterR11 = 11,
    X64_RegisterR12 = 12,
    X64_RegisterR13 = 13,
    X64_RegisterR14 = 14,
    X64_RegisterR15 = 15,
    X64_RegisterRip = 16,
    X64_RegisterRFlags = 17,
    X64_RegisterXmm0 = 18,
    X64_RegisterXmm1 = 19,
    X64_RegisterXmm2 = 20,
    X64_RegisterXmm3 = 21,
    X64_RegisterXmm4 = 22,
    X64_RegisterXmm5 = 23,
    X64_RegisterXmm6 = 24,
    X64_RegisterXmm7 = 25,
    X64_RegisterXmm8 = 26,
    X64_RegisterXmm9 = 27,
    X64_RegisterXmm10 = 28,
    X64_RegisterXmm11 = 29,
    X64_RegisterXmm12 = 30,
    X64_RegisterXmm13 = 31,
    X64_RegisterXmm14 = 32,
    X64_RegisterXmm15 = 33,
    X64_RegisterFpMmx0 = 34,
    X64_RegisterFpMmx1 = 35,
    X64_RegisterFpMmx2 = 36,
    X64_RegisterFpMmx3 = 37,
    X64_RegisterFpMmx4 = 38,
    X64_RegisterFpMmx5 = 39,
    X64_RegisterFpMmx6 = 40,
    X64_RegisterFpMmx7 = 41,
    X64_RegisterFpControlStatus = 42,
    X64_RegisterXmmControlStatus = 43,
    X64_RegisterCr0 = 44,
    X64_RegisterCr2 = 45,
    X64_RegisterCr3 = 46,
    X64_RegisterCr4 = 47,
    X64_RegisterCr8 = 48,
    X64_RegisterEfer = 49,
    X64_RegisterDr0 = 50,
    X64_RegisterDr1 = 51,
    X64_RegisterDr2 = 52,
    X64_RegisterDr3 = 53,
    X64_RegisterDr6 = 54,
    X64_RegisterDr7 = 55,
    X64_RegisterEs = 56,
    X64_RegisterCs = 57,
    X64_RegisterSs = 58,
    X64_RegisterDs = 59,
    X64_RegisterFs = 60,
    X64_RegisterGs = 61,
    X64_RegisterLdtr = 62,
    X64_RegisterTr = 63,
    X64_RegisterIdtr = 64,
    X64_RegisterGdtr = 65,
    X64_RegisterMax = 66,
    ARM64_RegisterX0 = 67, /* and X1 to X28 */
    ARM64_RegisterXFp = 96,
    ARM64_RegisterXLr = 97,
    ARM64_RegisterPc = 98,
    ARM64_RegisterSpEl0 = 99,
    ARM64_RegisterSpEl1 = 100,
    ARM64_RegisterCpsr = 101,
    ARM64_RegisterQ0 = 102, /* and Q1 to Q31 */
    ARM64_RegisterFpStatus = 134,
    ARM64_RegisterFpControl = 135,
    ARM64_RegisterEsrEl1 = 136,
    ARM64_RegisterSpsrEl1 = 137,
    ARM64_RegisterFarEl1 = 138,
    ARM64_RegisterParEl1 = 139,
    ARM64_RegisterElrEl1 = 140,
    ARM64_RegisterTtbr0El1 = 141,
    ARM64_RegisterTtbr1El1 = 142,
    ARM64_RegisterVbarEl1 = 143,
    ARM64_RegisterSctlrEl1 = 144,
    ARM64_RegisterActlrEl1 = 145,
    ARM64_RegisterTcrEl1 = 146,
    ARM64_RegisterMairEl1 = 147,
    ARM64_RegisterAmairEl1 = 148,
    ARM64_RegisterTpidrEl0 = 149,
    ARM64_RegisterTpidrroEl0 = 150,
    ARM64_RegisterTpidrEl1 = 151,
    ARM64_RegisterContextIdrEl1 = 152,
    ARM64_RegisterCpacrEl1 = 153,
    ARM64_RegisterCsselrEl1 = 154,
    ARM64_RegisterCntkctlEl1 = 155,
    ARM64_RegisterCntvCvalEl0 = 156,
    ARM64_RegisterCntvCtlEl0 = 157,
    ARM64_RegisterMax = 158
} REGISTER_ID;

typedef union VIRTUAL_PROCESSOR_REGISTER {
    UINT64 Reg64;
    uint32_t Reg32;
    uint16_t Reg16;
    uint8_t Reg8;
    struct {
        UINT64 Low64;
        UINT64 High64;
    } Reg128;
    union {
        /* Attributes from the lowest bit: SegmentType 4, NonSystemSegment 1,
         * DescriptorPrivilegeLevel 2, Present 1, Reserved 4, Available 1,
         * Long 1, Default 1, Granularity 1. */
        struct {
            UINT64 Base;
            uint32_t Limit;
            uint16_t Selector;
            uint16_t Attributes;
        } Segment;
        struct {
            uint16_t Limit;
            UINT64 Base;
        } Table;
        struct {
            uint16_t FpControl;
            uint16_t FpStatus;
            uint8_t FpTag;
            uint8_t Reserved;
            uint16_t LastFpOp;
            UINT64 LastFpRip;
        } FpControlStatus;
        struct {
            UINT64 LastFpRdp;
            uint32_t XmmStatusControl;
            uint32_t XmmStatusControlMask;
        } XmmControlStatus;
    } X64;
} VIRTUAL_PROCESSOR_REGISTER;

typedef struct DOS_IMAGE_INFO {
    const char *PdbName;
    GUEST_VIRTUAL_ADDRESS ImageBaseAddress;
    DWORD ImageSize;
    uint32_t Timestamp;
} DOS_IMAGE_INFO;

typedef struct MODULE_INFO {
    const char *ProcessImageName;
    DOS_IMAGE_INFO Image;
} MODULE_INFO;

/* The image, its name included, is valid during the call. TRUE ends the
 * scan. */
typedef BOOL(CALLBACK *FOUND_IMAGE_CALLBACK)(void *context,
                                             DOS_IMAGE_INFO *image);
typedef void(CALLBACK *GUEST_SYMBOLS_PROVIDER_DEBUG_INFO_CALLBACK)(
    const char *message);

#endif /* HCS_SYSTEM_DUMP_TYPES */

#endif
