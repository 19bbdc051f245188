-- SPDX-License-Identifier: MIT
-- The HRESULTs a user of this library meets: symbol, a sentence, families.
-- Data for hcs.error and hcs.explain.
local dump = require "hcs.codes_dump"
local hcn = require "hcs.codes_hcn"

local codes = {}

-- {hresult, symbol, sentence, family...}
local LIST = {
    { 0x80370100, "HCS_E_TERMINATED_DURING_START",
        "the system ended while it was starting", "stopped" },
    { 0x80370101, "HCS_E_IMAGE_MISMATCH",
        "the image is for another operating system", "unsupported" },
    { 0x80370102, "HCS_E_HYPERV_NOT_INSTALLED", "virtualization is not available", "unavailable" },
    { 0x80370105, "HCS_E_INVALID_STATE", "not possible in the present state", "invalid_state" },
    { 0x80370106, "HCS_E_UNEXPECTED_EXIT", "the system ended unexpectedly", "stopped" },
    { 0x80370107, "HCS_E_TERMINATED", "the system was terminated", "stopped" },
    { 0x80370108, "HCS_E_CONNECT_FAILED", "no connection to the guest", "unavailable" },
    { 0x80370109, "HCS_E_CONNECTION_TIMEOUT", "the guest did not connect in time", "timeout" },
    { 0x8037010A, "HCS_E_CONNECTION_CLOSED", "the connection to the guest was closed", "closed" },
    { 0x8037010B, "HCS_E_UNKNOWN_MESSAGE", "the guest sent an unknown message" },
    { 0x8037010C, "HCS_E_UNSUPPORTED_PROTOCOL_VERSION",
        "the guest speaks another protocol", "unsupported" },
    { 0x8037010D, "HCS_E_INVALID_JSON", "the document is invalid", "invalid_document" },
    { 0x8037010E, "HCS_E_SYSTEM_NOT_FOUND", "there is no such system", "not_found" },
    { 0x8037010F, "HCS_E_SYSTEM_ALREADY_EXISTS", "a system with this id exists", "exists" },
    { 0x80370110, "HCS_E_SYSTEM_ALREADY_STOPPED", "the system has stopped", "stopped" },
    { 0x80370111, "HCS_E_PROTOCOL_ERROR", "the guest broke the protocol" },
    { 0x80370112, "HCS_E_INVALID_LAYER", "the layer is invalid", "invalid_document" },
    { 0x80370113, "HCS_E_WINDOWS_INSIDER_REQUIRED", "needs an Insider build", "unsupported" },
    { 0x80370114, "HCS_E_SERVICE_NOT_AVAILABLE",
        "the compute service is not available", "unavailable" },
    { 0x80370115, "HCS_E_OPERATION_NOT_STARTED",
        "the operation was not started", "invalid_state" },
    { 0x80370116, "HCS_E_OPERATION_ALREADY_STARTED", "the operation is in use", "invalid_state" },
    { 0x80370117, "HCS_E_OPERATION_PENDING",
        "the operation has not completed yet", "invalid_state" },
    { 0x80370118, "HCS_E_OPERATION_TIMEOUT", "no answer in time", "timeout" },
    { 0x80370119, "HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET",
        "the handle has a callback already", "invalid_state" },
    { 0x8037011A, "HCS_E_OPERATION_RESULT_ALLOCATION_FAILED",
        "no memory for the result", "limit" },
    { 0x8037011B, "HCS_E_ACCESS_DENIED",
        "not allowed to use the compute service", "access_denied" },
    { 0x8037011C, "HCS_E_GUEST_CRITICAL_ERROR", "the guest reported a critical error", "stopped" },
    { 0x8037011D, "HCS_E_PROCESS_INFO_NOT_AVAILABLE",
        "nothing is known about the process", "not_found" },
    { 0x8037011E, "HCS_E_SERVICE_DISCONNECT", "the compute service went away", "service_lost" },
    { 0x8037011F, "HCS_E_PROCESS_ALREADY_STOPPED", "the process has ended", "stopped" },

    { 0x80070002, "ERROR_FILE_NOT_FOUND", "no such file", "not_found" },
    { 0x80070003, "ERROR_PATH_NOT_FOUND", "no such folder", "not_found" },
    { 0x80070005, "ERROR_ACCESS_DENIED", "access denied", "access_denied" },
    { 0x80070006, "ERROR_INVALID_HANDLE",
        "the handle is closed or not of this process", "closed" },
    { 0x8007000D, "ERROR_INVALID_DATA", "the data is invalid", "invalid_document" },
    { 0x8007000E, "ERROR_OUTOFMEMORY", "out of memory", "limit" },
    { 0x80070020, "ERROR_SHARING_VIOLATION", "the file is in use", "invalid_state" },
    { 0x80070032, "ERROR_NOT_SUPPORTED", "not supported", "unsupported" },
    { 0x80070040, "ERROR_NETNAME_DELETED", "the other side broke the connection", "closed" },
    { 0x80070050, "ERROR_FILE_EXISTS", "the file exists", "exists" },
    { 0x80070057, "ERROR_INVALID_PARAMETER", "an argument is invalid" },
    { 0x8007006D, "ERROR_BROKEN_PIPE", "the other side has gone", "closed" },
    { 0x80070070, "ERROR_DISK_FULL", "the disk is full", "limit" },
    { 0x8007007A, "ERROR_INSUFFICIENT_BUFFER", "the buffer is too small", "limit" },
    { 0x8007007E, "ERROR_MOD_NOT_FOUND", "a library was not found", "not_found" },
    { 0x8007007F, "ERROR_PROC_NOT_FOUND",
        "the function does not exist in this build", "unsupported" },
    { 0x800700B7, "ERROR_ALREADY_EXISTS", "it exists already", "exists" },
    { 0x80070422, "ERROR_SERVICE_DISABLED", "the service is disabled", "unavailable" },
    { 0x80070424, "ERROR_SERVICE_DOES_NOT_EXIST", "there is no such service", "unavailable" },
    { 0x8007045D, "ERROR_IO_DEVICE", "input or output failed" },
    { 0x80070490, "ERROR_NOT_FOUND", "not found", "not_found" },
    { 0x800704C7, "ERROR_CANCELLED", "cancelled", "cancelled" },
    { 0x800704C9, "ERROR_CONNECTION_REFUSED",
        "the other side refused the connection", "unavailable" },
    { 0x800704CF, "ERROR_NETWORK_UNREACHABLE", "no way leads to that network", "unavailable" },
    { 0x800704D0, "ERROR_HOST_UNREACHABLE", "nobody has that address", "unavailable" },
    { 0x80070569, "ERROR_LOGON_TYPE_NOT_GRANTED",
        "the virtual machine's account may not log on", "access_denied" },
    { 0x80070570, "ERROR_FILE_CORRUPT", "the file is damaged", "invalid_document" },
    { 0x800705AA, "ERROR_NO_SYSTEM_RESOURCES", "not enough memory or other resources", "limit" },
    { 0x800705AF, "ERROR_COMMITMENT_LIMIT", "not enough memory", "limit" },
    { 0x800705B4, "ERROR_TIMEOUT", "no answer in time", "timeout" },
    { 0x800707DE, "ERROR_FILE_SYSTEM_LIMITATION",
        "the file is compressed, encrypted or sparse", "unsupported" },
    { 0x80004001, "E_NOTIMPL", "not implemented", "unsupported" },
    { 0x80004003, "E_POINTER", "a pointer is missing" },
    { 0x80004005, "E_FAIL", "failed" },
    { 0x8000FFFF, "E_UNEXPECTED", "failed unexpectedly" },
}
table.move(hcn, 1, #hcn, #LIST + 1, LIST)
table.move(dump, 1, #dump, #LIST + 1, LIST)

-- What this library reports by itself, without an HRESULT of its own.
codes.own = {
    would_block = { text = "would have to wait, and the manual clock moves only by step()",
        families = { "would_block" } },
    closed = { text = "closed", families = { "closed" } },
}

-- Other names of a code in the list.
local ALIASES = {
    E_ACCESSDENIED = 0x80070005,
    E_HANDLE = 0x80070006,
    E_OUTOFMEMORY = 0x8007000E,
    E_INVALIDARG = 0x80070057,
}

codes.FAMILIES = {
    "not_found", "exists", "invalid_state", "invalid_document", "access_denied", "stopped",
    "timeout", "unsupported", "unavailable", "service_lost", "cancelled", "closed",
    "would_block", "limit",
}

--- The code text of a symbol: without its prefix, in lower case.
function codes.short(symbol)
    local prefixes = { "HCS_E_", "HCN_E_", "VM_SAVED_STATE_DUMP_E_", "ERROR_", "E_" }
    for _, prefix in ipairs(prefixes) do
        if symbol:sub(1, #prefix) == prefix then return symbol:sub(#prefix + 1):lower() end
    end
    return symbol:lower()
end

local by_hresult, by_name = {}, {}
for _, row in ipairs(LIST) do
    local entry = {
        hresult = row[1], symbol = row[2], text = row[3],
        code = codes.short(row[2]), families = { table.unpack(row, 4) },
    }
    by_hresult[entry.hresult] = entry
    by_name[entry.symbol] = entry
end
for name, hresult in pairs(ALIASES) do by_name[name] = by_hresult[hresult] end
-- HCS's own names win where two codes share a short name (access_denied).
for index = #LIST, 1, -1 do
    local entry = by_hresult[LIST[index][1]]
    by_name[entry.code] = entry
end

--- An HRESULT as this library writes it: positive, and 0xC037xxxx (as inside
--- documents) as 0x8037xxxx.
function codes.normalize(hresult)
    hresult = math.tointeger(hresult)
    if not hresult then return nil end
    hresult = hresult & 0xFFFFFFFF
    if hresult & 0xFFFF0000 == 0xC0370000 then hresult = hresult & 0xFFFF | 0x80370000 end
    return hresult
end

--- The entry of an HRESULT, or nil for an unknown one.
function codes.of(hresult)
    return by_hresult[codes.normalize(hresult) or false]
end

--- The entry of a symbol ("HCS_E_INVALID_STATE") or a code ("invalid_state").
function codes.named(name)
    return by_name[name] or by_name[name:upper()] or by_name[name:lower()]
end

--- All entries, in order.
function codes.all()
    local list = {}
    for index, row in ipairs(LIST) do list[index] = by_hresult[row[1]] end
    return list
end

--- The entries of a family, in order.
function codes.in_family(name)
    local found = {}
    for _, row in ipairs(LIST) do
        local entry = by_hresult[row[1]]
        for _, family in ipairs(entry.families) do
            if family == name then found[#found + 1] = entry end
        end
    end
    return found
end

--- All symbols and codes, for suggestions.
function codes.names()
    local names = {}
    for name in pairs(by_name) do names[#names + 1] = name end
    table.sort(names)
    return names
end

return codes
