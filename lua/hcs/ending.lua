-- SPDX-License-Identifier: MIT
-- The ids of systems that end because we closed them. A host takes a moment
-- for that, and whoever makes a system of the same id at once has to wait it
-- out. Ids are forgotten after a while, in two generations.
local loop = require "hcs.loop"

local ending = {}

--- Seconds that an ended system may still be listed.
ending.GONE = 10

--- What a world starts with.
function ending.new()
    return { ids = {}, before = {}, turn = -math.huge }
end

--- Takes note that the system `id` is about to end.
function ending.note(world, id)
    local known = world.ending
    local now = loop.now(world)
    if now >= known.turn then
        known.before, known.ids = known.ids, {}
        known.turn = now + ending.GONE
    end
    known.ids[id] = true
end

local function is_open(world, id)
    for _, system in pairs(world.systems) do
        if system.id == id then return true end
    end
    return false
end

--- Whether the system `id`, which is there, can be expected to go by itself.
function ending.expected(world, id)
    local known = world.ending
    return (known.ids[id] or known.before[id]) ~= nil and not is_open(world, id)
end

--- The id is another system's by now.
function ending.forget(world, id)
    world.ending.ids[id], world.ending.before[id] = nil, nil
end

return ending
