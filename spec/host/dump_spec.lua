-- SPDX-License-Identifier: MIT
-- The dump of a real guest, as hcs.dump reads it and as other people's tools do:
-- both have to say the same.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

-- Whether a tool is there; the test is pending without.
local function has(tool)
    if os.execute(("command -v %s >/dev/null"):format(tool)) then return true end
    pending("needs " .. tool)
    return false
end

local function lines_of(iterator)
    local lines = {}
    for line in iterator do lines[#lines + 1] = line end
    return lines
end

-- Physical memory as pieces of the file, as readelf has them: {offset, address, size}.
local function loads(path)
    local found = {}
    local text = support.output(("readelf -lW %s"):format(path))
    for offset, address, size in text:gmatch("LOAD%s+(0x%x+)%s+0x%x+%s+(0x%x+)%s+(0x%x+)") do
        found[#found + 1] = { tonumber(offset), tonumber(address), tonumber(size) }
    end
    table.sort(found, function(a, b) return a[2] < b[2] end)
    return found
end

local function bytes_at(path, offset, size)
    local file <close> = assert(io.open(path, "rb"))
    file:seek("set", offset)
    return file:read(size)
end

describe("the dump of a real guest", function()
    local directory, path, dump

    setup(function()
        directory = support.temporary "dumps"
        os.execute("mkdir -m 700 " .. directory)
        path = directory .. "/guest.elf"
        local vm <close> = support.guest("dump", {
            memory = "256M", processors = 2, stop_on_reset = true,
            dump = { path = path, type = "elf" },
        })
        vm:console():write "panic\n"
        vm:wait("crash", 120)
        vm:wait("exited", 60)
        dump = hcs.dump.open(path)
    end)

    teardown(function()
        if dump then dump:close() end
        os.execute("rm -rf " .. directory)
        support.finish()
    end)

    it("tells in a dozen lines what happened", function()
        assert.are.same({ "elf", "linux", "x86_64", 2 },
            { dump.format, dump.os, dump.arch, dump.cpu_count })
        local summary = dump:summary()
        assert.truthy(summary:find("sysrq triggered crash", 1, true), summary)
        assert.is_true(select(2, summary:gsub("\n", "")) <= 14, summary)
        local log = table.concat(lines_of(dump:log()), "\n")
        assert.truthy(log:find("Linux version " .. dump.os_release, 1, true))
        assert.truthy(log:find("Kernel panic - not syncing: sysrq triggered crash", 1, true))
    end)

    it("has the ranges, and the bytes, that readelf has", function()
        if not has "readelf" then return end
        local theirs, index = loads(path), 0
        for start, size in dump:ranges() do
            index = index + 1
            assert.are.same({ theirs[index][2], theirs[index][3] }, { start, size })
            for _, at in ipairs { 0, 0x1000, size // 2, size - 4096 } do
                assert.are.equal(bytes_at(path, theirs[index][1] + at, 4096),
                    dump:read_physical(start + at, 4096))
            end
        end
        assert.are.equal(#theirs, index)
    end)

    it("has the notes that readelf has", function()
        if not has "readelf" then return end
        local text = support.output(("readelf -nW %s 2>/dev/null"):format(path))
        assert.are.equal(dump.cpu_count, select(2, text:gsub("CORE%s+0x", "")))
        local length = tonumber(text:match "VMCOREINFO%s+(0x%x+)")
        -- A note may be filled up with zeros.
        assert.is_true(#dump:vmcoreinfo() <= length and #dump:vmcoreinfo() > length - 8)
    end)

    it("has the registers that gdb has", function()
        if not has "gdb" then return end
        for index = 0, dump.cpu_count - 1 do
            local cpu, checked = dump:cpu(index), 0
            local text = support.output(("gdb -nx -batch -ex 'core-file %s' -ex 'thread %d' "
                .. "-ex 'info registers' 2>/dev/null"):format(path, index + 1))
            for name, digits in text:gmatch "\n(%l%w+)%s+0x(%x+)" do
                name = name == "eflags" and "rflags" or name
                local value = math.tointeger(tonumber("0x" .. digits))
                local ours = name:match "^%l%l$" and name:match "s$" and cpu[name].selector
                    or name:match "^(%ls)_base$" and cpu[name:sub(1, 2)].base
                    or not name:match "_" and name ~= "k0" and cpu[name]
                if ours then
                    assert.are.equal(value, ours, name)
                    checked = checked + 1
                end
            end
            assert.is_true(checked >= 18, text)
        end
    end)

    it("has the memory that gdb has", function()
        if not has "gdb" then return end
        -- gdb translates nothing: to it the file's addresses are physical ones.
        local start = 0xFFFFFFFF81000000
        local text = support.output(("gdb -nx -batch -ex 'core-file %s' -ex 'x/8gx %d' 2>/dev/null")
            :format(path, dump:translate(start)))
        local theirs = {}
        for digits in text:gmatch "\t0x(%x+)" do
            theirs[#theirs + 1] = math.tointeger(tonumber("0x" .. digits))
        end
        local ours = { ("<i8i8i8i8i8i8i8i8"):unpack(dump:read(start, 64)) }
        ours[#ours] = nil -- where it ended
        assert.are.same(theirs, ours)
    end)

    it("has the release that crash has", function()
        if not has "crash" then return end
        assert.are.equal(dump.os_release .. "\n",
            support.output(("crash --osrelease %s 2>/dev/null"):format(path)))
    end)

    it("has the log that makedumpfile has, also in the form that it reads", function()
        if not has "makedumpfile" then return end
        local kdump, text = directory .. "/guest.kdump", directory .. "/dmesg"
        assert.is_true(dump:export(kdump) > 0)
        assert.is_truthy(os.execute(("makedumpfile --dump-dmesg %s %s >/dev/null 2>&1")
            :format(kdump, text)))
        local theirs = support.read(text)
        assert.are.equal(theirs, table.concat(lines_of(dump:log()), "\n") .. "\n")
        assert.are.equal(dump.os_release .. "\n",
            support.output(("crash --osrelease %s 2>/dev/null"):format(kdump)))
        os.remove(kdump)
    end)

    it("says the same in every format", function()
        local wanted = lines_of(dump:log())
        for _, format in ipairs { "elf", "kdump", "vmrs" } do
            local other = directory .. "/other." .. format
            assert.is_true(dump:export(other, { compress = true }) > 0)
            local again <close> = hcs.dump.open(other)
            assert.are.equal(format, again.format)
            assert.are.same(wanted, lines_of(again:log()), format)
            for index = 0, 1 do
                local a, b = dump:cpu(index), again:cpu(index)
                for name, value in a:registers() do assert.are.same(value, b[name], name) end
            end
            again:close()
            os.remove(other)
        end
    end)

    it("finds what the kernel said, and where it is mapped", function()
        local banner = "Linux version " .. dump.os_release
        local at = dump:find(banner)()
        assert.is_truthy(at)
        assert.are.equal(banner, dump:read_physical(at, #banner))
        assert.is_nil(dump:find(("no such thing, %d"):format(os.time()))())
    end)

    it("can be asked from a shell", function()
        local text = support.output(("./run --offline --build %s dump %s --last 3 2>/dev/null")
            :format(os.getenv "HCS_BUILD" or "build/release", path))
        local log = lines_of(dump:log())
        assert.are.equal(table.concat(log, "\n", #log - 2) .. "\n", text)
    end)
end)

describe("a dump that QEMU compressed", function()
    it("says what an ELF core would say", function()
        local path = support.temporary "guest.kdump"
        local vm <close> = support.clone("kdump",
            { stop_on_reset = true, dump = { path = path, type = "kdump" } })
        vm:crash()
        vm:wait("crash", 120)
        vm:wait("exited", 60)
        local dump <close> = hcs.dump.open(path)
        assert.are.equal("kdump", dump.format)
        local found = false
        for line in dump:log() do
            found = found or line:find("Kernel panic - not syncing: NMI", 1, true) ~= nil
        end
        assert.is_true(found)
        assert.are.equal("4-level", dump:cpu(0).paging)
        vm:close()
        os.remove(path)
        support.finish()
    end)
end)
