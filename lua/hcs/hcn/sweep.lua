-- SPDX-License-Identifier: MIT
-- Cleaning up: endpoints, namespaces and networks whose maker is dead.
local endpoints = require "hcs.endpoint"
local namespaces = require "hcs.namespace"
local networks = require "hcs.network"
local object = require "hcs.hcn.object"
local owner = require "hcs.owner"

local function is_dead(world, record)
    return record.tag ~= nil and owner.is_dead(world.core, record.tag)
end

-- The ids of the networks that somebody still uses.
local function used_networks(world)
    local used = {}
    local list, err, code = object.list(world, endpoints.kind, nil,
        function(record) return not is_dead(world, record) end)
    if not list then return nil, err, code end
    for _, record in ipairs(list) do used[record.network:lower()] = true end
    return used
end

local function remove(world, kind, record, deadline)
    local fields = { op = "sweep", target = record.name or record.id }
    local ok, err, code = object.delete(world, kind, fields, record.id, deadline)
    if not ok and not err:is("not_found") then return nil, err, code end
    return true
end

local function sweep_kind(world, kind, given, keep, swept, deadline)
    local records, err, code = object.list(world, kind, nil, function(record)
        return is_dead(world, record) and (not given.owner or record.owner == given.owner)
            and not keep[record.id:lower()]
    end)
    if not records then return nil, err, code end
    for _, record in ipairs(records) do
        if not given.dry_run then
            local ok
            ok, err, code = remove(world, kind, record, deadline)
            if not ok then return nil, err, code end
        end
        swept[#swept + 1] = record
    end
    return true
end

--- Deletes what dead makers left, and adds its records to `swept`. A network that
--- has an endpoint of somebody's stays.
return function(world, given, swept, deadline)
    local used, err, code = used_networks(world)
    if not used then
        -- Where we may see no networks we have made none.
        if err:is("unsupported", "access_denied", "unavailable") then return true end
        return nil, err, code
    end
    for _, kind in ipairs { endpoints.kind, namespaces.kind, networks.kind } do
        local ok
        local keep = kind == networks.kind and used or {}
        ok, err, code = sweep_kind(world, kind, given, keep, swept, deadline)
        if not ok then return nil, err, code end
    end
    return true
end
