-- SPDX-License-Identifier: MIT
-- The ComputeSystem document of a virtual machine, from the options of
-- hcs.create.
--
-- A mistake in the options is raised through hcs.options.misuse, at the line
-- of the first caller that is not part of this library. Options that are not
-- about the document (if_exists, grant, validate) are let through unread.

local devices = require "hcs.doc.devices"
local dump = require "hcs.doc.dump"
local merge = require("hcs.doc.merge").merge
local options = require "hcs.options"
local paths = require "hcs.paths"
local units = require "hcs.units"
local version = require "hcs.doc.version"

local MIB = 1 << 20

local KNOWN = {
    id = "string", owner = "string", memory = "any", processors = "any",
    kernel = "string", initrd = "string", cmdline = "string",
    firmware = "string", secure_boot = "boolean|string", tpm = "boolean",
    disks = "any", nics = "any", consoles = "any", shares = "any",
    dump = "string|table", services = "table", debug = "table",
    restore = "string", template = "string",
    stop_on_reset = "boolean", keep = "boolean", document = "table",
    -- read by hcs.create itself
    if_exists = "string", grant = "boolean", validate = "boolean",
}

-- Which certificates the firmware trusts.
local SECURE_BOOT = {
    windows = "1734c6e8-3154-4dda-ba5f-a874cc483422",
    uefi_ca = "272e7447-90a4-4563-a4b9-8e4ab00526ce",
}

local function memory(value)
    local bytes, problem = units.bytes(value)
    if not bytes then
        options.misuse("memory: %s", problem)
    elseif bytes < 2 * MIB then
        options.misuse("memory: %s is too little, the least is 2M", units.size_text(bytes))
    elseif bytes % (2 * MIB) ~= 0 then
        options.misuse("memory: %s is not a multiple of 2M", units.size_text(bytes))
    end
    return { SizeInMB = bytes // MIB }
end

local PROCESSORS = { count = "integer", limit = "integer", weight = "integer",
    reservation = "integer", nested = "boolean" }

local function processors(value)
    options.argument("create", "processors", value, "integer|table")
    local given = type(value) == "table" and value or { count = value }
    options.check("processors", given, PROCESSORS)
    if given.count and given.count < 1 then
        options.misuse("processors: %d is less than 1", given.count)
    end
    return {
        Count = given.count or 1,
        Limit = given.limit,
        Weight = given.weight,
        Reservation = given.reservation,
        ExposeVirtualizationExtensions = given.nested,
    }
end

local function linux(o, cwd)
    for _, name in ipairs { "firmware", "secure_boot", "tpm" } do
        if o[name] then
            options.misuse("create: %s and kernel exclude each other", name)
        end
    end
    return { LinuxKernelDirect = {
        KernelFilePath = paths.absolute(o.kernel, cwd),
        InitRdPath = o.initrd and paths.absolute(o.initrd, cwd),
        KernelCmdLine = o.cmdline,
    } }
end

local function secure_boot(value)
    if not value then
        return nil
    end
    local name = value == true and "windows" or value
    options.one_of("create", "secure_boot", name, { "windows", "uefi_ca" })
    return SECURE_BOOT[name]
end

local function uefi(o, scsi)
    options.one_of("create", "firmware", o.firmware or "uefi", { "uefi" })
    local template = secure_boot(o.secure_boot)
    return { Uefi = {
        BootThis = scsi and { DevicePath = "0", DiskNumber = 0, DeviceType = "ScsiDrive" },
        ApplySecureBootTemplate = template and "Apply",
        SecureBootTemplateId = template,
    } }
end

local function chipset(o, scsi, cwd)
    if o.kernel then
        return linux(o, cwd)
    end
    for _, name in ipairs { "initrd", "cmdline" } do
        if o[name] then
            options.misuse("create: %s goes with kernel, which is missing", name)
        end
    end
    return uefi(o, scsi)
end

local SERVICES = { shutdown = "Shutdown", timesync = "Timesync", heartbeat = "Heartbeat",
    kvp = "KvpExchange" }
local SERVICE_TYPES = { shutdown = "boolean", timesync = "boolean", heartbeat = "boolean",
    kvp = "boolean|table" }

--- { shutdown, timesync, heartbeat = true, kvp = true or { key = text } }. What
--- is not named is not there: this replaces the platform's own choice.
local function services(given)
    options.check("services", given, SERVICE_TYPES)
    local result = {}
    for name, member in pairs(SERVICES) do
        if type(given[name]) == "table" then
            result[member] = { EntriesToBeAdded = given[name] }
        elseif given[name] then
            result[member] = {}
        end
    end
    return result
end

local DEBUG = {
    bugcheck_saved_state = "BugcheckSavedStateFileName",
    bugcheck_no_dump_saved_state = "BugcheckNoCrashdumpSavedStateFileName",
    triple_fault_saved_state = "TripleFaultSavedStateFileName",
}

local function debug_options(given, cwd)
    local known, result = {}, {}
    for name in pairs(DEBUG) do
        known[name] = "string"
    end
    options.check("debug", given, known)
    for name, path in pairs(given) do
        result[DEBUG[name]] = paths.absolute(path, cwd)
    end
    return result
end

local function restore_state(o, cwd)
    if o.restore and o.template then
        options.misuse("create: restore and template exclude each other")
    elseif o.restore then
        return { SaveStateFilePath = paths.absolute(o.restore, cwd) }
    end
    return o.template and { TemplateSystemId = o.template }
end

local function device_table(o, scsi, cwd)
    local plan9, smb
    if o.shares then
        plan9, smb = devices.shares(o.shares, cwd)
    end
    local result = {
        ComPorts = devices.consoles(o.consoles == nil and { "com1" } or o.consoles, o.id),
        Scsi = scsi,
        NetworkAdapters = o.nics and devices.nics(o.nics),
        Plan9 = plan9,
        VirtualSmb = smb,
        GuestCrashReporting = o.dump and dump.document(o.dump, cwd),
    }
    return next(result) and result or nil
end

local function machine(o, cwd)
    local scsi = o.disks and devices.disks(o.disks, cwd)
    return {
        StopOnReset = o.stop_on_reset or nil,
        Chipset = chipset(o, scsi, cwd),
        ComputeTopology = {
            Memory = memory(o.memory or "512M"),
            Processor = processors(o.processors or 1),
        },
        Devices = device_table(o, scsi, cwd),
        RestoreState = restore_state(o, cwd) or nil,
        SecuritySettings = o.tpm and { EnableTpm = true } or nil,
        Services = o.services and services(o.services),
        DebugOptions = o.debug and debug_options(o.debug, cwd),
    }
end

--- The document for the options of hcs.create (docs: the reference of create).
--- `document` is laid over what the options make, last: arrays replaced, null
--- takes a member away. The SchemaVersion is the lowest that has what is used
--- (and that the build has), unless `document` says one. Whether the build has
--- it all is for hcs.validate and the host to say.
---@param given table the options; id names the consoles' pipes
---@param env? {cwd: string?, build: integer?} what relative paths are relative
--- to, and the host's build
---@return table document
return function(given, env)
    local o = options.check("create", given, KNOWN)
    if not o.id or o.id == "" then
        options.misuse("create: id is missing")
    end
    local document = merge({
        Owner = o.owner or "lua-hcs",
        ShouldTerminateOnLastHandleClosed = not o.keep,
        VirtualMachine = machine(o, env and env.cwd),
    }, o.document)
    if document.SchemaVersion == nil then
        local major, minor = version(document, env and env.build)
        document.SchemaVersion = { Major = major, Minor = minor }
    end
    return document
end
