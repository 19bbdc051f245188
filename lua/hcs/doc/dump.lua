-- SPDX-License-Identifier: MIT
-- The option `dump` of hcs.create: what of it is the document's, and what the
-- document has no place for, which hosts of ours are told otherwise.
local enum = require "hcs.doc.enum"
local options = require "hcs.options"
local paths = require "hcs.paths"
local units = require "hcs.units"

local dump = {}

local KNOWN = { path = "string", type = "string", max = "any",
    keep = "integer", free = "any", compress = "boolean" }
local NIX_TYPES = { elf = "ElfCore", kdump = "KDump" }
local NAMES = { "elf", "kdump", "windows" }
local MOST_KEPT = 1000

local function bytes(name, value)
    if value == nil then return nil end
    local count, problem = units.bytes(value)
    if not count then options.misuse("dump.%s: %s", name, problem) end
    return count
end

local function checked(value)
    local given = type(value) == "string" and { path = value } or value
    options.check("dump", given, KNOWN)
    if not given.path then options.misuse("dump: path is missing") end
    return given
end

-- A kdump file is what is compressed, and always is.
local function kind_of(given)
    local kind = given.type or (given.compress and "kdump" or "elf")
    if given.compress and kind ~= "kdump" then
        options.misuse('dump.compress goes with type "kdump", not with "%s"', kind)
    elseif given.compress == false and kind == "kdump" then
        options.misuse 'dump.compress: a dump of type "kdump" is always compressed'
    end
    return kind
end

--- The document's part, GuestCrashReporting, of a path or { path, type, max,
--- compress }: type "elf" (default) or "kdump" for a Unix guest, "windows"
--- (which kind is the guest's choice) or the kind itself.
function dump.document(value, cwd)
    local given = checked(value)
    local kind = kind_of(given)
    local settings = {
        DumpFileName = paths.absolute(given.path, cwd),
        MaxDumpSize = bytes("max", given.max),
    }
    if NIX_TYPES[kind] then
        settings.DumpType = NIX_TYPES[kind]
        return { NixCrashSettings = settings }
    end
    settings.DumpType = kind ~= "windows"
        and enum("dump.type", "WindowsCrashDumpType", kind, NAMES) or nil
    return { WindowsCrashSettings = settings }
end

--- The rest, { keep, free }, as the settings of our hosts' resource
--- "LuaHcs/Dumps"; nil when nothing of it was given.
function dump.policy(value)
    if type(value) ~= "table" then return nil end
    local given = checked(value)
    if given.keep and (given.keep < 1 or given.keep > MOST_KEPT) then
        options.misuse("dump.keep: %d is not from 1 to %d", given.keep, MOST_KEPT)
    end
    local policy = { Keep = given.keep, FreeBytes = bytes("free", given.free) }
    return next(policy) and policy or nil
end

return dump
