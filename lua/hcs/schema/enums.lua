-- SPDX-License-Identifier: MIT
-- Enums of documents: what is said of texts and numbers that are none.

local builds = require "hcs.schema.builds"
local faults = require "hcs.schema.faults"
local nearest = require "hcs.schema.nearest"
local scalar = require "hcs.schema.scalar"

local M = {}

local MAX_SHOWN = 8

--- "a" or "an", and the type's name.
function M.called(t)
    return (t.name:find("^[AEIOUaeiou]") and "an " or "a ") .. t.name
end

local function list_values(ctx, t)
    local names = builds.names(ctx, t.values)
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

--- The fault of a text that is none of the values.
function M.unknown(ctx, t, text)
    local list, names = list_values(ctx, t)
    local near = nearest(text, names)
    return faults.fault(('"%s" is not %s: %s'):format(scalar.shown(text), M.called(t),
        near and ('did you mean "%s"?'):format(near) or "expected " .. list),
        { expected = names })
end

--- Nil for a number that is one of the values, or a sum of flags.
function M.number(ctx, t, number)
    local all = 0
    for _, entry in pairs(t.values) do
        if entry.value and builds.available(ctx, entry) then
            if entry.value == number then
                return nil
            end
            all = all | entry.value
        end
    end
    if t.flags and number & ~all == 0 then
        return nil
    end
    local list, names = list_values(ctx, t)
    return faults.fault(("%d is not %s: expected %s%s"):format(number, M.called(t),
        t.flags and "a sum of " or "", list), { expected = names })
end

return M
