-- SPDX-License-Identifier: MIT
-- A capture in the format of Hyper-V, and what it becomes when it is exported:
-- other people's tools read it as they read QEMU's own.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local MIB = 1 << 20

local function has(tool)
    if os.execute(("command -v %s >/dev/null"):format(tool)) then return true end
    pending("needs " .. tool)
    return false
end

describe("an export of a real guest's capture", function()
    local directory, core, saved

    setup(function()
        directory = support.temporary "export"
        os.execute("mkdir -m 700 " .. directory)
        local vm <close> = support.guest("export", { memory = "256M", processors = 2 })
        vm:pause()
        vm:capture(directory .. "/core.elf")
        vm:capture(directory .. "/saved.vmrs")
        core = hcs.dump.open(directory .. "/core.elf")
        saved = hcs.dump.open(directory .. "/saved.vmrs")
    end)

    teardown(function()
        if core then core:close() end
        if saved then saved:close() end
        os.execute("rm -rf " .. directory)
        support.finish()
    end)

    local function exported(name, options)
        local path = directory .. "/" .. name
        saved:export(path, options)
        return path
    end

    local function each_megabyte(check)
        for start, bytes in core:ranges() do
            for at = start, start + bytes - 1, MIB do
                check(at, math.min(MIB, start + bytes - at))
            end
        end
    end

    it("is the same memory, bit for bit, in every format", function()
        local others = { saved }
        for name, file in pairs {
            ["again.elf"] = "", ["again.kdump"] = "", ["again.vmrs"] = "", ["again.raw"] = ".map",
        } do
            others[#others + 1] = hcs.dump.open(exported(name) .. file)
        end
        each_megabyte(function(at, bytes)
            local expected = core:read_physical(at, bytes)
            for _, other in ipairs(others) do
                assert.is_true(expected == other:read_physical(at, bytes), other.path)
            end
        end)
        for cpu = 0, 1 do
            for name, value in core:cpu(cpu):registers() do
                for _, other in ipairs(others) do
                    assert.are.same(value, other:cpu(cpu)[name], name)
                end
            end
        end
        for i = 2, #others do others[i]:close() end
    end)

    it("has gdb's registers", function()
        if not has "gdb" then return end
        local path = exported "gdb.elf"
        for _, name in ipairs { "rip", "rsp", "rbp", "r15", "gs_base" } do
            local text = support.output(("gdb -batch -nx -ex 'print/x $%s' -c %s 2>/dev/null "
                .. "| tail -n 1"):format(name, path))
            local value = tonumber(text:match "0x%x+")
            local ours = name == "gs_base" and saved:cpu(0).gs.base or saved:cpu(0)[name]
            assert.are.equal(ours, value, name)
        end
    end)

    it("is of crash's release", function()
        if not has "crash" then return end
        for _, name in ipairs { "crash.elf", "crash.kdump" } do
            local text = support.output(("timeout 60 crash --osrelease %s 2>/dev/null")
                :format(exported(name)))
            assert.are.equal(core.os_release, text:match "%S+")
        end
    end)

    it("has the log that makedumpfile has, packed or not", function()
        if not has "makedumpfile" then return end
        local lines = {}
        for line in core:log() do lines[#lines + 1] = line end
        for _, compress in ipairs { true, false } do
            local path = exported("log.kdump", { compress = compress })
            local text = path .. ".txt"
            os.execute(("makedumpfile --dump-dmesg -f %s %s >/dev/null 2>&1"):format(path, text))
            text = support.read(text, 1 << 22)
            assert.are.equal(lines[#lines], text:match "([^\n]+)\n*$")
            assert.are.equal(#lines, select(2, text:gsub("\n", "\n")))
        end
    end)
end)
