-- SPDX-License-Identifier: MIT
-- Lua runs out of memory at every single allocation of everything.
package.path = "spec/core/?.lua;" .. package.path
local dump_file = require "spec.core.dump_file"
local platform = require "spec.platform"
local support = require "support"

-- Each text is a chunk that gets `api`, `core` and `support`.
local SCENES = {
    opening = [[
        local own = core.open "sim:?driver=step&seed=3"
        if own then own.close() end
        core.open "sim:?bogus=1"
        core.open "windows:"
        core.open "sim:?library=/nowhere"]],
    operations = [[
        local operation = api.HcsCreateOperation({}, true)
        api.HcsSetOperationContext(operation, "x")
        api.HcsEnumerateComputeSystems('{"Ids":["ä"]}', operation)
        assert(api.pump(5))
        local kind, same = api.next()
        assert(same == operation)
        local _, document = api.HcsGetOperationResult(operation)
        tostring(operation)
        operation:close()]],
    systems = [[
        local operation = api.HcsCreateOperation()
        local hr, system = api.HcsCreateComputeSystem("one", document, operation)
        if hr == 0 and system then
            api.HcsWaitForOperationResult(operation, 5000)
            api.HcsSetComputeSystemCallback(system, 0, {}, true)
            api.HcsGetComputeSystemFromOperation(operation)
            api.HcsStartComputeSystem(system, operation, nil)
            api.HcsWaitForOperationResult(operation, 5000)
            local _, second = api.HcsOpenComputeSystem("one")
            api.HcsGetComputeSystemProperties(system, operation, '{"PropertyTypes":["Memory"]}')
            api.HcsWaitForOperationResult(operation, 5000)
            local pipe = api.pipe_connect "\\\\.\\pipe\\com"
            if pipe then
                pipe:read(100)
                pipe:write "x"
                tostring(pipe)
                api.pump(0, { [pipe:fd()] = "rw" })
                pipe:close()
            end
            api.HcsTerminateComputeSystem(system, operation)
            api.pump(1)
            api.next()
            if second then second:close() end
            system:close()
        end
        operation:close()]],
    networks = [[
        local _, callback = api.HcnRegisterServiceCallback(true, {})
        local _, lan, record = api.HcnCreateNetwork(nil, '{"Name":"lan"}')
        if lan then
            local _, endpoint = api.HcnCreateEndpoint(lan, nil, "{}")
            if endpoint then
                api.HcnQueryEndpointStats(endpoint)
                api.HcnCloseEndpoint(endpoint)
            end
            api.HcnQueryNetworkProperties(lan)
            api.HcnModifyNetwork(lan, "{}")
            tostring(lan)
        end
        api.HcnOpenNamespace "01234567-89AB-CDEF-0123-456789ABCDEF"
        api.packet '{"Destination":"10.0.0.1"}'
        local _, list = api.HcnEnumerateNetworks()
        api.pump(0)
        api.next()
        if list then
            for id in list:gmatch '"(.-)"' do api.HcnDeleteNetwork(id) end
        end
        if callback then callback:close() end
        if lan then lan:close() end]],
    guests = [[
        api.guest(nil, true)
        local operation = api.HcsCreateOperation()
        local hr, system = api.HcsCreateComputeSystem("one", document, operation)
        api.HcsWaitForOperationResult(operation, 5000)
        api.HcsStartComputeSystem(system, operation, nil)
        api.HcsWaitForOperationResult(operation, 5000)
        api.pump(1)
        local _, guest = api.next()
        api.guest_print(guest, 0, "hello")
        api.guest_wake(guest, 0.001)
        api.guest_act(guest, "panic", "text")
        system:close()
        operation:close()]],
    documents = [[
        local value = { b = { 1, 2.5, "x", { c = core.null } }, a = core.array {}, ["ä"] = true }
        local text = core.json.encode(value)
        core.json.encode({ beta = 1, Alpha = value }, "T", types)
        local back = core.json.decode(text)
        core.json.decode "[1,"
        core.json.encode { x = print }]],
    files = [[
        local path = support.temporary
        core.write_file(path, ("x"):rep(100000))
        core.write_file(path, "more", true)
        local text = core.read_file(path)
        assert(not text or #text <= 100004)
        core.file_size(path)
        core.read_file "/nowhere/ä"
        core.getenv "PATH"
        core.user()
        os.remove(path)]],
    dumps = [[
        local path = os.getenv "DUMP"
        local dump = core.dump_open(path)
        if dump then
            core.dump_registers()
            dump:describe() dump:summary() dump:vmcoreinfo() dump:log()
            dump:register(0, 16) dump:register(0, 18) dump:paging(0)
            dump:read(0, 0x400000, 4096) dump:read_physical(0, 5000) dump:translate(0, 1)
            dump:range(0) dump:find(0, "needle", 1)
            local writer = dump:export(support.temporary .. ".kdump", "kdump", true)
            if writer then
                writer:wait(5)
                writer:result()
                writer:close()
            end
            tostring(dump)
            dump:close()
        end
        core.dump_open(path .. ".none")
        local _, saved = api.LoadSavedStateFile(path)
        if saved then
            api.GetGuestPhysicalMemoryChunks(saved)
            api.GetRegisterValue(saved, 0, 16)
            api.ReadGuestRawSavedMemory(saved, 0, 5000)
            api.ApplyGuestMemoryFix(saved, 0, 0x400000, "fix")
            api.ReleaseSavedStateFiles(saved)
        end
        os.remove(support.temporary .. ".kdump")]],
    questions = [[
        api.describe()
        api.inventory()
        api.now()
        api.timeout()
        api.pollfd()
        api.step(0.001)
        api.queue_counts()
        api.HcsGetServiceProperties '{"PropertyTypes":["Basic"]}'
        api.HcsGrantVmAccess("one", "/nowhere")
        api.pipe_path "x"
        core.boot_id() core.cwd() core.symbol(0x80370110) core.text(0x80370110)]],
}

local RUN = [[
    package.path = "spec/core/?.lua;" .. package.path
    local core = require "hcs.core"
    local support = require "support"
    local document = support.document "com"
    local types = { T = { order = { "Alpha" }, members = { Alpha = { type = "T" } } } }
    local scene = assert(load([=[local core, support, document, types, api = ... %s]=]))
    local api = assert(core.open "sim:?driver=step&access=open")
    local platform = require "spec.platform"
    support.temporary = platform.temporary()
    scene(core, support, document, types, api)
    api.close()
    local before = platform.settled(platform.descriptors)
    local tried, done = 0, false
    while not done do
        tried = tried + 1
        assert(tried < 3000)
        api = assert(core.open "sim:?driver=step&access=open")
        failalloc(tried)
        local ok, message = pcall(scene, core, support, document, types, api)
        failalloc(0)
        done = ok
        if not ok and message ~= "not enough memory" then error(message) end
        collectgarbage()
        collectgarbage()
        for _ = 1, 20 do api.step(0.01) end -- what was closed ends
        local inventory = core.json.decode(api.inventory())
        api.close()
        local left = inventory.Systems + inventory.Operations + inventory.Handles
        if left ~= 0 then error(("%%d left after %%d"):format(left, tried)) end
    end
    os.remove(support.temporary)
    api, document = nil, nil
    collectgarbage()
    collectgarbage()
    local after = platform.settles(platform.descriptors, before)
    print(tried > 5, after - before)]]

describe("without memory", function()
    local dump

    setup(function() dump = platform.temporary(dump_file.elf(), ".elf") end)
    teardown(function() platform.remove(dump) end)

    for name, scene in pairs(SCENES) do
        it(name .. " fail cleanly", function()
            local text, status = support.child(RUN:format(scene), { DUMP = dump },
                support.hcs_lua)
            assert.are.equal("true\t0\n", text)
            assert.are.equal(0, status)
        end)
    end
end)
