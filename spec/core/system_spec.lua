-- SPDX-License-Identifier: MIT
-- HCS_SYSTEM and what has no handle.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local platform = require "spec.platform"
local support = require "support"

after_each(support.finish)

local FAMILY = { "HcsStartComputeSystem", "HcsShutDownComputeSystem",
    "HcsTerminateComputeSystem", "HcsCrashComputeSystem", "HcsPauseComputeSystem",
    "HcsResumeComputeSystem", "HcsSaveComputeSystem", "HcsGetComputeSystemProperties" }

for _, driver in ipairs(support.drivers) do
    describe("a system (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("lives from create to exit", function()
            local system, operation = support.create(api, "web é")
            assert.are.equal('HCS_SYSTEM "web é"', tostring(system))
            local function call(name, document)
                return support.finished(api, operation, api[name](system, operation, document))
            end
            call "HcsStartComputeSystem"
            local state = function()
                return core.json.decode(call "HcsGetComputeSystemProperties").State
            end
            assert.are.equal("Running", state())
            call "HcsPauseComputeSystem"
            assert.are.equal("Paused", state())
            call "HcsResumeComputeSystem"
            assert.are.equal("Running", state())
            local list = core.json.decode(support.finished(api, operation,
                api.HcsEnumerateComputeSystems('{"Ids":["web é"]}', operation)))
            assert.are.equal("web é", list[1].Id)
            call "HcsTerminateComputeSystem"
            local hr, document = api.HcsWaitForComputeSystemExit(system, 1000)
            assert.are.equal(0, hr)
            assert.are.equal("ForcedExit", core.json.decode(document).ExitType)
            hr = api.HcsTerminateComputeSystem(system, operation)
            if hr == 0 then hr = api.HcsWaitForOperationResult(operation, 1000) end
            assert.are.equal(0x80370110, hr)
        end)

        it("is opened by its id, by as many as like", function()
            local system, operation = support.started(api, "one")
            local hr, second = api.HcsOpenComputeSystem("one", 0x10000000)
            assert.are.equal(0, hr)
            assert.are_not.equal(system, second)
            local _, third = api.HcsOpenComputeSystem("one")
            support.finished(api, operation, api.HcsPauseComputeSystem(third, operation))
            system:close()
            third:close()
            local properties = support.finished(api, operation,
                api.HcsGetComputeSystemProperties(second, operation))
            assert.are.equal("Paused", core.json.decode(properties).State)
            second:close()
            assert.are.equal(0, support.becomes(api, "Systems", 0))
        end)

        it("is not found by another id", function()
            local hr, system = api.HcsOpenComputeSystem("nobody", 0x10000000)
            assert.are.equal(0x8037010E, hr)
            assert.is_nil(system)
            hr, system = api.HcsOpenComputeSystem("nobody", 0)
            assert.is_true(hr >= 0x80000000)
            assert.is_nil(system)
        end)

        it("waits for its exit no longer than told", function()
            local system = support.started(api, "one")
            local before = core.monotonic()
            assert.are.equal(0x80370118, (api.HcsWaitForComputeSystemExit(system, 20)))
            assert.is_true(core.monotonic() - before >= 0.019)
            assert.has_error(function() api.HcsWaitForComputeSystemExit(system) end)
            assert.has_error(function() api.HcsWaitForComputeSystemExit(system, -1) end)
        end)

        it("refuses other things in its place", function()
            local system, operation = support.create(api, "a")
            for _, name in ipairs(FAMILY) do
                assert.has_error(function() api[name](operation, operation) end)
                assert.has_error(function() api[name](system, system) end)
                assert.has_error(function() api[name](system) end)
                assert.has_error(function() api[name](system, operation, {}) end)
                assert.has_error(function() api[name](system, operation, "\xFF") end)
            end
            system:close()
            for _, name in ipairs(FAMILY) do
                local ok, message = pcall(function() api[name](system, operation) end)
                assert.is_false(ok)
                assert.truthy(message:find("it is closed", 1, true))
            end
            assert.are.equal('HCS_SYSTEM "a" (closed)', tostring(system))
            assert.has_error(function() api.HcsCloseComputeSystem(operation) end)
            api.HcsCloseComputeSystem(system)
        end)

        it("takes text that is UTF-8 and nothing else", function()
            local operation = api.HcsCreateOperation()
            local document = support.document()
            for _, bad in ipairs { "\xFF", "\xED\xA0\x80", "\xC0\x80", "a\0b", {}, false } do
                local function raises(arg, call)
                    local ok, message = pcall(call)
                    assert.is_false(ok)
                    assert.truthy(message:find("bad argument #" .. arg, 1, true), message)
                end
                raises(1, function() api.HcsCreateComputeSystem(bad, document, operation) end)
                raises(2, function() api.HcsCreateComputeSystem("a", bad, operation) end)
                raises(1, function() api.HcsOpenComputeSystem(bad) end)
                raises(1, function() api.HcsEnumerateComputeSystems(bad, operation) end)
                raises(1, function() api.HcsGrantVmAccess(bad, "/x") end)
                raises(2, function() api.HcsGrantVmAccess("a", bad) end)
                raises(1, function() api.HcsGetServiceProperties(bad) end)
                raises(1, function() api.HcsCreateEmptyGuestStateFile(bad) end)
            end
            assert.has_error(function()
                api.HcsCreateComputeSystem("a", document, operation, {})
            end)
            local inventory = core.json.decode(api.inventory())
            assert.are.equal(0, inventory.Systems)
        end)

        it("keeps the system's own id whatever it is made of", function()
            for _, id in ipairs { "a b", "ü€😀", ("x"):rep(200), "../..", "'\"" } do
                local system = support.create(api, id)
                assert.truthy(tostring(system):find(id, 1, true))
                local _, again = api.HcsOpenComputeSystem(id)
                assert.is_true(again:is_open())
            end
        end)

        it("is modified by a document", function()
            local system, operation = support.started(api, "a")
            local hr = api.HcsModifyComputeSystem(system, operation, '{"ResourcePath":"no/such"}')
            assert.are.equal(0, hr)
            local result, document = api.HcsWaitForOperationResult(operation, 1000)
            assert.is_true(result >= 0x80000000)
            assert.is_table(core.json.decode(document))
            assert.has_error(function()
                api.HcsModifyComputeSystem(system, operation, "{}", "token")
            end)
        end)

        it("has one callback with a context", function()
            local system = support.create(api, "a")
            local context = {}
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 0, context, true))
            assert.are.equal(context, system:context())
            assert.are.equal(0x80370119,
                api.HcsSetComputeSystemCallback(system, 0, "other", true))
            assert.are.equal(context, system:context())
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 0, nil, nil))
            assert.is_nil(system:context())
            assert.are.equal(0, api.HcsSetComputeSystemCallback(system, 0, 1, true))
            assert.has_error(function() api.HcsSetComputeSystemCallback(system, "x") end)
        end)

        it("can be collected at any time", function()
            local operation = api.HcsCreateOperation(nil, true)
            for i = 1, 20 do
                local _, system = api.HcsCreateComputeSystem("s" .. i, support.document(),
                    operation)
                api.HcsSetComputeSystemCallback(system, 0, nil, true)
                system = nil -- luacheck: ignore
                collectgarbage()
                collectgarbage()
                operation:close()
                operation = api.HcsCreateOperation(nil, true)
            end
            operation:close()
            assert.are.equal(0, support.becomes(api, "Systems", 0))
            assert.are.equal(0, support.becomes(api, "Operations", 0))
        end)
    end)
end

describe("the service", function()
    it("answers about itself", function()
        local api = support.open "sim:?driver=step"
        local hr, document = api.HcsGetServiceProperties '{"PropertyTypes":["Basic"]}'
        assert.are.equal(0, hr)
        assert.is_table(core.json.decode(document))
        hr, document = api.HcsGetServiceProperties '{"PropertyTypes":["Nonsense"]}'
        assert.is_true(hr >= 0x80000000)
        assert.is_table(core.json.decode(document))
    end)

    it("makes files and grants them", function()
        local api = support.open "sim:?driver=step"
        local path = platform.temporary()
        assert.are.equal(0, api.HcsCreateEmptyGuestStateFile(path .. ".vmgs"))
        assert.are.equal(0x80070050, api.HcsCreateEmptyGuestStateFile(path .. ".vmgs"))
        assert.are.equal(0, api.HcsCreateEmptyRuntimeStateFile(path .. ".vmrs"))
        assert.are.equal(0, api.HcsGrantVmAccess("a", path .. ".vmgs"))
        assert.are.equal(0, api.HcsRevokeVmAccess("a", path .. ".vmgs"))
        assert.are.equal(0, api.HcsGrantVmGroupAccess(path .. ".vmgs"))
        assert.are.equal(0, api.HcsRevokeVmGroupAccess(path .. ".vmgs"))
        assert.are.equal(0x80070002, api.HcsGrantVmAccess("a", platform.path "no/such/file"))
        os.remove(path .. ".vmgs")
        os.remove(path .. ".vmrs")
    end)
end)
