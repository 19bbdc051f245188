-- SPDX-License-Identifier: MIT
-- Enum texts in options: Microsoft's names in snake_case, from the tables.

local options = require "hcs.options"
local schema = require "hcs.schema.hcs"

--- "VirtualDisk" -> "virtual_disk", "KDump" -> "k_dump".
local function snake_case(name)
    return (name:gsub("(%l)(%u)", "%1_%2"):gsub("(%u)(%u%l)", "%1_%2"):lower())
end

--- Microsoft's name for an option's text.
---@param what string the option, for the message
---@param type_name string "AttachmentType"
---@param text string "virtual_disk"
---@return string
return function(what, type_name, text)
    local names = {}
    for _, name in ipairs(schema.types[type_name].order) do
        local plain = snake_case(name)
        if plain == text then
            return name
        end
        names[#names + 1] = plain
    end
    return options.misuse("%s: %q is unknown, expected %s", what, text,
        table.concat(names, ", "))
end
