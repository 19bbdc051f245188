-- SPDX-License-Identifier: MIT
-- Crashes, their events and their dumps: traces 9 and 10.
local helper = require "spec.helper"
local platform = require "spec.platform"

for _, uri in ipairs(helper.hosts()) do
    describe("crashing on " .. uri, function()
        local hcs, dump, state

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
            dump, state = platform.temporary(), platform.temporary()
        end)

        after_each(function()
            for _, path in ipairs { dump, state } do
                for _, ending in ipairs { "", ".1", ".2" } do
                    os.remove(path .. ending)
                    os.remove(path .. ending .. ".json")
                end
            end
            helper.after()
        end)

        local function boot(more)
            local vm = assert(hcs.create(helper.guest("crash", more)))
            assert(vm:start())
            assert(helper.up(uri, vm))
            return vm
        end

        local function magic(path)
            local file <close> = assert(io.open(path, "rb"))
            return file:read(4)
        end

        it("reports, dumps, and resets", function()
            local vm <close> = boot { dump = { path = dump }, stop_on_reset = true }
            local seen = {}
            for _, name in ipairs { "crash_initiated", "crash_report", "crash", "exited" } do
                vm:on(name, function(event) seen[#seen + 1] = event.name end)
            end
            assert(vm:crash())
            local crash = assert(vm:wait("crash", 120))
            assert.equal("crash", crash.name)
            assert.equal(vm, crash.system)
            assert.truthy(crash.log:find("Kernel panic", 1, true))
            assert.equal(1, #crash.dumps)
            local file = crash.dumps[1]
            assert.equal(dump, file.path)
            assert.equal("elf", file.format)
            assert.equal("\x7fELF", magic(dump))
            assert.truthy(file.bytes > 0 and file.seconds >= 0)
            assert(vm:wait("exited", 60))
            hcs.poll(0)
            assert.same({ "crash_initiated", "crash_report", "crash", "exited" }, seen)
        end)

        it("reports without a file where none is wanted", function()
            local vm <close> = boot { stop_on_reset = true }
            assert(vm:crash())
            local crash = assert(vm:wait("crash", 120))
            assert.same({}, crash.dumps)
            assert(vm:wait("exited", 60))
        end)

        it("leaves no file where it would be too large, and says so", function()
            local vm <close> = boot { dump = { path = dump, max = "2M" }, stop_on_reset = true }
            assert(vm:crash())
            local crash = assert(vm:wait("crash", 120))
            assert.same({}, crash.dumps)
            assert.is_nil(io.open(dump))
            assert.truthy(crash.document.Status ~= nil and crash.document.Status ~= 0)
            assert(vm:wait("exited", 60))
        end)

        it("keeps dumps, each with what it is of", function()
            local vm <close> = boot { dump = { path = dump, keep = 2 } }
            if uri:find "^windows:" then
                assert.truthy(table.concat(vm.warnings, "\n"):find("keep", 1, true))
                assert(vm:terminate())
                return
            end
            for _ = 1, 3 do
                assert(vm:crash())
                assert(vm:wait("crash", 120))
                assert(vm:console():expect("hcs-guest: up", 120))
            end
            for _, path in ipairs { dump, dump .. ".1" } do
                assert.equal("\x7fELF", magic(path))
                local file <close> = assert(io.open(path .. ".json"))
                assert.truthy(file:read("a"):find('"Why":"Crash"', 1, true))
            end
            assert.is_nil(io.open(dump .. ".2"))
            assert(vm:terminate())
        end)

        it("captures a guest that runs, and one that stands still", function()
            local vm <close> = boot()
            assert(vm:capture(dump))
            assert.equal("\x7fELF", magic(dump))
            assert.equal("Running", vm:state())
            assert(vm:pause())
            local ok, err = vm:capture(state)
            if uri:find("strict=1", 1, true) or uri:find "^windows:" then
                assert.truthy(err:is("invalid_state"))
            else
                assert(ok, err)
                assert.equal("\x7fELF", magic(state))
            end
            assert.equal("Paused", vm:state())
            assert(vm:terminate())
        end)

        it("saves the state when the guest panics by itself", function()
            local vm <close> = boot {
                stop_on_reset = true, debug = { bugcheck_no_dump_saved_state = state },
            }
            assert(vm:console():write("panic\n"))
            local crash = assert(vm:wait("crash", 120))
            assert.truthy(crash.log:find("Kernel panic", 1, true))
            assert.equal(1, #crash.dumps)
            assert.equal(state, crash.dumps[1].path)
            assert.equal("vmrs", crash.dumps[1].format)
            assert.equal(2, #crash.reports)
            assert.equal("GuestCrashNoCrashdump", crash.reports[2].GuestCrashSaveInfo.Reason)
            assert(io.open(state, "rb")):close()
            assert(vm:wait("exited", 60))
        end)

        it("tells a triple fault from a panic", function()
            local vm <close> = boot()
            assert(vm:console():write("triplefault\n"))
            local exit = assert(vm:wait("exited", 60))
            assert.equal("UnexpectedExit", exit.document.ExitType)
            assert.truthy(exit.document.Attribution[1].TripleFault)
            local event, err = vm:wait("crash", 1)
            assert.is_nil(event)
            assert.truthy(err:is("stopped"))
        end)

        it("goes on after a crash that it may survive", function()
            local vm <close> = boot { dump = dump }
            assert(vm:crash())
            assert(vm:wait("crash", 120))
            assert(vm:console():expect("hcs-guest: up", 120))
            assert.equal("Running", vm:state())
            assert(vm:crash())
            assert(vm:wait("crash", 120))
            assert(vm:terminate())
        end)
    end)
end
