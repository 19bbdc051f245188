-- SPDX-License-Identifier: MIT
-- A real guest's crash: events in their order, the kernel's words, dumps.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local function crashing(stem, dump, more)
    local options = { stop_on_reset = true, dump = dump }
    for key, value in pairs(more or {}) do options[key] = value end
    return support.guest(stem, options)
end

local function names_of(vm)
    local names = {}
    for _, name in ipairs { "crash_initiated", "crash_report", "exited" } do
        vm:on(name, function(event) names[#names + 1] = event.type end)
    end
    return names
end

describe("a crash of a real guest", function()
    after_each(support.nothing_left)

    it("by NMI is told, dumped as ELF, and ends in a reset", function()
        local path = support.temporary("dump.elf")
        local vm <close> = crashing("elf", { path = path, type = "elf" })
        local names = names_of(vm)
        vm:crash()
        local crash = vm:wait("crash", 60)
        assert.is_truthy(crash.log:find("Kernel panic - not syncing: NMI", 1, true), crash.log)
        assert.are.equal(1, #crash.dumps)
        assert.are.equal(path, crash.dumps[1].path)
        assert.are.equal("elf", crash.dumps[1].format)
        assert.is_true(crash.dumps[1].bytes >= 128 << 20)
        assert.are.equal("\127ELF", support.read(path):sub(1, 4))
        vm:wait("exited", 30)
        hcs.poll(0)
        assert.are.same({ "CrashInitiated", "CrashReport", "SystemExited" }, names)
        os.remove(path)
    end)

    it("of its own is dumped as kdump", function()
        local path = support.temporary("dump.kdump")
        local vm <close> = crashing("kdump", { path = path, type = "kdump" })
        vm:console():write("panic\n")
        local crash = vm:wait("crash", 60)
        assert.is_truthy(crash.log:find("sysrq triggered crash", 1, true))
        assert.are.equal("kdump", crash.dumps[1].format)
        local bytes = support.size(path)
        assert.is_true(bytes > 1 << 20 and bytes < 128 << 20, bytes)
        assert.is_truthy(support.read(path):sub(1, 64):find("makedumpfile", 1, true)
            or support.read(path):sub(1, 8) == "KDUMP   ")
        os.remove(path)
    end)

    it("that would dump too much leaves no file and says so", function()
        local path = support.temporary("large.elf")
        local vm <close> = crashing("large", { path = path, type = "elf", max = "1M" })
        vm:crash()
        local crash = vm:wait("crash", 60)
        assert.are.equal(0, #crash.dumps)
        assert.is_true(crash.document.Status ~= nil and crash.document.Status ~= 0)
        assert.is_nil(support.size(path))
    end)

    it("with nothing to write is told all the same", function()
        local vm <close> = support.guest("bare", { stop_on_reset = true })
        vm:crash()
        local crash = vm:wait("crash", 60)
        assert.are.equal(0, #crash.dumps)
        assert.is_truthy(crash.log:find("Kernel panic", 1, true))
    end)

    it("leaves the guest to boot again", function()
        local vm <close> = support.guest("back")
        vm:crash()
        vm:wait("crash", 60)
        vm:console():expect(support.UP, 60)
        assert.are.equal("Running", vm:state())
    end)
end)
