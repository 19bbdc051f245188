-- SPDX-License-Identifier: MIT
-- The compute service of a simulated host stops and starts, and whose time it
-- is on a virtual clock.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local support = require "support"

local DISCONNECT = 0x02000000
local LOST, DOWN = 0x8037011E, 0x80370114

after_each(support.finish)

for _, driver in ipairs(support.drivers) do
    describe("the compute service (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        local function disconnected(system)
            return support.expect(api, function(kind, s, type, json)
                if kind ~= "event" or s ~= system then return false end
                assert.are.equal(DISCONNECT, type)
                assert.is_nil(json)
                return true
            end)
        end

        it("takes its handles along", function()
            local system, operation = support.started(api, "a")
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 0, nil, true))
            assert.is_false(api.service(true))
            assert.is_true(api.service(false))
            assert.is_false(api.service(false))
            disconnected(system)
            assert.are.equal(0, api.HcsTerminateComputeSystem(system, operation))
            local hr, text = api.HcsWaitForOperationResult(operation, 10000)
            assert.are.equal(LOST, hr)
            assert.truthy(text:find("went away", 1, true))
            assert.are.equal(LOST, (api.HcsWaitForComputeSystemExit(system, 0)))
            assert.are.equal(LOST, (api.HcsSetComputeSystemCallback(system, 0, nil, true)))
            system:close()
        end)

        it("is missed until it starts", function()
            local operation = assert(api.HcsCreateOperation())
            assert.is_true(api.service(false))
            assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
            assert.are.equal(DOWN, (api.HcsWaitForOperationResult(operation, 10000)))
            local hr, system = api.HcsOpenComputeSystem("a")
            assert.are.equal(DOWN, hr)
            assert.is_nil(system)
            local text
            hr, text = api.HcsGetServiceProperties(nil)
            assert.are.equal(DOWN, hr)
            assert.truthy(core.json.decode(text))
            hr, system = api.HcsCreateComputeSystem("a", support.document(), operation)
            assert.are.equal(0, hr)
            assert.are.equal(DOWN, (api.HcsWaitForOperationResult(operation, 10000)))
            system:close()
            assert.is_true(api.service(true))
            support.started(api, "a")
        end)

        it("completes what is under way through the queue", function()
            local slow = support.open(support.uri(driver, "latency=20s"))
            local operation = assert(slow.HcsCreateOperation(nil, true))
            local hr, system = slow.HcsCreateComputeSystem("a", support.document(), operation)
            assert.are.equal(0, hr)
            assert.is_true(slow.service(false))
            support.expect(slow, function(kind, op)
                return kind == "operation" and op == operation
            end)
            assert.are.equal(LOST, (slow.HcsGetOperationResult(operation)))
            system:close()
        end)

        it("refuses what makes no sense", function()
            assert.has_error(function() api.service() end)
            assert.has_error(function() api.service(0) end)
            assert.has_error(function() api.service "stop" end)
        end)
    end)
end

describe("virtual time with a thread", function()
    local api
    before_each(function()
        api = support.open(support.uri("thread", "clock=virtual&latency=2s"))
    end)

    local function idle(seconds)
        local finish = core.monotonic() + seconds
        repeat until core.monotonic() > finish
    end

    it("stands while Lua runs, whatever is under way", function()
        local operation = assert(api.HcsCreateOperation(nil, true))
        local start = api.now()
        local hr, system = api.HcsCreateComputeSystem("a", support.document(), operation)
        assert.are.equal(0, hr)
        idle(0.02)
        assert.are.equal(start, api.now())
        assert.is_nil(api.next())
        assert.are.equal("timeout", api.pump(0.5))
        assert.are.equal(start + 0.5, api.now())
        assert.are.equal("queue", api.pump(10))
        assert.are.equal(start + 2, api.now())
        assert.are.equal("operation", (api.next()))
        system:close()
    end)

    it("stops at what there is to hear", function()
        api.guest("a", true)
        support.started(api, "a", support.document("com"))
        local guest = support.expect(api, function(kind, number, event)
            return kind == "guest" and event == "boot" and number
        end)
        for _ = 1, 50 do
            local start = api.now()
            assert.is_true(api.guest_wake(guest, 0.25))
            assert.are.equal("queue", api.pump(60))
            assert.is_true(math.abs(api.now() - start - 0.25) < 1e-6)
            assert.are.equal("guest", (api.next()))
        end
    end)

    it("lets arrive what was sent before it goes on", function()
        api.guest("a", true)
        support.started(api, "a", support.document("com"))
        local pipe <close> = assert(api.pipe_connect "\\\\.\\pipe\\com")
        repeat local kind = api.next() until not kind and api.pump(1) == "timeout"
        for _ = 1, 50 do
            local start = api.now()
            assert.are.equal(1, pipe:write "x")
            assert.are.equal("queue", api.pump(60))
            assert.are.equal(start, api.now())
            assert.are.equal("guest", (api.next()))
        end
    end)
end)
