-- SPDX-License-Identifier: MIT
-- The world that both faces of the module share. Its host is opened by the
-- first call that needs one.
local facade = require "hcs.facade"
local worlds = require "hcs.world"

local default = {}

local world, plain, strict

local function shared()
    world = world or worlds.new()
    return world
end

--- The face whose failures are returned.
function default.plain()
    plain = plain or facade.new(shared(), false)
    return plain
end

--- The face whose failures are raised.
function default.strict()
    strict = strict or facade.new(shared(), true)
    return strict
end

return default
