-- SPDX-License-Identifier: MIT
-- Sizes and times as people write them: "512M", "250ms".
--
-- A reader returns the number, or nil and a sentence that the caller puts
-- after the option's name.

local M = {}

local KIB = 1024

local SIZES = { B = 1, K = KIB, M = KIB ^ 2, G = KIB ^ 3, T = KIB ^ 4 }
local TIMES = { us = 1e-6, ms = 1e-3, s = 1, m = 60, min = 60, h = 3600, d = 86400 }

-- Below this a bare number is not bytes but a slip.
local LEAST_BARE = 1 << 20

local function shown(value)
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function kind_of(value)
    return value == nil and "nothing" or "a " .. type(value)
end

-- "1.5 GiB" -> 1.5, "G"
local function split_size(text)
    local number, unit = text:match("^%s*(%d+%.?%d*)%s*(%a*)%s*$")
    unit = unit and unit:upper():gsub("^([KMGT])I?B$", "%1")
    return tonumber(number), unit
end

local function bare(number)
    local whole = math.tointeger(number)
    local text = whole and tostring(whole) or ("%g"):format(number)
    if number >= LEAST_BARE or number < 1 then
        return nil, ("%s is not a size: write text with a unit, like \"512M\""):format(text)
    end
    return nil, ("%s is not a size: did you mean \"%sM\"?"):format(text, text)
end

local function bytes_of_number(value)
    local whole = math.tointeger(value)
    if whole and whole >= LEAST_BARE then
        return whole
    end
    return bare(value)
end

--- A size in bytes: text with K, M, G or T (1024 each, "512M", "1.5G", "2GiB"),
--- or a number of bytes, which is refused below one million or so, where it
--- would be a slip (512 for "512M"). Zero is "0".
---@param value string|number
---@return integer? bytes
---@return string? problem
function M.bytes(value)
    if type(value) == "number" then
        return bytes_of_number(value)
    elseif type(value) ~= "string" then
        return nil, ("a size like \"512M\" expected, got %s"):format(kind_of(value))
    end
    local number, unit = split_size(value)
    if not number or unit ~= "" and not SIZES[unit] then
        return nil, ("%s is not a size: write a number and K, M, G or T, like \"512M\"")
            :format(shown(value))
    elseif unit == "" and number ~= 0 then
        return bare(number)
    end
    local exact = number * (SIZES[unit] or 1)
    if exact >= 2.0 ^ 63 then
        return nil, ("%s is more than 2^63 bytes"):format(shown(value))
    end
    return math.tointeger(exact // 1)
end

--- A time in seconds: a number of them, or text with us, ms, s, m, min, h or d
--- ("250ms", "1.5s", "2m").
---@param value string|number
---@return number? seconds
---@return string? problem
function M.seconds(value)
    if type(value) == "number" then
        if value ~= value or value < 0 then
            return nil, ("%s is not a time: seconds expected, 0 or more")
                :format(value ~= value and "nan" or value)
        end
        return value
    elseif type(value) ~= "string" then
        return nil, ("seconds or a time like \"250ms\" expected, got %s"):format(kind_of(value))
    end
    local number, unit = value:match("^%s*(%d*%.?%d+)%s*(%a*)%s*$")
    local factor = TIMES[unit or "?"]
    if number and unit == "" then
        return nil, ("%s is not a time: did you mean \"%ss\"?"):format(shown(value), number)
    elseif not factor then
        return nil, ("%s is not a time: write a number and us, ms, s, m, h or d, like \"250ms\"")
            :format(shown(value))
    end
    return tonumber(number) * factor
end

--- A number of bytes as text: 536870912 -> "512M". Exact: a size that is no
--- multiple keeps a smaller unit.
---@param bytes integer
---@return string
function M.size_text(bytes)
    for _, unit in ipairs { "T", "G", "M", "K" } do
        local factor = math.tointeger(SIZES[unit])
        if bytes ~= 0 and bytes % factor == 0 then
            return bytes // factor .. unit
        end
    end
    return tostring(bytes)
end

return M
