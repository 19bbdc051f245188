-- SPDX-License-Identifier: MIT
-- What comes through the queue, from whatever thread.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local support = require "support"

after_each(support.finish)

local function is(kind, object, type)
    return function(k, o, t, json, operation)
        return k == kind and o == object and t == type and { json = json, operation = operation }
    end
end

for _, driver in ipairs(support.drivers) do
    describe("the queue (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("is empty at first", function()
            assert.is_nil(api.next())
            assert.are.equal(1, select("#", api.next()))
            assert.are.same({ 0, 0, 0 }, { api.queue_counts() })
            assert.are.equal("timeout", (api.pump(0)))
        end)

        it("brings completions of operations that ask for it", function()
            local loud, quiet = api.HcsCreateOperation("c", true), api.HcsCreateOperation()
            assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, quiet))
            support.finished(api, quiet, 0)
            assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, loud))
            assert.are.equal("queue", api.pump(5))
            assert.are.same({ "operation", loud }, { api.next() })
            assert.are.equal(0, (api.HcsGetOperationResult(loud)))
            assert.is_nil(api.next())
        end)

        it("brings a completion for each use", function()
            local operation = api.HcsCreateOperation(nil, true)
            for _ = 1, 50 do
                assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
                support.expect(api, function(kind, o)
                    return kind == "operation" and o == operation
                end)
            end
            assert.is_nil(api.next())
        end)

        it("brings events with their documents", function()
            local system, operation = support.started(api, "a")
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 0, nil, true))
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            local event = support.expect(api, is("event", system, support.EXITED))
            assert.are.equal("ForcedExit", core.json.decode(event.json).ExitType)
            assert.is_nil(event.operation)
        end)

        it("brings nothing for a callback that was taken back", function()
            local system, operation = support.started(api, "a")
            api.HcsSetComputeSystemCallback(system, 0, nil, true)
            api.HcsSetComputeSystemCallback(system, 0, nil, false)
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            api.pump(0.02)
            assert.is_nil(api.next())
        end)

        it("brings completions as events of the system", function()
            local system, create = support.create(api, "a")
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 1, nil, true))
            local operation = api.HcsCreateOperation("mine")
            local own = api.HcsCreateOperation(nil, true)
            assert.are.equal(0x80370119, api.HcsStartComputeSystem(system, own))
            assert.are.equal(0, api.HcsStartComputeSystem(system, operation))
            local event = support.expect(api, function(kind, s, type, json, o)
                return kind == "event" and s == system and type == support.OPERATION_CALLBACK
                    and o ~= create and { json = json, operation = o }
            end)
            assert.are.equal(operation, event.operation)
            assert.are.equal("mine", api.HcsGetOperationContext(event.operation))
            assert.is_nil(event.json)
        end)

        it("brings a create that ended before anybody listened", function()
            local operation = api.HcsCreateOperation()
            local hr, system = api.HcsCreateComputeSystem("a", support.document(), operation)
            support.finished(api, operation, hr)
            api.HcsSetComputeSystemCallback(system, 1, nil, true)
            local event = support.expect(api, is("event", system, support.OPERATION_CALLBACK))
            assert.are.equal(operation, event.operation)
        end)

        it("forgets what is closed", function()
            local system, operation = support.started(api, "a")
            api.HcsSetComputeSystemCallback(system, 0, nil, true)
            local loud = api.HcsCreateOperation(nil, true)
            api.HcsEnumerateComputeSystems(nil, loud)
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            assert.are.equal(0, (api.HcsWaitForComputeSystemExit(system, 1000)))
            api.pump(0.02)
            loud:close()
            system:close()
            assert.is_nil(api.next())
        end)

        it("forgets what is collected", function()
            for _ = 1, 100 do
                api.HcsEnumerateComputeSystems(nil, (api.HcsCreateOperation(nil, true)))
            end
            collectgarbage()
            collectgarbage()
            api.pump(0.02)
            assert.is_nil(api.next())
            assert.are.equal(0, core.json.decode(api.inventory()).Operations)
        end)

        it("holds whatever comes", function()
            local operations, waiting = {}, 0
            for i = 1, 2000 do
                local operation = api.HcsCreateOperation(i, true)
                operations[operation] = true
                waiting = waiting + 1
                assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
            end
            support.expect(api, function(kind, operation)
                assert.are.equal("operation", kind)
                assert.is_true(operations[operation])
                operations[operation] = nil
                operation:close()
                waiting = waiting - 1
                return waiting == 0
            end, 20)
            assert.is_nil(api.next())
            assert.are.same({ 0, 0, 0 }, { api.queue_counts() })
        end)

        it("takes calls while it brings", function()
            local done = 0
            local idle = {}
            for i = 1, 20 do idle[i] = api.HcsCreateOperation(i, true) end
            for _, operation in ipairs(idle) do api.HcsEnumerateComputeSystems(nil, operation) end
            support.expect(api, function(_, operation)
                done = done + 1
                if done < 3000 then
                    assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
                end
                return done == 3019
            end, 20)
        end)

        it("brings an exit for each of many systems", function()
            local exits, systems = 0, {}
            for i = 1, 50 do
                local system, operation = support.started(api, "s" .. i)
                api.HcsSetComputeSystemCallback(system, 0, i, true)
                systems[system] = operation
            end
            for system, operation in pairs(systems) do
                assert.are.equal(0, api.HcsTerminateComputeSystem(system, operation))
            end
            support.expect(api, function(kind, system, type)
                if kind == "event" and type == support.EXITED and systems[system] then
                    systems[system] = nil
                    exits = exits + 1
                end
                return exits == 50
            end)
            assert.is_nil(next(systems))
        end)

        it("survives every way to collect garbage", function()
            for _, mode in ipairs { "generational", "incremental" } do
                collectgarbage(mode)
                if mode == "incremental" then collectgarbage("setpause", 0) end
                local left = 300
                for i = 1, 300 do
                    local operation = api.HcsCreateOperation({ i }, true)
                    api.HcsSetOperationContext(operation, { operation, i })
                    api.HcsEnumerateComputeSystems(nil, operation)
                    if i % 3 == 0 then left = left - 1 else support[i] = operation end
                end
                support.expect(api, function(kind, operation)
                    if kind ~= "operation" then return end
                    local i = api.HcsGetOperationContext(operation)[2]
                    if i % 3 ~= 0 then left = left - 1 end
                    support[i] = nil
                    return left == 0
                end)
            end
            collectgarbage("setpause", 200)
            collectgarbage "incremental"
        end)
    end)
end
