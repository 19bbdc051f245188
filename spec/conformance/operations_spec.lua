-- SPDX-License-Identifier: MIT
-- Operations and handles at the level of the platform's own functions, where
-- every host must agree: traces 1, 11, 12, 15, 16 and 17.
local core = require "hcs.core"
local helper = require "spec.helper"
local schema = require "hcs.schema.hcs"

local OK, TIMEOUT = 0, 0x80370118
local INFINITE = 0xFFFFFFFF

for _, uri in ipairs(helper.hosts()) do
    describe("operations on " .. uri, function()
        local api, operation, system

        local function document(more)
            local given = {
                Owner = "spec", SchemaVersion = { Major = 2, Minor = 1 },
                ShouldTerminateOnLastHandleClosed = true,
                VirtualMachine = {
                    Chipset = { LinuxKernelDirect = { KernelFilePath = helper.kernel(),
                        InitRdPath = os.getenv("HCS_INITRD") } },
                    ComputeTopology = {
                        Memory = { SizeInMB = 128 }, Processor = { Count = 1 },
                    },
                },
            }
            given.SchemaVersion.Minor = 2
            for key, value in pairs(more or {}) do given[key] = value end
            return core.json.encode(given, "ComputeSystem", schema)
        end

        local function create(id, callback)
            operation = api.HcsCreateOperation(nil, callback or false)
            local hr
            hr, system = api.HcsCreateComputeSystem(id, document(), operation, nil)
            assert.equal(OK, hr)
            assert.truthy(system)
        end

        local function await(op)
            return api.HcsWaitForOperationResult(op or operation, 20000)
        end

        before_each(function()
            helper.before()
            api = assert(core.open(uri))
        end)

        after_each(function()
            if system then api.HcsCloseComputeSystem(system) end
            if operation then api.HcsCloseOperation(operation) end
            operation, system = nil, nil
            api.pump(0)
            local left = api.inventory and core.json.decode(api.inventory())
            assert.equal(0, left and left.Handles or 0)
            assert.equal(0, left and left.Operations or 0)
            api.close()
            helper.after()
        end)

        it("says that an operation was not started", function()
            operation = api.HcsCreateOperation(nil, false)
            assert.equal(0x80370115, (api.HcsGetOperationResult(operation)))
            assert.equal(0x80370115, (await()))
            assert.equal(-1, api.HcsGetOperationType(operation))
        end)

        it("answers create without a document, and lists it without a state", function()
            create "op-create"
            local hr, result = await()
            assert.equal(OK, hr)
            assert.is_nil(result)
            assert.equal(1, api.HcsGetOperationType(operation))
            assert.equal(OK, api.HcsEnumerateComputeSystems('{"Ids":["op-create"]}', operation))
            hr, result = await()
            assert.equal(OK, hr)
            local entry = core.json.decode(result)[1]
            assert.equal("op-create", entry.Id)
            assert.equal("VirtualMachine", entry.SystemType)
            assert.equal("spec", entry.Owner)
            assert.is_nil(entry.State)
        end)

        it("uses an operation again, under a new id", function()
            create "op-again"
            assert.equal(OK, (await()))
            local first = api.HcsGetOperationId(operation)
            assert.equal(OK, api.HcsGrantVmAccess("op-again", helper.kernel()))
            if os.getenv("HCS_INITRD") then
                assert.equal(OK, api.HcsGrantVmAccess("op-again", os.getenv("HCS_INITRD")))
            end
            assert.equal(OK, api.HcsStartComputeSystem(system, operation, nil))
            local again = api.HcsStartComputeSystem(system, operation, nil)
            if again == OK then -- it was done by then: a second start, which is one too many
                assert.equal(0x80370105, (await()))
            else
                assert.equal(0x80370116, again)
                assert.equal(OK, (await()))
            end
            assert.equal(2, api.HcsGetOperationType(operation))
            assert.not_equal(first, api.HcsGetOperationId(operation))
            assert.equal(OK, api.HcsTerminateComputeSystem(system, operation, nil))
            assert.equal(OK, (await()))
            local hr = api.HcsTerminateComputeSystem(system, operation, nil)
            if hr == OK then hr = await() end
            assert.equal(0x80370110, hr)
        end)

        it("calls back when a creation completes, through the queue", function()
            create("op-callback", true)
            local kind, which
            for _ = 1, 200 do
                api.pump(0.05)
                kind, which = api.next()
                if kind then break end
            end
            assert.equal("operation", kind)
            assert.equal(operation, which)
            assert.equal(OK, (api.HcsGetOperationResult(operation)))
        end)

        it("delivers a completion to a callback that came late", function()
            create "op-late"
            assert.equal(OK, (await()))
            assert.equal(OK, api.HcsSetComputeSystemCallback(system, 1, nil, true))
            local kind, which, number, json, op
            for _ = 1, 200 do
                api.pump(0.05)
                kind, which, number, json, op = api.next()
                if kind then break end
            end
            assert.equal("event", kind)
            assert.equal(system, which)
            assert.equal(0x01000000, number)
            assert.is_nil(json)
            assert.equal(operation, op)
            local own = api.HcsCreateOperation(nil, true)
            assert.equal(0x80370119, api.HcsStartComputeSystem(system, own, nil))
            api.HcsCloseOperation(own)
            assert.equal(OK, api.HcsSetComputeSystemCallback(system, 0, nil, false))
        end)

        it("ends a wait, not the operation", function()
            operation = api.HcsCreateOperation(nil, false)
            local hr
            hr, system = api.HcsCreateComputeSystem("op-wait", document(), operation, nil)
            assert.equal(OK, hr)
            hr = api.HcsWaitForOperationResult(operation, 0)
            assert.truthy(hr == TIMEOUT or hr == OK)
            assert.equal(OK, (api.HcsWaitForOperationResult(operation, INFINITE)))
            assert.equal(TIMEOUT, (api.HcsWaitForComputeSystemExit(system, 1)))
        end)

        it("gives a second handle, and ends with the last", function()
            create "op-handles"
            assert.equal(OK, (await()))
            local hr, second = api.HcsOpenComputeSystem("op-handles", 0x10000000)
            assert.equal(OK, hr)
            api.HcsCloseComputeSystem(system)
            system = nil
            assert.equal(OK, api.HcsGetComputeSystemProperties(second, operation, nil))
            assert.equal(OK, (await()))
            api.HcsCloseComputeSystem(second)
            for _ = 1, 100 do
                api.pump(0.05)
                hr, second = api.HcsOpenComputeSystem("op-handles", 0x10000000)
                if hr ~= OK then break end
                api.HcsCloseComputeSystem(second)
            end
            assert.equal(0x8037010E, hr)
        end)

        it("refuses an access it does not know", function()
            create "op-access"
            assert.equal(OK, (await()))
            local hr = api.HcsOpenComputeSystem("op-access", 1)
            assert.truthy(hr & 0x80000000 ~= 0)
        end)
    end)
end
