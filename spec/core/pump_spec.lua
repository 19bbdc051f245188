-- SPDX-License-Identifier: MIT
-- api.pump on each clock, api.step, descriptors and signals.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local platform = require "spec.platform"
local support = require "support"

local pipes = platform.pipes

after_each(support.finish)

local function took(seconds, most, call)
    local before = core.monotonic()
    local result = table.pack(call())
    local time = core.monotonic() - before
    assert.is_true(time >= seconds and time < most, ("took %g s"):format(time))
    return table.unpack(result)
end

-- Once in a while a busy machine makes anything take long, but not each time.
local function at_once(call)
    local before, result
    for _ = 1, 20 do
        before = core.monotonic()
        result = call()
        if core.monotonic() - before < 0.05 then return result end
    end
    error(("took %g s"):format(core.monotonic() - before))
end

local function slow(api)
    local operation = api.HcsCreateOperation(nil, true)
    assert.are.equal(0, (api.HcsCreateComputeSystem("slow", support.document(), operation)))
    return operation
end

for _, driver in ipairs(support.drivers) do
    describe("a real clock (" .. driver .. ")", function()
        it("waits as long as told", function()
            local api = support.open(support.uri(driver))
            assert.are.equal("timeout", took(0.05, 5, function() return api.pump(0.05) end))
            assert.are.equal("timeout", at_once(function() return api.pump(0) end))
            assert.are.equal("timeout", at_once(function() return api.pump(-1) end))
            assert.are.equal("timeout", at_once(function() return api.pump(0.0002) end))
            took(0.0001, 5, function() return api.pump(0.0002) end)
        end)

        it("ends when something comes", function()
            local api = support.open(support.uri(driver, "latency=500ms"))
            local operation = slow(api)
            assert.is_true(driver == "thread" or api.timeout() > 0.01)
            assert.are.equal("queue", took(0.03, 5, function() return api.pump() end))
            assert.are.same({ "operation", operation }, { api.next() })
        end)

        it("watches descriptors", function()
            local api = support.open(support.uri(driver))
            local r, w = pipes.open()
            assert.are.equal("timeout", (api.pump(0.01, { [r] = "r" })))
            local kind, set = api.pump(5, { [r] = "r", [w] = "w" })
            assert.are.equal("fd", kind)
            assert.are.same({ [w] = "w" }, set)
            pipes.write(w, "x")
            kind, set = api.pump(nil, { [r] = "r" })
            assert.are.equal("fd", kind)
            assert.are.same({ [r] = "r" }, set)
            api.HcsEnumerateComputeSystems(nil, api.HcsCreateOperation(nil, true))
            set = select(2, api.pump(5, { [r] = "rw" }))
            -- Of a handle Windows only knows that it is signalled.
            assert.are.same({ [r] = platform.windows and "rw" or "r" }, set)
            support.expect(api, function(what) return what == "operation" end)
            pipes.read(r)
            pipes.close(w)
            kind, set = api.pump(5, { [r] = "r" })
            assert.are.equal("fd", kind)
            assert.are.same({ [r] = "r" }, set)
            pipes.close(r)
        end)

        it("watches many descriptors", function()
            local api = support.open(support.uri(driver))
            local ends, set, want = {}, {}, {}
            for _ = 1, 100 do
                local r, w = pipes.open()
                ends[#ends + 1], ends[#ends + 2] = r, w
                set[r] = "r"
                pipes.write(w, "x")
                want[r] = "r"
            end
            local kind, ready = api.pump(1, set)
            assert.are.equal("fd", kind)
            assert.are.same(want, ready)
            for _, fd in ipairs(ends) do pipes.close(fd) end
        end)

        it("gives a descriptor for other loops", function()
            local api = support.open(support.uri(driver, "latency=20ms"))
            local fd = api.pollfd()
            assert.are.equal(fd, api.pollfd())
            assert.are.equal(0, pipes.readable(fd, 0))
            local operation = slow(api)
            if driver == "thread" then
                assert.are.equal(1, pipes.readable(fd, 2000))
            else
                took(0, 5, function()
                    repeat api.step(0) until api.queue_counts() > 0
                end)
                assert.are.equal(1, pipes.readable(fd, 0))
            end
            assert.are.equal(0, api.timeout())
            assert.are.same({ "operation", operation }, { api.next() })
            assert.are.equal(0, pipes.readable(fd, 0))
        end)
    end)
end

describe("a virtual clock", function()
    for _, driver in ipairs(support.drivers) do
        it("jumps to what is due (" .. driver .. ")", function()
            local api = support.open(support.uri(driver, "clock=virtual&latency=100s"))
            local start = api.now()
            local operation = slow(api)
            assert.are.equal("queue", took(0, 5, function() return api.pump(3600) end))
            assert.are.same({ "operation", operation }, { api.next() })
            assert.is_true(math.abs(api.now() - start - 100) < 1e-6)
        end)

        it("jumps no farther than told (" .. driver .. ")", function()
            local api = support.open(support.uri(driver, "clock=virtual&latency=100s"))
            local start = api.now()
            -- No callback: for one, a service thread lets time pass by itself.
            local operation = api.HcsCreateOperation()
            assert.are.equal(0, (api.HcsCreateComputeSystem("slow", support.document(),
                operation)))
            assert.are.equal("timeout", took(0, 5, function() return api.pump(60) end))
            assert.is_true(math.abs(api.now() - start - 60) < 1e-6)
            assert.are.equal(0x80370117, (api.HcsGetOperationResult(operation)))
            assert.are.equal("timeout", took(0, 5, function() return api.pump(50) end))
            assert.is_true(math.abs(api.now() - start - 110) < 1e-6)
            assert.are.equal(0, (api.HcsGetOperationResult(operation)))
        end)

        it("passes when nothing is due at all (" .. driver .. ")", function()
            local api = support.open(support.uri(driver, "clock=virtual"))
            local start = api.now()
            assert.are.equal("timeout", took(0, 5, function() return api.pump(1e6) end))
            assert.is_true(math.abs(api.now() - start - 1e6) < 1e-3)
            assert.are.equal("timeout", took(0, 5, function() return api.pump() end))
        end)

        it("waits for the world outside (" .. driver .. ")", function()
            local api = support.open(support.uri(driver, "clock=virtual"))
            local r, w = pipes.open()
            pipes.write(w, "x")
            assert.are.equal("fd", (api.pump(nil, { [r] = "r" })))
            pipes.read(r)
            assert.are.equal("timeout", took(0, 5, function()
                return api.pump(1000, { [r] = "r" })
            end))
            pipes.close(r)
            pipes.close(w)
        end)
    end
end)

describe("a manual clock", function()
    it("is not moved by waiting", function()
        local api = support.open(support.uri("step", "clock=manual&latency=1s"))
        local start = api.now()
        slow(api)
        assert.are.equal("timeout", took(0, 5, function() return api.pump(100) end))
        assert.are.equal("timeout", took(0, 5, function() return api.pump() end))
        assert.are.equal(start, api.now())
        assert.are.equal(1.0, api.timeout())
    end)

    it("is moved by steps, and by nothing twice", function()
        local api = support.open(support.uri("step", "clock=manual&latency=1s"))
        local start = api.now()
        local operation = slow(api)
        local done, left = api.step(0.25)
        assert.is_false(done)
        assert.are.equal(0.0, left)
        assert.are.equal(0.25, api.now() - start)
        assert.are.equal(0.75, api.timeout())
        assert.is_true((api.step(0.75)))
        assert.are.equal(0, api.timeout())
        assert.are.equal("queue", api.pump())
        assert.are.same({ "operation", operation }, { api.next() })
        assert.is_nil(api.timeout())
        assert.is_false((api.step(1, 0.1)))
        assert.is_false((api.step(0)))
        for _, bad in ipairs { -1, 0 / 0, math.huge, "x", {} } do
            assert.has_error(function() api.step(bad) end)
        end
        assert.has_error(function() api.step(1, 0 / 0) end)
    end)

    it("still watches what is outside", function()
        local api = support.open(support.uri("step", "clock=manual"))
        local r, w = pipes.open()
        assert.are.equal("timeout", (api.pump(1, { [r] = "r" })))
        pipes.write(w, "x")
        assert.are.equal("fd", (api.pump(1, { [r] = "r" })))
        assert.are.equal("fd", (api.pump(nil, { [r] = "r" })))
        pipes.close(r)
        pipes.close(w)
    end)
end)

describe("pump", function()
    it("refuses what it cannot use", function()
        local api = support.open(support.uri "step")
        for _, bad in ipairs { "x", {}, 0 / 0 } do
            assert.has_error(function() api.pump(bad) end)
        end
        for _, bad in ipairs { "x", 7, { x = "r" }, { [1.5] = "r" }, { [-1] = "r" },
            { [0] = "" }, { [0] = true }, { [0] = "q" }, { [1 << 40] = "r" } } do
            assert.has_error(function() api.pump(0, bad) end)
        end
    end)

    it("ends at a signal", function()
        if platform.windows then pending "needs signals" end
        local text, status = support.child [[
            local core, unix = require "hcs.core", require "hcs.spec_unix"
            unix.catch(10)
            for _, uri in ipairs { "sim:?driver=step", "sim:?driver=thread" } do
                local api = core.open(uri)
                local killer = io.popen("sleep 1; kill -10 " .. core.pid())
                local kind = api.pump(20)
                killer:close()
                print(kind, unix.caught())
            end]]
        assert.are.equal("signal\t1\nsignal\t2\n", text)
        assert.are.equal(0, status)
    end)

    it("ends at Ctrl-C", function()
        local text, status = support.child [[
            local core, platform = require "hcs.core", require "spec.platform"
            for _, uri in ipairs { "sim:?driver=step", "sim:?driver=thread" } do
                local api = core.open(uri)
                platform.interrupt(1)
                local start = core.monotonic()
                print(core.interruptible(api.pump, 20))
                print(core.monotonic() - start < 10)
                api.pump(0)
            end]]
        assert.are.equal(("false\tinterrupted!\ntrue\n"):rep(2), (text:gsub("\t[^\t]*: ", "\t")))
        assert.are.equal(0, status)
    end)
end)
