-- SPDX-License-Identifier: MIT
-- What the specs of real guests share: options, boots, other processes, and
-- the check that nothing is left.
local hcs = require "hcs.strict"

local support = {}

local BOOT = 120 -- seconds; machines under load take long
support.UP = "hcs-guest: up"

local counter = 0

--- A name that no other spec uses.
function support.id(stem)
    counter = counter + 1
    return ("spec-%s-%d"):format(stem, counter)
end

--- Options of hcs.create for the test guest; `more` overrides.
function support.options(stem, more)
    local given = {
        id = support.id(stem), memory = "128M",
        kernel = os.getenv "HCS_KERNEL", initrd = os.getenv "HCS_INITRD",
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1 unknown_nmi_panic panic=-1",
    }
    for key, value in pairs(more or {}) do
        if key == "words" then
            given.cmdline = given.cmdline .. " " .. value
        else
            given[key] = value
        end
    end
    return given
end

--- Starts a system and waits for its userspace.
function support.boot(vm)
    vm:start()
    vm:console():expect(support.UP, BOOT)
    return vm
end

--- Creates and boots a test guest.
function support.guest(stem, more)
    return support.boot(hcs.create(support.options(stem, more)))
end

--- Runs a command in the guest; returns what it printed and its exit status.
function support.sh(vm, command)
    local console = vm:console()
    counter = counter + 1
    local mark = ("mark %d:"):format(counter)
    console:write(("echo %s\nsh %s\n"):format(mark, command))
    local _, status = console:expect({ pattern = mark .. ".-hcs%-guest: exit (%d+)" }, 60)
    local text = console:text():gsub("\r", "")
    local start = select(2, text:find(mark, 1, true))
    return text:match("^\n(.-)hcs%-guest: exit", start + 1), tonumber(status)
end

function support.temporary(name)
    return ("%s/hcs-spec-%s-%s"):format(os.getenv "HCS_ROOT" or "/tmp", support.id "file", name)
end

function support.size(path)
    local file = io.open(path, "rb")
    if not file then return nil end
    local bytes = file:seek("end")
    file:close()
    return bytes
end

--- What a shell command prints.
function support.output(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("a")
    pipe:close()
    return text
end

--- The process ids whose command line holds a text and whose program's name
--- begins with `program`.
function support.processes(program, text)
    local list = {}
    local found = support.output(
        ("grep -laz -- '%s' /proc/[0-9]*/cmdline 2>/dev/null"):format(text))
    for pid in found:gmatch("/proc/(%d+)/") do
        local file = io.open("/proc/" .. pid .. "/comm")
        local name = file and file:read("l") or ""
        if file then file:close() end
        if name:sub(1, #program) == program then
            list[#list + 1] = math.tointeger(pid)
        end
    end
    return list
end

--- Waits until a condition holds; whether it came to.
function support.eventually(seconds, condition)
    local deadline = os.time() + seconds + 1
    repeat
        if condition() then return true end
        hcs.sleep(0.05)
    until os.time() > deadline
    return false
end

--- Nothing is left of systems, processes and files.
function support.nothing_left()
    local left
    local ok = support.eventually(10, function()
        left = hcs.host.inventory()
        return left.systems == 0 and left.processes == 0 and left.files == 0
    end)
    assert(ok, ("left: %s systems, %s processes, %s files"):format(
        left.systems, left.processes, left.files))
end

--- Runs a Lua script as another process with `hcs` at hand; returns its pid.
function support.script(text)
    local path = support.temporary("script.lua")
    local file = assert(io.open(path, "w"))
    file:write([[local hcs = require "hcs.strict"
        local support = require "spec.host.support"
    ]], text)
    file:close()
    local pid = support.output(("%s %s >%s.out 2>&1 & echo $!"):format(
        os.getenv "HCS_LUA" or "lua5.4", path, path))
    return math.tointeger(pid), path .. ".out"
end

function support.kill(pid, signal)
    os.execute(("kill -%s %d 2>/dev/null"):format(signal or "KILL", pid))
end

--- Reads a whole file, "" when there is none.
function support.read(path)
    local file = io.open(path, "rb")
    if not file then return "" end
    local text = file:read("a")
    file:close()
    return text
end

return support
