-- SPDX-License-Identifier: MIT
-- hcs.dump: what a crash or a saved state left in a file, read on any machine and
-- without a host: registers, memory, the kernel's log.
local class = require "hcs.class"
local cpus = require "hcs.dump.cpu"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local options = require "hcs.options"
local paths = require "hcs.paths"
local task = require "hcs.task"
local units = require "hcs.units"

---@class hcs.Dump
---@field path string the file
---@field format string `"elf"`, `"kdump"`, `"windows"`, `"saved"`, `"vmrs"` or `"raw"`
---@field variant? string more of the format: `"zlib, flattened"`
---@field os? string `"linux"`, `"windows"`
---@field os_release? string `"6.1.0-18-cloud-amd64"`, `"10.0.26100"`
---@field created? string when, in ISO 8601
---@field arch? string `"x86_64"`, `"i386"`, `"aarch64"`
---@field cpu_count integer
---@field memory integer bytes of physical memory in it
---@field bytes integer of the file
---@field bugcheck? table of Windows: `{ code, name, parameters }`
local methods, Dump = class.define "hcs.Dump"
local dump = { class = Dump, methods = methods }

local SLICE = 0.05 -- seconds of a search before others have their turn

-- Fails with what hcs.core said.
local function fail(self, op, hresult, text)
    return errors.fail({ op = "dump:" .. op, target = self.path, hresult = hresult,
        message = text }, self._world.core)
end

-- The open file, or nil, err, code.
local function file_of(self, op)
    if self._file then return self._file end
    return errors.fail({ op = "dump:" .. op, target = self.path, code = "closed" },
        self._world.core)
end

local function address_argument(op, name, value)
    return options.argument(op, name, value, "integer")
end

-- A CPU's number: 0 unless told.
local function cpu_argument(self, op, value)
    if value == nil then return 0 end
    options.argument(op, "the CPU", value, "integer")
    if value < 0 or value >= math.max(self.cpu_count, 1) then
        options.misuse("%s: the CPU is %d, and the dump has %d, from 0 on", op, value,
            self.cpu_count)
    end
    return value
end

local MOST = 0x7FFFFFFF

local function size_argument(op, value)
    options.argument(op, "the size", value, "integer|string")
    if type(value) == "string" then
        local bytes, problem = units.bytes(value)
        if not bytes then options.misuse("%s: %s", op, problem) end
        value = bytes
    end
    if value < 0 or value > MOST then
        options.misuse("%s: the size is %d, expected 0 to %d bytes", op, value, MOST)
    end
    return value
end

-- --- CPUs ----------------------------------------------------------------------

--- The registers of a CPU, by their names in lower case. CPUs count from 0.
---@param index integer
---@return hcs.Cpu? cpu, hcs.Error? err, string? code
function methods.cpu(self, index)
    options.argument("dump:cpu", "the CPU", index, "integer")
    local file, err, code = file_of(self, "cpu")
    if not file then return nil, err, code end
    if self.cpu_count > 0 then cpu_argument(self, "dump:cpu", index) end
    local cpu, hresult, text = cpus.read(self, file, index)
    if cpu then return cpu end
    return fail(self, "cpu", hresult, text)
end

-- --- memory --------------------------------------------------------------------

--- Reads virtual memory as a CPU sees it (0 unless told). Gives fewer bytes where
--- something is not mapped or not in the dump; if nothing is there, it fails with
--- `va_not_mapped` or `guest_memory_not_found`.
---@param address integer
---@param size integer|string bytes, at most 2^31 - 1
---@param cpu? integer
---@return string? bytes, hcs.Error? err, string? code
function methods.read(self, address, size, cpu)
    address_argument("dump:read", "the address", address)
    size = size_argument("dump:read", size)
    cpu = cpu_argument(self, "dump:read", cpu)
    local file, err, code = file_of(self, "read")
    if not file then return nil, err, code end
    local bytes, hresult, text = file:read(cpu, address, size)
    if bytes then return bytes end
    return fail(self, "read", hresult, text)
end

--- Reads physical memory. Gives fewer bytes before memory that the dump does not
--- have; if nothing is there, it fails with `guest_memory_not_found`.
---@param address integer
---@param size integer|string bytes, at most 2^31 - 1
---@return string? bytes, hcs.Error? err, string? code
function methods.read_physical(self, address, size)
    address_argument("dump:read_physical", "the address", address)
    size = size_argument("dump:read_physical", size)
    local file, err, code = file_of(self, "read_physical")
    if not file then return nil, err, code end
    local bytes, hresult, text = file:read_physical(address, size)
    if bytes then return bytes end
    return fail(self, "read_physical", hresult, text)
end

--- The physical address of a virtual one, by the page tables of a CPU (0 unless
--- told). Fails with `va_not_mapped` (then `err.unmapped` is how many bytes from
--- there on are not) or `guest_memory_not_found`.
---@param address integer
---@param cpu? integer
---@return integer? physical, hcs.Error? err, string? code
function methods.translate(self, address, cpu)
    address_argument("dump:translate", "the address", address)
    cpu = cpu_argument(self, "dump:translate", cpu)
    local file, err, code = file_of(self, "translate")
    if not file then return nil, err, code end
    local physical, hresult, text, unmapped = file:translate(cpu, address)
    if physical then return physical end
    local failure = select(2, fail(self, "translate", hresult, text))
    failure.unmapped = unmapped ~= 0 and unmapped or nil
    return nil, failure, failure.code
end

--- The physical memory that the dump has: an iterator of addresses and sizes.
---@return (fun(): integer?, integer?)? iterator, hcs.Error? err, string? code
function methods.ranges(self)
    local file, err, code = file_of(self, "ranges")
    if not file then return nil, err, code end
    local from = 0
    return function()
        if not from or not file:is_open() then return nil end
        local start, size, text = file:range(from)
        if not start then
            from = nil
            if not size then return nil end
            return errors.check(fail(self, "ranges", size, text))
        end
        from = start + size
        if math.ult(from, start) or from == 0 then from = nil end
        return start, size
    end
end

-- Others have their turn between two slices of what takes long.
local function give_way(self)
    local world = self._world
    if world.api and loop.current(world) then task.sleep(world, 0) end
end

-- The next place, or nothing; nil, hresult, text of a failure.
local function search(self, file, from, bytes)
    while true do
        local at, more, text = file:find(from, bytes, SLICE)
        if at ~= false then return at, more, text end
        from = more
        give_way(self)
        if not file:is_open() then return nil end
    end
end

--- Looks for bytes in physical memory, from an address on (0 unless told): an
--- iterator of addresses. Other tasks run meanwhile.
---@param bytes string 1 to 65536 of them
---@param from? integer
---@return (fun(): integer?)? iterator, hcs.Error? err, string? code
function methods.find(self, bytes, from)
    options.argument("dump:find", "what to find", bytes, "string")
    if #bytes < 1 or #bytes > 65536 then
        options.misuse("dump:find: what to find has %d bytes, expected 1 to 65536", #bytes)
    end
    from = from == nil and 0 or address_argument("dump:find", "where to begin", from)
    local file, err, code = file_of(self, "find")
    if not file then return nil, err, code end
    local first, hresult, text = search(self, file, from, bytes)
    if not first and hresult then return fail(self, "find", hresult, text) end
    local last
    return function()
        local at = first
        first = nil
        if not at and last and last ~= -1 and file:is_open() then
            at, hresult, text = search(self, file, last + 1, bytes)
            if not at and hresult then errors.check(fail(self, "find", hresult, text)) end
        end
        last = at
        return at
    end
end

-- --- what it means -------------------------------------------------------------

--- The kernel's log: an iterator of lines, the oldest first, as `dmesg` prints them,
--- and of what each came from: `{ text, time, level, facility, sequence }`, where
--- the text is as the kernel wrote it. Fails with `not_found` when the dump does not
--- say where the log is.
---@return (fun(): string?, table?)? iterator, hcs.Error? err, string? code
function methods.log(self)
    local file, err, code = file_of(self, "log")
    if not file then return nil, err, code end
    local lines, hresult, text = file:log()
    if lines then return lines end
    return fail(self, "log", hresult, text)
end

--- What the Linux kernel noted of itself: lines of `NAME=value`. Fails with
--- `not_found` where it did not.
---@return string? text, hcs.Error? err, string? code
function methods.vmcoreinfo(self)
    local file, err, code = file_of(self, "vmcoreinfo")
    if not file then return nil, err, code end
    local note, hresult, text = file:vmcoreinfo()
    if note then return note end
    return fail(self, "vmcoreinfo", hresult, text)
end

--- What happened, in a dozen lines.
---@return string? text, hcs.Error? err, string? code
function methods.summary(self)
    local file, err, code = file_of(self, "summary")
    if not file then return nil, err, code end
    local lines, hresult, text = file:summary()
    if lines then return self._world.core.printable(lines) end
    return fail(self, "summary", hresult, text)
end

local FORMATS = { "elf", "kdump", "raw", "vmrs" }
local ENDINGS = { core = "elf", elf = "elf", kdump = "kdump", raw = "raw", vmrs = "vmrs" }
local EXPORT = {
    format = "string", compress = "boolean", max = "string|integer", free = "string|integer",
    progress = "function",
}

local CANCELLED = 0x800704C7
local GAVE_UP = { cancelled = CANCELLED, timeout = 0x800705B4 }

local function format_of(path, given)
    if given then return options.one_of("dump:export", "the format", given, FORMATS) end
    return ENDINGS[(path:match "%.(%w+)$" or ""):lower()] or "elf"
end

local function bytes_option(given, name)
    if given[name] == nil then return 0 end
    local bytes, problem = units.bytes(given[name])
    if not bytes then options.misuse("dump:export: %s: %s", name, problem) end
    return bytes
end

-- Lets the writer get on, and others meanwhile; real work takes no other time than
-- the real one. Returns whether it has ended; false, reason when the wait is over
-- before.
local function attend(self, writer, given, deadline)
    local world = self._world
    local real = world.api and world.clock == "real"
    local ended, done, total = writer:wait(real and 0 or SLICE)
    local go_on = not given.progress or given.progress(done, total) ~= false
    if ended then return true end
    if not go_on then return false, "cancelled" end
    if deadline and world.core.monotonic() >= deadline then return false, "timeout" end
    if not real then
        give_way(self)
        return nil
    end
    local ok, err = task.sleep(world, SLICE / 5)
    if not ok then return false, err.code end
    return nil
end

--- Writes the dump in another format: `"elf"` (gdb, crash), `"kdump"` (crash,
--- makedumpfile), `"raw"` (each byte at its physical address, with a map beside it)
--- or `"vmrs"` (WinDbg); told by the path's ending unless `format` says so. The file
--- appears when it is whole, may be read by its owner only, and replaces one that
--- was there, but no device and no symbolic link. `compress` is for kdump, `max`
--- limits the file, `free` bytes stay free on the disk; `progress` is called with the
--- bytes of memory that are done and all of them, and ends it by returning false.
--- Returns the file's length.
---@param path string
---@param settings? table `{ format, compress, max, free, progress }`
---@param timeout? number|string
---@return integer? bytes, hcs.Error? err, string? code
function methods.export(self, path, settings, timeout)
    options.argument("dump:export", "the path", path, "string")
    local given = options.check("dump:export", settings, EXPORT)
    local format = format_of(path, given.format)
    local most, free = bytes_option(given, "max"), bytes_option(given, "free")
    local file, err, code = file_of(self, "export")
    if not file then return nil, err, code end
    local core = self._world.core
    local seconds = loop.timeout(timeout)
    local deadline = seconds and core.monotonic() + seconds
    local writer <close>, hresult, text = file:export(paths.absolute(path, core.cwd()), format,
        given.compress, most, free)
    if not writer then return fail(self, "export", hresult, text) end
    local ended, reason
    repeat ended, reason = attend(self, writer, given, deadline) until ended ~= nil
    if not ended then writer:cancel() end
    local bytes
    bytes, hresult, text = writer:result()
    -- It may have been done before it was told to stop; then the file is there.
    if bytes then return bytes end
    if not ended and hresult == CANCELLED then
        return errors.fail({ op = "dump:export", target = path, code = reason,
            hresult = GAVE_UP[reason] }, core)
    end
    return errors.fail({ op = "dump:export", target = path, hresult = hresult, message = text },
        core)
end

--- Closes the file. Closing twice is fine.
---@return true
function methods.close(self)
    if self._file then self._file:close() end
    self._file = nil
    return true
end

local function describe(self)
    local what = { self.os, self.os_release, self.arch }
    local words = {}
    for index = 1, 3 do words[#words + 1] = what[index] end
    words = { self.format, #words > 0 and table.concat(words, " ") or nil }
    words[#words + 1] = self.cpu_count .. (self.cpu_count == 1 and " CPU" or " CPUs")
    words[#words + 1] = ("%.4g MiB"):format(self.memory / 2 ^ 20)
    return self._world.core.printable(table.concat(words, ", "))
end

Dump.meta("__tostring", function(self)
    local state = self._file and describe(self) or "closed"
    return ('%s "%s" (%s)'):format(Dump.name, self.path, state)
end)
Dump.meta("__close", function(self) methods.close(self) end)

-- --- opening -------------------------------------------------------------------

local function bugcheck_of(about)
    return about and { code = about.Code, name = about.Name, parameters = about.Parameters }
end

local function new(world, strict, path, file, about)
    return Dump.new({
        path = path, format = about.Format, variant = about.Variant, os = about.Os,
        os_release = about.OsRelease, created = about.Created, arch = about.Architecture,
        cpu_count = about.Processors, memory = about.MemoryBytes, bytes = about.FileBytes,
        bugcheck = bugcheck_of(about.Bugcheck), _file = file, _world = world,
    }, strict)
end

--- The functions of hcs.dump for a world.
function dump.functions(world, strict)
    local M = {}

    --- Opens a dump of any format that is known: ELF cores, kdump, Windows kernel
    --- dumps, saved states of this library and of Hyper-V, raw memory by its map. What
    --- it is the contents tell, not the name. Needs no host. Fails with `file_corrupt`
    --- for what is no dump or a damaged one, `not_supported` for one that cannot be
    --- read.
    ---@param path string
    ---@return hcs.Dump? dump, hcs.Error? err, string? code
    function M.open(path)
        options.argument("dump.open", "the path", path, "string")
        local full = paths.absolute(path, world.core.cwd())
        local file, hresult, text = world.core.dump_open(full)
        local about
        if file then about, hresult, text = file:describe() end
        if about then return new(world, strict, full, file, world.decode(about)) end
        if file then file:close() end
        -- Raw memory says nothing of itself; its map does.
        local map = world.core.file_size(full .. ".map") and path .. ".map"
        return errors.fail({ op = "dump.open", target = path, hresult = hresult, message = text,
            hint = map and ("hcs.dump.open(%q)"):format(map) or nil }, world.core)
    end

    return M
end

return dump
