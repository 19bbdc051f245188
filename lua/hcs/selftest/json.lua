-- SPDX-License-Identifier: MIT
-- A report as JSON, indented, names sorted: written here, because hcs.core and
-- lua-cjson are among what is tested and may not be there.
local json = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- What is not UTF-8, such as a message in a code page, loses what is not ASCII.
local function text_of(text)
    if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
    return '"' .. text:gsub('[%c"\\\127]', function(letter)
        return ESCAPES[letter] or ("\\u%04x"):format(letter:byte())
    end) .. '"'
end

local function number_of(value)
    if math.type(value) == "integer" then return ("%d"):format(value) end
    if value ~= value or value == math.huge or value == -math.huge then return "null" end
    return (("%.6f"):format(value):gsub("0+$", ""):gsub("%.$", ".0"))
end

local function lines_of(open, close, parts, indent)
    if #parts == 0 then return open .. close end
    local inner = ("  "):rep(indent + 1)
    return open .. "\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n"
        .. ("  "):rep(indent) .. close
end

local write

local function write_list(value, indent)
    local parts = {}
    for index, item in ipairs(value) do parts[index] = write(item, indent + 1) end
    return lines_of("[", "]", parts, indent)
end

local function write_object(value, indent)
    local names, parts = {}, {}
    for name in pairs(value) do names[#names + 1] = tostring(name) end
    table.sort(names)
    for index, name in ipairs(names) do
        parts[index] = text_of(name) .. ": " .. write(value[name], indent + 1)
    end
    return lines_of("{", "}", parts, indent)
end

function write(value, indent)
    local kind = type(value)
    if kind == "string" then return text_of(value) end
    if kind == "number" then return number_of(value) end
    if kind ~= "table" then return kind == "boolean" and tostring(value) or "null" end
    if value[1] ~= nil then return write_list(value, indent) end
    return write_object(value, indent)
end

--- The text of a value: tables with an element 1 are arrays, other tables
--- objects with texts as names.
function json.write(value)
    return write(value, 0) .. "\n"
end

return json
