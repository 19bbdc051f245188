-- SPDX-License-Identifier: MIT
-- What specs share: which hosts they run on, worlds that are closed after each
-- test, and the check that nothing is left of them.
local helper = {}

local hcs = require "hcs"
local platform = require "spec.platform"

-- The hosts that the conformance specs run on.
local DEFAULT_HOSTS = {
    "sim:?strict=1&clock=virtual&driver=step",
    "sim:?strict=1&clock=virtual&driver=thread",
    "sim:?strict=1&clock=real&driver=thread",
}

--- The hosts to run on: HCS_TEST_HOST, separated by blanks, or the simulated
--- one with both drivers, on a virtual clock and on the real one.
function helper.hosts()
    local given = os.getenv("HCS_TEST_HOST")
    if not given or given == "" then return DEFAULT_HOSTS end
    local hosts = {}
    for uri in given:gmatch("%S+") do hosts[#hosts + 1] = uri end
    return hosts
end

--- A kernel that exists: the one to boot, or any file on the simulated host.
function helper.kernel()
    return os.getenv("HCS_KERNEL") or platform.here "LICENSE"
end

--- Options of a guest that boots.
function helper.guest(id, more)
    local given = {
        id = id, memory = "128M", kernel = helper.kernel(), initrd = os.getenv("HCS_INITRD"),
        cmdline = "console=ttyS0 quiet unknown_nmi_panic panic=-1",
    }
    for key, value in pairs(more or {}) do given[key] = value end
    return given
end

-- --- worlds ---------------------------------------------------------------------------

local open_worlds, before = {}, nil

--- Opens a world that is closed and checked after the test.
function helper.connect(uri, strict)
    local face = strict and require "hcs.strict" or hcs
    local world = assert(face.connect(uri))
    table.insert(open_worlds, world)
    return world
end

local function collect()
    collectgarbage()
    collectgarbage()
end

-- What Windows opens for a process when it first uses its threads and its pipes
-- stays open for good.
local warm = not platform.windows

local function warm_up(uri)
    local world <close> = require("hcs.strict").connect(uri)
    local vm <close> = world.create(helper.guest "warm")
    vm:start()
    vm:console():expect("hcs-guest: up", 10)
    vm:terminate()
end

--- To be called before each test.
function helper.before()
    if not warm then
        warm = true
        warm_up "sim:"
        for _, uri in ipairs(helper.hosts()) do
            if uri:find "^windows:" then warm_up(uri) end
        end
    end
    collect()
    before = { descriptors = platform.descriptors(), children = platform.children() }
end

--- Whether the systems of a host outlive the process that made them. They do not
--- where windows: is our DLLs over the simulated host.
function helper.outlives(uri)
    local below = uri:find "^windows:" and os.getenv "HCS_HOST" or uri
    return not below:find "^sim:"
end

--- Waits until a system's guest is up. A strict host has what is printed for those
--- alone who are there, as Windows has, and a simulated guest is up in no time: who
--- comes late asks it.
function helper.up(uri, vm)
    local console, sign = vm:console(), "hcs-guest: up"
    if not helper.outlives(uri) then
        sign = "somebody is here"
        assert(console:write(("echo %s\n"):format(sign)))
    end
    return console:expect(sign, 120)
end

-- What is left in a world. Windows' own service counts only its systems.
local function inventory(world)
    return world.host.inventory()
        or { systems = #assert(world.list()), processes = 0, handles = 0, operations = 0 }
end

-- A last close ends its system soon, not at once.
local function settle(world)
    local function empty()
        local left = inventory(world)
        return left.systems == 0 and left.processes == 0
    end
    if world.host.clock == "manual" then
        world.step(10)
    else
        world.run_until(empty, 10)
    end
end

local function assert_nothing_left(world)
    settle(world)
    local left = inventory(world)
    local text = require("hcs.inspect").show(left, { width = 400 })
    assert(left.handles == 0 and left.operations == 0, "left open: " .. text)
    assert(left.systems == 0 and left.processes == 0, "left alive: " .. text)
end

--- To be called after each test: nothing may be left of it.
function helper.after()
    collect()
    local worlds = open_worlds
    open_worlds = {}
    local ok, problem = true, nil
    for _, world in ipairs(worlds) do
        if ok then ok, problem = pcall(assert_nothing_left, world) end
        world.close()
    end
    collect()
    assert(ok, problem)
    local descriptors = platform.settles(platform.descriptors, before.descriptors)
    assert(descriptors == before.descriptors, ("%d descriptors before, %d after")
        :format(before.descriptors, descriptors))
    assert(platform.children() == before.children, "child processes are left")
end

return helper
