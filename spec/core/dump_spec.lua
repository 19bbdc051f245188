-- SPDX-License-Identifier: MIT
-- A dump by Microsoft's functions, as hcs.core has them, and by hcs.dump: values
-- that are known, and what there is not.
local core = require "hcs.core"
local dump_file = require "spec.core.dump_file"
local hcs = require "hcs"
local platform = require "spec.platform"
local support = require "spec.core.support"

local NOT_MAPPED, NO_MEMORY = 0xC0370505, 0xC0370501
local MIB = 1 << 20
local path

setup(function() path = platform.temporary(dump_file.elf(), ".elf") end)
teardown(function() platform.remove(path) end)
after_each(support.finish)

describe("functions of saved states", function()
    local api, dump

    before_each(function()
        api = support.open "sim:?driver=step"
        local hr
        hr, dump = api.LoadSavedStateFile(path)
        assert.are.equal(0, hr)
    end)

    it("tell what there is", function()
        assert.are.same({ 0, 2 }, { api.GetVpCount(dump) })
        assert.are.same({ 0, 2 }, { api.GetArchitecture(dump, 0) })
        assert.are.same({ 0, 4 }, { api.GetPagingMode(dump, 1) })
        assert.are.same({ 0, 1 }, { api.GetGuestEnabledVirtualTrustLevels(dump) })
        assert.are.same({ 0, 1 }, { api.GetEnabledVirtualTrustLevels(dump, 1) })
        assert.are.same({ 0, 0 }, { api.GetActiveVirtualTrustLevel(dump, 0) })
        assert.are.same({ 0, true }, { api.IsActiveVirtualTrustLevelEnabled(dump, 0) })
        assert.are.same({ 0, false }, { api.IsNestedVirtualizationEnabled(dump) })
        assert.are.same({ 0, false }, { api.GetNestedVirtualizationMode(dump, 0) })
        assert.are.same({ 0, true }, { api.InKernelSpace(dump, 0) })
        local hr, info = api.GetGuestOsInfo(dump, 0)
        assert.are.same({ 0, 1 << 63 | 1 << 56 | 0x060100 << 16 }, { hr, info })
    end)

    it("read registers", function()
        assert.are.same({ 0, -1, 0 }, { api.GetRegisterValue(dump, 0, 1) }) -- rcx
        assert.are.same({ 0, dump_file.REGISTERS.rip, 0 }, { api.GetRegisterValue(dump, 0, 16) })
        assert.are.same({ 0, 0x400010, 0 }, { api.GetRegisterValue(dump, 1, 16) })
        assert.are.same({ 0, 0x1000, 0 }, { api.GetRegisterValue(dump, 0, 46) }) -- cr3
        local _, base, rest = api.GetRegisterValue(dump, 0, 57) -- cs
        assert.are.same({ 0, 0xFFFFFFFF | 0x10 << 32 | 0xA09B << 48 }, { base, rest })
        assert.are.same({ 0, 0xFFF, 0xFFFFFE0000000000 }, { api.GetRegisterValue(dump, 0, 64) })
        assert.are.equal(0x80070490, (api.GetRegisterValue(dump, 0, 18))) -- xmm0
        assert.are.equal(0x80070057, (api.GetRegisterValue(dump, 0, 66))) -- none
        assert.are.equal(0x80070057, (api.GetRegisterValue(dump, 0, 99999)))
        assert.are.equal(0x80070057, (api.GetRegisterValue(dump, 2, 0))) -- no CPU
    end)

    it("read memory", function()
        assert.are.same({ 0, dump_file.NEEDLE },
            { api.ReadGuestPhysicalAddress(dump, dump_file.PLACES[1], #dump_file.NEEDLE) })
        assert.are.same({ 0, "high" }, { api.ReadGuestPhysicalAddress(dump, dump_file.HIGH, 4) })
        -- Where memory ends there is less, and beyond it nothing.
        local hr, bytes = api.ReadGuestPhysicalAddress(dump, dump_file.MEMORY - 16, 64)
        assert.are.same({ 0, 16 }, { hr, #bytes })
        assert.are.equal(NO_MEMORY, (api.ReadGuestPhysicalAddress(dump, dump_file.MEMORY, 1)))
        assert.are.equal(NO_MEMORY, (api.ReadGuestPhysicalAddress(dump, 1 << 40, 1)))
        assert.are.equal(NO_MEMORY, (api.ReadGuestPhysicalAddress(dump, -1, 1)))
        assert.are.same({ 0, "" }, { api.ReadGuestPhysicalAddress(dump, 0, 0) })
    end)

    it("translate addresses", function()
        local function translate(address)
            return api.GuestVirtualAddressToPhysicalAddress(dump, 0, address)
        end
        assert.are.same({ 0, 2 * MIB + 0x123, 0 }, { translate(dump_file.KERNEL + 0x123) })
        assert.are.same({ 0, 0x12345678, 0 }, { translate(dump_file.DIRECT + 0x12345678) })
        assert.are.same({ 0, 0x9FFF, 0 }, { translate(dump_file.SMALL + 0xFFF) })
        local hr, physical, unmapped, _
        hr, physical, unmapped = translate(dump_file.SMALL + 0x1000)
        assert.are.same({ NOT_MAPPED, 4096 }, { hr, unmapped })
        assert.is_nil(physical)
        hr, _, unmapped = translate(0x600000) -- no page table
        assert.are.same({ NOT_MAPPED, 2 * MIB }, { hr, unmapped })
        assert.are.equal(NO_MEMORY, (translate(0x8000000000))) -- the table is missing
        assert.are.equal(NOT_MAPPED, (translate(0x800000000000))) -- no such address
        -- Tables that lead back to themselves are walked four times and no more.
        assert.are.equal(0, (translate(0x10000000000 | 2 << 30 | 2 << 21 | 2 << 12)))
    end)

    it("know memory as chunks and as one piece", function()
        local hr, page, chunks = api.GetGuestPhysicalMemoryChunks(dump)
        assert.are.same({ 0, 4096 }, { hr, page })
        assert.are.same({ { 0, 1024 }, { dump_file.HIGH // 4096, 4 } }, chunks)
        assert.are.same({ 0, dump_file.MEMORY + 0x4000 }, { api.GetGuestRawSavedMemorySize(dump) })
        assert.are.same({ 0, dump_file.MEMORY + 5 },
            { api.GuestPhysicalAddressToRawSavedMemoryOffset(dump, dump_file.HIGH + 5) })
        assert.are.equal(NO_MEMORY,
            (api.GuestPhysicalAddressToRawSavedMemoryOffset(dump, dump_file.MEMORY)))
        -- Across the hole.
        hr = { api.ReadGuestRawSavedMemory(dump, dump_file.MEMORY - 4, 8) }
        assert.are.same({ 0, "\0\0\0\0high" }, hr)
        local _, bytes = api.ReadGuestRawSavedMemory(dump, dump_file.MEMORY + 0x4000 - 4, 8)
        assert.are.equal("high", bytes)
        assert.are.equal(NO_MEMORY, (api.ReadGuestRawSavedMemory(dump, dump_file.MEMORY * 2, 1)))
        assert.are.equal(NO_MEMORY, (api.ReadGuestRawSavedMemory(dump, -1, 1)))
    end)

    it("take a processor for what they are told", function()
        assert.are.equal(0, (api.ForcePagingMode(dump, 0, 1)))
        assert.are.same({ 0, 1 }, { api.GetPagingMode(dump, 0) })
        assert.are.same({ 0, 0x9000, 0 },
            { api.GuestVirtualAddressToPhysicalAddress(dump, 0, 0x9000) })
        assert.are.same({ 0, 4 }, { api.GetPagingMode(dump, 1) })
        assert.are.equal(0, (api.ForcePagingMode(dump, 0, 4)))
        assert.are.same({ 0, 0x9000, 0 },
            { api.GuestVirtualAddressToPhysicalAddress(dump, 0, dump_file.SMALL) })
        assert.are.equal(0, (api.ForceArchitecture(dump, 1, 1)))
        assert.are.same({ 0, 1 }, { api.GetArchitecture(dump, 1) })
        assert.are.same({ 0, 3 }, { api.GetPagingMode(dump, 1) }) -- CR4 has PAE
        assert.are.equal(0x80070057, (api.ForcePagingMode(dump, 0, 9)))
        assert.are.equal(0x80070057, (api.ForceArchitecture(dump, 0, 3)))
        assert.are.equal(0, (api.ForceActiveVirtualTrustLevel(dump, 0, 0)))
        assert.are.equal(0xC0370509, (api.ForceActiveVirtualTrustLevel(dump, 0, 1)))
        assert.are.equal(0xC0370503, (api.ForceNestedHostMode(dump, 0, true)))
        assert.are.same({ 0, false }, { api.ForceNestedHostMode(dump, 0, false) })
    end)

    it("lay fixes over memory, in the view only", function()
        -- Over the end of the small page nothing is mapped: all or nothing.
        assert.are.equal(NOT_MAPPED,
            (api.ApplyGuestMemoryFix(dump, 0, dump_file.SMALL + 0xFFE, "abcd")))
        local _, before = api.ReadGuestPhysicalAddress(dump, 0x9FFC, 4)
        assert.are.equal(("<I4"):pack(1023), before)
        assert.are.equal(0, (api.ApplyGuestMemoryFix(dump, 0, dump_file.SMALL + 4, "fixed")))
        assert.are.equal(0, (api.ApplyGuestMemoryFix(dump, 0, dump_file.SMALL + 6, "X")))
        local _, after = api.ReadGuestPhysicalAddress(dump, 0x9002, 9)
        assert.are.equal("\0\0fiXed\0\0", after)
        local _, other = api.LoadSavedStateFile(path)
        local _, untouched = api.ReadGuestPhysicalAddress(other, 0x9004, 4)
        assert.are.equal(("<I4"):pack(1), untouched)
    end)

    it("refuse handles that are none", function()
        local _, other = api.LoadSavedStateFile(path)
        assert.are.equal(0, api.ReleaseSavedStateFiles(other))
        assert.are.equal(0, api.ReleaseSavedStateFiles(other))
        assert.has_error(function() api.GetVpCount(other) end)
        assert.has_error(function() api.GetVpCount(api.HcsCreateOperation()) end)
        local elsewhere = support.open "sim:?driver=step"
        assert.has_error(function() elsewhere.GetVpCount(dump) end)
        assert.truthy(tostring(other):find("(closed)", 1, true))
    end)

    it("refuse files that are none", function()
        local text = platform.temporary("this is no dump", ".vmrs")
        local cut = platform.temporary(dump_file.elf():sub(1, 100), ".elf")
        assert.are.same({ 0x80070570 }, { api.LoadSavedStateFile(text) })
        assert.are.same({ 0x80070570 }, { api.LoadSavedStateFile(cut) })
        assert.are.same({ 0x80070002 }, { api.LoadSavedStateFile(text .. ".none") })
        assert.are.same({ 0x80070032 }, { api.LoadSavedStateFiles(text, text) })
        assert.are.equal(0x80070570, (api.ApplyPendingSavedStateFileReplayLog(text)))
        assert.are.equal(0, (api.ApplyPendingSavedStateFileReplayLog(path)))
        assert.are.equal(0x80070032, (api.LocateSavedStateFiles("vm", nil)))
        platform.remove(text)
        platform.remove(cut)
    end)

    it("are not those of older SDKs where the host is older", function()
        local old = support.open "sim:?driver=step&build=19041"
        assert.is_nil(old.GetRegisterValue)
        assert.is_nil(old.GetGuestOsInfo)
        assert.is_function(old.GetVpCount)
    end)

    it("remember the limit of their cache", function()
        assert.are.same({ 0, 0 }, { api.GetMemoryBlockCacheLimit(dump) })
        assert.are.equal(0, (api.SetMemoryBlockCacheLimit(dump, -1)))
        assert.are.same({ 0, -1 }, { api.GetMemoryBlockCacheLimit(dump) })
    end)
end)

describe("hcs.dump", function()
    local dump

    before_each(function() dump = assert(hcs.dump.open(path)) end)
    after_each(function() dump:close() end)

    it("says what it is", function()
        assert.are.same({ "elf", "linux", "6.1.0-spec", "x86_64", 2, dump_file.MEMORY + 0x4000 },
            { dump.format, dump.os, dump.os_release, dump.arch, dump.cpu_count, dump.memory })
        assert.are.equal(#dump_file.elf(), dump.bytes)
        local text = tostring(dump)
        assert.truthy(text:find("elf, linux 6.1.0-spec x86_64, 2 CPUs, 4.016 MiB", 1, true), text)
        assert.is_nil(text:find "\n")
        dump:close()
        assert.truthy(tostring(dump):find("(closed)", 1, true))
    end)

    it("has all registers of each CPU", function()
        local cpu = assert(dump:cpu(0))
        for name, value in pairs(dump_file.REGISTERS) do
            assert.are.equal(value, cpu[name], name)
        end
        assert.are.same({ selector = 0x10, base = 0, limit = 0xFFFFFFFF, attributes = 0xA09B },
            cpu.cs)
        assert.are.same({ base = 0xFFFFFE0000001000, limit = 0x7F }, cpu.gdtr)
        assert.are.equal(0xFFFF88800F600000, cpu.gs.base)
        assert.are.same({ "4-level", true }, { cpu.paging, cpu.kernel })
        assert.is_nil(cpu.xmm0)
        assert.are.equal(0x400010, dump:cpu(1).rip)
        assert.are.equal("hcs.Cpu 0 at 0xffffffff81000123 in the kernel", tostring(cpu))
        local ok, message = pcall(function() return cpu.rpi end)
        assert.is_false(ok)
        assert.truthy(message:find('there is no register "rpi" (did you mean "r', 1, true), message)
        local names = {}
        for name in cpu:registers() do names[#names + 1] = name end
        assert.are.same({ "rax", "rcx", "rdx", "rbx", "rsp" }, { table.unpack(names, 1, 5) })
        assert.has_error(function() dump:cpu(2) end)
        assert.has_error(function() dump:cpu "0" end)
    end)

    it("reads memory of either kind", function()
        assert.are.equal(dump_file.small_page(), dump:read(dump_file.SMALL, "4K"))
        assert.are.equal("the kernel's text", dump:read(dump_file.KERNEL + 0x100, 17, 1))
        assert.are.equal("high", dump:read_physical(dump_file.HIGH, 4))
        -- As much as is mapped.
        assert.are.equal(16, #dump:read(dump_file.SMALL + 4096 - 16, 64))
        local bytes, err, code = dump:read(dump_file.SMALL + 4096, 1)
        assert.is_nil(bytes)
        assert.are.same({ "va_not_mapped", 0x80370505 }, { code, err.hresult })
        assert.is_true(err:is "not_found")
        bytes, err, code = dump:read_physical(1 << 40, 16)
        assert.is_nil(bytes)
        assert.are.equal("guest_memory_not_found", code)
        assert.truthy(tostring(err):find("0x10000000000", 1, true), err)
    end)

    it("translates", function()
        assert.are.equal(0x9010, dump:translate(dump_file.SMALL + 0x10))
        local physical, err = dump:translate(dump_file.SMALL + 0x1000)
        assert.is_nil(physical)
        assert.are.equal(4096, err.unmapped)
    end)

    it("iterates over its memory, also not to the end", function()
        local seen = {}
        for start, size in dump:ranges() do seen[#seen + 1] = { start, size } end
        assert.are.same({ { 0, dump_file.MEMORY }, { dump_file.HIGH, 0x4000 } }, seen)
        assert.are.equal(0, (dump:ranges()()))
    end)

    it("finds bytes, also across pages", function()
        local function all(bytes, from)
            local found = {}
            for at in dump:find(bytes, from) do found[#found + 1] = at end
            return found
        end
        local places = { dump_file.PLACES[1], dump_file.PLACES[2] }
        assert.are.same(places, all(dump_file.NEEDLE))
        assert.are.same({ places[2] }, all(dump_file.NEEDLE, places[1] + 1))
        assert.are.same({}, all "no such thing")
        assert.are.equal(dump_file.HIGH, dump:find("highhigh")())
        assert.has_error(function() dump:find "" end)
        assert.has_error(function() dump:find(("x"):rep(65537)) end)
    end)

    it("has notes of the kernel, but no log without one", function()
        assert.truthy(dump:vmcoreinfo():find("^OSRELEASE=6.1.0%-spec\n"))
        local log, err, code = dump:log()
        assert.is_nil(log)
        assert.are.equal("not_found", code)
        assert.truthy(#err.message > 10)
        assert.truthy(err.hint:find("crash.log", 1, true))
        assert.truthy(dump:summary():find("6.1.0-spec", 1, true))
    end)

    it("prints the kernel's log as dmesg does", function()
        local told = platform.temporary(dump_file.elf { log = {
            { 0, 0, 5, "Linux version" },
            { 1234567891, 3, 4, "two\nlines\n" },
            { 99999123456789, 0, 0, "" },
            { 99999123456789, 0, 6, "\27[31mred\tand \127\xC3\xBC" },
            { 99999123456789, 0, 6, "C1: \x9b1m \xC2\x9b1m, \xE2\x82" },
        } }, ".elf")
        local again <close> = assert(hcs.dump.open(told))
        local lines, records = {}, {}
        for line, record in again:log() do
            lines[#lines + 1], records[#records + 1] = line, record
        end
        assert.are.same({
            "[    0.000000] Linux version",
            "[    1.234567] two",
            "               lines",
            "[99999.123456] ",
            "[99999.123456] \\x1b[31mred\tand \\x7f\xC3\xBC",
            "[99999.123456] C1: \\x9b1m \\xc2\\x9b1m, \\xe2\\x82",
        }, lines)
        assert.are.equal(records[2], records[3])
        assert.are.same({
            text = "two\nlines\n", time = 1.234567891, level = 4, facility = 3, sequence = 1,
        }, records[2])
        assert.are.equal("\27[31mred\tand \127\xC3\xBC", records[5].text)
        local following = again:log()
        again:close()
        assert.are.equal(lines[1], (following()))
        platform.remove(told)
    end)

    it("is written in other formats, which say the same", function()
        for _, format in ipairs { "elf", "kdump", "vmrs" } do
            local other = platform.temporary(nil, "." .. format)
            local seen = 0
            local bytes = assert(dump:export(other, {
                progress = function(done, total)
                    assert.is_true(done <= total)
                    seen = seen + 1
                end,
            }))
            assert.is_true(seen > 0)
            assert.are.equal(bytes, core.file_size(other))
            local again <close> = assert(hcs.dump.open(other))
            assert.are.equal(format, again.format)
            for _, at in ipairs { 0, 0x1000, dump_file.PLACES[2], dump_file.HIGH } do
                assert.are.equal(dump:read_physical(at, 32), again:read_physical(at, 32), format)
            end
            local a, b = dump:cpu(1), again:cpu(1)
            assert.are.same({ a.rip, a.cr3, a.rsp }, { b.rip, b.cr3, b.rsp }, format)
            assert.are.equal(0x9000, again:translate(dump_file.SMALL))
            again:close()
            platform.remove(other)
        end
    end)

    it("is written as raw memory, each byte in its place", function()
        if platform.windows then
            return pending "needs files of 4 GB that cost nothing"
        end
        local other = platform.temporary(nil, ".raw")
        local bytes = assert(dump:export(other))
        assert.are.equal(dump_file.HIGH + 0x4000, bytes)
        local file <close> = assert(io.open(other, "rb"))
        file:seek("set", dump_file.PLACES[2])
        assert.are.equal(dump_file.NEEDLE, file:read(#dump_file.NEEDLE))
        file:seek("set", dump_file.HIGH)
        assert.are.equal("high", file:read(4))
        file:close()
        -- It is opened by its map, and whoever opens the memory is told so.
        local again <close> = assert(hcs.dump.open(other .. ".map"))
        assert.are.same({ "raw", 2, dump.memory }, { again.format, again.cpu_count, again.memory })
        assert.are.equal(dump_file.small_page(), again:read(dump_file.SMALL, 4096))
        local _, err = hcs.dump.open(other)
        assert.truthy(tostring(err):find(".raw.map", 1, true), err)
        again:close()
        platform.remove(other)
        platform.remove(other .. ".map")
    end)

    it("is not written where it cannot be, nor in part", function()
        local other = platform.temporary(nil, ".elf")
        local bytes, _, code = dump:export(other, { max = "1M" })
        assert.is_nil(bytes)
        assert.are.equal("disk_full", code)
        assert.is_nil((core.file_size(other)))
        bytes, _, code = dump:export(other, { progress = function() return false end })
        -- It may have been faster.
        assert.are.equal(bytes, (core.file_size(other)))
        assert.truthy(bytes or code == "cancelled", code)
        platform.remove(other)
        bytes, _, code = dump:export(other, nil, 0)
        assert.are.equal(bytes, (core.file_size(other)))
        assert.truthy(bytes or code == "timeout", code)
        platform.remove(other)
        bytes, _, code = dump:export(other .. "/no/folder.elf")
        assert.is_nil(bytes)
        assert.truthy(code == "path_not_found" or code == "file_not_found", code)
        assert.has_error(function() dump:export(other, { format = "elv" }) end)
        assert.has_error(function() dump:export(other, { max = 5 }) end)
    end)

    it("is not written in the place of what is no file", function()
        if platform.windows then return pending "needs links" end
        local other = platform.temporary(nil, ".elf")
        local target = platform.temporary("as it was", ".elf")
        local lfs = require "lfs"
        for _, case in ipairs {
            { function() assert(lfs.link(target, other, true)) end, "symbolic link", os.remove },
            { function() assert(os.execute("mkfifo " .. other)) end, "is no file", os.remove },
            { function() assert(lfs.mkdir(other)) end, other, lfs.rmdir },
        } do
            case[1]()
            local before = lfs.symlinkattributes(other)
            local bytes, err = dump:export(other)
            assert.is_nil(bytes)
            assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
            assert.are.same(before, lfs.symlinkattributes(other))
            assert(case[3](other))
        end
        assert.are.equal("as it was", core.read_file(target))
        platform.remove(target)
    end)

    it("is not taken for whole when it has become shorter", function()
        if platform.windows then return pending "needs truncate" end
        local name = platform.temporary(dump_file.elf(), ".elf")
        local other = platform.temporary(nil, ".elf")
        local shorter <close> = assert(hcs.dump.open(name))
        assert(os.execute(("truncate -s 2M %s"):format(name)))
        local bytes, _, code = shorter:export(other)
        assert.is_nil(bytes)
        assert.are.equal("file_corrupt", code)
        assert.is_nil((core.file_size(other)))
        platform.remove(name)
    end)

    it("has no virtual memory past its end", function()
        assert.are.equal(4096, #dump:read(-4096, 4096))
        assert.are.equal(4096, #dump:read(-4096, "1M"))
    end)

    it("lets others run while it writes", function()
        local world = require("hcs").connect "sim:?clock=real"
        local other = platform.temporary(nil, ".kdump")
        local copy = assert(world.dump.open(path))
        local turns, bytes = 0, nil
        local writer = world.spawn(function()
            bytes = copy:export(other)
            return bytes
        end)
        world.spawn(function()
            while not bytes do
                turns = turns + 1
                world.sleep(0.001)
            end
        end)
        assert(writer:wait(20))
        assert.is_true(bytes > 0)
        assert.is_true(turns > 0)
        copy:close()
        world.close()
        platform.remove(other)
    end)

    it("is closed once, and good for nothing afterwards", function()
        dump:close()
        dump:close()
        for _, name in ipairs { "summary", "log", "ranges", "vmcoreinfo" } do
            local value, _, code = dump[name](dump)
            assert.is_nil(value)
            assert.are.equal("closed", code, name)
        end
        local scoped
        do
            local one <close> = hcs.dump.open(path)
            scoped = one
        end
        assert.truthy(tostring(scoped):find("(closed)", 1, true))
    end)

    it("fails for what is no dump, and says so", function()
        local value, err, code = hcs.dump.open(path .. ".none")
        assert.is_nil(value)
        assert.are.equal("file_not_found", code)
        assert.is_true(err:is "not_found")
        local text = platform.temporary "no dump"
        value, err, code = hcs.dump.open(text)
        assert.is_nil(value)
        assert.are.equal("file_corrupt", code)
        assert.truthy(#err.message > 10)
        assert.has_error(function() hcs.dump.open() end)
        assert.has_error(function() require("hcs.strict").dump.open(text) end)
        platform.remove(text)
    end)

    it("costs next to nothing where most is a hole, whatever its size", function()
        if platform.windows then return pending "needs files of 16 GB that cost nothing" end
        local big = platform.temporary(dump_file.elf { size = 16 << 30 }, ".elf")
        local file <close> = assert(io.open(big, "r+b"))
        file:seek("set", (16 << 30) + 65536)
        file:write "\0"
        file:close()
        collectgarbage()
        collectgarbage()
        -- Once in a while a busy machine makes anything take long, but not each time.
        local tries, took = 0
        repeat
            local before = core.monotonic()
            tries = tries + 1
            assert(hcs.dump.open(big)):close()
            took = core.monotonic() - before
        until took < 0.5 or tries == 10
        assert.is_true(took < 0.5, took)
        collectgarbage()
        collectgarbage()
        local memory = collectgarbage "count"
        local one <close> = assert(hcs.dump.open(big))
        assert.are.equal(16 << 30, one.memory)
        assert.are.equal(dump_file.NEEDLE, one:find(dump_file.NEEDLE)() and dump_file.NEEDLE)
        assert.are.equal(("\0"):rep(16), one:read_physical(8 << 30, 16))
        assert.is_true(collectgarbage "count" - memory < 256)
        one:close()
        platform.remove(big)
    end)

    it("leaves nothing behind", function()
        dump:close()
        collectgarbage()
        collectgarbage()
        local before = platform.settled(platform.descriptors)
        for _ = 1, 20 do
            local one = hcs.dump.open(path)
            one:read(dump_file.KERNEL, 64)
        end
        collectgarbage()
        collectgarbage()
        assert.are.equal(before, platform.settles(platform.descriptors, before))
    end)
end)
