-- SPDX-License-Identifier: MIT
-- Scalars of documents: which Lua values they may be. Each check returns nil,
-- or a sentence about what is wrong.

local M = {}

-- Past this a float no longer says which whole number it is.
local EXACT = 1 << 53

local RANGES = {
    uint8 = { 0, 255 },
    uint16 = { 0, 65535 },
    uint32 = { 0, 4294967295 },
    int8 = { -128, 127 },
    int32 = { -2147483648, 2147483647 },
    int64 = { math.mininteger, math.maxinteger },
    -- The same 64 bits: a negative integer is a number past 2^63.
    uint64 = { math.mininteger, math.maxinteger, "0 to 18446744073709551615" },
}

local function range_words(scalar)
    local range = RANGES[scalar]
    return "a whole number from " .. (range[3] or ("%d to %d"):format(range[1], range[2]))
end

--- The names of all scalars, as a set.
M.is = { string = true, bool = true, double = true, guid = true, datetime = true,
    bytes = true, any = true }
for name in pairs(RANGES) do
    M.is[name] = true
end

--- What a value is, in the words of JSON: "null" "boolean" "number" "string"
--- "array" "object", "empty" (a table that may be either) or "other".
function M.kind(value)
    local kind = type(value)
    if kind == "userdata" and not getmetatable(value) then
        return "null"
    elseif kind ~= "table" then
        return (kind == "boolean" or kind == "number" or kind == "string") and kind or "other"
    end
    -- hcs.array hides its metatable behind false.
    if getmetatable(value) == false then
        return "array"
    end
    local first = next(value)
    if first == nil then
        return "empty"
    elseif type(first) == "string" then
        return "object"
    end
    local count, length = 0, #value
    for key in pairs(value) do
        if math.type(key) ~= "integer" or key < 1 or key > length then
            return "object"
        end
        count = count + 1
    end
    return count == length and "array" or "object"
end

local WORDS = { null = "null", string = "a string", array = "an array",
    object = "an object", empty = "an object" }

--- "expected <wanted>, found <what is there>".
function M.mismatch(wanted, value)
    local kind = M.kind(value)
    local found = WORDS[kind]
    if kind == "boolean" then
        found = tostring(value)
    elseif kind == "number" then
        found = "a number"
        if wanted:find("^a whole") then
            local whole = math.tointeger(value)
            found = whole and ("%d"):format(whole) or "a number with a fraction or an exponent"
        end
    end
    return ("expected %s, found %s"):format(wanted, found or "a Lua " .. type(value))
end

--- Text as a message may show it: cut, without control characters.
function M.shown(text)
    local cut = text
    if #text > 64 then
        local length = 64
        while length > 0 and (text:byte(length + 1) & 0xC0) == 0x80 do
            length = length - 1
        end
        cut = text:sub(1, length)
    end
    return cut:gsub("[\0-\x1f\x7f]", "?") .. (#cut < #text and "…" or "")
end

local function check_whole(value, scalar)
    local whole = type(value) == "number" and math.tointeger(value)
    local range = RANGES[scalar]
    if not whole or whole < range[1] or whole > range[2]
        or math.type(value) == "float" and math.abs(value) > EXACT then
        return M.mismatch(range_words(scalar), value)
    end
    return nil
end

local function is_guid(text)
    local hex = text:gsub("%x", "x")
    return hex == "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
end

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_day(year, month, day)
    local leap = year % 4 == 0 and year % 100 ~= 0 or year % 400 == 0
    local last = month == 2 and leap and 29 or DAYS[month]
    return last and day >= 1 and day <= last
end

local function is_zone(text)
    local hour, minute = text:match("^[+-](%d%d):(%d%d)$")
    return text == "Z" or hour and tonumber(hour) <= 23 and tonumber(minute) <= 59
end

local function is_datetime(text)
    local year, month, day, hour, minute, second, tail =
        text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(.+)$")
    if not year or not is_day(tonumber(year), tonumber(month), tonumber(day))
        or tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 59 then
        return false
    end
    local digits, zone = tail:match("^%.(%d+)(.*)$")
    if digits and #digits > 9 then
        return false
    end
    return is_zone(digits and zone or tail)
end

local function is_base64(text)
    return #text % 4 == 0 and text:find("^[%w+/]*=?=?$") ~= nil
end

local FORMATS = {
    guid = { is_guid, '"%s" is not a GUID: expected text like '
        .. '"01234567-89ab-cdef-0123-456789abcdef"' },
    datetime = { is_datetime, '"%s" is not a time: expected text like '
        .. '"2026-01-02T03:04:05.1234567Z"' },
    bytes = { is_base64, "expected bytes as base64 text" },
}

local function check_text(value, scalar)
    if type(value) ~= "string" then
        return M.mismatch("a string", value)
    elseif value:find("\0", 1, true) then
        return "a string here may not hold a NUL"
    end
    local format = FORMATS[scalar]
    if format and not format[1](value) then
        return format[2]:format(M.shown(value))
    end
    return nil
end

--- @return nil, or what is wrong with `value` as a `scalar`
function M.check(value, scalar)
    if scalar == "any" then
        return nil
    elseif scalar == "bool" then
        return type(value) ~= "boolean" and M.mismatch("true or false", value) or nil
    elseif scalar == "double" then
        return type(value) ~= "number" and M.mismatch("a number", value) or nil
    elseif RANGES[scalar] then
        return check_whole(value, scalar)
    end
    return check_text(value, scalar)
end

-- Decimal digits without leading zeros, not past the end of the type.
local function is_index(key, most)
    if not key:find("^[1-9]%d*$") and key ~= "0" then
        return false
    end
    local last = tostring(most)
    return #key < #last or #key == #last and key <= last
end

--- @return nil, or what is wrong with `key` in a map with keys of `scalar`
function M.check_key(key, scalar)
    if type(key) ~= "string" then
        return ("the key %s is a %s: write it as text"):format(tostring(key), type(key))
    elseif scalar == "string" or scalar == "guid" and is_guid(key) then
        return nil
    elseif scalar == "guid" then
        return ('the key "%s" is not a GUID'):format(M.shown(key))
    end
    local most = scalar == "uint64" and "18446744073709551615" or RANGES[scalar][2]
    if is_index(key, most) then
        return nil
    end
    return ('the key "%s" is not %s'):format(M.shown(key), range_words(scalar))
end

return M
