-- SPDX-License-Identifier: MIT
-- Checks of what callers pass: option tables, argument types. A mistake is
-- raised at the line of the caller, whatever lies between it and us.
local options = {}

local HERE = debug.getinfo(1, "S").source:match("^(.*[/\\])[^/\\]*$") or "@"

-- A mistake where no caller can be seen: in a coroutine of ours, or under a
-- program of ours.
local Mistake = { __name = "hcs.Mistake", __tostring = function(self) return self.text end }

local programs = setmetatable({}, { __mode = "k" }) -- functions that nobody's code calls

-- The level (for the function that asks) of the first Lua frame that is not
-- this library's own; nil when this coroutine, or a program of ours, has none.
local function callers_level()
    local level = 2
    while true do
        local info = debug.getinfo(level, "Sf")
        if not info or programs[info.func] then return nil end
        if info.what ~= "C" and info.source:sub(1, #HERE) ~= HERE then
            return level - 1
        end
        level = level + 1
    end
end

--- Raises a mistake of the caller at the caller's line.
function options.misuse(format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    local level = callers_level()
    if not level then error(setmetatable({ text = text }, Mistake), 0) end
    error(text, level)
end

--- Raises what came out of a coroutine of ours, a mistake at the caller's line.
function options.pass_on(err)
    if getmetatable(err) == Mistake then options.misuse("%s", err.text) end
    error(err, 0)
end

--- Says that `fn` runs a program of this library: who calls it made no mistake that
--- is found under it.
function options.program(fn)
    programs[fn] = true
end

--- The text of a mistake that has no caller; nil for all else that can be raised.
function options.mistake(err)
    return getmetatable(err) == Mistake and err.text or nil
end

--- "file:line" of the caller, for errors that are objects.
function options.caller()
    local level = callers_level()
    local info = level and debug.getinfo(level, "Sl")
    if not info or info.currentline < 0 then return nil end
    return info.short_src .. ":" .. info.currentline
end

local function distance(a, b)
    local previous, current = {}, {}
    for j = 0, #b do previous[j] = j end
    for i = 1, #a do
        current[0] = i
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j) and 0 or 1
            current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + same)
        end
        previous, current = current, previous
    end
    return previous[#b]
end

--- The name in `names` (a list or the keys of a map) that is most like
--- `name`, or nil when none is near.
function options.nearest(name, names)
    local best, best_distance
    local function try(candidate)
        if type(candidate) ~= "string" then return end
        local d = distance(name:lower(), candidate:lower())
        if not best or d < best_distance or (d == best_distance and candidate < best) then
            best, best_distance = candidate, d
        end
    end
    for key, value in pairs(names) do
        try(type(key) == "string" and key or value)
    end
    if best and best_distance <= math.max(1, #name // 3 + 1) then return best end
    return nil
end

local function type_of(value)
    return math.type(value) == "integer" and "integer" or type(value)
end

-- "type|type" as a set; the same few come again and again.
local sets = {}

local function set_of(expected)
    local set = sets[expected]
    if not set then
        set = {}
        for one in expected:gmatch("[^|]+") do set[one] = true end
        sets[expected] = set
    end
    return set
end

local function fits(value, expected)
    local set = set_of(expected)
    return set.any or set[type(value)] or set[type_of(value)] or false
end

local WORDS = {
    boolean = "true or false", integer = "an integer", number = "a number",
    string = "a text", table = "a table", ["function"] = "a function",
}

local LONGEST = 40 -- bytes of a value that a message shows

-- "string|table" -> "a text or a table"; nil is a choice nobody need be told.
local function words_of(expected)
    local words = {}
    for one in expected:gmatch("[^|]+") do
        if one ~= "nil" then words[#words + 1] = WORDS[one] or one end
    end
    return table.concat(words, " or ")
end

-- What a caller passed, as he wrote it where that is short.
local function shown(value)
    local kind = type(value)
    if kind == "string" then
        return #value <= LONGEST and ("%q"):format(value) or "a text"
    elseif kind == "number" or kind == "boolean" then
        return tostring(value)
    end
    return "a " .. kind
end

-- Says that `name` does not fit.
local function refuse(what, name, value, expected)
    if value == nil then
        options.misuse("%s: %s is missing, expected %s", what, name, words_of(expected))
    end
    options.misuse("%s: %s is %s, expected %s", what, name, shown(value), words_of(expected))
end

-- A list where names are expected is worth a word of its own.
local function unknown(what, key, value, known)
    local near = type(key) == "string" and options.nearest(key, known)
    if math.type(key) == "integer" and type(value) == "string" and known[value] then
        options.misuse("%s: options go by name, not in a list: { %s = … }", what, value)
    end
    options.misuse("%s: unknown option %s%s", what,
        type(key) == "string" and '"' .. key .. '"' or "[" .. tostring(key) .. "]",
        near and (' (did you mean "%s"?)'):format(near) or "")
end

--- Stands for the type of an option that is settled but not there yet.
options.LATER = "later"

--- Checks an option table against `known` ({name = "type|type"}); `what` names
--- the call in the message. Returns the table, or an empty one for nil.
function options.check(what, given, known)
    if given == nil then return {} end
    if type(given) ~= "table" then
        options.misuse("%s: a table of options expected, got %s", what, shown(given))
    end
    for key, value in pairs(given) do
        local expected = known[key]
        if expected == options.LATER then
            options.misuse('%s: option "%s" is not supported by this version', what, key)
        elseif not expected then
            unknown(what, key, value, known)
        elseif not fits(value, expected) then
            refuse(what, 'option "' .. key .. '"', value, expected)
        end
    end
    return given
end

--- Checks one argument.
function options.argument(what, name, value, expected)
    if not fits(value, expected) then refuse(what, name, value, expected) end
    return value
end

--- Checks that `value` is one of the texts in `list`.
function options.one_of(what, name, value, list)
    for _, item in ipairs(list) do
        if item == value then return value end
    end
    local near = type(value) == "string" and options.nearest(value, list)
    options.misuse("%s: %s is %s, expected %s%s", what, name,
        value == nil and "missing" or shown(value),
        '"' .. table.concat(list, '", "') .. '"',
        near and (' (did you mean "%s"?)'):format(near) or "")
end

return options
