-- SPDX-License-Identifier: MIT
-- The compute service goes away and comes back: trace 13, on hosts that can be
-- made to.
local helper = require "spec.helper"

local simulated = {}
for _, uri in ipairs(helper.hosts()) do
    if uri:match("^sim:") then simulated[#simulated + 1] = uri end
end

for _, uri in ipairs(simulated) do
    describe("the service on " .. uri, function()
        local hcs

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
        end)

        after_each(helper.after)

        local function boot(id, more)
            local vm = assert(hcs.create(helper.guest(id, more)))
            assert(vm:start())
            assert(helper.up(uri, vm))
            return vm
        end

        -- A task that waits, and what it waited for in vain.
        local function waiting(fn, ...)
            local task = hcs.spawn(fn, ...)
            hcs.sleep(0.01)
            assert.is_false(task:done())
            return task
        end

        local function lost(value, err, code)
            assert.is_nil(value)
            assert.equal(0x8037011E, err.hresult)
            assert.equal("service_disconnect", code)
            assert.is_true(err:is("service_lost"))
        end

        it("ends every handle and spares who was to be kept", function()
            local kept <close> = boot("kept", { keep = true })
            local second <close> = assert(hcs.open("kept"))
            local mortal <close> = boot("mortal")
            local heard = {}
            hcs.on("service_disconnect", function(event)
                heard[event.system] = (heard[event.system] or 0) + 1
                assert.equal("ServiceDisconnect", event.type)
            end)
            assert.is_true(hcs.sim.service("restart"))
            assert(second:wait("service_disconnect", 10))
            assert(hcs.run_until(function() return heard[kept] and heard[mortal] end, 10))
            assert.same({ [kept] = 1, [second] = 1, [mortal] = 1 }, heard)
            for _, vm in ipairs { kept, second, mortal } do
                lost(vm:start())
                lost(vm:state())
                lost(vm:terminate())
                lost(vm:stop(1))
                lost(vm:wait("exited", 10))
                assert.truthy(tostring(vm):find("lost", 1, true))
            end
            kept:close()
            local list = assert(hcs.list())
            assert.equal(1, #list)
            assert.equal("kept", list[1].id)
            local again <close> = assert(hcs.open("kept"))
            assert.equal("Running", again:state())
            assert(again:console():write("echo still here\n"))
            assert(again:console():expect("still here", 10))
            assert(again:terminate())
            local new <close> = boot("mortal")
            assert(new:terminate())
            assert.equal("ForcedExit", assert(new:wait("exited", 10)).document.ExitType)
        end)

        it("lets nobody wait for ever", function()
            local vm <close> = boot("waited")
            local tasks = {
                waiting(function() return vm:wait("exited", 200) end),
                waiting(function() return vm:wait("crash", 200) end),
                waiting(function() return vm:wait("Paused", 200) end),
                waiting(function() return vm:console():expect("nothing of the kind", 200) end),
            }
            local seen = {}
            local watcher = waiting(function()
                for event in vm:watch() do seen[#seen + 1] = event.name end
                return true
            end)
            assert(hcs.sim.service("stop"))
            for _, task in ipairs(tasks) do lost(task:wait(30)) end
            assert.is_true(watcher:wait(30))
            assert.same({ "service_disconnect" }, seen)
            assert(hcs.sim.service("start"))
        end)

        it("is unavailable while it is stopped", function()
            assert(hcs.sim.service("stop"))
            for _, try in ipairs {
                function() return hcs.create(helper.guest("none")) end,
                function() return hcs.open("none") end,
                function() return hcs.list() end,
                function() return hcs.host.properties() end,
            } do
                local value, err = try()
                assert.is_nil(value)
                assert.equal(0x80370114, err.hresult)
                assert.is_true(err:is("unavailable"))
            end
            assert.is_true(hcs.sim.service("start"))
            assert.is_true(hcs.sim.service("start"))
            assert.same({}, hcs.list())
            assert.has_error(function() hcs.sim.service("reload") end)
        end)
    end)
end

describe("the service of a slow host", function()
    before_each(helper.before)
    after_each(helper.after)

    for _, driver in ipairs { "step", "thread" } do
        it("fails what is under way (" .. driver .. ")", function()
            local hcs = helper.connect("sim:?clock=virtual&latency=5s&driver=" .. driver)
            local vm <close> = assert(hcs.create(helper.guest("slow", { keep = true })))
            local start = assert(vm:start_async())
            local create = assert(hcs.create_async(helper.guest("never")))
            hcs.sleep(1)
            assert.is_false(start:done())
            assert(hcs.sim.service("restart"))
            for _, op in ipairs { start, create } do
                local ok, err = op:wait(30)
                assert.is_nil(ok)
                assert.is_true(err:is("service_lost"))
            end
            vm:close()
            hcs.sleep(10) -- the work goes on without anybody to answer
            local again <close> = assert(hcs.open("slow"))
            assert.equal("Running", again:state())
            assert(again:terminate())
        end)
    end
end)
