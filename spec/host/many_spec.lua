-- SPDX-License-Identifier: MIT
-- Many systems, handles, processes and roots at once; and that what they took
-- is given back.
local hcs = require "hcs.strict"
local platform = require "spec.platform"
local support = require "spec.host.support"

-- What this process holds: descriptors, threads, children that are not reaped.
local function holdings()
    collectgarbage()
    return { platform.descriptors(), platform.threads(), platform.children() }
end

-- Soon: a thread that has ended is there for a moment longer.
local function assert_held(before)
    local now
    support.eventually(2, function()
        now = holdings()
        return now[1] == before[1] and now[2] == before[2] and now[3] == before[3]
    end)
    assert.are.same(before, now)
end

local function descriptors(pid)
    return tonumber(support.output(("ls /proc/%d/fd | wc -l"):format(pid)))
end

-- Kilobytes of a process that are its own.
local function memory(pid)
    local text = support.read(("/proc/%d/smaps_rollup"):format(pid))
    return tonumber(text:match "Private_Dirty:%s*(%d+)")
end

local function worker_of(vm)
    local qemu = support.processes("qemu-system", vm.runtime_id)[1]
    return math.tointeger(support.read(("/proc/%d/stat"):format(qemu)):match "%) %a (%d+)")
end

describe("many real systems", function()
    after_each(support.nothing_left)
    after_each(support.forget_scripts)
    teardown(support.finish)

    it("run at once", function()
        local scope <close> = hcs.scope()
        local tasks, known = {}, {}
        for i = 1, 4 do
            tasks[i] = hcs.spawn(function()
                local vm = scope:create(support.options "four")
                support.boot(vm)
                vm:console():write("echo number " .. i .. "\n")
                known[vm.id] = vm:console():expect("number " .. i, 60)
            end)
        end
        hcs.wait_all(tasks, 240)
        local running = hcs.list { state = "running" }
        assert.are.equal(4, #running)
        for _, record in ipairs(running) do assert.is_truthy(known[record.id]) end
    end)

    it("leave no descriptors and threads behind", function()
        support.clone("first"):close()
        support.nothing_left()
        local before = holdings()
        for round = 1, 8 do
            local vm <close> = support.clone "turn"
            support.sh(vm, "true")
            if round % 2 == 0 then
                vm:terminate()
                vm:wait("exited", 10)
            end
        end
        support.nothing_left()
        assert_held(before)
    end)

    it("are opened and closed a thousand times", function()
        local vm <close> = support.clone "door"
        local worker = worker_of(vm)
        for _ = 1, 20 do hcs.open(vm.id):close() end
        local before, open = holdings(), descriptors(worker)
        local size = memory(worker)
        for _ = 1, 1000 do
            local other <close> = hcs.open(vm.id)
            assert.are.equal("Running", other:state())
        end
        assert_held(before)
        assert.is_true(support.eventually(2, function()
            return descriptors(worker) == open
        end))
        assert.is_true(memory(worker) - size < 512, memory(worker) - size)
        assert.are.equal("Running", vm:state())
    end)

    it("flood their consoles without their workers growing", function()
        local vm <close> = support.clone "flood"
        vm:console():write "flood\n"
        vm:console():expect("hcs-guest: flood 2000 ", 60)
        local worker = worker_of(vm)
        local other = support.connect_pipe(vm) -- who never reads
        hcs.sleep(5)
        assert.is_true(memory(worker) < 4096, memory(worker)) -- the console's last MiB, and itself
        other:close()
    end)

    it("of one id are one: of all who make it one wins", function()
        local RACE = [[
            while not support.size "%s" do hcs.sleep(0.001) end
            local ok, vm = pcall(hcs.create, support.options("race", { id = "spec-race" }))
            print(ok and "won" or ("%%X"):format(vm.hresult))
            if ok then hcs.sleep(60) end
        ]]
        local gun = support.temporary "gun"
        local pids, outs = {}, {}
        for i = 1, 4 do pids[i], outs[i] = support.script(RACE:format(gun)) end
        hcs.sleep(0.3)
        assert(io.open(gun, "w")):close()
        local won, lost = {}, 0
        for i, out in ipairs(outs) do
            assert(support.eventually(20, function() return out():find "\n" end), out())
            if out() == "won\n" then won[#won + 1] = pids[i] end
            if out() == "8037010F\n" then lost = lost + 1 end
        end
        assert.are.equal(1, #won)
        assert.are.equal(3, lost)
        os.remove(gun)
        support.kill(won[1])
    end)

    it("of one id live in two roots and do not know each other", function()
        local root = support.temporary "root"
        local world <close> = hcs.connect("qemu:?root=" .. root)
        local here <close> = support.clone("twin", { id = "spec-twin" })
        local there = world.create(support.options("twin", { id = "spec-twin" }))
        there:start()
        assert.are.equal(1, #world.list())
        here:terminate()
        here:wait("exited", 10)
        assert.are.equal("Running", there:state())
        there:close()
        assert.is_true(support.eventually(2, function()
            return world.host.inventory().systems == 0
        end))
        world.close()
        os.execute("rm -rf " .. root)
    end)
end)
