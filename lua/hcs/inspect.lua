-- SPDX-License-Identifier: MIT
-- Values as people read them: tables with their keys sorted, cut where they
-- get deep or long. What has a text of its own (__tostring) shows that.
local inspect = {}

local DEPTH, WIDTH, ITEMS = 6, 78, 64

local function is_name(key)
    return type(key) == "string" and key:match("^[%a_][%w_]*$")
end

local function order(a, b)
    local x, y = type(a), type(b)
    if x ~= y then return x < y end
    if x == "number" or x == "string" then return a < b end
    return tostring(a) < tostring(b)
end

local function keys_of(value, shown)
    local keys = {}
    for key in next, value do
        local listed = math.type(key) == "integer" and key >= 1 and key <= shown
        local private = type(key) == "string" and key:sub(1, 1) == "_"
        if not listed and not private then keys[#keys + 1] = key end
    end
    table.sort(keys, order)
    return keys
end

local function text_of(value)
    local mt = getmetatable(value)
    if type(mt) == "table" and rawget(mt, "__tostring") then return tostring(value) end
    return nil
end

local show

local function key_text(key, state, depth)
    if is_name(key) then return key .. " = " end
    return "[" .. show(key, state, depth) .. "] = "
end

local function parts_of(value, state, depth)
    local parts = {}
    local length = math.min(#value, ITEMS)
    for index = 1, length do parts[#parts + 1] = show(value[index], state, depth + 1) end
    if #value > length then parts[#parts + 1] = ("… %d more"):format(#value - length) end
    local keys = keys_of(value, #value)
    for index, key in ipairs(keys) do
        if index > ITEMS then
            parts[#parts + 1] = ("… %d more"):format(#keys - ITEMS)
            break
        end
        local text = key_text(key, state, depth + 1)
        parts[#parts + 1] = text .. show(value[key], state, depth + 1, #text + 1)
    end
    return parts
end

-- `taken`: how much of the line is used by the key and what follows.
local function show_table(value, state, depth, taken)
    if state.seen[value] then return "{ … }" end
    if depth >= state.depth then return next(value) == nil and "{}" or "{ … }" end
    state.seen[value] = true
    local parts = parts_of(value, state, depth)
    state.seen[value] = nil
    if #parts == 0 then return "{}" end
    local line = "{ " .. table.concat(parts, ", ") .. " }"
    local fits = #line + depth * 2 + taken <= state.width
    if fits and not line:find("\n", 1, true) then return line end
    local outer, inner = ("  "):rep(depth), ("  "):rep(depth + 1)
    return "{\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n" .. outer .. "}"
end

function show(value, state, depth, taken)
    local kind = type(value)
    if kind == "string" then
        return (("%q"):format(value):gsub("\\\n", "\\n"):gsub("\\r", "\\r"))
    end
    local own = text_of(value)
    if own then return own end
    if kind == "table" then return show_table(value, state, depth, taken or 0) end
    return tostring(value)
end

--- The text of a value. `settings`: depth, width.
---@param value any
---@param settings? {depth: integer, width: integer}
---@return string
function inspect.show(value, settings)
    settings = settings or {}
    local state = { seen = {}, depth = settings.depth or DEPTH, width = settings.width or WIDTH }
    return show(value, state, 0)
end

return inspect
