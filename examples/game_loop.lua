-- A game's frame loop owns time: guests live in frames, at most 2 ms of work each.
-- host: sim
local hcs = require "hcs"

local FRAME = 1 / 60

local world = assert(hcs.connect "sim:?clock=manual&seed=7")
local score, explosion, frame = 0, nil, 0

world.sim.guest("boss", function(g)
    g.print("boot")
    g.sleep(2)
    g.panic { log = "oops: the boss overheated" }
end)

local vm

world.spawn(function()
    vm = assert(world.create { id = "boss", memory = "256M", kernel = world.host.kernel })
    vm:on("crash", function(crash)
        explosion = ("frame %d: %s"):format(frame, crash.log)
    end)
    assert(vm:start())
    assert(vm:wait("crash", 30))
    score = score + 100
end)

-- The game itself: it moves, and is told what happened since the last frame.
local function update(dt)
    world.step(dt, 0.002)
    frame = frame + 1
end

while not (explosion and score > 0) and frame < 600 do
    update(FRAME)
end

print("frames", frame)
print("game time", ("%.2f s"):format(frame * FRAME))
print("explosion", explosion)
print("score", score)
if vm then vm:close() end
world.close()
