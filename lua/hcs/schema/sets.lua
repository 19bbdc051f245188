-- SPDX-License-Identifier: MIT
-- Which set of shapes a type is in: those of HCS, or those of HCN.
--
-- A name that both have ("ModifySettingRequest", "Version") is HCS'; HCN's is
-- told apart as "hcn.Version".

local scalar = require "hcs.schema.scalar"

local hcs, hcn = require "hcs.schema.hcs", require "hcs.schema.hcn"

local M = { list = { hcs, hcn } }

--- The type and its set; a scalar is its own name. Nil for an unknown name.
---@param name any
---@return table|string|nil type, table set
function M.find(name)
    if type(name) ~= "string" then
        return nil, hcs
    end
    for _, set in ipairs(M.list) do
        local bare = name:match("^" .. set.name .. "%.(.+)$")
        if bare then
            return set.types[bare], set
        end
    end
    if not hcs.types[name] and hcn.types[name] then
        return hcn.types[name], hcn
    end
    return hcs.types[name] or scalar.is[name] and name or nil, hcs
end

--- The names of all types, sorted.
---@return string[] names
function M.names()
    local names, seen = {}, {}
    for _, set in ipairs(M.list) do
        for name in pairs(set.types) do
            if not seen[name] then
                seen[name] = true
                names[#names + 1] = name
            end
        end
    end
    table.sort(names)
    return names
end

return M
