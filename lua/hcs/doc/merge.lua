-- SPDX-License-Identifier: MIT
-- Documents as values: laying one over another, telling two apart.

local scalar = require "hcs.schema.scalar"

local M = {}

local function is_object(value)
    if type(value) ~= "table" then
        return false
    end
    local kind = scalar.kind(value)
    return kind == "object" or kind == "empty"
end

local function copy(value)
    if type(value) ~= "table" then
        return value
    end
    -- The mark of an array hides itself from getmetatable.
    local result = debug.setmetatable({}, debug.getmetatable(value))
    for key, item in pairs(value) do
        result[key] = copy(item)
    end
    return result
end

local function lay_over(base, over)
    for key, value in pairs(over) do
        if scalar.kind(value) == "null" then
            base[key] = nil
        elseif is_object(value) and is_object(base[key]) then
            base[key] = lay_over(base[key], value)
        else
            base[key] = copy(value)
        end
    end
    return base
end

--- Lays documents over each other, later ones on top: objects are merged
--- member by member, arrays and all else replaced, null takes a member away.
--- The arguments stay as they are.
---@param base table
---@param ... table|nil
---@return table
function M.merge(base, ...)
    local result = copy(base)
    for i = 1, select("#", ...) do
        local over = select(i, ...)
        if over ~= nil then
            result = lay_over(result, over)
        end
    end
    return result
end

local function key_path(path, key)
    if math.type(key) == "integer" then
        return ("%s[%d]"):format(path, key - 1)
    elseif key:find("^[%a_][%w_]*$") then
        return path .. "." .. key
    end
    return ("%s['%s']"):format(path, key:gsub("['\\]", "\\%0"))
end

local function all_keys(a, b)
    local keys, seen = {}, {}
    for _, from in ipairs { a, b } do
        for key in pairs(from) do
            if not seen[key] then
                seen[key] = true
                keys[#keys + 1] = key
            end
        end
    end
    table.sort(keys, function(x, y)
        if type(x) == type(y) then
            return x < y
        end
        return type(x) < type(y)
    end)
    return keys
end

local function compare(path, a, b, found)
    if type(a) ~= "table" or type(b) ~= "table" then
        if a ~= b then
            found[#found + 1] = { path = path, old = a, new = b }
        end
        return found
    end
    for _, key in ipairs(all_keys(a, b)) do
        compare(key_path(path, key), a[key], b[key], found)
    end
    return found
end

--- Where two documents differ: a list of { path, old, new } in the order of
--- the paths; empty when they are equal. What is missing is nil.
---@param a table
---@param b table
---@return {path: string, old: any, new: any}[]
function M.diff(a, b)
    return compare("$", a, b, {})
end

return M
