-- SPDX-License-Identifier: MIT
-- The command hcs: its commands, scripts, and what it says to mistakes.
local arguments = require "hcs.cli.arguments"
local cli = require "hcs.cli"
local dump_file = require "spec.core.dump_file"
local dumps = require "hcs.dump"
local errors = require "hcs.error"
local fake = require "spec.unit.fake_core"
local hexadecimal = require("hcs.dump.text").hexadecimal
local options = require "hcs.options"
local platform = require "spec.platform"
local terminal = require "hcs.cli.terminal"

local function run(list, more)
    local out, complaints = {}, {}
    local tools = {
        write = function(text) out[#out + 1] = text end,
        complain = function(text) complaints[#complaints + 1] = text end,
        interpreter = platform.lua, checks = "spec.unit.selftest_checks",
    }
    for key, value in pairs(more or {}) do tools[key] = value end
    local status = cli.main(list, tools)
    return status, table.concat(out), table.concat(complaints)
end

describe("hcs", function()
    it("says what there is", function()
        for _, word in ipairs { "help", "--help", "-h" } do
            local status, out, complaints = run { word }
            assert.same({ 0, "" }, { status, complaints })
            for _, name in ipairs { "selftest [--report FILE]", "doctor", "dump FILE", "version",
                "-i" } do
                assert.truthy(out:find("\n  " .. name, 1, true), name)
            end
            for line in out:gmatch("[^\n]+") do assert.truthy(#line < 80, line) end
        end
        local status, out = run {}
        assert.equal(2, status)
        assert.truthy(out:find("usage: hcs", 1, true))
        status, out = run { "help", "selftest" }
        assert.equal(0, status)
        assert.truthy(out:find("--report FILE", 1, true))
        assert.truthy(select(2, run { "help", "version" }):find("usage: hcs version\n", 1, true))
    end)

    it("tells mistakes, with status 2", function()
        for _, case in ipairs {
            { { "selftets" }, 'there is no command "selftets" (did you mean "selftest"?)' },
            { { "x/y" }, "there is no script x/y" },
            { { "nothing.lua" }, "there is no script nothing.lua" },
            { { "--frob" }, "there is no option --frob" },
            { { "help", "frob" }, 'there is no command "frob"' },
            { { "version", "now" }, "what is now?" },
            { { "selftest", "--reprot", "x" }, "no option --reprot (did you mean --report?)" },
            { { "selftest", "--report" }, "--report wants a value" },
            { { "selftest", "--report=" }, "--report wants a value" },
            { { "selftest", "--report", "" }, "--report is empty" },
            { { "selftest", "--no-report=1" }, "--no-report takes no value" },
            { { "doctor", "--host=sim:", "--host", "sim:" }, "--host is given twice" },
            { { "-i", "x" }, "-i takes no arguments" },
            { { "dump" }, "which file?" },
            { { "dump", "a", "b" }, "what is b?" },
            { { "dump", "a", "--read", "1" }, "--read wants 2 values" },
            { { "dump", "a", "--read", "x", "16" }, "--read wants a number, not x" },
            { { "dump", "a", "--cpu", "-1" }, "--cpu wants a number, not -1" },
            { { "dump", "a", "--translate", "0x11111111111111111" }, "wants a number" },
            { { "dump", "" }, "hcs dump: the file's name is empty" },
            { { "dump", "\xff.elf" }, "the file's name is not UTF-8" },
            { { "dump", "a", "--find", "" }, "--find is empty" },
            { { "dump", "a", "--export", "" }, "--export is empty" },
            { { "dump", "a", "--export", "\xff.elf" }, "--export is not UTF-8" },
            { { "dump", "a", "--read", "0", "" }, "--read wants a number, not nothing" },
            { { "doctor", "--host", "\xff:" }, "--host is not UTF-8" },
            { { "dump", "a", "--export", "b", "--format", "zip" }, "there is no format zip" },
        } do
            local status, out, complaints = run(case[1])
            assert.equal(2, status)
            assert.equal("", out)
            assert.truthy(complaints:find(case[2], 1, true), complaints)
        end
    end)

    it("tells a mistake that the library found, without a place in the source", function()
        local said
        local tools = { complain = function(text) said = text end }
        assert.equal(2, terminal.run(tools, options.misuse, "dump:read: the size is %d: too large",
            7))
        assert.equal("hcs: dump:read: the size is 7: too large\n", said)
        local thread = coroutine.wrap(terminal.run) -- where no caller can be seen
        assert.equal(2, thread(tools, options.misuse, "that is wrong"))
        assert.equal("hcs: that is wrong\n", said)
        -- A mistake of the command itself is for who mends it.
        assert.equal(1, terminal.run(tools, function() error "oops" end))
        assert.truthy(said:find("^hcs: .*:%d+: oops\nstack traceback"), said)
    end)

    it("tells a call that raised its failure", function()
        local said
        local tools = { complain = function(text) said = text end }
        local broken = errors.new { op = "dump:find", message = "the disk broke" }
        assert.equal(1, terminal.run(tools, errors.raise, broken))
        assert.equal("hcs: dump:find: the disk broke\n", said)
    end)

    describe("whose output cannot be written", function()
        local stdout = io.stdout

        after_each(function() rawset(io, "stdout", stdout) end)

        -- Runs hcs with an output whose method `name` fails as told.
        local function broken(name, why, number, ...)
            local output = { write = function(self) return self end }
            output.flush = output.write
            output[name] = function() return nil, why, number end
            rawset(io, "stdout", output)
            local said = {}
            local status = cli.main({ ... },
                { complain = function(text) said[#said + 1] = text end })
            rawset(io, "stdout", stdout)
            return status, table.concat(said)
        end

        it("fails, and says so", function()
            for _, name in ipairs { "write", "flush" } do
                for _, list in ipairs { { "version" }, { "help" }, { "help", "dump" } } do
                    assert.same({ 1, "hcs: cannot write: it is full\n" },
                        { broken(name, "it is full", 28, table.unpack(list)) })
                end
            end
            assert.equal(2, (broken("flush", "it is full", 28)))
        end)

        it("ends without a word when nobody reads it", function()
            assert.same({ 1, "" }, { broken("write", "Broken pipe", 32, "version") })
        end)

        it("fails on a disk that is full", function()
            if not platform.full then return pending "needs a file that takes nothing" end
            local text, status = platform.lua_text(([[
                io.stdout = assert(io.open(%q, "w"))
                os.exit(require("hcs.cli").main { "version" }, true)]]):format(platform.full))
            assert.truthy(text:find "^hcs: cannot write: [^\n]+\n$", text)
            assert.equal(1, status)
        end)
    end)

    it("tells versions", function()
        local status, out = run { "version" }
        assert.equal(0, status)
        assert.truthy(out:find("^lua%-hcs %d+%.%d+%.%d+, hcs.core %d+%.%d+%.%d+, Lua 5.4\n$"))
        assert.equal(out, select(2, run { "--version" }))
    end)

    it("asks the doctor", function()
        local host = fake.new { Clock = "Virtual", Build = 26100, Driver = "Step" }
        local status, out = run({ "doctor", "--host", "fake:" }, { core = host.core })
        assert.equal(0, status)
        assert.truthy(out:find("ok   host: fake:, build 26100", 1, true))
        host.fail.open = 0x80070002
        status, out = run({ "doctor", "--host", "fake:" }, { core = host.core })
        assert.equal(1, status)
        assert.truthy(out:find("miss host:", 1, true))
    end)

    describe("dump FILE", function()
        local path

        setup(function() path = platform.temporary(dump_file.elf(), ".elf") end)
        teardown(function() platform.remove(path) end)

        local function dump(...)
            local status, out, complaints = run { "dump", path, ... }
            assert.same({ 0, "" }, { status, complaints })
            return out
        end

        it("tells what happened", function()
            local text = dump()
            assert.truthy(text:find("6.1.0-spec", 1, true), text)
            assert.truthy(text:find("cpu 0", 1, true), text)
            assert.is_nil(text:find "[^\n]+\n\n")
        end)

        it("tells registers", function()
            local text = dump "--regs"
            assert.truthy(text:find("rip    ffffffff81000123  rflags 0000000000000046", 1, true))
            assert.truthy(text:find("\ncs     0010 base 0000000000000000 limit ffffffff", 1, true))
            assert.truthy(text:find("hcs.Cpu 1 at 0x400010", 1, true))
            assert.is_nil(dump("--regs", "--cpu", "1"):find("hcs.Cpu 0", 1, true))
        end)

        it("tells memory", function()
            assert.equal("0000000000400004  01 00 00 00 02 00 00 00" .. (" "):rep(28)
                .. "........\n", (dump("--read", "0x400004", "8"):gsub(" +(%.+\n)$",
                (" "):rep(28) .. "%1")))
            assert.equal("high", dump("--read", "0xfffc0000", "4", "--physical", "--raw"))
            local status, out, complaints = run { "dump", path, "--read", "0x400ff8", "16" }
            assert.equal(0, status)
            assert.truthy(out:find "^0000000000400ff8  fe 03 00 00 ff 03 00 00 ")
            assert.truthy(complaints:find("8 of 16 bytes", 1, true))
            status, out, complaints = run { "dump", path, "--read", "0x500000", "1" }
            assert.same({ 1, "" }, { status, out })
            assert.truthy(complaints:find("not mapped", 1, true))
        end)

        it("tells much memory piece by piece", function()
            local pieces = {}
            local function read(...)
                pieces = {}
                local said = ""
                local status = cli.main({ "dump", path, "--physical", "--read", ... }, {
                    write = function(text) pieces[#pieces + 1] = text end,
                    complain = function(text) said = said .. text end,
                })
                return status, table.concat(pieces), said
            end
            local status, raw, said = read("0xfff0", "0x30005", "--raw")
            assert.same({ 0, "", 0x30005 }, { status, said, #raw })
            assert.equal(4, #pieces)
            local out = select(2, read("0xfff0", "0x30005"))
            assert.is_true(out == hexadecimal(0xfff0, raw))
            for _, piece in ipairs(pieces) do assert.truthy(#piece < 512 * 1024) end
            -- Memory that ends between two pieces, and within one.
            for _, case in ipairs { { 0x3e0000, 0x20000, "1048576" },
                { 0x3d8000, 0x28000, "1048576" }, { 0x3e0000, 0x20000, "2147483648" },
                { 0x3e0000, 0x20000, "0xffffffffffffffff" } } do
                local address, there, wanted = table.unpack(case)
                status, raw, said = read(tostring(address), wanted, "--raw")
                assert.same({ 0, there }, { status, #raw })
                assert.equal(("hcs dump: %d of %s bytes, what follows is not there\n")
                    :format(there, wanted), said)
            end
        end)

        it("fails where the file is damaged, after what there was", function()
            local real = dumps.functions
            finally(function() dumps.functions = real end)
            local damaged = setmetatable({ cpu_count = 1 }, { __close = function() end })
            function damaged.read_physical(_, address, size)
                if address == 0 then return ("x"):rep(size) end
                return nil, errors.new { op = "dump:read_physical", code = "invalid_document" }
            end
            dumps.functions = function() return { open = function() return damaged end } end
            local status, out, complaints = run { "dump", "a", "--read", "0", "0x20000",
                "--physical", "--raw" }
            assert.same({ 1, 65536 }, { status, #out })
            assert.truthy(complaints:find "^hcs: dump:read_physical: ", complaints)
        end)

        it("finds, translates and lists", function()
            assert.equal("0x9008\n", dump("--translate", "0x400008"))
            assert.equal("0x100010\n0x1ffffc\n", dump("--find", "needle in a haystack"))
            assert.equal("0x0 0x400000\n0xfffc0000 0x4000\n", dump "--ranges")
            assert.same({ 2, "", "hcs: dump:find: what to find has 65537 bytes, expected 1 to "
                .. "65536\n" }, { run { "dump", path, "--find", ("x"):rep(65537) } })
            assert.equal(2, (run { "dump", path, "--regs", "--cpu", "2" }))
            local status, _, said = run { "dump", path, "--regs", "--cpu", "0xffffffffffffffff" }
            assert.equal(2, status)
            assert.truthy(said:find("there is no CPU 0xffffffffffffffff, the dump has 2", 1, true))
        end)

        it("writes other formats", function()
            local other = platform.temporary(nil, ".kdump")
            assert.truthy(dump("--export", other):find(": %d+ bytes\n$"))
            local status, out = run { "dump", other, "--read", "0x400004", "4", "--raw" }
            assert.same({ 0, "\1\0\0\0" }, { status, out })
            platform.remove(other)
        end)

        it("fails where there is nothing to tell", function()
            for _, list in ipairs { { path, "--log" }, { path .. ".none" },
                { platform.here "LICENSE" } } do
                local status, out, complaints = run { "dump", table.unpack(list) }
                assert.same({ 1, "" }, { status, out })
                assert.truthy(complaints:find("^hcs: dump"), complaints)
            end
        end)
    end)

    describe("SCRIPT", function()
        local function script(text, ...)
            local path = platform.temporary(text)
            local before = arg
            local status, out, complaints = run { path, ... }
            rawset(_G, "arg", before)
            os.remove(path)
            return status, complaints, out, path
        end

        it("has its arguments", function()
            local _, path
            rawset(_G, "spec_seen", nil)
            _, _, _, path = script("spec_seen = { n = #arg, arg[0], arg[1], ... }", "a b", "c")
            assert.same({ path, "a b", "a b", "c", n = 2 }, rawget(_G, "spec_seen"))
            rawset(_G, "spec_seen", nil)
            assert.equal(0, (script "#!/usr/bin/lua\nreturn 7"))
        end)

        it("fails with what it raised, and where", function()
            local status, complaints = script "local x = nil\nx()"
            assert.equal(1, status)
            assert.truthy(complaints:find("^hcs: .*:2: .*stack traceback"))
            status, complaints = script "error({})"
            assert.equal(1, status)
            assert.truthy(complaints:find("error object is a table value", 1, true))
            status, complaints = script "x ="
            assert.equal(1, status)
            assert.truthy(complaints:find(":1: ", 1, true))
            complaints = select(2, script [[
                local errors = require "hcs.error"
                errors.raise(errors.new { op = "o" })]])
            assert.truthy(complaints:find("^hcs: .*o: failed"), complaints)
            complaints = select(2, script [[
                error(setmetatable({}, { __tostring = function() return "T" end }))]])
            assert.truthy(complaints:find("^hcs: T\n"), complaints)
        end)
    end)

    it("tests itself, and writes the report where it is told to", function()
        local path = platform.temporary() .. ".json"
        local status, out = run { "selftest", "--host", "fake:", "--report", path }
        assert.equal(1, status) -- the checks of the spec fail
        assert.truthy(out:find("\nThe report:\n  " .. path, 1, true))
        assert.truthy(out:find("Left out of it: names of users", 1, true))
        assert.truthy(platform.read(path):find('"failed": 9', 1, true))
        local text = platform.read((path:gsub("json$", "txt"))):gsub("\r\n", "\n")
        assert.truthy(out:find(text:match("fine.-\n"), 1, true))
        os.remove(path)
        os.remove((path:gsub("json$", "txt")))
        local complaints
        status, out, complaints = run { "selftest", "--host=fake:", "--report=/no/such/x.json" }
        assert.equal(1, status)
        assert.truthy(out:find("3 ok, 9 failed", 1, true))
        assert.truthy(complaints:find("the report cannot be written: /no/such", 1, true))
        out = select(2, run { "selftest", "--host", "fake:", "--no-report" })
        assert.truthy(out:find("3 ok, 9 failed", 1, true))
        assert.is_nil(out:find("The report", 1, true))
    end)
end)

describe("bytes as text", function()
    it("stand sixteen in a line", function()
        assert.equal("", hexadecimal(0, ""))
        assert.equal("fffffffffffffff0  00 1f 20 41 7e 7f 80 ff  30 31 32 33 34 35 36 25  "
            .. ".. A~...0123456%\n0000000000000000  25" .. (" "):rep(48) .. "%\n",
            hexadecimal(-16, "\0\31 A~\127\128\2550123456%%"))
    end)
end)

describe("options of a command", function()
    it("are read as they are written", function()
        local known = { report = "value", quiet = "flag" }
        assert.same({}, arguments.read({}, known))
        assert.same({ report = "a=b", quiet = true },
            arguments.read({ "--report=a=b", "--quiet" }, known))
        assert.same({ report = "--quiet" }, arguments.read({ "--report", "--quiet" }, known))
    end)
end)
