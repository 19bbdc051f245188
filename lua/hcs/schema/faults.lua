-- SPDX-License-Identifier: MIT
-- What walks over documents find, and the order in which they look.

local M = {}

--- A fault found far down gathers its path on the way up, in `at`.
function M.fault(message, more)
    local result = more or {}
    result.message = message
    result.at = {}
    return result
end

--- Adds what was found in the member or item `key` to what was found before it;
--- faults are a chain (`last` in the first of them is its end).
function M.gather(faults, bad, key)
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

--- Whether the walk is over.
function M.enough(ctx, faults)
    return faults and not ctx.all
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

--- An iterator over members: sorted, so that the first fault is always the same
--- one, or as they come where it is only asked whether there is a fault.
function M.each(ctx, value)
    if ctx.hasty then
        return next, value
    end
    local keys, i = sorted_keys(value), 0
    return function()
        i = i + 1
        return keys[i], value[keys[i]]
    end
end

function M.key_text(key)
    return type(key) == "string" and key or tostring(key)
end

return M
