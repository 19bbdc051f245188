-- SPDX-License-Identifier: MIT
-- HCS_OPERATION: contexts, results, reuse, misuse.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local support = require "support"

after_each(support.finish)

local NOT_STARTED, PENDING, TIMEOUT = 0x80370115, 0x80370117, 0x80370118

for _, driver in ipairs(support.drivers) do
    describe("an operation (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("starts unused", function()
            local operation = api.HcsCreateOperation()
            assert.are.equal(-1, api.HcsGetOperationType(operation))
            assert.are.equal(-1, api.HcsGetOperationId(operation))
            assert.are.equal(NOT_STARTED, api.HcsGetOperationResult(operation))
            assert.are.equal(NOT_STARTED, (api.HcsWaitForOperationResult(operation, 0)))
            assert.is_nil(api.HcsGetComputeSystemFromOperation(operation))
            assert.is_nil(api.HcsGetOperationContext(operation))
        end)

        it("keeps any value for a context", function()
            local value = {}
            local operation = api.HcsCreateOperation(value)
            assert.are.equal(value, api.HcsGetOperationContext(operation))
            assert.are.equal(0, api.HcsSetOperationContext(operation, print))
            assert.are.equal(print, api.HcsGetOperationContext(operation))
            assert.are.equal(0, api.HcsSetOperationCallback(operation, false, true))
            assert.is_false(api.HcsGetOperationContext(operation))
            assert.are.equal(0, api.HcsSetOperationContext(operation))
            assert.is_nil(api.HcsGetOperationContext(operation))
        end)

        it("does not keep itself alive through its context", function()
            local watch = setmetatable({}, { __mode = "v" })
            local operation = api.HcsCreateOperation({}, true)
            api.HcsSetOperationContext(operation, { operation = operation })
            watch[1] = operation
            operation = nil -- luacheck: ignore
            collectgarbage()
            collectgarbage()
            assert.is_nil(watch[1])
            assert.are.equal(0, core.json.decode(api.inventory()).Operations)
        end)

        it("tells its type, system and id while and after it runs", function()
            local operation = api.HcsCreateOperation()
            local hr, system = api.HcsCreateComputeSystem("a", support.document(), operation)
            assert.are.equal(1, api.HcsGetOperationType(operation))
            support.finished(api, operation, hr)
            assert.are.equal(system, api.HcsGetComputeSystemFromOperation(operation))
            local id = api.HcsGetOperationId(operation)
            assert.are_not.equal(-1, id)
            support.finished(api, operation, api.HcsStartComputeSystem(system, operation))
            assert.are.equal(2, api.HcsGetOperationType(operation))
            assert.are_not.equal(id, api.HcsGetOperationId(operation))
        end)

        it("gives its result as often as asked", function()
            local _, operation = support.create(api, "a")
            local hr = api.HcsEnumerateComputeSystems(nil, operation)
            local document = support.finished(api, operation, hr)
            assert.are.equal("a", core.json.decode(document)[1].Id)
            for _ = 1, 3 do
                local result, again = api.HcsGetOperationResult(operation)
                assert.are.equal(0, result)
                assert.are.equal(document, again)
            end
        end)

        it("carries the document of a failure", function()
            local operation = api.HcsCreateOperation()
            local hr, system = api.HcsCreateComputeSystem("a", '{"Bogus":1}', operation)
            assert.are.equal(0, hr)
            local result, document = api.HcsWaitForOperationResult(operation, 1000)
            assert.are.equal(0x8037010D, result)
            assert.are.equal(0x8037010D, core.json.decode(document).Error & 0xFFFFFFFF)
            assert.is_true(system:is_open())
            system:close()
        end)

        it("closes once, quietly again, and raises after", function()
            local operation = api.HcsCreateOperation()
            assert.is_true(operation:is_open())
            assert.truthy(tostring(operation):match "^HCS_OPERATION %d+$")
            assert.are.equal(0, select("#", api.HcsCloseOperation(operation)))
            api.HcsCloseOperation(operation)
            operation:close()
            assert.is_false(operation:is_open())
            assert.truthy(tostring(operation):match "^HCS_OPERATION %d+ %(closed%)$")
            for _, name in ipairs { "HcsGetOperationContext", "HcsSetOperationContext",
                "HcsSetOperationCallback", "HcsGetComputeSystemFromOperation",
                "HcsGetOperationType", "HcsGetOperationId", "HcsGetOperationResult",
                "HcsWaitForOperationResult", "HcsCancelOperation" } do
                local ok, message = pcall(function() api[name](operation, 1) end)
                assert.is_false(ok)
                assert.truthy(message:find("^[^:]*operation_spec.lua:%d+: bad argument #1"))
                assert.truthy(message:find("(it is closed)", 1, true))
            end
            local _, message = pcall(function() api.HcsGetOperationId(operation) end)
            assert.truthy(message:find("to 'HcsGetOperationId' (it is closed)", 1, true))
        end)

        it("closes with its scope", function()
            local kept
            do
                local operation <close> = api.HcsCreateOperation()
                kept = operation
            end
            assert.is_false(kept:is_open())
            assert.has_error(function()
                local operation <close> = api.HcsCreateOperation()
                kept = operation
                error "out"
            end)
            assert.is_false(kept:is_open())
        end)

        it("closes while it is pending", function()
            for _ = 1, 20 do
                local operation = api.HcsCreateOperation(nil, true)
                assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
                operation:close()
            end
            api.pump(0.01)
            assert.is_nil(api.next())
            assert.are.equal(0, core.json.decode(api.inventory()).Operations)
        end)

        it("refuses other things in its place", function()
            local system, operation = support.create(api, "a")
            for _, bad in ipairs { false, 1, "x", {}, print, io.stdout, system, core.null } do
                local ok, message = pcall(function() api.HcsGetOperationType(bad) end)
                assert.is_false(ok)
                assert.truthy(message:find("HCS_OPERATION expected", 1, true), message)
            end
            assert.has_error(function() api.HcsGetOperationType() end)
            assert.has_error(function() operation.close(system) end)
            assert.has_error(function() operation.close() end)
            assert.has_error(function() getmetatable(operation).__gc(system) end)
            assert.has_error(function() getmetatable(operation).__gc {} end)
            for _, bad in ipairs { -1, 1 << 32, 1.5, "x", {} } do
                assert.has_error(function() api.HcsWaitForOperationResult(operation, bad) end)
            end
            assert.has_error(function() api.HcsWaitForOperationResult(operation) end)
        end)

        it("is answered when it is cancelled", function()
            local operation = api.HcsCreateOperation()
            local hr = api.HcsCancelOperation(operation)
            assert.are.equal("integer", math.type(hr))
            assert.is_true(hr >= 0)
        end)
    end)
end

describe("a slow operation", function()
    it("is pending, then done", function()
        local api = support.open(support.uri("step", "clock=manual&latency=1s"))
        local operation = api.HcsCreateOperation(nil, true)
        local hr = api.HcsCreateComputeSystem("a", support.document(), operation)
        assert.are.equal(0, hr)
        assert.are.equal(PENDING, (api.HcsGetOperationResult(operation)))
        assert.are.equal(TIMEOUT, (api.HcsWaitForOperationResult(operation, 100)))
        assert.are.equal("timeout", api.pump(5))
        assert.are.equal(0x80370116, (api.HcsEnumerateComputeSystems(nil, operation)))
        api.step(1.5)
        assert.are.equal("queue", api.pump(0))
        assert.are.same({ "operation", operation }, { api.next() })
        assert.are.equal(0, (api.HcsGetOperationResult(operation)))
    end)
end)
