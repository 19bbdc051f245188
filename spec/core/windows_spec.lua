-- SPDX-License-Identifier: MIT
-- What hcs.core does on Windows only: which libraries it loads, names of any
-- script, named pipes of the system, handles of every kind.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local dump_file = require "spec.core.dump_file"
local lfs = require "lfs"
local platform = require "spec.platform"
local support = require "support"

after_each(support.finish)

local function on_windows(name, test)
    it(name, function()
        if not platform.windows then return pending "needs Windows" end
        test()
    end)
end

-- A copy of our host under another name.
local function copied(name)
    local path = platform.temporary(nil, name)
    local library = support.open("sim:").library
    assert(core.write_file(path, assert(core.read_file(library))))
    finally(function() platform.remove(path) end)
    return path
end

local function beside(name)
    return (support.open("sim:").library:gsub("[^\\]*$", name))
end

describe("libraries on Windows", function()
    on_windows("come from the system's folder and from nowhere else", function()
        local decoy = platform.temporary(nil, "")
        assert(lfs.mkdir(decoy))
        local library = support.open("sim:").library
        local file = decoy .. "\\computecore.dll"
        assert(core.write_file(file, assert(core.read_file(library))))
        local text, status = platform.lua_text(([[
            local lfs = require "lfs"
            assert(lfs.chdir %q)
            local api, hr, text = require "hcs.core".open "windows:"
            if api then
                print(api.library:lower():find("\\system32\\computecore.dll", 1, true) ~= nil)
                print(api.dlls.computecore == api.library)
            else
                print(hr == 0x8007007E or text)
                print(text:find("computecore.dll", 1, true) and text:find "Hyper%%-V"
                    and text:find "126" and true or text)
            end]]):format(decoy))
        platform.remove(file)
        lfs.rmdir(decoy)
        assert.are.equal("true\ntrue\n", text)
        assert.are.equal(0, status)
    end)

    on_windows("are not taken from a path that depends on where one is", function()
        for _, kind in ipairs { "sim:", "windows:" } do
            for _, path in ipairs { "hcshost.dll", ".\\hcshost.dll", "\\x\\hcshost.dll",
                "/x/hcshost.dll", "c:hcshost.dll", "hcs\\hcshost.dll", "\\\\", "\\\\\\x",
                "1:\\x.dll" } do
                local api, hr, text = core.open(kind .. "?library=" .. path)
                assert.is_nil(api)
                assert.are.equal(0x80070057, hr, path)
                assert.truthy(text:find("absolute", 1, true), text)
            end
        end
    end)

    on_windows("may have any name", function()
        local path = copied "-\u{F6}\u{416}\u{1F600}.dll"
        local api = support.open("sim:?library=" .. path)
        assert.are.equal(path, api.library)
        assert.are.equal(path, support.open("sim:?library=" .. path:gsub("\\", "/")).library)
        local text, status = support.child([[
            print(require "hcs.core".open "sim:".library)]], { HCS_LIBRARY = path })
        assert.are.equal(path .. "\n", text)
        assert.are.equal(0, status)
    end)

    on_windows("may lie deep", function()
        local path = "C:\\" .. ("x"):rep(200) .. "\\" .. ("y"):rep(200) .. "\\hcshost.dll"
        local api, hr, text = core.open("sim:?library=" .. path)
        assert.is_nil(api)
        assert.are.equal(0x80070002, hr)
        assert.truthy(text:find(("y"):rep(200), 1, true), text)
    end)

    on_windows("may lack what a newer Windows has", function()
        local library = beside "spec_old.dll"
        local api = support.open("windows:?library=" .. library)
        assert.are.equal(library, api.library)
        assert.is_function(api.HcsCreateOperation)
        assert.is_function(api.HcsEnumerateComputeSystems)
        for _, name in ipairs { "HcsWaitForComputeSystemExit", "HcsCrashComputeSystem",
            "HcsGrantVmGroupAccess", "HcsCreateComputeSystem" } do
            assert.is_nil(api[name], name)
        end
        for _, name in ipairs { "now", "step", "timeout", "describe", "guest", "dlls" } do
            assert.is_nil(api[name], name)
        end
        for _, name in ipairs { "next", "pump", "pollfd", "pipe_connect", "pipe_path" } do
            assert.is_function(api[name], name)
        end
    end)

    on_windows("that are there in part serve with that part", function()
        local text, status = support.child([[
            local core = require "hcs.core"
            assert(core.open "sim:") -- spec_old.dll forwards to the host that this loads
            local api = assert(core.open("windows:?library=" .. os.getenv "OLD"))
            local operation = api.HcsCreateOperation("x", true)
            assert(api.HcsEnumerateComputeSystems(nil, operation) == 0)
            print(api.pump(10))
            print(select(2, api.next()) == operation)
            print(api.HcsGetOperationResult(operation))]],
            { OLD = beside "spec_old.dll", HCS_HOST = "sim:" })
        assert.are.equal("queue\ntrue\n0\t[]\n", text)
        assert.are.equal(0, status)
    end)

    on_windows("of Windows take no options", function()
        for _, uri in ipairs { "windows:?build=1", "windows:x", "windows:?x" } do
            local api, hr, text = core.open(uri)
            assert.is_nil(api)
            assert.are.equal(0x80070057, hr)
            assert.truthy(text:find("option", 1, true), text)
        end
    end)
end)

describe("the provider of saved states on Windows", function()
    local folder, dll, dump_path

    -- Our DLL of Microsoft's name, and the host that it forwards to, in a folder.
    setup(function()
        if not platform.windows then return end
        folder = platform.temporary(nil, "")
        assert(lfs.mkdir(folder))
        dll = folder .. "\\vmsavedstatedumpprovider.dll"
        local library = core.open("sim:").library
        assert(core.write_file(folder .. "\\hcshost.dll", assert(core.read_file(library))))
        local forward = library:gsub("hcs\\hcshost%.dll$", "forward\\vmsavedstatedumpprovider.dll")
        assert(core.write_file(dll, assert(core.read_file(forward))))
        dump_path = platform.temporary(dump_file.elf(), ".elf")
    end)

    teardown(function()
        if not folder then return end
        platform.remove(folder .. "\\hcshost.dll")
        platform.remove(dll)
        platform.remove(dump_path)
        lfs.rmdir(folder)
    end)

    on_windows("is called in a process of its own", function()
        local text, status = support.child([[
            local api = assert(require "hcs.core".open "windows:")
            print(api.dlls.vmsavedstatedumpprovider == os.getenv "HCS_DUMP_PROVIDER")
            local platform = require "spec.platform"
            local hr, dump = api.LoadSavedStateFile(os.getenv "DUMP")
            print(hr, tostring(dump):find "VM_SAVED_STATE_DUMP" ~= nil)
            print(platform.loaded "vmsavedstatedumpprovider")
            print(api.GetVpCount(dump))
            print(api.GetArchitecture(dump, 0))
            print(api.GetPagingMode(dump, 1))
            print(api.InKernelSpace(dump, 0))
            print(("%x %x %x"):format(api.GetRegisterValue(dump, 0, 16)))
            print(api.ReadGuestPhysicalAddress(dump, 0xFFFC0000, 8))
            print(#select(2, api.ReadGuestPhysicalAddress(dump, 0, 1 << 30)) == 4 << 20)
            print(("%x"):format(api.ReadGuestPhysicalAddress(dump, 1 << 40, 8)))
            print(("%x %x %x"):format(api.GuestVirtualAddressToPhysicalAddress(dump, 0, 0x400010)))
            local hr, _, unmapped = api.GuestVirtualAddressToPhysicalAddress(dump, 0, 0x401000)
            print(("%x %x"):format(hr, unmapped))
            local _, page, chunks = api.GetGuestPhysicalMemoryChunks(dump)
            print(page, #chunks, chunks[1][2])
            print(api.GetGuestRawSavedMemorySize(dump))
            print(select(2, api.ReadGuestRawSavedMemory(dump, (4 << 20) - 2, 4)))
            print(api.ApplyGuestMemoryFix(dump, 0, 0x400000, "fix"))
            print(api.ReadGuestPhysicalAddress(dump, 0x9000, 3))
            print(api.ForcePagingMode(dump, 0, 1), api.GetPagingMode(dump, 0))
            print(api.SetMemoryBlockCacheLimit(dump, 7), api.GetMemoryBlockCacheLimit(dump))
            print(("%x"):format(api.GetRegisterValue(dump, 0, 18)))
            print(("%x"):format(api.LoadSavedStateFile(os.getenv "DUMP" .. ".none")))
            print(api.ApplyPendingSavedStateFileReplayLog(os.getenv "DUMP"))
            print(api.ReleaseSavedStateFiles(dump))]],
            { HCS_DUMP_PROVIDER = dll, DUMP = dump_path })
        assert.are.equal(table.concat({
            "true", "0\ttrue", "false", "0\t2", "0\t2", "0\t4", "0\ttrue",
            "0 ffffffff81000123 0", "0\thighhigh", "true", "c0370501", "0 9010 0",
            "c0370505 1000", "4096\t2\t1024", "0\t" .. (4 << 20) + 0x4000, "\0\0hi", "0",
            "0\tfix", "0\t0\t1", "0\t0\t7", "80070490", "80070002", "0", "0", "",
        }, "\n"), text)
        assert.are.equal(0, status)
    end)

    on_windows("ends nobody else", function()
        local text, status = support.child([[
            local api = assert(require "hcs.core".open "windows:")
            print(("%x"):format(api.LoadSavedStateFile "encrypted.vmrs"))
            local hr, dump = api.LoadSavedStateFile "any.vmrs"
            local _, other = api.LoadSavedStateFile "any.vmrs"
            print(hr, api.GetVpCount(dump))
            print(("%x"):format(api.GetPagingMode(dump, 0xC0000005)))
            print(("%x"):format(api.GetVpCount(dump)))
            print(("%x"):format(api.GetPagingMode(other, 3)))
            print(api.ReleaseSavedStateFiles(dump))
            -- What it does not have, or has in an old shape.
            local _, third = api.LoadSavedStateFile "any.vmrs"
            print(("%x"):format(api.InKernelSpace(third, 0)))
            print(("%x"):format(api.GetRegisterValue(third, 0, 16)))
            print(api.LocateSavedStateFiles("vm", "before"))]],
            { HCS_DUMP_PROVIDER = beside "spec_provider.dll" })
        assert.are.equal(table.concat({
            "d0000409", "0\t0\t77", "d0000005", "d0000005", "80370106", "0", "8007007f",
            "8007007f", "0\tnil\tbefore\tvm", "",
        }, "\n"), text)
        assert.are.equal(0, status)
    end)

    on_windows("is not waited for without end", function()
        local text, status = support.child([[
            local core = require "hcs.core"
            local api = assert(core.open "windows:")
            local _, dump = api.LoadSavedStateFile "any.vmrs"
            local began = core.monotonic()
            print(("%x"):format(api.GetPagingMode(dump, 0xFFFF)))
            local took = core.monotonic() - began
            print(took > 3.9 and took < 60)
            print(("%x"):format(api.GetVpCount(dump)))
            print(api.ReleaseSavedStateFiles(dump))]],
            { HCS_DUMP_PROVIDER = beside "spec_provider.dll", HCS_DUMP_PROVIDER_SECONDS = "4" })
        assert.are.equal("80370118\ntrue\n80370118\n0\n", text)
        assert.are.equal(0, status)
        for _, wrong in ipairs { "0", "-1", "1 s", "86401", "4294967297" } do
            text = support.child([[
                local api, hr, why = require "hcs.core".open "windows:"
                print(api, ("%x"):format(hr), why:find("from 1 to 86400", 1, true) ~= nil)]],
                { HCS_DUMP_PROVIDER = beside "spec_provider.dll",
                  HCS_DUMP_PROVIDER_SECONDS = wrong })
            assert.are.equal("nil\t80070057\ttrue\n", text, wrong)
        end
    end)

    on_windows("is told by its whole path, or there is none", function()
        local text, status = support.child([[
            local api, hr, why = require "hcs.core".open "windows:"
            print(api, ("%x"):format(hr), why:find("HCS_DUMP_PROVIDER", 1, true) ~= nil)]],
            { HCS_DUMP_PROVIDER = "vmsavedstatedumpprovider.dll" })
        assert.are.equal("nil\t80070057\ttrue\n", text)
        assert.are.equal(0, status)
        text = support.child([[
            local api = assert(require "hcs.core".open "windows:")
            print(("%x"):format(api.LoadSavedStateFile "x.vmrs"))]],
            { HCS_DUMP_PROVIDER = "C:\\no\\such.dll" })
        assert.are.equal("8007007e\n", text)
    end)
end)

-- Our host as if it were Windows' own: through Microsoft's names only.
local AS_WINDOWS = [[
    package.path = "spec/core/?.lua;" .. package.path
    local core = require "hcs.core"
    local support = require "support"
    local uri = "windows:?library=" .. core.open("sim:").library
    local api = assert(core.open(uri))
    local function console(api, id, name)
        local system = support.started(api, id, support.document(name))
        return system, assert(api.pipe_connect("\\\\.\\pipe\\" .. name))
    end
    local function read(pipe, enough)
        local text, deadline = "", core.monotonic() + 10
        while not text:find(enough, 1, true) and core.monotonic() < deadline do
            local bytes = assert(pipe:read())
            text = text .. bytes
            if bytes == "" then api.pump(1, { [pipe:fd()] = "r" }) end
        end
        return text
    end
]]

local function as_windows(text, output)
    local got, status = support.child(AS_WINDOWS .. text,
        { HCS_HOST = "sim:?access=open" })
    assert.are.equal(output, got)
    assert.are.equal(0, status)
end

describe("Windows' own service", function()
    on_windows("answers on threads of its own, two hundred times", function()
        as_windows([[
            local waiting, count = {}, 0
            for i = 1, 200 do
                local operation = api.HcsCreateOperation(i, true)
                waiting[operation] = i
                assert(api.HcsEnumerateComputeSystems(nil, operation) == 0)
            end
            support.expect(api, function(kind, operation)
                assert(kind == "operation" and waiting[operation])
                assert(api.HcsGetOperationContext(operation) == waiting[operation])
                waiting[operation] = nil
                count = count + 1
                return count == 200
            end)
            print(api.queue_counts())]], "0\t0\t0\n")
    end)

    on_windows("has consoles that are pipes of the system", function()
        as_windows([[
            local name = ("spec-%d-\u{F6}\u{1F600}"):format(core.pid())
            local system, pipe = console(api, "w\u{F6}b", name)
            print(api.pipe_path("\\\\.\\pipe\\" .. name) == "\\\\.\\pipe\\" .. name)
            print(read(pipe, "hcs-guest: up"):find("hcs-guest: up", 1, true) ~= nil)
            assert(pipe:write "echo there\n" > 0)
            print(read(pipe, "there"):find("there", 1, true) ~= nil)
            system:close()
            local ended
            for _ = 1, 200 do
                local bytes = pipe:read()
                ended = bytes == nil
                if ended then break end
                if bytes == "" then api.pump(0.05, { [pipe:fd()] = "r" }) end
            end
            print(ended)]], "true\ntrue\ntrue\ntrue\n")
    end)

    on_windows("has no pipe before its guest", function()
        as_windows([[
            local pipe, hr, text = api.pipe_connect("\\\\.\\pipe\\nobody-" .. core.pid())
            print(pipe, hr == 0x80070002, type(text))
            for _, name in ipairs { "nonsense", arg[0], "\\\\.\\pipe\\", "\\\\.\\pipe", "",
                "\\\\localhost\\pipe\\x", "\\\\.\\C:" } do
                pipe, hr = api.pipe_connect(name)
                assert(pipe == nil and hr == 0x80070057, name)
            end
            print((pcall(api.pipe_connect, "\xFF")))]],
            "nil\ttrue\tstring\nfalse\n")
    end)

    on_windows("says when a pipe is busy", function()
        local system = require "hcs.spec_windows"
        local name = ("\\\\.\\pipe\\hcs-spec-busy-%d"):format(core.pid())
        local server = system.pipe(name)
        local api = support.open("windows:?library=" .. support.open("sim:").library)
        local first <close> = assert(api.pipe_connect(name))
        assert.are.equal("", first:read())
        local before = core.monotonic()
        local second, hr, text = api.pipe_connect(name)
        assert.is_nil(second)
        assert.are.equal(0x800700E7, hr)
        assert.truthy(text:find("busy", 1, true), text)
        assert.is_true(core.monotonic() - before < 10)
        system.close(server)
        repeat until first:read() == nil
    end)

    on_windows("may be in two Lua states, or end with work in flight", function()
        as_windows([[
            local other = assert(core.open(uri))
            local system = support.started(api, "a")
            local hr, again = other.HcsOpenComputeSystem("a", 0x10000000)
            assert(hr == 0 and other.HcsSetComputeSystemCallback(again, 0, nil, true) == 0)
            local operation = api.HcsCreateOperation(nil, true)
            assert(api.HcsTerminateComputeSystem(system, operation) == 0)
            print(support.expect(other, function(kind, s, type)
                return kind == "event" and s == again and type == support.EXITED
            end))
            other.close()
            for i = 1, 500 do
                kept = api.HcsCreateOperation(nil, true)
                api.HcsEnumerateComputeSystems(nil, kept)
            end]], "true\n")
    end)
end)

describe("handles that a pump watches on Windows", function()
    on_windows("may be hundreds", function()
        local system = require "hcs.spec_windows"
        local api = support.open(support.uri "thread")
        local events, set = {}, {}
        for i = 1, 300 do
            events[i] = system.event()
            set[events[i]] = i % 2 == 0 and "r" or "rw"
        end
        assert.are.equal("timeout", (api.pump(0.02, set)))
        for _, i in ipairs { 1, 60, 61, 62, 63, 64, 65, 130, 300 } do
            system.set(events[i])
            local kind, ready = api.pump(5, set)
            assert.are.equal("fd", kind)
            assert.are.same({ [events[i]] = set[events[i]] }, ready)
            system.reset(events[i])
        end
        local operation = api.HcsCreateOperation(nil, true)
        api.HcsEnumerateComputeSystems(nil, operation)
        assert.are.equal("queue", (api.pump(5, set)))
        for _, event in ipairs(events) do system.close(event) end
    end)

    on_windows("may reset themselves: each signal is told once", function()
        local system = require "hcs.spec_windows"
        local api = support.open(support.uri "thread")
        for _, count in ipairs { 3, 100 } do
            local events, set = {}, {}
            for i = 1, count do
                events[i] = system.event(true)
                set[events[i]] = "r"
            end
            for _, i in ipairs { 1, count } do
                system.set(events[i])
                assert.are.same({ [events[i]] = "r" }, select(2, api.pump(5, set)))
                assert.are.equal("timeout", (api.pump(0.02, set)))
            end
            for _, event in ipairs(events) do system.close(event) end
        end
    end)

    on_windows("must be handles", function()
        local system = require "hcs.spec_windows"
        local api = support.open(support.uri "thread")
        local event = system.event()
        system.close(event)
        local kind, hr, text = api.pump(1, { [event] = "r" })
        assert.is_nil(kind)
        assert.are.equal(0x80070006, hr)
        assert.is_string(text)
        for _, bad in ipairs { 0, 1 << 31, -1 } do
            assert.has_error(function() api.pump(0, { [bad] = "r" }) end)
        end
    end)

    on_windows("are waited for until Ctrl-C, for which a program has its own way", function()
        local text, status = support.child [[
            local core, platform = require "hcs.core", require "spec.platform"
            local function try(call, uri)
                local api = assert(core.open(uri))
                local start = core.monotonic()
                print(call(function()
                    platform.interrupt(1)
                    api.pump(20)
                    repeat until core.monotonic() > start + 20
                end))
                print(core.monotonic() - start < 10, (api.pump(0.1)))
            end
            try(core.interruptible, "sim:?driver=step")
            try(core.interruptible, "sim:?driver=thread")
            try(pcall, "sim:?driver=thread") -- lua.exe's own way, which is for once]]
        assert.are.equal(("false\tinterrupted!\ntrue\ttimeout\n"):rep(3),
            (text:gsub("\t[^\t]*: ", "\t")))
        assert.are.equal(0, status)
    end)

    on_windows("are left as they were", function()
        local system = require "hcs.spec_windows"
        local api = support.open(support.uri "thread")
        local set = {}
        for _ = 1, 100 do set[system.event()] = "r" end
        api.pump(0.01, set)
        local before = platform.settled(platform.descriptors)
        for _ = 1, 10 do api.pump(0.001, set) end
        assert.are.equal(before, platform.settles(platform.descriptors, before))
        for event in pairs(set) do system.close(event) end
    end)
end)
