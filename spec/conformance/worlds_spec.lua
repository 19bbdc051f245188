-- SPDX-License-Identifier: MIT
-- Many systems in one script, several worlds in one process, and a program
-- that owns time. Simulated hosts only.
local helper = require "spec.helper"

describe("simulated worlds", function()
    before_each(helper.before)
    after_each(helper.after)

    it("run fifty systems side by side", function()
        local hcs = helper.connect("sim:?strict=1&clock=virtual", true)
        local scope <close> = hcs.scope()
        local exits = {}
        local tasks = {}
        for i = 1, 50 do
            tasks[i] = hcs.spawn(function()
                local vm = scope:create(helper.guest(("node-%02d"):format(i)))
                vm:start()
                vm:console():expect("hcs-guest: up", 60)
                if i % 2 == 0 then vm:terminate() else vm:console():write("poweroff\n") end
                local kind = vm:wait("exited", 60).document.ExitType
                exits[kind] = (exits[kind] or 0) + 1
            end)
        end
        hcs.wait_all(tasks, 600)
        assert.same({ GracefulExit = 25, ForcedExit = 25 }, exits)
        assert.equal(0, #hcs.list())
    end)

    it("keep a step's budget when many tasks are ready", function()
        local core = require "hcs.core"
        local world = helper.connect("sim:?clock=manual")
        local done = 0
        for _ = 1, 100 do
            world.spawn(function()
                local finish = core.monotonic() + 0.0005
                repeat until core.monotonic() >= finish
                done = done + 1
            end)
        end
        local finished, left = world.step(1, 0.002)
        assert.is_false(finished)
        assert.equal(1, left)
        assert.truthy(done > 0 and done < 50, done .. " tasks in 2 ms")
        for _ = 1, 100 do world.step(0, 0.002) end
        assert.equal(100, done)
    end)

    it("end a wait that nothing can end", function()
        local world = helper.connect("sim:?clock=virtual")
        local vm <close> = assert(world.create(helper.guest("idle")))
        local _, err = vm:wait("exited", math.huge)
        assert.truthy(err:is("timeout"))
        local asleep = world.spawn(function() return vm:wait("exited", math.huge) end)
        _, err = asleep:wait()
        assert.truthy(err:is("timeout"))
        assert.is_false(asleep:done())
        asleep:cancel()
        local own
        own = world.spawn(function() own:wait() end)
        local ok, mistake = pcall(own.wait, own)
        assert.is_false(ok)
        assert.truthy(mistake:find("cannot await itself", 1, true))
    end)

    it("do not see each other", function()
        local one = helper.connect("sim:?strict=1&clock=virtual&seed=1")
        local two = helper.connect("sim:?strict=1&clock=virtual&seed=2&build=19041")
        local a <close> = assert(one.create(helper.guest("same")))
        local b <close> = assert(two.create(helper.guest("same")))
        assert.equal(1, #assert(one.list()))
        assert(a:start())
        assert.equal("Running", a:state())
        assert.equal("Created", b:state())
        assert.equal(26100, one.host.build)
        assert.equal(19041, two.host.build)
        assert.is_true(one.host.can("wait_exit"))
        local can, reason = two.host.can("wait_exit")
        assert.is_false(can)
        assert.truthy(reason:find("19041"))
        one.sleep(10)
        assert.truthy(one.host.clock == "virtual")
        assert(a:terminate())
    end)

    it("repeat themselves for the same seed", function()
        local function story()
            local hcs = helper.connect("sim:?clock=virtual&seed=42")
            local vm <close> = assert(hcs.create(helper.guest("story")))
            assert(vm:start())
            assert(vm:console():expect("hcs-guest: up", 60))
            assert(vm:crash())
            local crash = assert(vm:wait("crash", 60))
            assert(vm:terminate())
            return { vm.runtime_id, crash.log, crash.time, crash.seq }
        end
        assert.same(story(), story())
    end)

    it("live in a game's frame loop", function()
        local world = helper.connect("sim:?clock=manual&seed=7")
        world.sim.guest("boss", function(g)
            g.print("boot")
            g.sleep(2)
            g.panic { log = "oops" }
        end)
        local vm <close> = assert(world.create {
            id = "boss", memory = "256M", kernel = helper.kernel(), stop_on_reset = true,
            cmdline = "panic=-1",
        })
        local log, scored, frame, at = nil, false, 0, nil
        vm:on("crash", function(crash)
            log = crash.log
            at = frame
        end)
        world.spawn(function()
            assert(vm:start())
            assert(vm:wait("exited", 30))
            scored = true
        end)
        while not (scored and log) and frame < 1000 do
            frame = frame + 1
            world.step(1 / 60, 0.002)
        end
        assert.is_true(scored)
        assert.truthy(log:find("oops", 1, true))
        assert.truthy(at >= 120 and at <= 240, at) -- a late frame's work comes in the next
    end)

    it("have a virtual clock that steps move, with either driver", function()
        for _, driver in ipairs { "step", "thread" } do
            local world = helper.connect("sim:?clock=virtual&driver=" .. driver, true)
            local vm <close> = world.create(helper.guest "stepped")
            local woke, exited
            vm:start()
            vm:on("exited", function() exited = true end)
            world.spawn(function()
                world.sleep(3)
                woke = true
            end)
            for frame = 1, 29 do
                assert.same({ true, 0 }, { world.step(0.1) }, frame)
            end
            assert.is_nil(woke)
            world.step(0.2)
            assert.is_true(woke)
            vm:console():write "poweroff\n"
            for _ = 1, 10 do world.step(0.1) end
            assert.is_true(exited)
        end
    end)

    it("refuse to wait where nobody moves the clock", function()
        local world = helper.connect("sim:?clock=manual")
        local vm <close> = assert(world.create(helper.guest("stuck")))
        local before = world.host.inventory().operations
        for _, call in ipairs {
            function() return vm:wait("exited", 5) end,
            function() return vm:stop() end,
            function() return world.sleep(1) end,
            function() return vm:console():expect("x", 5) end,
        } do
            local ok, err, code = call()
            assert.is_nil(ok)
            assert.equal("would_block", code)
            assert.truthy(err:is("would_block"))
            assert.truthy(err.hint)
        end
        assert.equal(before, world.host.inventory().operations)
        assert.equal("Created", vm:state())
        assert(vm:terminate())
    end)

    it("refuse what would block before anything is submitted", function()
        local world = helper.connect("sim:?clock=manual&latency=5ms")
        local vm, err, code = world.create(helper.guest("late"))
        assert.is_nil(vm)
        assert.equal("would_block", code)
        assert.equal("late", err.target)
        local made
        world.spawn(function()
            made = assert(world.create(helper.guest("late")))
            assert(made:terminate())
            made:close()
        end)
        for _ = 1, 100 do world.step(0.001) end
        assert.truthy(made)
    end)

    it("take hours in no time", function()
        local world = helper.connect("sim:?clock=virtual&driver=step")
        local start = require("hcs.core").monotonic()
        assert.is_true(world.sleep("1000h"))
        assert.truthy(require("hcs.core").monotonic() - start < 5)
    end)

    it("run programs that talk", function()
        local world = helper.connect("sim:?clock=virtual&strict=1", true)
        world.sim.guest(nil, function(g)
            g.sleep(0.1) -- what is printed before somebody listens is lost (strict)
            g.print("hello from " .. g.id)
            local text = g.input(5)
            g.print("you said " .. text)
            assert(g.input(0.5) == nil)
            g.poweroff()
        end)
        local vm <close> = world.create(helper.guest("talker"))
        vm:start()
        local console = vm:console()
        console:expect("hello from talker", 10)
        console:write("moin\n")
        console:expect("you said moin", 10)
        vm:wait("exited", 10)
        world.sim.guest(nil, nil)
    end)

    it("let programs handle the power button and NMIs", function()
        local world = helper.connect("sim:?clock=virtual&strict=1", true)
        local heard = {}
        world.sim.guest("buttons", function(g)
            g.on_power(function()
                heard[#heard + 1] = "power"
                g.poweroff()
            end)
            g.on_nmi(function() heard[#heard + 1] = "nmi" end)
            g.sleep(0.1)
            g.print("ready")
        end)
        local vm <close> = world.create(helper.guest("buttons", { services = { shutdown = true } }))
        vm:start()
        vm:console():expect("ready", 10)
        vm:crash()
        world.sleep(0.1)
        vm:shutdown()
        vm:wait("exited", 10)
        assert.same({ "nmi", "power" }, heard)
    end)

    it("restart a program on reboot", function()
        local world = helper.connect("sim:?clock=virtual&strict=1", true)
        local boots = 0
        world.sim.guest("phoenix", function(g)
            boots = boots + 1
            if boots < 3 then g.reboot() end
            g.triple_fault()
        end)
        local vm <close> = world.create(helper.guest("phoenix"))
        vm:start()
        local exit = vm:wait("exited", 10)
        assert.equal(3, boots)
        assert.equal("UnexpectedExit", exit.document.ExitType)
    end)
end)
