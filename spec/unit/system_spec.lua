-- SPDX-License-Identifier: MIT
-- The Lua layer against a host that does what the spec says.
local core = require "hcs.core"
local fake = require "spec.unit.fake_core"

local GUEST = { id = "web", memory = "128M", kernel = "/k" }

describe("creating", function()
    local hcs, host

    before_each(function() hcs, host = fake.hcs() end)

    local function calls_of(name)
        local list = {}
        for _, call in ipairs(host.calls) do
            if call[1] == name then list[#list + 1] = call end
        end
        return list
    end

    it("opens nothing before it is needed", function()
        assert.is_nil(host.opened)
        assert.equal("fake:", hcs.host.uri)
        assert.is_nil(hcs.sim)
        assert.is_nil(host.opened)
        assert.truthy(hcs.list())
        assert.equal("fake:?driver=step", host.opened)
    end)

    it("grants, creates, listens, reads back; and closes in reverse", function()
        local vm = assert(hcs.create { id = "web", memory = "128M", kernel = "/k", initrd = "i",
            dump = "/d/x.elf", disks = { "/a.vhdx" } })
        assert.same({ ["/k"] = "web", ["/work/dir/i"] = "web", ["/d"] = "web",
            ["/a.vhdx"] = "web" }, host.granted)
        local names = fake.names(host)
        assert.equal("HcsCreateComputeSystem", names[5])
        assert.equal("HcsSetComputeSystemCallback", names[6])
        assert.equal("HcsGetComputeSystemProperties", names[7])
        assert.equal("spec", vm.owner)
        assert.truthy(tostring(vm):find('hcs.System "web" (created)', 1, true))
        vm:close()
        assert.is_true(vm:close())
        assert.same({}, host.granted)
        assert.is_true(host.systems.web.closed)
        assert.equal(1, #calls_of "HcsCloseComputeSystem")
        assert.equal('hcs.System "web" (closed)', tostring(vm))
    end)

    it("tags the owner, and lets keep decide about the last handle", function()
        assert(hcs.create(GUEST))
        local document = core.json.decode(calls_of("HcsCreateComputeSystem")[1][3])
        assert.truthy(document.Owner:find("^lua%-hcs %[lua%-hcs %S+ 4242%.%d+ this%-boot%]$"))
        assert.is_true(document.ShouldTerminateOnLastHandleClosed)
        local kept = assert(hcs.create { id = "k", kernel = "/k", keep = true, owner = "me" })
        document = core.json.decode(calls_of("HcsCreateComputeSystem")[2][3])
        assert.truthy(document.Owner:find("^me %["))
        assert.is_nil(document.ShouldTerminateOnLastHandleClosed or nil)
        kept:close()
        assert.truthy(host.granted["/k"])
    end)

    it("refuses an owner that is no name, and states and types there are not", function()
        for message, mistake in pairs {
            ['option "owner" is 5'] = function() hcs.create { id = "x", owner = 5 } end,
            ['(did you mean "Running"?)'] = function() hcs.list { state = "runing" } end,
            ['type is "vm"'] = function() hcs.list { type = "vm" } end,
            ["a dot, not a colon"] = function() hcs:create { id = "x" } end,
            ["methods go with a colon"] = function()
                local vm <close> = hcs.create { id = "x", kernel = "k" }
                vm.start()
            end,
        } do
            local ok, err = pcall(mistake)
            assert.is_false(ok)
            assert.truthy(tostring(err):find(message, 1, true), tostring(err))
        end
        assert.same({}, hcs.list { state = "saved_as_template", type = "virtual_machine" })
    end)

    it("undoes everything when it fails, wherever", function()
        local function nothing_left()
            hcs.poll(0)
            assert.same({}, host.granted)
            assert.same({}, host.world.systems)
            assert.same({}, host.world.operations)
            for _, system in pairs(host.systems) do assert.is_true(system.closed) end
        end
        local function fails(code)
            local vm, err = hcs.create(GUEST)
            assert.is_nil(vm)
            assert.equal(code, err.hresult)
            assert.equal("web", err.target)
            nothing_left()
        end
        host.fail.HcsGrantVmAccess = 0x80070005
        fails(0x80070005)
        host.fail.HcsGrantVmAccess = nil
        host.fail.HcsCreateComputeSystem = 0x8037011B
        fails(0x8037011B)
        host.fail.HcsCreateComputeSystem = { 0x8037010D,
            '{"Error":-2143878899,"ErrorMessage":"told at once"}' }
        local _, err = hcs.create(GUEST)
        assert.equal("told at once", err.message)
        nothing_left()
        host.fail.HcsCreateComputeSystem = nil
        host.answer.HcsCreateComputeSystem = { 0x80370114 }
        fails(0x80370114)
        host.answer.HcsCreateComputeSystem = nil
        host.fail.HcsSetComputeSystemCallback = 0x80370119
        fails(0x80370119)
        host.fail.HcsSetComputeSystemCallback = nil
        host.answer.HcsGetComputeSystemProperties = { 0x8037011E }
        fails(0x8037011E)
        host.answer.HcsGetComputeSystemProperties = nil
        host.no_operations = true
        fails(0x8007000E)
    end)

    it("does not take from a living system what it needs", function()
        local vm = assert(hcs.create(GUEST))
        host.answer.HcsCreateComputeSystem = { 0x8037010F }
        assert.is_nil((hcs.create(GUEST)))
        assert.same({ ["/k"] = "web" }, host.granted)
        local other = assert(hcs.create { id = "web", kernel = "/k", if_exists = "open" })
        other:close()
        assert.same({ ["/k"] = "web" }, host.granted)
        vm:close()
        assert.same({}, host.granted)
        host.answer.HcsCreateComputeSystem = nil
        local old = assert(hcs.create(GUEST))
        local new = assert(hcs.create(GUEST))
        old:close()
        assert.same({ ["/k"] = "web" }, host.granted)
        new:close()
        assert.same({}, host.granted)
        assert.same({}, host.world.granted)
        host.answer.HcsCreateComputeSystem = { 0x8037010F }
        assert.is_nil((hcs.create(GUEST)))
        assert.same({ ["/k"] = "web" }, host.granted)
        assert.same({}, host.world.granted)
    end)

    it("leaves a missing file for the host to name", function()
        host.fail.HcsGrantVmAccess = 0x80070002
        assert(hcs.create(GUEST))
    end)

    it("times out, asks to cancel, and forgets nothing", function()
        host.hold.HcsCreateComputeSystem = true
        local vm, err, code = hcs.create(GUEST, 2)
        assert.is_nil(vm)
        assert.equal("timeout", code)
        assert.is_true(err:is("timeout"))
        assert.equal(2, host.time)
        assert.equal(1, #calls_of "HcsCancelOperation")
        assert.is_true(host.systems.web.closed)
        assert.same({}, host.granted)
        local held = next(host.world.operations)
        assert.truthy(held)
        host.complete(held)
        hcs.poll(0)
        assert.same({}, host.world.operations)
        assert.is_true(held.closed)
    end)

    it("closes what a cancelled task was creating", function()
        host.hold.HcsCreateComputeSystem = true
        local task = hcs.spawn(function() hcs.create(GUEST) end)
        hcs.poll(0)
        assert.truthy(host.systems.web)
        task:cancel()
        assert.is_true(host.systems.web.closed)
        assert.same({}, host.world.systems)
    end)

    it("reports a host that cannot be opened", function()
        host.fail.open = 0x80070002
        host.open_text = '{"Error":-2147024894,"ErrorMessage":"no such program"}'
        local vm, err, code = hcs.create(GUEST)
        assert.is_nil(vm)
        assert.equal("file_not_found", code)
        assert.equal("no such program", err.message)
        host.open_text = "a sentence"
        assert.equal("a sentence", select(2, hcs.list()).message)
        assert.has_error(function() return hcs.host.build end)
        assert.equal("fake:", hcs.host.uri)
    end)
end)

describe("a system", function()
    local hcs, host, vm, handle

    before_each(function()
        hcs, host = fake.hcs()
        vm = assert(hcs.create(GUEST))
        handle = host.systems.web
    end)

    it("has both faces", function()
        assert.same({ true, n = 1 }, table.pack(vm:start()))
        assert.same({ true, n = 1 }, table.pack(vm:terminate()))
        assert.equal(1, select("#", hcs.create { id = "one", kernel = "/k" }))
        local op = assert(vm:start_async())
        assert.is_false(op:done())
        assert.truthy(tostring(op):find("pending", 1, true))
        assert.is_true(op:wait())
        assert.is_true(op:done())
        assert.is_true(op:wait())
        assert.equal(0, op:timeout())
    end)

    it("calls back", function()
        local got
        local op = vm:state_async()
        op:on_done(function(...) got = { ... } end)
        hcs.poll(0)
        assert.same({ "Created" }, got)
        op:on_done(function(...) got = { ..., "again" } end)
        hcs.poll(0)
        assert.same({ "Created", "again" }, got)
        assert.has_error(function() op:on_done(7) end)
    end)

    it("tells who listens that an operation was cancelled", function()
        host.hold.HcsTerminateComputeSystem = true
        local got
        local op = vm:terminate_async():on_done(function(...) got = table.pack(...) end)
        hcs.poll(0)
        assert.is_nil(got)
        assert.is_true(op:cancel())
        hcs.poll(0)
        assert.is_true(got[2]:is("cancelled"))
        assert.is_true(op:done())
        assert.equal("cancelled", select(3, op:wait()))
        assert.is_true(op:cancel())
        host.hold.HcsStartComputeSystem = true
        local raw = assert(vm:start_async())
        assert.is_true(raw:cancel())
        host.fail.HcsCancelOperation = 0x80004001
        local ok, err = raw:cancel()
        assert.is_nil(ok)
        assert.is_true(err:is("unsupported"))
        assert.is_true(select(2, raw:wait(1)):is("timeout"))
    end)

    it("is not ended by a garbage collection", function()
        local weak = setmetatable({ vm }, { __mode = "v" })
        local world = setmetatable({ host.world }, { __mode = "v" })
        local core_host = host
        hcs, host, vm = nil, nil, nil
        core_host.world = nil
        collectgarbage()
        collectgarbage()
        assert.truthy(weak[1])
        assert.truthy(world[1])
        assert.is_nil(handle.closed)
        weak[1]:close()
        assert.is_true(handle.closed)
    end)

    it("fails at once, or later, alike", function()
        host.fail.HcsStartComputeSystem = 0x80370105
        local ok, err, code = vm:start()
        assert.is_nil(ok)
        assert.equal("invalid_state", code)
        assert.equal("start", err.op)
        assert.equal("web", err.target)
        local op
        op, err = vm:start_async()
        assert.is_nil(op)
        assert.equal("invalid_state", err.code)
        host.fail.HcsStartComputeSystem = nil
        host.answer.HcsStartComputeSystem = { 0x80370105 }
        ok, err = vm:start()
        assert.is_nil(ok)
        assert.equal("invalid_state", err.code)
        op = assert(vm:start_async())
        ok, err = op:wait()
        assert.is_nil(ok)
        assert.equal("invalid_state", err.code)
    end)

    it("terminates what has stopped with success", function()
        host.fail.HcsTerminateComputeSystem = 0x80370110
        assert.is_true(vm:terminate())
        assert.is_true(vm:terminate_async():wait())
        host.fail.HcsTerminateComputeSystem = nil
        host.answer.HcsTerminateComputeSystem = { 0x80370110 }
        assert.is_true(vm:terminate())
        host.answer.HcsTerminateComputeSystem = { 0x80370105 }
        local ok, err = vm:terminate()
        assert.is_nil(ok)
        assert.equal("invalid_state", err.code)
    end)

    it("stops: asks, waits, then cuts the power", function()
        host.at(5, "event", handle, 1, '{"ExitType":"GracefulExit"}')
        assert.is_true(vm:stop(10))
        assert.equal(5, host.time)
        for _, name in ipairs(fake.names(host)) do
            assert.not_equal("HcsTerminateComputeSystem", name)
        end
        assert.is_true(vm:stop())
        local deaf = assert(hcs.create { id = "deaf", kernel = "/k" })
        host.at(8, "event", host.systems.deaf, 1, '{"ExitType":"ForcedExit"}')
        assert.is_true(deaf:stop(2))
        assert.equal(8, host.time)
    end)

    it("hands out events, each heard or kept", function()
        local heard = {}
        local handler = vm:on("exited", function(event) heard[#heard + 1] = event end)
        hcs.on("exited", function(event) heard[#heard + 1] = event end)
        host.event(handle, 6)
        host.event(handle, 1, { ExitType = "ForcedExit" })
        local event = assert(vm:wait("exited", 1))
        hcs.poll(0)
        assert.same({ event, event }, heard)
        assert.equal("SystemExited", event.type)
        assert.equal("ForcedExit", event.document.ExitType)
        assert.equal('{"ExitType":"ForcedExit"}', event.json)
        assert.equal(vm, event.system)
        assert.equal(2, event.seq)
        assert.equal(event, vm:wait("exited", 1))
        assert.equal("guest_connection_closed", assert(vm:wait("guest_connection_closed")).name)
        local none, err = vm:wait("guest_connection_closed", 1)
        assert.is_nil(none)
        assert.is_true(err:is("stopped"))
        assert.is_true(handler.off())
        assert.is_false(handler.off())
        assert.has_error(function() vm:on("no_such", print) end)
    end)

    it("lets handlers wait, and events go by meanwhile", function()
        local log = {}
        vm:on("guest_connection_closed", function()
            log[#log + 1] = "begin"
            hcs.sleep(2)
            log[#log + 1] = vm:state()
        end)
        host.event(handle, 6)
        host.at(1, "event", handle, 1)
        assert(vm:wait("exited", 5))
        assert.same({ "begin" }, log)
        hcs.sleep(2)
        assert.same({ "begin", "Created" }, log)
    end)

    it("is watched", function()
        host.event(handle, 2)
        host.event(handle, 3, {})
        host.at(3, "event", handle, 1)
        local names = {}
        for event in vm:watch() do names[#names + 1] = event.name end
        assert.same({ "crash_initiated", "crash_report", "crash", "exited" }, names)
        assert.same({}, vm._watchers)
        assert.has_error(function() vm:watch("nothing") end)
    end)

    it("composes one crash of several reports", function()
        local other = assert(hcs.create { id = "saves", kernel = "/k",
            debug = { bugcheck_saved_state = "/d/a.vmrs",
                bugcheck_no_dump_saved_state = "/d/b.vmrs" },
        })
        local one = host.systems.saves
        host.at(1, "event", one, 2, '{"SystemId":"saves","CrashParameters":[1,2]}')
        host.at(2, "event", one, 3, '{"CrashLog":"panic","NixCrashInfo":{"DumpFile":"/d/x.elf"}}')
        host.at(3, "event", one, 3, '{"GuestCrashSaveInfo":{"SaveStateFile":"/d/a.vmrs"}}')
        host.at(9, "event", one, 3, '{"GuestCrashSaveInfo":{"SaveStateFile":"/d/b.vmrs"}}')
        local crash = assert(other:wait("crash", 60))
        assert.equal("panic", crash.log)
        assert.same({ 1, 2 }, { table.unpack(crash.parameters) })
        assert.same({ "/d/x.elf", "/d/a.vmrs" }, { crash.dumps[1].path, crash.dumps[2].path })
        assert.same({ "elf", "vmrs" }, { crash.dumps[1].format, crash.dumps[2].format })
        assert.truthy(math.abs(crash.dumps[1].seconds - 1) < 1e-6)
        assert.is_nil(crash.dumps[1].bytes)
    end)

    it("ends a crash at the exit, however few reports there were", function()
        host.event(handle, 2)
        host.event(handle, 1)
        local crash = assert(vm:wait("crash", 1))
        assert.same({}, crash.dumps)
        assert.is_true(crash.seq < vm:wait("exited").seq)
    end)

    it("waits for a state, and says which it is", function()
        assert.equal("Created", vm:wait("created"))
        hcs.spawn(function()
            hcs.sleep(1)
            handle.state = "Paused"
        end)
        assert.equal("Paused", vm:wait("Paused", 5))
        local state, err = vm:wait("Running", 1)
        assert.is_nil(state)
        assert.truthy(err.message:find("it is Paused, not Running", 1, true))
        assert.has_error(function() vm:wait("exploded") end)
        assert.has_error(function() vm:wait() end)
    end)

    it("asks for properties by any of their names", function()
        local function query() return host.calls[#host.calls - 1][4] end
        assert(vm:properties("memory", "process_list", 5))
        assert.equal('{"PropertyTypes":["Memory","ProcessList"]}', query())
        assert(vm:properties("Statistics"))
        assert.equal('{"PropertyTypes":["Statistics"]}', query())
        assert(vm:properties())
        assert.is_nil(query())
        assert(vm:properties { Queries = {} })
        assert.equal('{"Queries":{}}', query())
    end)

    it("says what a build lacks", function()
        host.api.HcsCrashComputeSystem = nil
        local ok, err = vm:crash()
        assert.is_nil(ok)
        assert.is_true(err:is("unsupported"))
        assert.truthy(err.message:find("26100", 1, true))
        assert.is_false((vm:can("crash")))
    end)

    it("sends what the options say", function()
        local function sent(name)
            for index = #host.calls, 1, -1 do
                if host.calls[index][1] == name then return host.calls[index][4] end
            end
        end
        vm:pause()
        assert.is_nil(sent "HcsPauseComputeSystem")
        vm:pause({ reason = "save" }, 5)
        assert.equal('{"SuspensionLevel":"Suspend","HostedNotification":{"Reason":"Save"}}',
            sent "HcsPauseComputeSystem")
        vm:shutdown(3)
        assert.equal('{"Mechanism":"IntegrationService","Type":"Shutdown"}',
            sent "HcsShutDownComputeSystem")
        vm:shutdown { type = "reboot", mechanism = "guest_connection", force = true }
        assert.equal('{"Mechanism":"GuestConnection","Type":"Reboot","Force":true}',
            sent "HcsShutDownComputeSystem")
        vm:save("s.vmrs")
        assert.truthy(sent("HcsSaveComputeSystem"):find("/work/dir/s.vmrs", 1, true))
        vm:set_memory("511M")
        assert.truthy(sent("HcsModifyComputeSystem"):find('"Settings":512', 1, true))
        local disk = assert(vm:attach_disk("x.iso"))
        assert.equal("iso", disk.type)
        assert.truthy(sent("HcsModifyComputeSystem"):find('/Scsi/0/Attachments/0"', 1, true))
        assert.truthy(host.granted["/work/dir/x.iso"])
        assert.equal("1", assert(vm:attach_disk { path = "/y.vhdx" }).lun)
        assert.is_true(vm:detach_disk(disk))
        assert.truthy(sent("HcsModifyComputeSystem"):find('"Remove"', 1, true))
        for _, mistake in ipairs {
            function() vm:pause { reasn = "save" } end,
            function() vm:pause { reason = "lunch" } end,
            function() vm:shutdown { type = "explode" } end,
            function() vm:set_memory(512) end,
            function() vm:attach_disk {} end,
            function() vm:detach_disk("x") end,
            function() vm:modify {} end,
            function() vm:save() end,
            function() vm:console("lpt1") end,
            function() vm:can("fly") end,
        } do
            assert.has_error(mistake)
        end
    end)

    it("is of no use once closed, and says so", function()
        vm:close()
        for _, verb in ipairs { "start", "state", "stop", "terminate", "console", "wait" } do
            local ok, err = pcall(vm[verb], vm, "exited")
            assert.is_false(ok)
            assert.truthy(tostring(err):find('system "web" is closed', 1, true), verb)
        end
    end)

    it("does not live longer than its world", function()
        local waiter = hcs.spawn(function() return select(3, vm:wait("exited")) end)
        hcs.poll(0)
        hcs.close()
        assert.is_true(waiter:done())
        assert.is_true(handle.closed)
        assert.is_true(host.closed)
        assert.is_true(vm:close())
    end)
end)

describe("the strict face", function()
    it("raises, with where and the traceback", function()
        local hcs, host = fake.hcs(nil, true)
        local vm = hcs.create(GUEST)
        host.fail.HcsStartComputeSystem = 0x80370105
        local ok, err = pcall(function() vm:start() end)
        assert.is_false(ok)
        assert.equal("invalid_state", err.code)
        assert.truthy(err.where:find("system_spec.lua:%d+"))
        assert.truthy(err.traceback:find("system_spec.lua", 1, true))
        assert.has_error(function() vm:start_async() end)
        host.answer.HcsPauseComputeSystem = { 0x80370105 }
        local op = vm:pause_async()
        assert.has_error(function() op:wait() end)
        assert.has_error(function() hcs.explain("no such thing at all") end)
    end)

    it("returns objects that are strict, and answers that are not failures", function()
        local hcs = fake.hcs(nil, true)
        local vm = hcs.create(GUEST)
        local possible, reason = vm:can("pause")
        assert.is_false(possible)
        assert.equal("it is created", reason)
        local scope = hcs.scope()
        assert.is_true(scope:close())
        assert.has_error(function() hcs.spawn(function() end):wait(); vm:wait("crash", 1) end)
    end)
end)

describe("listing", function()
    local function entry(id, more)
        local document = { Id = id, SystemType = "VirtualMachine", RuntimeId = "r-" .. id }
        for key, value in pairs(more or {}) do document[key] = value end
        return document
    end

    it("gives records, sorted, chosen, with their state", function()
        local hcs, host = fake.hcs()
        host.answer.HcsEnumerateComputeSystems = { 0, core.json.encode(core.array {
            entry("b", { State = "Running", Owner = "WSL" }), entry("a"),
            entry("c", { SystemType = "Container", Owner = "me [lua-hcs u 1.0 x]" }),
        }) }
        local records = assert(hcs.list())
        assert.same({ "a", "b", "c" }, { records[1].id, records[2].id, records[3].id })
        assert.equal("Created", records[1].state)
        assert.equal("me", records[3].owner)
        assert.equal("u", records[3].tag.user)
        assert.equal("b", assert(hcs.list { state = "running" })[1].id)
        assert.equal("b", assert(hcs.list { owner = "WSL" })[1].id)
        assert.equal("c", assert(hcs.list { type = "container" })[1].id)
        assert.equal(2, #assert(hcs.list { type = "virtual_machine" }))
        host.answer.HcsEnumerateComputeSystems = { 0, nil }
        assert.same({}, hcs.list())
    end)

    it("sweeps what dead owners left, and nothing else", function()
        local hcs, host = fake.hcs()
        host.answer.HcsEnumerateComputeSystems = { 0, core.json.encode(core.array {
            entry("alive", { Owner = "x [lua-hcs u 4242.0 this-boot]" }),
            entry("dead", { Owner = "x [lua-hcs u 77.0 this-boot]" }),
            entry("old", { Owner = "y [lua-hcs u 4242.0 other-boot]" }),
            entry("foreign", { Owner = "WSL" }), entry("none"),
        }) }
        local swept = assert(hcs.sweep { dry_run = true })
        assert.same({ "dead", "old" }, { swept[1].id, swept[2].id })
        for _, name in ipairs(fake.names(host)) do
            assert.not_equal("HcsOpenComputeSystem", name)
        end
        swept = assert(hcs.sweep { owner = "y", dry_run = true })
        assert.same({ "old" }, { swept[1].id })
        host.fail.HcsOpenComputeSystem = 0x8037010E
        assert.equal(2, #assert(hcs.sweep()))
        host.fail.HcsOpenComputeSystem = 0x8037011B
        local none, err = hcs.sweep()
        assert.is_nil(none)
        assert.is_true(err:is("access_denied"))
    end)
end)
