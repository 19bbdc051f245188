-- SPDX-License-Identifier: MIT
-- A real guest's crash: events in their order, the kernel's words, and what is
-- written for each setting of the document.
local core = require "hcs.core"
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local MIB = 1 << 20

local function crashing(stem, more)
    local options = { stop_on_reset = true }
    for key, value in pairs(more or {}) do options[key] = value end
    return support.clone(stem, options)
end

local function nix(type, path, max)
    return { document = { VirtualMachine = { Devices = { GuestCrashReporting = {
        NixCrashSettings = { DumpType = type, DumpFileName = path, MaxDumpSize = max } } } } } }
end

-- What lies in a directory beside what is expected there.
local function others(directory, ...)
    local list = support.output(("ls -A %s"):format(directory))
    for _, name in ipairs { ... } do list = list:gsub(name .. "\n", "", 1) end
    return list
end

describe("a crash of a real guest", function()
    local directory

    before_each(function()
        directory = support.temporary "crash"
        os.execute("mkdir " .. directory)
    end)

    after_each(function()
        support.nothing_left()
        os.execute("rm -rf " .. directory)
    end)

    teardown(support.finish)

    it("by NMI is told, dumped as ELF, and ends in a reset", function()
        local path = directory .. "/dump.elf"
        local vm <close> = crashing("elf", { dump = { path = path, type = "elf" } })
        local names = {}
        for _, name in ipairs { "crash_initiated", "crash_report", "exited" } do
            vm:on(name, function(event) names[#names + 1] = event.type end)
        end
        vm:crash()
        local crash = vm:wait("crash", 60)
        assert.is_truthy(crash.log:find("Kernel panic - not syncing: NMI", 1, true), crash.log)
        assert.are.equal(1, #crash.dumps)
        assert.are.equal(path, crash.dumps[1].path)
        assert.are.equal("elf", crash.dumps[1].format)
        assert.is_true(crash.dumps[1].bytes >= 128 * MIB)
        assert.are.equal(crash.dumps[1].bytes, support.size(path))
        assert.are.equal("\127ELF", support.read(path, 4))
        vm:wait("exited", 30)
        hcs.poll(0)
        assert.are.same({ "CrashInitiated", "CrashReport", "SystemExited" }, names)
        assert.are.equal("", others(directory, "dump.elf.json", "dump.elf"))
    end)

    it("of its own is dumped as kdump", function()
        local path = directory .. "/dump.kdump"
        local vm <close> = crashing("kdump", { dump = { path = path, type = "kdump" } })
        vm:console():write("panic\n")
        local crash = vm:wait("crash", 60)
        assert.is_truthy(crash.log:find("sysrq triggered crash", 1, true))
        assert.are.equal("kdump", crash.dumps[1].format)
        local bytes = support.size(path)
        assert.is_true(bytes > MIB and bytes < 128 * MIB, bytes)
        assert.are.equal("KDUMP   ", support.read(path, 8))
        assert.are.equal("", others(directory, "dump.kdump.json", "dump.kdump"))
    end)

    it("leaves as many dumps as are to be kept, each with what it is of", function()
        local path = directory .. "/kept"
        local vm <close> = crashing("kept", { stop_on_reset = false,
            dump = { path = path, keep = 2, compress = true } })
        for _ = 1, 3 do
            vm:crash()
            vm:wait("crash", 60)
            vm:console():expect(support.UP, 60)
        end
        assert.are.equal("kept\nkept.1\nkept.1.json\nkept.json\n",
            support.output("LC_ALL=C ls " .. directory))
        assert.are.equal("600\n600\n600\n600\n", support.output("stat -c %a " .. path .. "*"))
        local about = core.json.decode(support.read(path .. ".json", 1 << 20))
        assert.are.equal("Crash", about.Why)
        assert.are.equal("qemu", about.Host.Kind)
        assert.are.equal(vm.id, about.Id)
        assert.are.equal(path, about.Document.VirtualMachine.Devices.GuestCrashReporting
            .NixCrashSettings.DumpFileName)
    end)

    it("is not needed for a dump of what runs or stands still, in any format", function()
        local vm <close> = crashing "capture"
        local magics = { elf = "\127ELF", kdump = "KDUMP   ", vmrs = "\x14\x20\x28\x01" }
        for format, magic in pairs(magics) do
            vm:capture(directory .. "/running." .. format)
            assert.are.equal(magic, support.read(directory .. "/running." .. format, #magic))
        end
        vm:pause()
        for format in pairs(magics) do vm:capture(directory .. "/paused." .. format) end
        assert.are.equal("Paused", vm:state())
        local one <close> = hcs.dump.open(directory .. "/paused.elf")
        local two <close> = hcs.dump.open(directory .. "/paused.vmrs")
        local three <close> = hcs.dump.open(directory .. "/paused.kdump")
        for _, other in ipairs { two, three } do
            assert.are.equal(one.cpu_count, other.cpu_count)
            assert.are.equal(one:cpu(0).rip, other:cpu(0).rip)
            assert.are.equal(one:read_physical(16 * MIB, MIB), other:read_physical(16 * MIB, MIB))
        end
        vm:resume()
        support.sh(vm, "true")
    end)

    it("that would dump too much leaves no file and says so", function()
        for _, type in ipairs { "ElfCore", "KDump" } do
            local vm <close> = crashing("large", nix(type, directory .. "/large", MIB))
            vm:crash()
            local crash = vm:wait("crash", 60)
            assert.are.equal(0, #crash.dumps)
            assert.are.equal(0x80070070, crash.document.Status & 0xFFFFFFFF)
            vm:wait("exited", 30)
            assert.are.equal("", others(directory))
        end
    end)

    it("with nothing to write is told all the same", function()
        local windows = { VirtualMachine = { Devices = { GuestCrashReporting = {
            WindowsCrashSettings = { DumpFileName = directory .. "/windows.dmp" } } } } }
        for _, more in ipairs {
            {}, nix("Disabled", directory .. "/disabled"), { document = windows },
        } do
            local vm <close> = crashing("bare", more)
            vm:crash()
            local crash = vm:wait("crash", 60)
            assert.are.equal(0, #crash.dumps)
            assert.are.equal(0, crash.document.Status or 0)
            assert.is_truthy(crash.log:find("Kernel panic", 1, true))
            vm:wait("exited", 30)
            assert.are.equal("", others(directory))
        end
    end)

    it("leaves a state to look at", function()
        local path = directory .. "/crash.vmrs"
        local vm <close> = crashing("saved", { debug = { bugcheck_saved_state = path } })
        vm:crash()
        local crash = vm:wait("crash", 60)
        assert.are.equal(path, crash.dumps[1].path)
        vm:wait("exited", 30)
        vm:close()
        -- The guest had reset itself by then, so it stands still for ever.
        local again <close> = hcs.create(support.options("saved", { restore = path }))
        again:start()
        assert.are.equal("Running", again:state())
        again:pause()
        again:save(directory .. "/again.vmrs")
        assert.is_true(support.size(directory .. "/again.vmrs") > MIB)
        os.remove(directory .. "/again.vmrs")
        assert.are.equal("", others(directory, "crash.vmrs"))
    end)

    it("leaves a state of a triple fault", function()
        local path = directory .. "/fault.vmrs"
        local vm <close> = crashing("fault", { debug = { triple_fault_saved_state = path } })
        vm:console():write("triplefault\n")
        local exit = vm:wait("exited", 30).document
        assert.are.equal("UnexpectedExit", exit.ExitType)
        assert.is_truthy(exit.Attribution[1].TripleFault)
        assert.is_true(support.size(path) > MIB)
        assert.are.equal("", others(directory, "fault.vmrs"))
    end)

    it("leaves the guest to boot again", function()
        local path = directory .. "/dump"
        local vm <close> = crashing("back", { stop_on_reset = false, dump = path })
        vm:crash()
        vm:wait("crash", 60)
        vm:console():expect(support.UP, 60)
        assert.are.equal("Running", vm:state())
        assert.is_true(support.size(path) >= 128 * MIB)
    end)

    it("that does not come of an NMI is missed after five seconds", function()
        local vm <close> = crashing "deaf"
        support.sh(vm, "echo 0 >/proc/sys/kernel/unknown_nmi_panic")
        local start = core.monotonic()
        vm:crash()
        local report = vm:wait("crash_report", 15)
        assert.is_true(core.monotonic() - start >= 4.9)
        assert.are.equal(0x800705B4, report.document.Status & 0xFFFFFFFF)
        assert.is_truthy(report.document.CrashLog:find("unknown_nmi_panic", 1, true))
        assert.are.equal("Running", vm:state())
        assert.is_truthy(support.sh(vm, "dmesg | tail -n 3"):find("NMI received", 1, true))
    end)

    it("is dumped as soon when the console is flooded and nobody reads", function()
        local path = directory .. "/flood"
        local vm <close> = crashing("flood", { dump = path })
        vm:console():write("flood\n")
        vm:console():expect("hcs-guest: flood 100 ", 30)
        vm:console():close()
        local other = support.connect_pipe(vm) -- and one who is there but never reads
        hcs.sleep(1)
        local start = core.monotonic()
        vm:crash()
        local crash = vm:wait("crash", 60)
        local took = core.monotonic() - start
        other:close()
        assert.are.equal(1, #crash.dumps)
        assert.is_true(took < 5, took)
        assert.is_true(#crash.log <= 64 << 10)
    end)

    it("on a full disk leaves nothing half-written", function()
        local namespace = support.namespace()
        if not namespace then return pending "may not mount" end
        local _, out = support.script(([[
            assert(os.execute "mount -t tmpfs -o size=8M tmpfs %s")
            local vm = support.guest("full", { stop_on_reset = true,
                dump = { path = "%s/dump", type = "kdump" },
                debug = { bugcheck_saved_state = "%s/state" } })
            vm:crash()
            local crash = vm:wait("crash", 60)
            vm:wait("exited", 30)
            print(#crash.dumps, ("%%X"):format(crash.document.Status & 0xFFFFFFFF))
            print(support.output "ls -A %s | wc -l")
            print "done"
        ]]):format(directory, directory, directory, directory), namespace)
        local text = support.printed(out, "done")
        assert.is_truthy(text:find("0\t80070070\n0\n", 1, true), text)
    end)
end)
