-- SPDX-License-Identifier: MIT
-- From the full data set to what a caller of the API can meet: the types that
-- go in or come out of a call and whatever those need, one member per line.

local cjson = require "cjson"

local M = {}

local TYPE_KEYS = { "kind", "since", "until", "public", "source", "json",
    "basis", "flags", "emptyIsDefault", "reach" }
local MEMBER_KEYS = { "type", "value", "array", "map", "nullable", "since",
    "until", "gaps", "public", "newInVersion", "always", "source", "uncertain" }

local function sorted_keys(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local function scalar(value)
    if type(value) == "number" then
        return ("%d"):format(math.tointeger(value))
    end
    return (cjson.encode(value):gsub("\\/", "/"))
end

local function compact(value)
    if type(value) ~= "table" then
        return scalar(value)
    elseif #value > 0 or next(value) == nil then
        local items = {}
        for i, item in ipairs(value) do
            items[i] = compact(item)
        end
        return "[" .. table.concat(items, ",") .. "]"
    end
    local items = {}
    for i, key in ipairs(sorted_keys(value)) do
        items[i] = scalar(key) .. ":" .. compact(value[key])
    end
    return "{" .. table.concat(items, ",") .. "}"
end

-- Absent and false are the same to every reader; null is "still there".
local function facts(keys, entry)
    local items = {}
    for _, key in ipairs(keys) do
        local value = entry[key]
        if value and value ~= cjson.null then
            items[#items + 1] = scalar(key) .. ":" .. compact(value)
        end
    end
    return table.concat(items, ",")
end

local function write_type(name, entry)
    local field = entry.members and "members" or "values"
    local lines = {}
    for i, key in ipairs(sorted_keys(entry[field])) do
        lines[i] = (" %s:{%s}"):format(scalar(key),
            facts(MEMBER_KEYS, entry[field][key]))
    end
    local tail = #lines > 0 and "\n" .. table.concat(lines, ",\n") or ""
    return ("%s:{%s,%s:{%s}}"):format(scalar(name), facts(TYPE_KEYS, entry),
        scalar(field), tail)
end

local function reachable(types)
    local wanted = {}
    local function want(name)
        local entry = types[name]
        if not entry or wanted[name] then
            return
        end
        wanted[name] = entry
        for _, member in pairs(entry.members or {}) do
            want(member.type)
        end
    end
    for name, entry in pairs(types) do
        if entry.reach then
            want(name)
        end
    end
    return wanted
end

local function write_shapes(data, types)
    local lines = {}
    for _, key in ipairs { "format", "builds", "schemaVersions", "schemaVersionHints" } do
        lines[#lines + 1] = ("%s:%s,"):format(scalar(key), compact(data[key]))
    end
    local aliases = {}
    for alias, name in pairs(data.aliases) do
        aliases[alias] = types[name] and name
    end
    lines[#lines + 1] = '"aliases":' .. compact(aliases) .. ","
    local written = {}
    for i, name in ipairs(sorted_keys(types)) do
        written[i] = write_type(name, types[name])
    end
    return ("{\n%s\n\"types\":{\n%s}}\n"):format(table.concat(lines, "\n"),
        table.concat(written, ",\n"))
end

local function write_roots(roots, types)
    local known = {}
    for _, member in ipairs(roots.anyOther) do
        if types[member:match("^(.*)%.[^.]+$")] then
            known[#known + 1] = member
        end
    end
    roots.anyOther = known
    local sections = {}
    for i, key in ipairs(sorted_keys(roots)) do
        local section, lines = roots[key], {}
        local list = #section > 0
        for _, name in ipairs(list and section or sorted_keys(section)) do
            lines[#lines + 1] = list and " " .. compact(name)
                or (" %s:%s"):format(scalar(name), compact(section[name]))
        end
        sections[i] = ("%s:%s\n%s%s"):format(scalar(key), list and "[" or "{",
            table.concat(lines, ",\n"), list and "]" or "}")
    end
    return "{\n" .. table.concat(sections, ",\n") .. "}\n"
end

--- @return the texts of the reduced shapes and roots
function M.reduce(shapes_text, roots_text)
    local data = cjson.decode(shapes_text)
    local types = reachable(data.types)
    return write_shapes(data, types), write_roots(cjson.decode(roots_text), types)
end

return M
