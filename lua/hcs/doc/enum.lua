-- SPDX-License-Identifier: MIT
-- Enum texts in options: Microsoft's names in snake_case, from the tables.

local options = require "hcs.options"
local sets = require "hcs.schema.sets"
local snake_case = require "hcs.doc.snake"

-- "IovInterruptModerationOff" of IovInterruptModerationType is "off".
local function own_part(type_name, name)
    local prefix = type_name:gsub("Type$", "")
    local rest = name:sub(1, #prefix) == prefix and name:sub(#prefix + 1) or ""
    return rest ~= "" and rest or name
end

--- Microsoft's name for an option's text; underscores do not count.
---@param what string the option, for the message
---@param type_name string "AttachmentType"
---@param text string "virtual_disk"
---@param others? string[] what the option takes besides, for the message
---@return string
return function(what, type_name, text, others)
    local names = table.move(others or {}, 1, others and #others or 0, 1, {})
    local bare = text:gsub("_", "")
    for _, name in ipairs(sets.find(type_name).order) do
        local own = own_part(type_name, name)
        local plain = snake_case(own)
        if name:lower() == bare or own:lower() == bare then
            return name
        end
        names[#names + 1] = plain
    end
    local near = options.nearest(text, names)
    return options.misuse("%s: %q is unknown, expected %s%s", what, text,
        table.concat(names, ", "), near and (' (did you mean "%s"?)'):format(near) or "")
end
