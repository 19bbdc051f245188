-- Boots a Linux guest, pauses and resumes it, crashes it and finds its memory on disk.
local hcs = require "hcs.strict"
local core = require "hcs.core"

local START = core.monotonic()
local FOLDER = core.getenv "TMPDIR" or core.getenv "TEMP" or "/tmp"
local DUMP = ("%s/first_vm-%s.elf"):format(FOLDER, core.user())

-- A line of the report: seconds since the start, what it is about, what it says.
local function say(topic, text, ...)
    print(("%7.2f  %-10s %s"):format(core.monotonic() - START, topic, text:format(...)))
end

local function row(name, text, ...)
    print(("%20s%-18s %s"):format("", name, text:format(...)))
end

local function mebibytes(bytes)
    return ("%.1f MiB"):format(bytes / 0x100000)
end

local function milliseconds(since)
    return math.floor((core.monotonic() - since) * 1000 + 0.5)
end

local function show_host()
    local host = hcs.host
    say("host", "%s  (as Windows build %d)", host.uri, host.build)
    if host.kind == "sim" then
        say("machine", "simulated: nothing real boots")
    else
        say("machine", "%s, because %s", host.accelerator, host.accelerator_reason)
    end
end

local function create()
    os.remove(DUMP)
    local vm = hcs.create {
        id = "first",
        memory = "256M",
        kernel = hcs.host.kernel, initrd = hcs.host.initrd,
        -- A tick every 50 ms; an NMI panics; a panic resets, and a reset ends it.
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1 hcs.tick=50 unknown_nmi_panic panic=-1",
        stop_on_reset = true,
        dump = { path = DUMP, type = "elf" },
        if_exists = "replace",
    }
    say("created", "%s  %s", vm.id, vm.runtime_id)
    return vm
end

local function boot(vm)
    local before = core.monotonic()
    vm:start()
    say("started", "in %d ms", milliseconds(before))
    vm:console():expect("hcs-guest: up", 120)
    say("guest", "userspace up in %d ms", milliseconds(before))
end

local function show_properties(vm)
    local document = vm:properties("statistics", "memory")
    local statistics = document.Statistics or {}
    local processor, storage = statistics.Processor or {}, statistics.Storage or {}
    local memory = document.Memory and document.Memory.VirtualMachineMemory or {}
    say("properties", "%s, owned by %s", document.State, vm.owner)
    row("uptime", "%.2f s", (statistics.Uptime100ns or 0) / 1e7)
    row("processor time", "%.2f s", (processor.TotalRuntime100ns or 0) / 1e7)
    row("memory assigned", "%s", mebibytes((memory.AssignedMemory or 0) * 4096))
    row("memory in use", "%s", mebibytes((statistics.Memory or {}).MemoryUsageCommitBytes or 0))
    row("disk reads", "%d", storage.ReadCountNormalized or 0)
end

-- The number of the last tick that the guest has printed.
local function last_tick(vm)
    local last = 0
    for number in vm:console():text():gmatch("hcs%-guest: tick (%d+)[\r\n]") do
        last = math.tointeger(number)
    end
    return last
end

local function pause_and_resume(vm)
    vm:console():expect({ pattern = "hcs%-guest: tick 2[\r\n]" }, 30)
    vm:pause()
    hcs.poll(0.05) -- what was printed before is still on its way
    local before = last_tick(vm)
    say("paused", "at tick %d", before)
    hcs.sleep(0.2)
    local after = last_tick(vm)
    say("", "0.2 s later still at tick %d%s", after, after == before and "" or "  (it moved!)")
    vm:resume()
    vm:console():expect(("hcs-guest: tick %d"):format(after + 1), 30)
    say("resumed", "tick %d came", after + 1)
end

local function show_dump(dump)
    row("dump", "%s", dump.path)
    row("", "%s, %s, %.2f s", dump.format, mebibytes(dump.bytes), dump.seconds)
end

local function crash(vm)
    vm:on("crash_initiated", function(event) say("event", "%s", event.type) end)
    vm:on("crash_report", function(event) say("event", "%s", event.type) end)
    say("crash", "by a non-maskable interrupt")
    vm:crash()
    local report = vm:wait("crash", 60)
    row("console", "%s", (report.log or ""):match("Kernel panic[^\r\n]*") or "(no panic line)")
    for _, dump in ipairs(report.dumps) do
        show_dump(dump)
    end
    if #report.dumps == 0 then
        local why = tostring(hcs.explain(report.document.Status or 0))
        row("dump", "none written: %s", why:match("[^\n]*"))
    end
end

local function finish(vm)
    local exit = vm:wait("exited", 60)
    say("exited", "%s", exit.document.ExitType)
    vm:close()
    local left = hcs.host.inventory()
    say("end", "%d systems, %d processes, %d files left", left.systems, left.processes, left.files)
end

show_host()
local vm <close> = create()
boot(vm)
show_properties(vm)
pause_and_resume(vm)
crash(vm)
finish(vm)
