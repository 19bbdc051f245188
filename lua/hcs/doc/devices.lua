-- SPDX-License-Identifier: MIT
-- The parts of a virtual machine that come in lists: disks, network adapters,
-- consoles, shares. Each function takes an option's value and returns what
-- stands in VirtualMachine.Devices.

local address = require "hcs.doc.address"
local enum = require "hcs.doc.enum"
local options = require "hcs.options"
local paths = require "hcs.paths"
local pipe = require "hcs.doc.pipe"

local M = {}

local PLAN9_PORT = 564
local PLAN9_READ_ONLY = 1

-- A list option; one entry that is not a list will do.
local function entries(what, value)
    if type(value) == "string" or type(value) == "table" and next(value) ~= nil
        and value[1] == nil then
        return { value }
    elseif type(value) ~= "table" then
        options.misuse("%s: a list expected, got a %s", what, type(value))
    end
    return value
end

local function need(what, entry, name)
    local value = entry[name]
    if value == nil or value == "" then
        options.misuse("%s: %s is missing", what, name)
    end
    return value
end

local DISK = { path = "string", type = "string", read_only = "boolean", caching = "string",
    ignore_flushes = "boolean" }

local DISK_TYPES = { disk = "VirtualDisk", vhd = "VirtualDisk", vhdx = "VirtualDisk",
    raw = "VirtualDisk", iso = "Iso" }

local function disk_type(what, disk)
    if disk.type then
        return DISK_TYPES[disk.type] or enum(what .. ".type", "AttachmentType", disk.type)
    end
    return disk.path:lower():find("%.iso$") and "Iso" or "VirtualDisk"
end

local function attachment(what, value, cwd)
    local disk = type(value) == "string" and { path = value } or value
    options.check(what, disk, DISK)
    need(what, disk, "path")
    local kind = disk_type(what, disk)
    local read_only = disk.read_only
    if read_only == nil then
        read_only = kind == "Iso" or nil
    end
    return {
        Type = kind,
        Path = paths.absolute(disk.path, cwd),
        ReadOnly = read_only or nil,
        CachingMode = disk.caching and enum(what .. ".caching", "CachingMode", disk.caching),
        IgnoreFlushes = disk.ignore_flushes or nil,
    }
end

--- Disks: a list of paths or of { path, type = "virtual_disk|iso|pass_thru",
--- read_only, caching, ignore_flushes }, on one SCSI controller "0" in their
--- order. An ISO is told by its extension and is read-only.
function M.disks(value, cwd)
    local attachments = {}
    for i, disk in ipairs(entries("disks", value)) do
        attachments[tostring(i - 1)] = attachment(("disks[%d]"):format(i), disk, cwd)
    end
    return next(attachments) and { ["0"] = { Attachments = attachments } } or nil
end

local NIC = { mac = "string", endpoint = "string", name = "string" }

--- Network adapters: a list of { mac, endpoint = id, name }, all optional; the
--- name (default: the endpoint's id, else the place from "0") is the key.
function M.nics(value)
    local adapters = {}
    if type(value) == "table" and next(value) == nil then
        return nil
    end
    for i, nic in ipairs(entries("nics", value)) do
        local what = ("nics[%d]"):format(i)
        if type(nic) == "table" and nic.network then
            options.misuse("%s: hcs.create makes an endpoint on the network; a document "
                .. "names one that is there: endpoint = its id", what)
        end
        options.check(what, nic, NIC)
        local key = nic.name or nic.endpoint or tostring(i - 1)
        if adapters[key] then
            options.misuse("%s: the name %q is taken", what, key)
        end
        adapters[key] = {
            EndpointId = nic.endpoint,
            MacAddress = nic.mac and address.mac(what .. ".mac", nic.mac),
        }
    end
    return adapters
end

local CONSOLE = { name = "string", pipe = "string" }
local MAX_CONSOLES = 2

local function console_pipe(what, value, number, id)
    local console = type(value) == "string" and { name = value } or value
    options.check(what, console, CONSOLE)
    return { NamedPipe = console.pipe or pipe(id, console.name or "com" .. number) }
end

--- Consoles: a list of at most two names or { name, pipe }, for COM 1 and 2;
--- the names are the last part of the pipe's name. False: none.
function M.consoles(value, id)
    if value == false then
        return nil
    end
    local ports = {}
    local list = entries("consoles", value)
    if #list > MAX_CONSOLES then
        options.misuse("consoles: %d are asked for, a system has %d serial ports", #list,
            MAX_CONSOLES)
    end
    local taken = {}
    for i, console in ipairs(list) do
        local what = ("consoles[%d]"):format(i)
        local port = console_pipe(what, console, i, id)
        if taken[port.NamedPipe] then options.misuse("%s: the name is taken", what) end
        taken[port.NamedPipe] = true
        ports[tostring(i - 1)] = port
    end
    return next(ports) and ports or nil
end

local SHARE = { name = "string", path = "string", type = "string", read_only = "boolean",
    port = "integer" }

local function plan9_share(share, cwd)
    return {
        Name = share.name,
        AccessName = share.name,
        Path = paths.absolute(share.path, cwd),
        Port = share.port or PLAN9_PORT,
        Flags = share.read_only and PLAN9_READ_ONLY or nil,
    }
end

local function smb_share(share, cwd)
    return {
        Name = share.name,
        Path = paths.absolute(share.path, cwd),
        Options = share.read_only and { ReadOnly = true } or nil,
    }
end

--- Shares: a list of { name, path, type = "plan9|smb" (default plan9),
--- read_only, port }. Returns Plan9 and VirtualSmb.
function M.shares(value, cwd)
    local plan9, smb = {}, {}
    for i, share in ipairs(entries("shares", value)) do
        local what = ("shares[%d]"):format(i)
        options.check(what, share, SHARE)
        need(what, share, "name")
        need(what, share, "path")
        options.one_of(what, "type", share.type or "plan9", { "plan9", "smb" })
        if share.type == "smb" then
            smb[#smb + 1] = smb_share(share, cwd)
        else
            plan9[#plan9 + 1] = plan9_share(share, cwd)
        end
    end
    return plan9[1] and { Shares = plan9 } or nil, smb[1] and { Shares = smb } or nil
end

return M
