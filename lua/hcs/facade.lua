-- SPDX-License-Identifier: MIT
-- The table a user holds: the verbs of hcs, bound to one world and one flavour
-- (plain or strict).
local add_knowledge = require "hcs.facade.knowledge"
local add_systems = require "hcs.facade.systems"
local add_tasks = require "hcs.facade.tasks"
local class = require "hcs.class"
local doc = require "hcs.doc"
local dump = require "hcs.dump"
local endpoint = require "hcs.endpoint"
local file = require "hcs.file"
local host = require "hcs.host"
local namespace = require "hcs.namespace"
local network = require "hcs.network"
local sim = require "hcs.sim"
local worlds = require "hcs.world"

require "hcs.lifecycle"
require "hcs.devices"

local facade = {}

-- The worlds behind the tables that users hold.
local worlds_of = setmetatable({}, { __mode = "k" })

--- The world of a table that `new` made.
function facade.world_of(hcs)
    return worlds_of[hcs]
end

-- What is there only on some hosts is absent elsewhere, not a stub.
local function add_optional(M, world, strict, ready)
    local functions
    return setmetatable(M, {
        __index = function(_, key)
            if key ~= "sim" or world.kind ~= "sim" then return nil end
            if not functions then
                functions = sim.functions(world, strict, ready)
                if strict then functions = class.strict_table(functions) end
            end
            return functions
        end,
        __tostring = function() return "hcs " .. world.uri end,
        __close = function() worlds.close(world) end,
    })
end

--- The table of a world.
function facade.new(world, strict)
    local function ready() return worlds.open(world) end
    local M = {}
    add_systems(M, world, strict, ready)
    add_tasks(M, world, strict, ready)
    add_knowledge(M, world, strict, ready, facade.new)
    M.file = file.functions(world, strict, ready)
    M.network = network.functions(world, strict, ready)
    M.endpoint = endpoint.functions(world, strict, ready)
    M.namespace = namespace.functions(world, strict, ready)
    M.dump = dump.functions(world, strict)
    M.doc = doc
    M.null = world.core.null
    M._VERSION = worlds.VERSION
    local about = host.functions(world, strict, ready)
    if strict then
        M = class.strict_table(M)
        M.host = host.strict(about)
    else
        M.host = about
    end
    worlds_of[M] = world
    return add_optional(M, world, strict, ready)
end

return facade
