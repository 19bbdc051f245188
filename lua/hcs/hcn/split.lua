-- SPDX-License-Identifier: MIT
-- Which options of a create are about the object that is made, and which about
-- its document, for a builder of hcs.doc.
local options = require "hcs.options"

local OURS = { id = "string", owner = "string", keep = "boolean", if_exists = "string",
    validate = "boolean" }

--- Takes the options of `what` ("network.create") apart: those of OURS and
--- `more`, checked, with the name; and the others.
return function(what, given, more)
    options.argument(what, "the table of options", given, "table")
    if type(given.create) == "function" then
        options.misuse("%s: a dot, not a colon: hcs.%s{ … }", what, what)
    end
    local ours, others = {}, {}
    for key, value in pairs(given) do
        if OURS[key] or more and more[key] then
            ours[key] = value
        else
            others[key] = value
        end
    end
    local known = {}
    for key, expected in pairs(OURS) do known[key] = expected end
    for key, expected in pairs(more or {}) do known[key] = expected end
    options.check(what, ours, known)
    ours.name = given.name
    return ours, others
end
