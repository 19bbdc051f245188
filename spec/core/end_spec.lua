-- SPDX-License-Identifier: MIT
-- Ends: of Lua states with work in flight, of processes, in forked children.
package.path = "spec/core/?.lua;" .. package.path
local platform = require "spec.platform"
local support = require "support"

local HEAD = [[
    package.path = "spec/core/?.lua;" .. package.path
    local core = require "hcs.core"
    local support = require "support"
    local uri = support.uri "%s"
    local api = core.open(uri)
]]

local function passes(driver, text, output, environment)
    local got, status = support.child(HEAD:format(driver) .. text, environment)
    got = got:gsub("==%d+==Running thread[^\n]*\n", "") -- LeakSanitizer's, after a fork
    assert.are.equal(output or "", got)
    assert.are.equal(0, status)
end

for _, driver in ipairs(support.drivers) do
    describe("the end of a state (" .. driver .. ")", function()
        it("comes with everything open and in flight", function()
            passes(driver, [[
                kept = {}
                for i = 1, 50 do
                    local operation = api.HcsCreateOperation(i, true)
                    local _, system = api.HcsCreateComputeSystem("s" .. i,
                        support.document("p" .. i), operation)
                    if system then api.HcsSetComputeSystemCallback(system, 0, nil, true) end
                    kept[#kept + 1] = { operation, system }
                end
                for i = 1, 2000 do
                    kept[#kept + 1] = api.HcsCreateOperation(nil, true)
                    api.HcsEnumerateComputeSystems(nil, kept[#kept])
                end]])
        end)

        it("comes by os.exit, with and without closing", function()
            for _, close in ipairs { "true", "false" } do
                passes(driver, [[
                    local operation = api.HcsCreateOperation(nil, true)
                    for i = 1, 100 do
                        kept = api.HcsCreateOperation(nil, true)
                        api.HcsEnumerateComputeSystems(nil, kept)
                    end
                    support.started(api, "a")
                    os.exit(true, ]] .. close .. ")", nil,
                    -- LeakSanitizer stumbles over threads that still run
                    close == "false" and { ASAN_OPTIONS = "detect_leaks=0" } or nil)
            end
        end)

        it("comes with an error on the way", function()
            local text, status = support.child(HEAD:format(driver) .. [[
                local system <close> = support.started(api, "a")
                local operation <close> = api.HcsCreateOperation(nil, true)
                api.HcsEnumerateComputeSystems(nil, operation)
                error "boom"]])
            assert.truthy(text:find("boom", 1, true))
            assert.are.equal(1, status)
        end)

        it("does not depend on the collector", function()
            for _, mode in ipairs { 'collectgarbage "generational"', 'collectgarbage "stop"',
                'collectgarbage("setpause", 0) collectgarbage("setstepmul", 1000)' } do
                passes(driver, mode .. [[

                    local waiting = 0
                    for round = 1, 20 do
                        for i = 1, 20 do
                            local operation = api.HcsCreateOperation({ i }, true)
                            api.HcsEnumerateComputeSystems(nil, operation)
                            if i % 2 == 0 then
                                waiting = waiting + 1
                                api.HcsSetOperationContext(operation, { operation })
                                _G[operation] = operation
                            end
                        end
                        api.pump(0)
                        repeat
                            local kind, operation = api.next()
                            if operation and _G[operation] then
                                waiting = waiting - 1
                                _G[operation] = nil
                            end
                        until not kind
                    end
                    if waiting > 0 then
                        support.expect(api, function(kind, operation)
                            if _G[operation] then
                                waiting = waiting - 1
                                _G[operation] = nil
                            end
                            return waiting == 0
                        end)
                    end
                    print(waiting)]], "0\n")
            end
        end)

        it("lets finalizers use what is still there", function()
            passes(driver, [[
                local system, operation = support.started(api, "a")
                keep = setmetatable({}, { __gc = function()
                    local ok, hr = pcall(api.HcsGetOperationType, operation)
                    print(ok, hr)
                    print(pcall(system.close, system))
                end })]], "true\t2\ntrue\n")
        end)

        it("of a coroutine is not the state's", function()
            passes(driver, [[
                local operation
                coroutine.wrap(function()
                    api = core.open(uri)
                    operation = api.HcsCreateOperation(nil, true)
                    api.HcsEnumerateComputeSystems(nil, operation)
                end)()
                collectgarbage()
                collectgarbage()
                support.expect(api, function(kind, o) return o == operation end)
                print "ok"]], "ok\n")
        end)
    end)

    describe("a forked child (" .. driver .. ")", function()
        it("may not use its parent's host, and ends in peace", function()
            if platform.no_fork then return pending(platform.no_fork) end
            passes(driver, [[
                local unix = require "hcs.spec_unix"
                local system, operation = support.started(api, "a", support.document("com"))
                local loud = api.HcsCreateOperation(nil, true)
                local pid = unix.fork()
                if pid == 0 then
                    assert(api.HcsStartComputeSystem(system, operation) == 0x80070006)
                    assert(api.HcsOpenComputeSystem("a") == 0x80070006)
                    assert(api.HcsGetOperationResult(operation) == 0x80070006)
                    assert(api.HcsCreateOperation(nil, true) == nil)
                    for _, name in ipairs { "next", "pump", "pollfd", "queue_counts" } do
                        local ok, text = pcall(api[name])
                        assert(not ok and text:find("another process", 1, true), text)
                    end
                    loud:close()
                    -- ThreadSanitizer cannot start threads after a fork
                    local own = core.open(os.getenv "TSAN_OPTIONS" and support.uri "step" or uri)
                    support.started(own, "a")
                    local mine = own.HcsCreateOperation(nil, true)
                    own.HcsEnumerateComputeSystems(nil, mine)
                    support.expect(own, function(_, o) return o == mine end)
                    system:close()
                    api.close()
                    os.exit(7, true)
                end
                assert(unix.wait(pid) == 7)
                support.finished(api, operation, api.HcsPauseComputeSystem(system, operation))
                api.HcsEnumerateComputeSystems(nil, loud)
                support.expect(api, function(_, o) return o == loud end)
                print "ok"]], "ok\n")
        end)
    end)
end

describe("the module", function()
    it("is pinned, and loads again", function()
        passes("thread", [[
            local name = package.searchpath("hcs.core", package.cpath)
            package.loaded["hcs.core"] = nil
            local again = require "hcs.core"
            assert(again ~= core)
            local other = again.open(uri)
            assert(again.json.encode(core.array {}) == "[]")
            local operation = other.HcsCreateOperation()
            assert(not pcall(api.HcsGetOperationType, operation))
            print(name ~= nil)]], "true\n")
    end)

    it("does nothing when it is only loaded", function()
        local text, status = support.child [[
            local core = require "hcs.core"
            local platform = require "spec.platform"
            local before = platform.threads()
            print(platform.loaded "hcshost")
            core.open("sim:").close()
            print(platform.loaded "hcshost")
            print(platform.threads() == before)]]
        assert.are.equal("false\ntrue\ntrue\n", text)
        assert.are.equal(0, status)
    end)
end)
