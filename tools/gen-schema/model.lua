-- SPDX-License-Identifier: MIT
-- The data as both writers need it: who exists in which build, what needs
-- which SchemaVersion, in which order members are written.

local cjson = require "cjson"

local M = {}

M.SCALARS = { "string", "bool", "uint8", "uint16", "uint32", "uint64", "int8",
    "int32", "int64", "double", "guid", "datetime", "bytes", "any" }

-- The oldest assembly that was read: an internal name first seen there may be
-- older, and nobody can tell.
local OLDEST_ASSEMBLY = 19041

local function sorted_keys(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local function minor_of(version)
    local major, minor = version:match("^(%d+)%.(%d+)$")
    assert(major == "2", "a schema version that is not 2.x: " .. version)
    return math.tointeger(tonumber(minor))
end

-- minor version -> the first build that takes it
local function read_versions(data)
    local versions = {}
    for version, build in pairs(data.schemaVersions) do
        versions[minor_of(version)] = math.tointeger(build)
    end
    for version, hint in pairs(data.schemaVersionHints) do
        versions[minor_of(version)] = math.tointeger(hint[1])
    end
    assert(versions[0] and #versions >= 1, "schema versions with a gap")
    return versions
end

-- The first of the builds that were read; nil for what none of them has yet.
local function first_build(set, entry)
    if not entry.since then
        return nil
    elseif entry.source == "hcsshim" or entry.since == OLDEST_ASSEMBLY and not entry.public then
        return set.builds[1]
    end
    return math.tointeger(entry.since)
end

local function build_mask(set, entry)
    local first, mask, gaps = first_build(set, entry), 0, {}
    if not first then
        return 1 << #set.builds
    end
    for _, build in ipairs(entry.gaps or {}) do
        gaps[math.tointeger(build)] = true
    end
    for i, build in ipairs(set.builds) do
        local last = entry["until"] or math.huge
        if build >= first and build <= last and not gaps[build] then
            mask = mask | 1 << (i - 1)
        end
    end
    assert(mask ~= 0, "exists in no build")
    return mask
end

-- What Microsoft says, else the lowest version of the build it came with.
local function least_minor(set, entry)
    if entry.newInVersion then
        return minor_of(entry.newInVersion)
    end
    local first = first_build(set, entry)
    for minor = 0, #set.versions do
        if set.versions[minor] >= first then
            return minor
        end
    end
    return #set.versions
end

-- The member that says of which type another one is, and the types by its
-- texts, sorted.
local function read_choice(choice)
    if not choice then
        return nil
    end
    local cases = {}
    for i, value in ipairs(sorted_keys(choice.cases)) do
        cases[i] = { value = value, type = choice.cases[value] }
    end
    return { by = choice.by, cases = cases }
end

local function read_members(set, entry)
    local members = {}
    for i, name in ipairs(sorted_keys(entry.members)) do
        local from = entry.members[name]
        members[i] = {
            name = name,
            type = from.uncertain and "any" or from.type,
            array = from.array,
            map = from.map,
            nullable = from.nullable,
            choice = read_choice(from.choice),
            always = from.always,
            builds = build_mask(set, from),
            minor = least_minor(set, from),
        }
    end
    return members
end

local function read_values(set, entry)
    local values = {}
    for i, name in ipairs(sorted_keys(entry.values)) do
        local from = entry.values[name]
        values[i] = {
            name = name,
            value = from.value and math.tointeger(from.value),
            builds = build_mask(set, from),
            minor = least_minor(set, from),
        }
    end
    return values
end

-- Members in the order in which they are written: the ones whose place is
-- known, then the others by name. As indices (from 0) of the sorted members.
local function member_order(name, members, known)
    local place, order = {}, {}
    for i, member in ipairs(members) do
        place[member.name] = i - 1
    end
    for i, member in ipairs(known or {}) do
        order[i] = assert(place[member], ("%s has no member %s"):format(name, member))
        place[member] = nil
    end
    for _, member in ipairs(members) do
        order[#order + 1] = place[member.name]
    end
    assert(#order == #members, name .. ": a member twice in its order")
    return order
end

local function value_order(values)
    local order = {}
    for i = 1, #values do
        order[i] = i - 1
    end
    table.sort(order, function(a, b)
        local x, y = values[a + 1].value or 0, values[b + 1].value or 0
        return x < y or x == y and a < b
    end)
    return order
end

local function read_type(set, name, entry, known)
    if entry.members then
        local members = read_members(set, entry)
        return { name = name, kind = "object", members = members,
            order = member_order(name, members, known) }
    end
    local values = read_values(set, entry)
    return { name = name, kind = "enum", values = values, order = value_order(values),
        number = entry.json == "number", flags = entry.flags,
        open = entry.open, lenient = entry.basis == "assumed", empty = entry.emptyIsDefault }
end

local function check_member(known, entry, member)
    assert(known[member.type],
        ("%s.%s has the unknown type %s"):format(entry.name, member.name, member.type))
    for _, case in ipairs(member.choice and member.choice.cases or {}) do
        assert(known[case.type],
            ("%s.%s may have the unknown type %s"):format(entry.name, member.name, case.type))
    end
end

local function check_references(set)
    local known = {}
    for _, name in ipairs(M.SCALARS) do
        known[name] = true
    end
    for _, entry in ipairs(set.types) do
        assert(not known[entry.name], "a type twice: " .. entry.name)
        known[entry.name] = true
    end
    for _, entry in ipairs(set.types) do
        for _, member in ipairs(entry.members or {}) do
            check_member(known, entry, member)
        end
    end
end

local function read_paths(roots_text)
    local paths = {}
    local roots = roots_text and cjson.decode(roots_text)
    for _, entry in ipairs(roots and roots.modifySettings or {}) do
        if entry.settings ~= cjson.null then
            paths[#paths + 1] = { path = entry.path, type = entry.settings }
        end
    end
    table.sort(paths, function(a, b) return a.path < b.path end)
    return paths
end

--- @param roots_text  nil for a set whose documents have no ResourcePath
--- @return the set: name, builds, versions, types (by name), paths (of
-- ModifySettingRequest, with the type of its Settings)
function M.build(name, shapes_text, roots_text, order_text)
    local data = cjson.decode(shapes_text)
    local known = cjson.decode(order_text)
    local set = { name = name, builds = {}, versions = read_versions(data), types = {} }
    for i, build in ipairs(data.builds) do
        set.builds[i] = math.tointeger(build)
    end
    for i, type_name in ipairs(sorted_keys(data.types)) do
        set.types[i] = read_type(set, type_name, data.types[type_name], known[type_name])
        known[type_name] = nil
    end
    assert(next(known) == nil, "an order for an unknown type: " .. tostring(next(known)))
    check_references(set)
    set.paths = read_paths(roots_text)
    return set
end

return M
