-- SPDX-License-Identifier: MIT
local fake = require "spec.unit.fake_core"

describe("tasks", function()
    local hcs, host

    before_each(function() hcs, host = fake.hcs() end)

    it("run with the next wait, in order, and hand over results", function()
        local log = {}
        local a = hcs.spawn(function(x) log[#log + 1] = "a" .. x return 1, nil, 3 end, 7)
        local b = hcs.spawn(function() log[#log + 1] = "b" return "b" end)
        assert.same({}, log)
        assert.is_false(a:done())
        assert.same({ 1, nil, 3 }, { a:wait() })
        assert.equal("b", b:wait())
        assert.same({ "a7", "b" }, log)
        assert.is_true(a:done())
        assert.equal('hcs.Task "task" (done)', tostring(a))
    end)

    it("sleep in the host's time, side by side", function()
        local log = {}
        for i, seconds in ipairs { 3, 1, 2 } do
            hcs.spawn(function()
                hcs.sleep(seconds)
                log[#log + 1] = i
            end)
        end
        hcs.sleep("5s")
        assert.same({ 2, 3, 1 }, log)
        assert.equal(5, host.time)
    end)

    it("time out without harm", function()
        local task = hcs.spawn(function()
            hcs.sleep(10)
            return "late"
        end)
        local result, err, code = task:wait(1)
        assert.is_nil(result)
        assert.equal("timeout", code)
        assert.is_true(err:is("timeout"))
        assert.equal(1, host.time)
        assert.equal("late", task:wait())
    end)

    it("wait for each other", function()
        local inner = hcs.spawn(function()
            hcs.sleep(1)
            return "inner"
        end)
        local outer = hcs.spawn(function() return inner:wait() .. "!" end)
        assert.equal("inner!", outer:wait())
    end)

    it("are cancelled where they wait, and close what they hold", function()
        local closed = false
        local task = hcs.spawn(function()
            local guard <close> = setmetatable({}, { __close = function() closed = true end })
            hcs.sleep(100)
            return guard
        end)
        hcs.poll(0)
        assert.is_true(task:cancel())
        assert.is_true(closed)
        assert.is_true(task:done())
        assert.is_true(task:cancel())
        local result, err = task:wait()
        assert.is_nil(result)
        assert.is_true(err:is("cancelled"))
        assert.equal(0, host.world.timers.count)
    end)

    it("are waited for also when there are none", function()
        assert.same({}, hcs.wait_all {})
        local ok, err = pcall(hcs.wait_any, {})
        assert.is_false(ok)
        assert.truthy(err:find("the list is empty", 1, true))
        local other = fake.hcs()
        ok, err = pcall(hcs.wait_any, { other.spawn(print) })
        assert.is_false(ok)
        assert.truthy(err:find("of another world", 1, true))
        other.close()
        ok, err = pcall(hcs.sleep)
        assert.is_false(ok)
        assert.truthy(err:find("sleep: the time is missing", 1, true))
    end)

    it("may cancel themselves", function()
        local reached = false
        local task
        task = hcs.spawn(function()
            task:cancel()
            reached = true
        end)
        local result, err = task:wait()
        assert.is_nil(result)
        assert.is_true(err:is("cancelled"))
        assert.is_false(reached)
    end)

    it("raise what they raised in who waits, with its traceback", function()
        local task = hcs.spawn(function() error("mistake") end)
        local ok, err = pcall(task.wait, task)
        assert.is_false(ok)
        assert.truthy(err:find("mistake", 1, true))
        assert.truthy(err:find("traceback", 1, true))
    end)

    it("raise out of the pump when nobody waits", function()
        hcs.spawn(function() error("nobody heard") end)
        local ok, err = pcall(hcs.poll, 0)
        assert.is_false(ok)
        assert.truthy(err:find("nobody heard", 1, true))
        assert.is_false(hcs.poll(0))
    end)

    it("tell the handler of errors instead", function()
        local told
        hcs.on_error(function(err, traceback) told = { err, traceback } end)
        hcs.spawn(function() error({ "an object" }) end)
        hcs.poll(0)
        assert.same({ "an object" }, told[1])
        assert.truthy(told[2]:find("traceback", 1, true))
    end)

    it("do not lose an error of the handler of errors", function()
        hcs.on_error(function() error("the handler too", 0) end)
        hcs.spawn(function() error("first") end)
        local ok, err = pcall(hcs.poll, 0)
        assert.is_false(ok)
        assert.truthy(tostring(err):find("the handler too", 1, true))
    end)

    it("let hcs.run return their results", function()
        assert.same({ 1, 2 }, { hcs.run(function(...) hcs.sleep(1) return ... end, 1, 2) })
    end)

    it("take turns when they yield by themselves", function()
        local log = {}
        for _, name in ipairs { "a", "b" } do
            hcs.spawn(function()
                for i = 1, 2 do
                    log[#log + 1] = name .. i
                    coroutine.yield()
                end
            end)
        end
        hcs.sleep(0.1)
        assert.same({ "a1", "b1", "a2", "b2" }, log)
    end)

    it("do not break generators of the user's own", function()
        local result = hcs.run(function()
            local sum = 0
            for value in coroutine.wrap(function()
                for i = 1, 3 do
                    hcs.sleep(1)
                    coroutine.yield(i)
                end
            end) do
                sum = sum + value
            end
            return sum
        end)
        assert.equal(6, result)
        assert.equal(3, host.time)
    end)

    it("may wait where nothing can yield", function()
        local result = hcs.run(function()
            local list = { 3, 1, 2 }
            table.sort(list, function(a, b)
                hcs.sleep(0.5)
                return a < b
            end)
            return table.concat(list)
        end)
        assert.equal("123", result)
    end)

    it("are waited for together", function()
        local list = {}
        for _, name in ipairs { "a", "b", "c" } do
            list[name] = hcs.spawn(function()
                hcs.sleep(name == "b" and 1 or 2)
                return name:upper()
            end)
        end
        local first, key = hcs.wait_any(list)
        assert.equal(list.b, first)
        assert.equal("b", key)
        assert.same({ a = "A", b = "B", c = "C" }, hcs.wait_all(list))
        local none, err = hcs.wait_any({ hcs.spawn(function() hcs.sleep(9) end) }, 1)
        assert.is_nil(none)
        assert.is_true(err:is("timeout"))
        assert.has_error(function() hcs.wait_any {} end)
        assert.has_error(function() hcs.wait_any { 1 } end)
    end)

    it("are cancelled when the world is closed", function()
        local closed = false
        hcs.spawn(function()
            local guard <close> = setmetatable({}, { __close = function() closed = true end })
            hcs.sleep(100)
            return guard
        end)
        hcs.poll(0)
        hcs.close()
        assert.is_true(closed)
        assert.is_true(host.closed)
    end)

    it("are pollable", function()
        local task = hcs.spawn(function() hcs.sleep(2) end)
        assert.equal(0, task:timeout())
        hcs.poll(0)
        assert.equal(2, task:timeout())
        assert.equal(7, task:pollfd())
        assert.equal("r", task:events())
        task:wait()
        assert.equal(0, task:timeout())
    end)
end)

describe("a program that owns the loop", function()
    it("steps through its timers at their times", function()
        local hcs, host = fake.hcs { Clock = "Manual", Driver = "Step" }
        local log = {}
        hcs.spawn(function()
            for _ = 1, 3 do
                hcs.sleep(0.4)
                log[#log + 1] = host.time
            end
        end)
        local done, left = hcs.step(1)
        assert.is_true(done)
        assert.equal(0, left)
        assert.equal(2, #log)
        assert.truthy(math.abs(log[1] - 0.4) < 1e-6 and math.abs(log[2] - 0.8) < 1e-6)
        assert.truthy(math.abs(host.time - 1) < 1e-6)
        hcs.step(0.3)
        assert.equal(3, #log)
    end)

    it("is refused waits on a manual clock, but not in tasks", function()
        local hcs = fake.hcs { Clock = "Manual", Driver = "Step" }
        local ok, _, code = hcs.sleep(1)
        assert.is_nil(ok)
        assert.equal("would_block", code)
        ok, _, code = hcs.run(function() end)
        assert.is_nil(ok)
        assert.equal("would_block", code)
        local slept
        hcs.spawn(function() slept = hcs.sleep(1) end)
        hcs.step(2)
        assert.is_true(slept)
    end)

    it("knows when to come back", function()
        local hcs, host = fake.hcs()
        assert.is_nil((hcs.timeout()))
        hcs.spawn(function() hcs.sleep(3) end)
        assert.equal(0, hcs.timeout())
        hcs.poll(0)
        assert.equal(3, hcs.timeout())
        host.at(1, "nothing")
        assert.equal(1, hcs.timeout())
        assert.equal(7, hcs.pollfd())
        assert.equal("r", hcs.events())
    end)

    it("runs until a condition holds", function()
        local hcs = fake.hcs()
        local flag = false
        hcs.spawn(function()
            hcs.sleep(2)
            flag = true
        end)
        assert.is_true(hcs.run_until(function() return flag end, 10))
        local ok, err = hcs.run_until(function() return false end, 1)
        assert.is_nil(ok)
        assert.is_true(err:is("timeout"))
        assert.is_true(hcs.run(function()
            hcs.spawn(function()
                hcs.sleep(1)
                flag = "again"
            end)
            return hcs.run_until(function() return flag == "again" end, 10)
        end))
    end)
end)
