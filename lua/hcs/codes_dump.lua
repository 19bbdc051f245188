-- SPDX-License-Identifier: MIT
-- The HRESULTs of dumps (0xC03705xx, as 0x803705xx). Data for hcs.codes.

-- {hresult, symbol, sentence, family...}
return {
    { 0x80370500, "VM_SAVED_STATE_DUMP_E_PARTITION_STATE_NOT_FOUND",
        "the saved state has no processors", "not_found" },
    { 0x80370501, "VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND",
        "the dump has no such memory", "not_found" },
    { 0x80370502, "VM_SAVED_STATE_DUMP_E_NO_VP_FOUND_IN_PARTITION_STATE",
        "the dump has no processors", "not_found" },
    { 0x80370503, "VM_SAVED_STATE_DUMP_E_NESTED_VIRTUALIZATION_NOT_SUPPORTED",
        "the dump has no nested guest", "unsupported" },
    { 0x80370504, "VM_SAVED_STATE_DUMP_E_WINDOWS_KERNEL_IMAGE_NOT_FOUND",
        "there is no Windows kernel in the dump", "not_found" },
    { 0x80370505, "VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED", "the address is not mapped", "not_found" },
    { 0x80370506, "VM_SAVED_STATE_DUMP_E_INVALID_VP_STATE",
        "the processor's registers do not tell", "invalid_state" },
    { 0x80370509, "VM_SAVED_STATE_DUMP_E_VP_VTL_NOT_ENABLED",
        "the processor does not have this trust level", "invalid_state" },
}
