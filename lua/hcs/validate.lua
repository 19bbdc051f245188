-- SPDX-License-Identifier: MIT
-- Checks documents before a host sees them: the same tables, rules and
-- sentences as the host's own check (src/schema/schema.h says what is decided
-- where nothing is published), on Lua tables.

local builds = require "hcs.schema.builds"
local nearest = require "hcs.schema.nearest"
local scalar = require "hcs.schema.scalar"
local schema = require "hcs.schema.hcs"
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
    local names = {}
    for known in pairs(schema.types) do
        names[#names + 1] = known
    end
    table.sort(names)
    local near = type(name) == "string" and nearest(name, names)
    return ("there is no document type %q%s"):format(tostring(name),
        near and ('; did you mean "%s"?'):format(near) or "")
end

---@class hcs.validate.Fault
---@field path string JSON path: "$.VirtualMachine.Devices"
---@field message string one sentence
---@field expected? string|string[] the type, or the names, that would be right
---@field since? integer|string the build or the SchemaVersion that is needed

local function finished(bad)
    local path = path_of(bad.at)
    local message = bad.message
    if bad.begin then
        message = path:gsub("^%$%.?", "") .. " " .. message
    end
    return { path = path, message = message, expected = bad.expected, since = bad.since }
end

--- Checks a document against a type, which may be an enum or a scalar too.
---@param doc any a Lua table; lua-cjson's null and tables marked as arrays count
---@param type_name? string default "ComputeSystem"
---@param opts? {build: integer?, version: integer[]?} the Windows build to be
--- (default: the newest known) and a declared {major, minor}, where the
--- document does not declare one itself
---@return true|nil ok
---@return hcs.validate.Fault? fault the first in the order of the names
function M.check(doc, type_name, opts)
    local name = type_name or "ComputeSystem"
    local t = schema.types[name] or scalar.is[name] and name
    if not t then
        return nil, { path = "$", message = no_such_type(name) }
    end
    local bad = walk(doc, t, opts, false)
    if not bad then
        return true
    end
    return nil, finished(bad)
end

--- All that is wrong with a document: a list of faults, empty when nothing is.
--- Arguments as for check.
---@return hcs.validate.Fault[] faults
function M.all(doc, type_name, opts)
    local name = type_name or "ComputeSystem"
    local t = schema.types[name] or scalar.is[name] and name
    if not t then
        return { { path = "$", message = no_such_type(name) } }
    end
    local list = {}
    local bad = walk(doc, t, opts, true)
    while bad do
        list[#list + 1] = finished(bad)
        bad = bad.next
    end
    return list
end

local function describe_member(name, m)
    return { name = name, type = m.type, array = m.array, map = m.map,
        nullable = m.nullable, always = m.always, since = builds.first_build(m),
        version = "2." .. m.minor }
end

local function describe_value(name, v)
    return { name = name, value = v.value, since = builds.first_build(v),
        version = "2." .. v.minor }
end

--- What a type consists of: {name, kind, members or values}, each a list in
--- the order in which it is written. Nil and a sentence for an unknown type.
function M.describe(type_name)
    local t = schema.types[type_name]
    if not t then
        return nil, no_such_type(type_name)
    end
    local field = t.kind == "object" and "members" or "values"
    local list = {}
    for i, name in ipairs(t.order) do
        list[i] = (field == "members" and describe_member or describe_value)(name,
            t[field][name])
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
