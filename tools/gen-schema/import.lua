-- SPDX-License-Identifier: MIT
-- From the full data set to what a caller of the API can meet: the types that
-- go in or come out of a call and whatever those need, one member per line.

local part = ...
local cjson = require "cjson"
local text_of = part "text"

local M = {}

local function reachable(types)
    local wanted = {}
    local function want(name)
        local entry = types[name]
        if not entry or wanted[name] then
            return
        end
        wanted[name] = entry
        for _, member in pairs(entry.members or {}) do
            want(member.type)
        end
    end
    for name, entry in pairs(types) do
        if entry.reach then
            want(name)
        end
    end
    return wanted
end

local function write_roots(roots, types)
    local known = {}
    for _, member in ipairs(roots.anyOther) do
        if types[member:match("^(.*)%.[^.]+$")] then
            known[#known + 1] = member
        end
    end
    roots.anyOther = known
    local sections = {}
    for i, key in ipairs(text_of.sorted_keys(roots)) do
        local section, lines = roots[key], {}
        local list = #section > 0
        for _, name in ipairs(list and section or text_of.sorted_keys(section)) do
            lines[#lines + 1] = list and " " .. text_of.compact(name)
                or (" %s:%s"):format(text_of.scalar(name), text_of.compact(section[name]))
        end
        sections[i] = ("%s:%s\n%s%s"):format(text_of.scalar(key), list and "[" or "{",
            table.concat(lines, ",\n"), list and "]" or "}")
    end
    return "{\n" .. table.concat(sections, ",\n") .. "}\n"
end

--- @return the texts of the reduced shapes and roots
function M.reduce(shapes_text, roots_text)
    local data = cjson.decode(shapes_text)
    local types = reachable(data.types)
    return text_of.shapes(data, types), write_roots(cjson.decode(roots_text), types)
end

return M
