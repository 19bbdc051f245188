-- Crashes a Linux guest and asks the dump what happened: panic, registers, log.
local hcs = require "hcs.strict"
local core = require "hcs.core"

local FOLDER = core.getenv "TMPDIR" or core.getenv "TEMP" or "/tmp"
local DUMP = ("%s/crash_and_dump-%s.elf"):format(FOLDER, core.user())
local LINES = 20 -- of the log's end

-- Boots a guest, has it panic by itself, and waits until the dump is on the disk.
local function crash()
    os.remove(DUMP)
    local vm <close> = hcs.create {
        id = "crash-and-dump",
        memory = "256M",
        kernel = hcs.host.kernel, initrd = hcs.host.initrd,
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1 panic=-1",
        stop_on_reset = true,
        dump = { path = DUMP, type = "elf" },
        if_exists = "replace",
    }
    vm:start()
    vm:console():expect("hcs-guest: up", 120)
    print("guest   is up, and told to panic")
    vm:console():write "panic\n"
    local report = vm:wait("crash", 60)
    vm:wait("exited", 60)
    for _, dump in ipairs(report.dumps) do
        print(("dump    %s, %.1f MiB in %.2f s"):format(dump.path, dump.bytes / 2 ^ 20,
            dump.seconds))
    end
    return report
end

-- All lines of the kernel's log, or why there are none.
local function read_log(dump)
    local lines = {}
    local ok, log = pcall(dump.log, dump)
    if not ok then return nil, log end
    for line in log do lines[#lines + 1] = line end
    return lines
end

local function panic_line(lines)
    for _, line in ipairs(lines) do
        if line:find("Kernel panic", 1, true) then return line end
    end
    return "(no panic in the log)"
end

-- The registers of the CPU that panicked: the first one in the kernel.
local function show_registers(dump)
    local cpu = dump:cpu(0)
    for index = 1, dump.cpu_count - 1 do
        if cpu.kernel then break end
        cpu = dump:cpu(index)
    end
    print(("cpu %d   %s, paging: %s"):format(cpu.index,
        cpu.kernel and "in the kernel" or "in user space", cpu.paging or "unknown"))
    for _, name in ipairs { "rip", "rsp", "cr2", "cr3" } do
        if cpu[name] then print(("        %-4s 0x%016x"):format(name, cpu[name])) end
    end
    if not cpu.paging then return end
    local code = dump:read(cpu.rip, 8, cpu.index)
    print(("code    %s at physical 0x%x"):format(code:gsub(".", function(byte)
        return ("%02x "):format(byte:byte())
    end), dump:translate(cpu.rip, cpu.index)))
end

local report = crash()
local dump <close> = hcs.dump.open(DUMP)
print("is      " .. tostring(dump))
show_registers(dump)

local lines, why = read_log(dump)
if lines then
    print("panic   " .. panic_line(lines))
    print(("log     the last %d of %d lines:"):format(math.min(LINES, #lines), #lines))
    print(table.concat(lines, "\n", math.max(1, #lines - LINES + 1)))
else
    -- A simulated guest has no kernel whose log could be in its memory: what it
    -- said last came with the report.
    print(("log     none in the dump: %s"):format(why.message))
    print("panic   " .. ((report.log or ""):match "Kernel panic[^\r\n]*" or "(no panic line)"))
end
