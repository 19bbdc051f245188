-- SPDX-License-Identifier: MIT
-- The SchemaVersion that a document needs, by what it uses.

local schema = require "hcs.schema.hcs"
local version_of_build = require("hcs.schema.builds").version_of_build

local needed

local function greater(a, b)
    return a > b and a or b
end

local function needed_by_items(m, value)
    if not m.of or type(value) ~= "table" then
        return m.of and needed(m.of, value) or 0
    elseif not m.array and not m.map then
        return needed(m.of, value)
    end
    local minor = 0
    for _, item in pairs(value) do
        minor = greater(minor, m.map and m.array
            and needed_by_items({ of = m.of, array = true }, item) or needed(m.of, item))
    end
    return minor
end

function needed(t, value)
    if t.kind == "enum" then
        local entry = t.values[value]
        return entry and entry.minor or 0
    elseif type(value) ~= "table" then
        return 0
    end
    local minor = 0
    for name, item in pairs(value) do
        local m = t.members[name]
        if m then
            minor = greater(minor, greater(m.minor, needed_by_items(m, item)))
        end
    end
    return minor
end

--- The lowest version that has all a ComputeSystem document uses, and 2.1 at
--- least, which every build has. Never one that the build does not have: what
--- it lacks is then said of the member that needs it.
---@param document table
---@param build? integer
---@return integer major, integer minor
return function(document, build)
    local minor = greater(1, needed(schema.types.ComputeSystem, document))
    local major, most = version_of_build(build or math.maxinteger)
    return 2, major == 2 and math.min(minor, most) or minor
end
