-- SPDX-License-Identifier: MIT
-- What became of a document: where what the host tells of an object is not
-- what it was asked for.
local schema = require "hcs.schema.hcn"

-- The host's own business.
local SKIP = { SchemaVersion = true, Owner = true, Health = true, State = true, Version = true }

local compare, is_default

-- A value's place among those of an enum, or the value itself.
local function enum_value(t, value)
    if type(value) ~= "string" then return value end
    for name, entry in pairs(t.values) do
        if name:lower() == value:lower() then return entry.value or name end
    end
    return value
end

-- The name of an enum's first value, which documents leave out.
local function default_name(t)
    for name, entry in pairs(t and t.kind == "enum" and t.values or {}) do
        if entry.value == 0 then return name end
    end
    return nil
end

-- What is its default need not come back; nor an object of nothing else.
function is_default(value, t)
    if t and t.kind == "enum" then value = enum_value(t, value) end
    if type(value) == "table" then
        if value[1] ~= nil then return false end
        for _, member in pairs(value) do
            if not is_default(member) then return false end
        end
        return true
    end
    return value == nil or value == "" or value == 0 or value == false
        or type(value) == "userdata"
end

local function same(asked, got, t)
    if t and t.kind == "enum" then
        asked, got = enum_value(t, asked), enum_value(t, got)
    end
    if type(asked) == "string" and type(got) == "string" then
        return asked:lower() == got:lower()
    end
    return asked == got
end

local function shown(value)
    if type(value) == "string" then return ("%q"):format(value) end
    return type(value) == "table" and "something else" or tostring(value)
end

local function note(found, path, text)
    found[#found + 1] = ("%s: %s"):format(path, text)
end

local function has_equal(item, list, t)
    for _, candidate in ipairs(list) do
        local found = {}
        compare(item, candidate, t, "$", found)
        if #found == 0 then return true end
    end
    return false
end

-- Lists may come back in another order and with more in them.
local function compare_lists(asked, got, t, path, found)
    for index, item in ipairs(asked) do
        local place = ("%s[%d]"):format(path, index - 1)
        if not has_equal(item, got, t) then
            if type(item) == "table" and #asked == #got then
                compare(item, got[index], t, place, found)
            else
                note(found, place, "was not kept")
            end
        end
    end
end

-- The type of a member, whose cases another member may tell apart.
local function type_of(t, document, name)
    local member = t and t.members and t.members[name]
    if not member then return nil end
    if member.cases then return member.cases[document[member.by] or false] end
    return member.of
end

local function compare_objects(asked, got, t, path, found)
    local names = {}
    for name in pairs(asked) do
        if not SKIP[name] then names[#names + 1] = name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
        compare(asked[name], got[name], type_of(t, asked, name), path .. "." .. name, found)
    end
end

function compare(asked, got, t, path, found)
    if is_default(asked, t) and (got == nil or is_default(got, t)) or is_default(asked) then
        return
    end
    if got == nil then got = default_name(t) end
    if got == nil then
        note(found, path, "was not kept")
    elseif type(asked) ~= "table" or type(got) ~= "table" then
        if not same(asked, got, t) then
            note(found, path, ("asked for %s, got %s"):format(shown(asked), shown(got)))
        end
    elseif asked[1] ~= nil then
        compare_lists(asked, got, t, path, found)
    else
        compare_objects(asked, got, t, path, found)
    end
end

--- The differences between a document that was sent and the properties that
--- came back: a list of sentences that begin with the member's path. What only
--- the properties have does not count, nor what was asked for by its default.
---@param asked table
---@param got table
---@param type_name string "HostComputeNetwork"
---@return string[]
return function(asked, got, type_name)
    local found = {}
    compare(asked, got, schema.types[type_name], "$", found)
    return found
end
