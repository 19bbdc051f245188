-- SPDX-License-Identifier: MIT
-- What the specs of real guests share: options, boots, other processes, and
-- the check that nothing is left.
local core = require "hcs.core"
local hcs = require "hcs.strict"

local support = {}

local BOOT = 120 -- seconds; machines under load take long
support.UP = "hcs-guest: up"

local counter = 0

--- A name that no other spec uses, and no other run of the same at the same time:
--- processes are told apart by what is made of it.
function support.id(stem)
    counter = counter + 1
    return ("spec-%s-%d-%d"):format(stem, core.pid(), counter)
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

-- --- clones -----------------------------------------------------------------

-- A clone answers in a tenth of a second where a boot takes seconds, so specs
-- that can use one do. The template lives until support.finish.
local template

--- The id of the test guest saved as a template, booted once for all that use
--- it until support.finish.
function support.template_id()
    if not template then
        template = support.guest "template"
        support.sh(template, "true") -- its modules are loaded
        template:pause { reason = "template" }
        template:save_template()
    end
    return template.id
end

--- A clone of the test guest; `more` as for support.guest.
function support.clone(stem, more)
    local given = support.options(stem, more)
    given.template = support.template_id()
    local vm = hcs.create(given)
    vm:start()
    return vm
end

--- Ends the template; nothing may be left. For teardown.
function support.finish()
    if template then template:close() end
    template = nil
    support.nothing_left()
end

--- Starts a command in the guest; the function it returns waits for its end and
--- gives what it printed and its exit status. Let a command leave nothing running:
--- busybox's read forgets the part of a line it has when a child of its ends.
function support.begin(vm, command)
    local console = vm:console()
    counter = counter + 1
    local mark = ("mark %d:"):format(counter)
    console:write(("echo %s\nsh %s\n"):format(mark, command))
    return function()
        local _, status = console:expect({ pattern = mark .. ".-hcs%-guest: exit (%d+)" }, 60)
        local text = console:text():gsub("\r", "")
        local start = select(2, text:find(mark, 1, true))
        return text:match("^\n(.-)hcs%-guest: exit", start + 1), tonumber(status)
    end
end

--- Runs a command in the guest; returns what it printed and its exit status.
function support.sh(vm, command)
    return support.begin(vm, command)()
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

local LOOK = 0.1 -- seconds that one look counts for at most

--- Waits until a condition holds; whether it came to. Seconds of the clock, less those
--- in which the machine had no time for us; the last look is after them.
function support.eventually(seconds, condition)
    local spent = 0
    while true do
        local late, before = spent >= seconds, core.monotonic()
        if condition() then return true end
        if late then return false end
        hcs.sleep(0.02)
        spent = spent + math.min(core.monotonic() - before, LOOK)
    end
end

--- Waits until a guest has as many adapters as told, for which it takes its time.
function support.await_adapters(vm, count)
    local names
    assert(support.eventually(30, function()
        names = support.sh(vm, "ls /sys/class/net")
        return select(2, names:gsub("eth%d", "")) == count
    end), names)
end

-- What the template is of the inventory.
local function template_share()
    if not template then return { systems = 0, processes = 0, files = 0 } end
    local directory = ("%s/%s"):format(os.getenv "HCS_ROOT", template.runtime_id)
    local files = tonumber(support.output(("ls -A %s | wc -l"):format(directory)))
    return { systems = 1, processes = 2, files = files + 1 } -- and its pipe
end

--- Nothing is left of systems, processes and files but the template, and
--- soon: whatever is to go has two seconds.
function support.nothing_left()
    local left, own
    local ok = support.eventually(2, function()
        left, own = hcs.host.inventory(), template_share()
        return left.systems == own.systems and left.processes == own.processes
            and left.files == own.files
    end)
    assert(ok, ("left: %s systems, %s processes, %s files; the template has %s, %s, %s"):format(
        left.systems, left.processes, left.files, own.systems, own.processes, own.files))
end

local scripts = {} -- files of support.script

--- Runs a Lua script as another process with `hcs` and `support` at hand, on
--- the same host; returns its pid and a function that gives what it printed.
--- Within ten minutes it is over. `prefix` is a command that runs it.
function support.script(text, prefix)
    local path = support.temporary("script.lua")
    local out = path .. ".out"
    local file = assert(io.open(path, "w"))
    file:write('local hcs, support = require "hcs.strict", require "spec.host.support"\n',
        "io.stdout:setvbuf 'no'\n", text)
    file:close()
    scripts[#scripts + 1], scripts[#scripts + 2] = path, out
    local pid = support.output(("%s %s %s >%s 2>&1 & echo $!"):format(
        prefix or "exec", os.getenv "HCS_LUA" or "lua5.4", path, out))
    return math.tointeger(pid), function() return support.read(out) end
end

--- Waits until a script has printed a text; returns all that it printed.
function support.printed(out, text, seconds)
    local found = support.eventually(seconds or BOOT, function()
        return out():find(text, 1, true)
    end)
    assert(found, out())
    return out()
end

--- Takes the files of scripts away.
function support.forget_scripts()
    for _, path in ipairs(scripts) do os.remove(path) end
    scripts = {}
end

--- Whether a process runs; one that its parent has not looked after does not.
function support.alive(pid)
    local status = support.read(("/proc/%d/stat"):format(pid))
    return status ~= "" and not status:find("%) [ZX]")
end

function support.kill(pid, signal)
    os.execute(("kill -%s %d 2>/dev/null"):format(signal or "KILL", pid))
end

--- Reads a file, or its first bytes; "" when there is none.
function support.read(path, bytes)
    local file = io.open(path, "rb")
    if not file then return "" end
    local text = file:read(bytes or "a")
    file:close()
    return text or ""
end

--- The command that runs a program with mounts of its own, or nil where that
--- may not be had; without root it needs user namespaces.
function support.namespace()
    local command = support.output "id -u" == "0\n" and "unshare -m" or "unshare -r -m"
    local try = command .. " mount -t tmpfs tmpfs /mnt 2>/dev/null"
    return os.execute(try) and "exec " .. command or nil
end

--- A connection to a system's first serial port besides its console.
function support.connect_pipe(vm)
    return assert(vm._world.api.pipe_connect(vm:console().path))
end

return support
