-- SPDX-License-Identifier: MIT
local arguments = require "hcs.cli.arguments"
local dump = require "hcs.dump"
local text = require "hcs.dump.text"
local worlds = require "hcs.world"

local command = {
    usage = "dump FILE [options]",
    summary = "what a crash dump or a saved state tells",
    help = [[
Reads a dump of any format that is known: ELF cores, kdump, Windows kernel dumps,
saved states of this library and of Hyper-V. Without options it tells what
happened in a dozen lines.

  --log             the kernel's log
  --last N          only its last N lines
  --regs            the registers of every CPU, or of the one of --cpu
  --cpu N           the CPU whose registers and page tables are meant (0)
  --read ADDR LEN   memory, as hexadecimal digits and text; ADDR and LEN may be
                    hexadecimal (0x1000)
  --physical        ADDR is a physical address
  --raw             the bytes themselves, for another program
  --translate ADDR  where a virtual address lies
  --find TEXT       where TEXT is in physical memory
  --ranges          what physical memory the dump has
  --export FILE     the dump in another format: elf, kdump, raw or vmrs, told by
                    the file's ending or by --format
  --format NAME     the format of --export

The exit status is 0; 1 when the dump cannot be read, does not have it, or the
output cannot be written; 2 when the command is used wrongly.]],
}

local KNOWN = {
    "the file's name", log = "flag", last = "value", regs = "flag", cpu = "value", read = 2,
    physical = "flag", raw = "flag", translate = "value", find = "value", ranges = "flag",
    export = "text", format = "text",
}

local FORMATS = { elf = true, kdump = true, raw = true, vmrs = true }

-- --- numbers -------------------------------------------------------------------

local NUMBERS = {
    { "last", "--last" }, { "cpu", "--cpu" }, { "translate", "--translate" },
}

local function number_of(word)
    local digits = word:match "^0[xX](%x+)$" or word:match "^(%x+)h$"
    if digits then return #digits <= 16 and math.tointeger(tonumber("0x" .. digits)) or nil end
    return word:match "^%d+$" and math.tointeger(tonumber(word)) or nil
end

-- As a person writes it; numbers have no sign here.
local function shown(number)
    return (number < 0 and "0x%x" or "%d"):format(number)
end

-- Makes numbers of what is to be one. Returns whether they all are.
local function read_numbers(given, tools)
    local function wrong(name, word)
        tools.complain(("hcs dump: %s wants a number, not %s\n"):format(name,
            word == "" and "nothing" or word))
        return false
    end
    for _, row in ipairs(NUMBERS) do
        local word = given[row[1]]
        if word then
            given[row[1]] = number_of(word)
            if not given[row[1]] then return wrong(row[2], word) end
        end
    end
    for index, word in ipairs(given.read or {}) do
        given.read[index] = number_of(word)
        if not given.read[index] then return wrong("--read", word) end
    end
    return true
end

-- --- what can be asked ---------------------------------------------------------

-- Each returns true, or nil, err.
local asks = {}

function asks.log(file, given, tools)
    local log, err = file:log()
    if not log then return nil, err end
    local lines = {}
    for line in log do lines[#lines + 1] = line end
    local first = math.max(1, #lines - (given.last or #lines) + 1)
    if first <= #lines then tools.write(table.concat(lines, "\n", first) .. "\n") end
    return true
end

function asks.regs(file, given, tools)
    local first, last = given.cpu or 0, given.cpu or math.max(file.cpu_count, 1) - 1
    for index = first, last do
        local cpu, err = file:cpu(index)
        if not cpu then return nil, err end
        tools.write(text.registers(cpu) .. (index < last and "\n" or ""))
    end
    return true
end

local PIECE = 65536 -- bytes that are read and shown at once
local ABSENT = { va_not_mapped = true, guest_memory_not_found = true }

local function read_piece(file, given, address, size)
    if given.physical then return file:read_physical(address, size) end
    return file:read(address, size, given.cpu)
end

-- Shows what there is, piece by piece, up to the end of all addresses. Returns how
-- many bytes that were, or nil, err; nothing at all is a failure.
local function show_memory(file, given, tools)
    local address, size = given.read[1], given.read[2]
    local done = 0
    repeat
        local wanted = math.ult(size - done, PIECE) and size - done or PIECE
        local bytes, err = read_piece(file, given, address + done, wanted)
        if not bytes then
            if done > 0 and ABSENT[err.code] then break end
            return nil, err
        end
        tools.write(given.raw and bytes or text.hexadecimal(address + done, bytes))
        done = done + #bytes
    until #bytes < wanted or done == size or math.ult(address + done, address)
    return done
end

function asks.read(file, given, tools)
    local done, err = show_memory(file, given, tools)
    if not done then return nil, err end
    if done == given.read[2] then return true end
    tools.complain(("hcs dump: %d of %s bytes, what follows is not there\n"):format(done,
        shown(given.read[2])))
    return true
end

function asks.translate(file, given, tools)
    local physical, err = file:translate(given.translate, given.cpu)
    if not physical then return nil, err end
    tools.write(("0x%x\n"):format(physical))
    return true
end

function asks.find(file, given, tools)
    local places, err = file:find(given.find)
    if not places then return nil, err end
    for at in places do tools.write(("0x%x\n"):format(at)) end
    return true
end

function asks.ranges(file, _, tools)
    local ranges, err = file:ranges()
    if not ranges then return nil, err end
    for start, size in ranges do tools.write(("0x%x 0x%x\n"):format(start, size)) end
    return true
end

function asks.export(file, given, tools)
    local bytes, err = file:export(given.export, { format = given.format })
    if not bytes then return nil, err end
    tools.write(("%s: %d bytes\n"):format(given.export, bytes))
    return true
end

function asks.summary(file, _, tools)
    local lines, err = file:summary()
    if not lines then return nil, err end
    tools.write(lines)
    return true
end

local ORDER = { "regs", "ranges", "translate", "read", "find", "log", "export" }

local function answer(file, given, tools)
    local asked = false
    for _, name in ipairs(ORDER) do
        if given[name] then
            asked = true
            local ok, err = asks[name](file, given, tools)
            if not ok then return nil, err end
        end
    end
    return asked or asks.summary(file, given, tools)
end

-- A CPU that the dump does not have is a mistake of who asks.
local function has_cpu(file, given, tools)
    if not given.cpu or math.ult(given.cpu, math.max(file.cpu_count, 1)) then return true end
    tools.complain(("hcs dump: there is no CPU %s, the dump has %d, from 0 on\n")
        :format(shown(given.cpu), file.cpu_count))
    return false
end

function command.run(list, tools)
    local given = arguments.of("dump", list, KNOWN, tools)
    if not given or not read_numbers(given, tools) then return 2 end
    if not given[1] then
        tools.complain "hcs dump: which file? hcs help dump says what there is\n"
        return 2
    end
    if given.format and not FORMATS[given.format] then
        tools.complain(("hcs dump: there is no format %s, only elf, kdump, raw and vmrs\n")
            :format(given.format))
        return 2
    end
    if given.last then given.log = true end
    local world = worlds.new(nil, tools.core)
    local file, err = dump.functions(world).open(given[1])
    if not file then
        tools.complain(("hcs: %s\n"):format(err))
        return 1
    end
    local _ <close> = file
    if not has_cpu(file, given, tools) then return 2 end
    local ok
    ok, err = answer(file, given, tools)
    if ok then return 0 end
    tools.complain(("hcs: %s\n"):format(err))
    return 1
end

return command
