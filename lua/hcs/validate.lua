-- SPDX-License-Identifier: MIT
-- Checks documents before a host sees them: the same tables, rules and
-- sentences as the host's own check (src/schema/schema.h says what is decided
-- where nothing is published), on Lua tables.

local nearest = require "hcs.schema.nearest"
local scalar = require "hcs.schema.scalar"
local schema = require "hcs.schema.hcs"

local M = {}

local MAX_DEPTH = 128
local MAX_SHOWN = 8
local ANY_MINOR = 255

local check_type

-- A fault found far down gathers its path on the way up, in `at`.
local function fault(message, more)
    local result = more or {}
    result.message = message
    result.at = {}
    return result
end

-- Adds what was found in the member or item `key` to what was found before it;
-- faults are a chain (`last` in the first of them is its end).
local function gather(faults, bad, key)
    local one = bad
    while one do
        one.at[#one.at + 1] = key
        one = one.next
    end
    if not faults then
        return bad
    elseif bad then
        (faults.last or faults).next = bad
        faults.last = bad.last or bad
    end
    return faults
end

-- Whether the walk goes on.
local function enough(ctx, faults)
    return faults and not ctx.all
end

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

local function available(ctx, entry)
    return entry.builds & ctx.bit ~= 0 and entry.minor <= ctx.least
end

local function first_build(entry)
    for i, build in ipairs(schema.builds) do
        if entry.builds >> (i - 1) & 1 == 1 then
            return build
        end
    end
    return schema.builds[#schema.builds]
end

-- Without `what` the sentence begins with the path, when that is known.
local function unavailable(ctx, entry, what)
    local first = first_build(entry)
    local rest, since
    if entry.builds & ctx.bit ~= 0 then
        since = "2." .. entry.minor
        rest = ("needs SchemaVersion >= %s (document says %d.%d)"):format(since,
            ctx.major, ctx.minor)
    elseif ctx.build < first then
        since = first
        rest = ("needs Windows build %d (this is %d)"):format(first, ctx.build)
    else
        rest = ("does not exist in Windows build %d"):format(ctx.build)
    end
    return fault((what and what .. " " or "") .. rest, { since = since, begin = not what })
end

local function available_names(ctx, entries)
    local names = {}
    for name, entry in pairs(entries) do
        if available(ctx, entry) then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

local function article(name)
    return name:find("^[AEIOUaeiou]") and "an" or "a"
end

local function list_values(ctx, t)
    local names = available_names(ctx, t.values)
    local out = ""
    for i = 1, math.min(#names, MAX_SHOWN) do
        local text = names[i]
        if t.number then
            text = ("%s %d"):format(text, t.values[text].value or 0)
        end
        out = out .. (i == 1 and "" or i == #names and " or " or ", ") .. text
    end
    return out .. (#names > MAX_SHOWN and " …" or ""), names
end

local function check_name(ctx, t, text)
    local entry = t.values[text]
    if text == "" and t.empty then
        return nil
    elseif not entry then
        local list, names = list_values(ctx, t)
        local near = nearest(text, names)
        return fault(('"%s" is not %s %s: %s'):format(scalar.shown(text), article(t.name),
            t.name, near and ('did you mean "%s"?'):format(near) or "expected " .. list),
            { expected = names })
    elseif not available(ctx, entry) then
        return unavailable(ctx, entry,
            ('"%s" as %s %s'):format(text, article(t.name), t.name))
    end
    return nil
end

local function check_number(ctx, t, number)
    local all = 0
    for _, entry in pairs(t.values) do
        if entry.value and available(ctx, entry) then
            if entry.value == number then
                return nil
            end
            all = all | entry.value
        end
    end
    if t.flags and number >= 0 and number & ~all == 0 then
        return nil
    end
    local list, names = list_values(ctx, t)
    return fault(("%d is not %s %s: expected %s%s"):format(number, article(t.name), t.name,
        t.flags and "a sum of " or "", list), { expected = names })
end

local function check_enum(ctx, t, value)
    local whole = type(value) == "number" and math.tointeger(value)
    if type(value) == "string" and not t.number then
        return check_name(ctx, t, value)
    elseif whole and (t.number or t.lenient) then
        return check_number(ctx, t, whole)
    end
    return fault(scalar.mismatch(("a %s (%s)"):format(t.number and "number" or "string",
        t.name), value), { expected = t.name })
end

local function check_array(ctx, m, value, depth)
    local kind = scalar.kind(value)
    if kind ~= "array" and kind ~= "empty" then
        return fault(scalar.mismatch("an array", value), { expected = "array" })
    end
    local faults
    for i = 1, #value do
        local bad = check_type(ctx, m.of or m.type, value[i], depth + 1)
        faults = gather(faults, bad, i - 1)
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

local function sorted_keys(value)
    local keys = {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        if type(a) == type(b) and type(a) ~= "table" and type(a) ~= "boolean" then
            return a < b
        end
        return type(a) < type(b)
    end)
    return keys
end

local function key_text(key)
    return type(key) == "string" and key or tostring(key)
end

local function check_slot(ctx, m, value, depth)
    if m.array then
        return check_array(ctx, m, value, depth)
    end
    return check_type(ctx, m.of or m.type, value, depth)
end

local function is_object(value)
    local kind = scalar.kind(value)
    return kind == "object" or kind == "empty"
end

local function check_map(ctx, m, value, depth)
    if not is_object(value) then
        return fault(scalar.mismatch("an object", value), { expected = "object" })
    end
    local faults
    for _, key in ipairs(sorted_keys(value)) do
        local wrong = scalar.check_key(key, m.map)
        local bad = wrong and fault(wrong, { expected = m.map })
            or check_slot(ctx, m, value[key], depth + 1)
        faults = gather(faults, bad, key_text(key))
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

local function null_is_absent(m)
    if m.nullable then
        return true
    elseif m.map or m.array then
        return false
    end
    return m.type == "any" or m.of ~= nil and m.of.kind == "object"
end

local function unknown_member(ctx, t, key)
    if type(key) ~= "string" then
        return fault(("the key %s is a %s: a member's name is text"):format(tostring(key),
            type(key)))
    end
    local names = available_names(ctx, t.members)
    local near = nearest(key, names)
    return fault(('unknown member "%s"%s'):format(scalar.shown(key),
        near and ('; did you mean "%s"?'):format(near) or ""), { expected = names })
end

local function check_member(ctx, t, key, value, depth)
    local m = t.members[key]
    if not m then
        return unknown_member(ctx, t, key)
    elseif not available(ctx, m) then
        return unavailable(ctx, m)
    elseif scalar.kind(value) == "null" and null_is_absent(m) then
        return nil
    elseif m.map then
        return check_map(ctx, m, value, depth)
    end
    return check_slot(ctx, m, value, depth)
end

local function check_object(ctx, t, value, depth)
    if not is_object(value) then
        return fault(scalar.mismatch("an object", value), { expected = t.name })
    elseif depth > MAX_DEPTH then
        return fault(("nested more than %d deep"):format(MAX_DEPTH))
    end
    local faults
    for _, key in ipairs(sorted_keys(value)) do
        local bad = check_member(ctx, t, key, value[key], depth + 1)
        faults = gather(faults, bad, key_text(key))
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

function check_type(ctx, t, value, depth)
    if type(t) == "string" then
        local wrong = scalar.check(value, t)
        return wrong and fault(wrong, { expected = t }) or nil
    elseif t.kind == "enum" then
        return check_enum(ctx, t, value)
    end
    return check_object(ctx, t, value, depth)
end

local function supported_minor(build)
    local minor = -1
    while schema.versions[minor + 1] and schema.versions[minor + 1] <= build do
        minor = minor + 1
    end
    return minor
end

--- The SchemaVersion a build supports at most: major, minor.
function M.version_of_build(build)
    local minor = supported_minor(build)
    if minor < 0 then
        return 1, 0
    end
    return 2, minor
end

local function check_declared(build, major, minor)
    local open = build > schema.versions[#schema.versions]
    if major == 2 and (open or minor <= supported_minor(build)) then
        return nil
    end
    return gather(nil, fault(("SchemaVersion %d.%d is not supported by Windows build %d: "
        .. "expected 2.0 to 2.%d%s"):format(major, minor, build, supported_minor(build),
        open and " or later" or "")), "SchemaVersion")
end

local function as_version_number(value)
    local whole = type(value) == "number" and math.tointeger(value)
    return whole and whole >= 0 and whole <= 0xffffffff and whole or nil
end

-- The document's own SchemaVersion, if it has one that can be read.
local function read_declared(t, value)
    local version = t.members and t.members.SchemaVersion and type(value) == "table"
        and value.SchemaVersion
    if type(version) ~= "table" then
        return nil
    end
    local major, minor = as_version_number(version.Major), as_version_number(version.Minor)
    if major and minor then
        return major, minor
    end
    return nil
end

local function bit_of_build(build)
    local i = 1
    while schema.builds[i + 1] and schema.builds[i + 1] <= build do
        i = i + 1
    end
    return 1 << (i - 1)
end

local function context(build, major, minor)
    local least = ANY_MINOR
    if major and major <= 2 then
        least = major == 2 and minor or 0
    end
    return { build = build, bit = bit_of_build(build), major = major, minor = minor,
        least = least }
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

-- The first of the faults in a document, a chain, or nil.
local function walk(doc, t, opts, all)
    local build = opts and opts.build or schema.builds[#schema.builds]
    local own_major, own_minor = read_declared(t, doc)
    local given = opts and opts.version or {}
    local ctx = context(build, given[1] or own_major, given[2] or own_minor)
    ctx.all = all
    return own_major and check_declared(build, own_major, own_minor)
        or check_type(ctx, t, doc, 0)
end

local function finished(bad)
    local path = path_of(bad.at)
    local message = bad.message
    if bad.begin then
        message = path:gsub("^%$%.?", "") .. " " .. message
    end
    return { path = path, message = message, expected = bad.expected, since = bad.since }
end

--- Checks a document against a type.
---@param doc any a Lua table; lua-cjson's null and tables marked as arrays count
---@param type_name? string default "ComputeSystem"
---@param opts? {build: integer?, version: integer[]?} the Windows build to be
--- (default: the newest known) and a declared {major, minor}, where the
--- document does not declare one itself
---@return true|nil ok
---@return hcs.validate.Fault? fault the first in the order of the names
function M.check(doc, type_name, opts)
    local name = type_name or "ComputeSystem"
    local t = schema.types[name]
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
    local t = schema.types[name]
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
        nullable = m.nullable, always = m.always, since = first_build(m),
        version = "2." .. m.minor }
end

local function describe_value(name, v)
    return { name = name, value = v.value, since = first_build(v), version = "2." .. v.minor }
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
