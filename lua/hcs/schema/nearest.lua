-- SPDX-License-Identifier: MIT
-- The nearest of some names, by the same rule as the host's: the fewest
-- letters to put in, take out, change or swap, case aside.

local MAX_NAME = 63

local function limit(length)
    return length <= 3 and 1 or length <= 7 and 2 or 3
end

local function fill_row(a, i, b, last, before)
    local now = { [0] = i }
    for j = 1, #b do
        local change = a:byte(i) == b:byte(j) and 0 or 1
        now[j] = math.min(last[j] + 1, now[j - 1] + 1, last[j - 1] + change)
        if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
            now[j] = math.min(now[j], before[j - 2] + 1)
        end
    end
    return now
end

local function distance(a, b)
    local before, last = nil, {}
    for j = 0, #b do
        last[j] = j
    end
    for i = 1, #a do
        before, last = last, fill_row(a, i, b, last, before)
    end
    return last[#b]
end

-- "Attach" is near to "Attachments", but no nearer than a slip.
local function away(text, name)
    local d = distance(text, name)
    local most = limit(#text)
    if d > most and #text >= 3 and name:sub(1, #text) == text then
        return most
    end
    return d
end

--- @param text   what was written
--- @param names  a sorted list
--- @return the nearest name, or nil when none is near
return function(text, names)
    if #text > MAX_NAME then
        return nil
    end
    local best, best_away = nil, limit(#text) + 1
    for _, name in ipairs(names) do
        if #name <= MAX_NAME then
            local d = away(text:lower(), name:lower())
            if d < best_away then
                best, best_away = name, d
            end
        end
    end
    return best
end
