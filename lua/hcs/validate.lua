-- SPDX-License-Identifier: MIT
-- Checks documents before a host sees them: the same tables, rules and
-- sentences as the host's own check (src/schema/schema.h says what is decided
-- where nothing is published), on Lua tables. Of HCN's documents more is asked
-- than of the host, unless told: what Windows silently passes over is a slip.

local builds = require "hcs.schema.builds"
local nearest = require "hcs.schema.nearest"
local network = require "hcs.schema.network"
local schema = require "hcs.schema.hcs"
local sets = require "hcs.schema.sets"
local walk = require "hcs.schema.walk"

local M = { version_of_build = builds.version_of_build }

local function quoted(name)
    local escaped = name:gsub("[%c'\\]", function(c)
        if c == "'" or c == "\\" then
            return "\\" .. c
        end
        return c ~= "\x7f" and ("\\u%04x"):format(c:byte()) or c
    end)
    return "['" .. escaped .. "']"
end

local function path_of(at)
    local parts = { "$" }
    for i = #at, 1, -1 do
        local key = at[i]
        if type(key) == "number" then
            parts[#parts + 1] = ("[%d]"):format(key)
        elseif key:find("^[%a_][%w_]*$") then
            parts[#parts + 1] = "." .. key
        else
            parts[#parts + 1] = quoted(key)
        end
    end
    return table.concat(parts)
end

local function no_such_type(name)
    local near = type(name) == "string" and nearest(name, sets.names())
    return ("there is no document type %q%s"):format(tostring(name),
        near and ('; did you mean "%s"?'):format(near) or "")
end

---@class hcs.validate.Fault
---@field path string JSON path: "$.VirtualMachine.Devices"
---@field message string one sentence
---@field expected? string|string[] the type, or the names, that would be right
---@field since? integer|string the build or the SchemaVersion that is needed
---@field code integer HRESULT

local INVALID_JSON = { hcs = 0x8037010D, hcn = 0x803B001B }

local function finished(bad, set)
    local path = path_of(bad.at)
    local message = bad.message
    if bad.begin then
        message = path:gsub("^%$%.?", "") .. " " .. message
    end
    return { path = path, message = message, expected = bad.expected, since = bad.since,
        code = bad.code or INVALID_JSON[set.name] }
end

local function walk_of(set)
    return set == schema and walk or network
end

--- Checks a document against a type, which may be an enum or a scalar too.
---@param doc any a Lua table; lua-cjson's null and tables marked as arrays count
---@param type_name? string default "ComputeSystem"; "HostComputeNetwork" and
--- others of HCN's, "hcn.Version" where HCS has one of that name too
---@param opts? {build: integer?, version: integer[]?, lenient: boolean?} of HCS:
--- the Windows build to be (default: the newest known) and a declared {major,
--- minor}, where the document does not declare one itself; of HCN: lenient lets
--- members and flags pass that Windows would silently pass over
---@return true|nil ok
---@return hcs.validate.Fault? fault the first in the order of the names
function M.check(doc, type_name, opts)
    local name = type_name or "ComputeSystem"
    local t, set = sets.find(name)
    if not t then
        return nil, { path = "$", message = no_such_type(name), code = 0x80070057 }
    end
    local bad = walk_of(set)(doc, t, opts, false)
    if not bad then
        return true
    end
    return nil, finished(bad, set)
end

--- All that is wrong with a document: a list of faults, empty when nothing is.
--- Arguments as for check.
---@return hcs.validate.Fault[] faults
function M.all(doc, type_name, opts)
    local name = type_name or "ComputeSystem"
    local t, set = sets.find(name)
    if not t then
        return { { path = "$", message = no_such_type(name), code = 0x80070057 } }
    end
    local list = {}
    local bad = walk_of(set)(doc, t, opts, true)
    while bad do
        list[#list + 1] = finished(bad, set)
        bad = bad.next
    end
    return list
end

local function names_of(cases)
    local names = {}
    for text, t in pairs(cases or {}) do
        names[text] = t.name
    end
    return cases and names
end

local function describe_member(name, m, set)
    return { name = name, type = m.type, array = m.array, map = m.map, by = m.by,
        cases = names_of(m.cases), nullable = m.nullable, always = m.always,
        since = builds.first_build(m, set), version = "2." .. m.minor }
end

local function describe_value(name, v, set)
    return { name = name, value = v.value, since = builds.first_build(v, set),
        version = "2." .. v.minor }
end

--- What a type consists of: {name, kind, members or values}, each a list in
--- the order in which it is written. What no known build has yet, lacks
--- `since`. Nil and a sentence for an unknown type.
function M.describe(type_name)
    local t, set = sets.find(type_name)
    if type(t) ~= "table" then
        return nil, no_such_type(type_name)
    end
    local field = t.kind == "object" and "members" or "values"
    local list = {}
    for i, name in ipairs(t.order) do
        list[i] = (field == "members" and describe_member or describe_value)(name,
            t[field][name], set)
    end
    return { name = t.name, kind = t.kind, number = t.number, flags = t.flags,
        [field] = list }
end

--- The type of ModifySettingRequest.Settings for a ResourcePath, or nil.
function M.settings_type(path)
    for _, entry in ipairs(schema.settings) do
        local pattern = entry.path:gsub("{%a+}", "[^/]+")
        if path:find("^" .. pattern .. "$") then
            return entry.type
        end
    end
    return nil
end

return M
