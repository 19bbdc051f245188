-- SPDX-License-Identifier: MIT
-- Plain values as one line of text, and back: what a worker tells. JSON would
-- need hcs.core, which is one of the things under test.
local literal = {}

local function text_of(value)
    return (("%q"):format(value):gsub("\\\n", "\\n"))
end

--- The line of nil, a boolean, a number, a text or a table of them.
function literal.write(value)
    if type(value) ~= "table" then
        if type(value) == "string" then return text_of(value) end
        if type(value) == "number" then return ("%q"):format(value) end
        return tostring(value == true or value == false and "false" or value)
    end
    local parts = {}
    for key, item in pairs(value) do
        parts[#parts + 1] = ("[%s]=%s"):format(literal.write(key), literal.write(item))
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

--- The value of a line, or nil when it is none.
function literal.read(line)
    local chunk = load("return " .. line, "=line", "t", {})
    local ok, value = pcall(chunk or error)
    if not ok then return nil end
    return value
end

return literal
