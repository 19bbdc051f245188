-- SPDX-License-Identifier: MIT
-- Every example, unchanged, on the simulated host. HCS_HOST chooses another.

local platform = require "spec.platform"

local PLACEHOLDER = platform.here "LICENSE" -- a simulated guest reads no kernel
local LIMIT = 60                            -- seconds for one example

local function given(name, default)
    local value = os.getenv(name)
    return value and value ~= "" and value or default
end

-- Runs a script; returns what it printed and its exit code.
local function run(path, ...)
    return platform.run({ platform.lua, path, ... }, { limit = LIMIT, environment = {
        HCS_HOST = given("HCS_HOST", "sim:"), HCS_KERNEL = given("HCS_KERNEL", PLACEHOLDER),
        HCS_INITRD = given("HCS_INITRD", PLACEHOLDER),
    } })
end

local function passes(command, ...)
    local text, status = run(command, ...)
    assert(status == 0, ("%s ended with %d:\n%s"):format(command, status, text))
    return text
end

local function has(text, pattern)
    assert(text:find(pattern), ("no %q in:\n%s"):format(pattern, text))
end

-- Looks for patterns that come one after the other.
local function has_in_order(text, patterns)
    local at = 1
    for _, pattern in ipairs(patterns) do
        local _, last = text:find(pattern, at)
        assert(last, ("no %q after what came before it in:\n%s"):format(pattern, text))
        at = last + 1
    end
end

-- The scripts; what they bring along is in folders.
local function files()
    local list = {}
    for _, path in ipairs(platform.files("examples", "%.lua$")) do
        if not path:find("/.*/") then list[#list + 1] = path end
    end
    return list
end

describe("examples", function()
    it("say in their first comment what they show", function()
        for _, path in ipairs(files()) do
            local file = assert(io.open(path))
            assert(file:read("l"):match("^%-%- %u.*%.$"), path .. " has no such line")
            file:close()
        end
    end)

    it("hello", function()
        has_in_order(passes "examples/hello.lua", {
            "guest says:%s+hcs%-guest: up", "now it is:%s+Paused", "exited:%s+GracefulExit",
        })
    end)

    it("first_vm", function()
        local text = passes "examples/first_vm.lua"
        has_in_order(text, {
            "host +%w+:", "machine", "created", "started", "userspace up in %d+ ms",
            "memory assigned +256%.0 MiB", "paused +at tick %d+", "still at tick %d+\n",
            "resumed +tick %d+", "CrashInitiated", "CrashReport",
            "Kernel panic %- not syncing: NMI",
            "dump +%S+%.elf\n", "elf, [%d.]+ MiB, [%d.]+ s", "exited +%a+Exit",
            "0 systems, 0 processes, 0 files left",
        })
    end)

    it("first_vm leaves a dump that is an ELF file", function()
        local path = passes("examples/first_vm.lua"):match("dump +(%S+%.elf)\n")
        local file = assert(io.open(path, "rb"))
        assert.are.equal("\127ELF", file:read(4))
        file:close()
        os.remove(path)
    end)

    it("game_loop", function()
        local text = passes "examples/game_loop.lua"
        has(text, "score%s+100")
        -- Two seconds of the game's time; a busy machine loses frames.
        local frame = tonumber(text:match("explosion%s+frame (%d+): .*oops: the boss overheated"))
        assert.is_true(frame >= 119 and frame <= 240, text)
    end)

    it("template_clones", function()
        has_in_order(passes "examples/template_clones.lua", {
            "boot", "template.*SavedAsTemplate", "clone 1 answers", "clone 2 answers",
            "clone 3 answers",
        })
    end)

    it("many_systems", function()
        local text = passes "examples/many_systems.lua"
        has(text, "booted%s+50\n")
        has(text, "GracefulExit%s+33\n")
        has(text, "ForcedExit%s+17\n")
        has(text, "UnexpectedExit%s+0\n")
        has(text, "left%s+0\n")
    end)

    it("networks", function()
        has_in_order(passes "examples/networks.lua", {
            "network:%s+lab%s+nat%s+192%.168%.100%.0/24%s+by 192%.168%.100%.1\n",
            "event:%s+network_create%s+%x+%-", "event:%s+namespace_create",
            "endpoint:%s+web%s+192%.168%.100%.2/24%s+00%-15%-5D%S+%s+in a namespace",
            "endpoint:%s+db%s+192%.168%.100%.50/24%s+%S+%s+of a system",
            "policy:%s+QOS", "policy:%s+ACL%s+Allow", "policy:%s+ACL%s+Block",
            "refused:%s+port_already_exists", "after the system:%s+1 endpoint",
            "event:%s+namespace_delete", "event:%s+network_delete", "left over:%s+0\n",
        })
    end)

    it("two_guests", function()
        local picture = platform.temporary(nil, ".svg")
        local text = passes("examples/two_guests.lua", "--svg", picture)
        has_in_order(text, {
            "host +%w+:", "network +lab in %d+ ms", "id +%x+%-", "type +nat",
            "subnet +192%.168%.77%.0/24", "gateway +192%.168%.77%.1",
            "booted +web in", "cloned +client in",
            "web +address 192%.168%.77%.10/24 gateway 192%.168%.77%.1",
            "client +address 192%.168%.77%.11/24 gateway 192%.168%.77%.1",
            "web +ping 192%.168%.77%.11: 5 sent, 5 received, [%d.]+ ms",
            "client +ping 192%.168%.77%.10: 5 sent, 5 received, [%d.]+ ms",
            "status +HTTP/1%.1 200 OK", "body +Hello from web%.",
            "client to web: 32%.0 MiB in [%d.]+ s, [%d.]+ [KM]iB/s",
            "endpoint +web", "received +3%d%.%d MiB in %d+ packets",
            "endpoint +client", "sent +3%d%.%d MiB in %d+ packets",
            "lab, nat, 192%.168%.77%.0/24", "═", "│ web", "│ 192%.168%.77%.10/24",
            "picture ", "0 systems, 0 processes, 0 files, 0 networks, 0 endpoints",
        })
        local svg = platform.read(picture)
        os.remove(picture)
        has_in_order(svg, { "^<svg xmlns=", ">lab</text>", ">web</text>",
            "192%.168%.77%.11/24", "tcp/8080", "ping there", "</svg>" })
    end)

    it("crash_and_dump", function()
        local text = passes "examples/crash_and_dump.lua"
        has_in_order(text, {
            "told to panic", "dump%s+%S+%.elf, [%d.]+ MiB", "is%s+hcs%.Dump",
            "cpu 0%s+in the kernel",
            "rip%s+0x%x+\n", "Kernel panic %- not syncing: sysrq triggered crash",
        })
        os.remove(text:match("dump%s+(%S+%.elf)"))
    end)

    it("hello, with nothing but a simulated host", function()
        local text, status = platform.run({ platform.lua, "examples/hello.lua" }, { limit = LIMIT,
            environment = { HCS_HOST = "sim:", HCS_KERNEL = false, HCS_INITRD = false } })
        assert.equal(0, status, text)
        has(text, "exited:%s+GracefulExit")
    end)

    it("hello, without a kernel where one is needed", function()
        local text, status = platform.run({ platform.lua, "examples/hello.lua" }, { limit = LIMIT,
            environment = { HCS_HOST = "qemu:", HCS_KERNEL = false } })
        assert.equal(1, status, text)
        has(text, "HCS_KERNEL names no kernel")
        has(text, "%./run")
    end)

    it("are all named above", function()
        local here = assert(io.open("spec/examples/examples_spec.lua")):read("a")
        for _, path in ipairs(files()) do
            assert(here:find("passes%s*%(?%s*\"" .. path:gsub("%p", "%%%0")), path .. " is not run")
        end
    end)
end)
