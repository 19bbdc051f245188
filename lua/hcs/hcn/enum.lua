-- SPDX-License-Identifier: MIT
-- Enum values of the network service's documents as texts of ours.
local enum = require "hcs.doc.enum"
local schema = require "hcs.schema.hcn"
local snake_case = require "hcs.doc.snake"

local M = {}

--- Our text for a value in a document, a text or a number; what is absent is the
--- first of its kind.
function M.text(type_name, value)
    if value == nil then value = 0 end
    for name, entry in pairs(schema.types[type_name].values) do
        if entry.value == value or type(value) == "string" and name:lower() == value:lower() then
            return snake_case(name)
        end
    end
    return tostring(value)
end

--- The same for what a caller chose, which may be written in other ways.
function M.chosen(what, type_name, text)
    return snake_case(enum(what, type_name, text:lower()))
end

return M
