-- SPDX-License-Identifier: MIT
-- The data as text: one member per line, keys sorted, so that a change is a
-- change of few lines.

local cjson = require "cjson"

local M = {}

local TYPE_KEYS = { "kind", "since", "until", "public", "source", "json",
    "basis", "flags", "open", "emptyIsDefault", "reach" }
local MEMBER_KEYS = { "type", "value", "array", "map", "nullable", "since",
    "until", "gaps", "public", "newInVersion", "always", "source", "uncertain",
    "choice" }

function M.sorted_keys(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

function M.scalar(value)
    if type(value) == "number" then
        return ("%d"):format(math.tointeger(value))
    end
    return (cjson.encode(value):gsub("\\/", "/"))
end

function M.compact(value)
    if type(value) ~= "table" then
        return M.scalar(value)
    elseif #value > 0 or next(value) == nil then
        local items = {}
        for i, item in ipairs(value) do
            items[i] = M.compact(item)
        end
        return "[" .. table.concat(items, ",") .. "]"
    end
    local items = {}
    for i, key in ipairs(M.sorted_keys(value)) do
        items[i] = M.scalar(key) .. ":" .. M.compact(value[key])
    end
    return "{" .. table.concat(items, ",") .. "}"
end

-- Absent and false are the same to every reader; null is "still there".
local function facts(keys, entry)
    local items = {}
    for _, key in ipairs(keys) do
        local value = entry[key]
        if value and value ~= cjson.null then
            items[#items + 1] = M.scalar(key) .. ":" .. M.compact(value)
        end
    end
    return table.concat(items, ",")
end

local function write_type(name, entry)
    local field = entry.members and "members" or "values"
    local lines = {}
    for i, key in ipairs(M.sorted_keys(entry[field])) do
        lines[i] = (" %s:{%s}"):format(M.scalar(key),
            facts(MEMBER_KEYS, entry[field][key]))
    end
    local tail = #lines > 0 and "\n" .. table.concat(lines, ",\n") or ""
    return ("%s:{%s,%s:{%s}}"):format(M.scalar(name), facts(TYPE_KEYS, entry),
        M.scalar(field), tail)
end

--- The shapes: what is known of builds and versions, then the types.
function M.shapes(data, types)
    local lines = {}
    for _, key in ipairs { "format", "builds", "schemaVersions", "schemaVersionHints" } do
        lines[#lines + 1] = ("%s:%s,"):format(M.scalar(key), M.compact(data[key]))
    end
    local aliases = {}
    for alias, name in pairs(data.aliases) do
        aliases[alias] = types[name] and name
    end
    lines[#lines + 1] = '"aliases":' .. M.compact(aliases) .. ","
    local written = {}
    for i, name in ipairs(M.sorted_keys(types)) do
        written[i] = write_type(name, types[name])
    end
    return ("{\n%s\n\"types\":{\n%s}}\n"):format(table.concat(lines, "\n"),
        table.concat(written, ",\n"))
end

return M
