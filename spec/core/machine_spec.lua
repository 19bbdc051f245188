-- SPDX-License-Identifier: MIT
-- What hcs.core tells of the machine, and the time limit of a process.
local core = require "hcs.core"
local platform = require "spec.platform"

describe("core.machine", function()
    it("tells the system, its version and architecture", function()
        local machine = assert(core.machine())
        assert.equal(platform.windows and "Windows" or "Linux", machine.system)
        assert.truthy(machine.version:find("^%d+%.%d+"))
        assert.equal("x86_64", machine.architecture)
        assert.truthy(#machine.name > 0)
        assert.is_not.equal(machine, core.machine())
    end)

    it("tells build, rights and virtualization on Windows", function()
        if not platform.windows then return pending "needs Windows" end
        local machine = core.machine()
        assert.equal(tonumber(machine.version:match("(%d+)$")), machine.build)
        for _, name in ipairs { "elevated", "hyperv_administrator", "hypervisor",
            "virtualization_in_firmware" } do
            assert.is_boolean(machine[name], name)
        end
    end)
end)

describe("core.functions", function()
    it("is functions.def", function()
        local listed = {}
        for line in io.lines(platform.here "src/abi/functions.def") do
            local dll, build, kind, name =
                line:match("^HCS_FUNCTION%((%w+), (%d+), (%u+), [^,]-, (%w+), ")
            if name then
                listed[#listed + 1] = { dll = dll, build = tonumber(build), kind = kind,
                    name = name }
            end
        end
        assert.truthy(#listed > 30)
        assert.same(listed, core.functions)
    end)
end)

describe("core.watchdog", function()
    -- How a process that runs `text` ends, and how long that took.
    local function status_of(text)
        local start = core.monotonic()
        local output, status = platform.lua_text("local core = require 'hcs.core'\n" .. text)
        local seconds = core.monotonic() - start
        assert.truthy(seconds < 30, output)
        return status, output, seconds
    end

    it("ends a process that is busy", function()
        assert.equal(124, (status_of "assert(core.watchdog(0.2)) while true do end"))
        assert.equal(124, (status_of "core.watchdog(0) while true do end"))
    end)

    it("ends one whose thread does not come back from C", function()
        assert.equal(124, (status_of [[
            core.watchdog(0.2)
            local text = ("a"):rep(40)
            text:find(("a?"):rep(40) .. text .. "b")]]))
    end)

    it("is put off, and called off", function()
        local status, output = status_of [[
            for _ = 1, 4 do
                core.watchdog(1.5)
                local start = core.monotonic()
                while core.monotonic() < start + 0.5 do end
            end
            core.watchdog(nil)
            local start = core.monotonic()
            while core.monotonic() < start + 1.7 do end
            core.watchdog(math.huge)
            print "alive" os.exit(7, true)]]
        assert.same({ 7, "alive\n" }, { status, output })
    end)

    it("takes no nonsense", function()
        assert.has_error(function() core.watchdog("soon") end)
        assert.has_error(function() core.watchdog(0 / 0) end)
    end)
end)

describe("core.module and core.service", function()
    it("are on Windows only", function()
        assert.equal(platform.windows and "function" or "nil", type(core.module))
        assert.equal(platform.windows and "function" or "nil", type(core.service))
    end)

    it("tell where a library is from, and what it lacks", function()
        if not platform.windows then return pending "needs Windows" end
        local found = assert(core.module("kernel32.dll",
            { "CreateFileW", "NoSuch", "Sleep", "Nor" }))
        assert.truthy(found.path:lower():find("\\system32\\kernel32.dll", 1, true))
        assert.same({ "NoSuch", "Nor" }, found.missing)
        assert.truthy(found.version:find("^%d+%.%d+%.%d+%.%d+$"))
        assert.same({}, core.module("kernel32.dll", {}).missing)
    end)

    it("look into the system's folder and nowhere else", function()
        if not platform.windows then return pending "needs Windows" end
        local nothing, hresult = core.module("no-such.dll", {})
        assert.is_nil(nothing)
        assert.equal(0x8007007E, hresult)
        for _, name in ipairs { "C:\\x.dll", "..\\x.dll", "x/y.dll", "C:x.dll" } do
            assert.has_error(function() core.module(name, {}) end)
        end
        assert.has_error(function() core.module("kernel32.dll") end)
        assert.has_error(function() core.module("a\0b", {}) end)
    end)

    it("tell a service's state", function()
        if not platform.windows then return pending "needs Windows" end
        local found = assert(core.service "RpcSs")
        assert.truthy(found.state == "running" or found.state == "stopped"
            or found.state == "start_pending")
        assert.is_string(found.start)
        local nothing, hresult = core.service "no such service"
        assert.is_nil(nothing)
        assert.equal(0x80070424, hresult)
    end)
end)
