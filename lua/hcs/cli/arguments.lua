-- SPDX-License-Identifier: MIT
-- Options of a command: --name VALUE, --name=VALUE, or --name alone; and words.
local options = require "hcs.options"

local arguments = {}

-- Returns name and value, or nil and what is wrong.
local function read(list, index, known)
    local word = list[index]
    local name, value = word:match("^%-%-([%w-]+)=?(.*)$")
    if not name then return nil, ("what is %s?"):format(word) end
    local kind = known[name]
    if kind == nil then
        local near = options.nearest(name, known)
        return nil, ("there is no option --%s%s"):format(name,
            near and (" (did you mean --%s?)"):format(near) or "")
    end
    local has_value = word:find("=", 1, true) ~= nil
    if kind == "flag" then
        if has_value then return nil, ("--%s takes no value"):format(name) end
        return name, true, index + 1
    end
    if math.type(kind) == "integer" then
        if has_value or index + kind > #list then
            return nil, ("--%s wants %d values"):format(name, kind)
        end
        return name, { table.unpack(list, index + 1, index + kind) }, index + kind + 1
    end
    if has_value and value ~= "" then return name, value, index + 1 end
    if has_value or list[index + 1] == nil then
        return nil, ("--%s wants a value"):format(name)
    end
    return name, list[index + 1], index + 2
end

-- What is wrong with the value of an option or with a word, or nil.
local function problem_of(name, value, known)
    local is_word = math.type(name) == "integer"
    local label = is_word and known[name] or "--" .. name
    if value == "" then return label .. " is empty" end
    if (is_word or known[name] == "text") and not utf8.len(value) then
        return label .. " is not UTF-8"
    end
    return nil
end

--- Reads a list of arguments. `known`: option names to "text" (in UTF-8), "value"
--- (of any bytes), "flag" or how many values it has; and a list of what words there
--- may be, as a mistake is to call them. Returns a table of options and words, or
--- nil and a sentence.
function arguments.read(list, known)
    local given, index = {}, 1
    while index <= #list do
        local name, value, next_index
        if #given < #known and not list[index]:match "^%-" then
            name, value, next_index = #given + 1, list[index], index + 1
        else
            name, value, next_index = read(list, index, known)
        end
        if not name then return nil, value end
        if given[name] ~= nil then return nil, ("--%s is given twice"):format(name) end
        local problem = problem_of(name, value, known)
        if problem then return nil, problem end
        given[name], index = value, next_index
    end
    return given
end

--- The same for a command: complains and returns nil when it cannot be read.
function arguments.of(name, list, known, tools)
    local given, problem = arguments.read(list, known)
    if given then return given end
    tools.complain(("hcs %s: %s; hcs help %s says what there is\n"):format(name, problem, name))
    return nil
end

return arguments
