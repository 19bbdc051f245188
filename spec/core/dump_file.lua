-- SPDX-License-Identifier: MIT
-- A dump made by hand, as QEMU writes them: an ELF core of a machine with page
-- tables of four levels, whose every value the specs know.
local dump_file = {}

local MIB = 1 << 20

dump_file.MEMORY = 4 * MIB       -- from 0 on
dump_file.HIGH = 0xFFFC0000      -- and a bit here
dump_file.KERNEL = 0xFFFFFFFF81000000 -- a page of 2 MB, at physical 2 MB
dump_file.DIRECT = 0xFFFF888000000000 -- a page of 1 GB, at physical 0
dump_file.SMALL = 0x400000       -- a page of 4 KB, at physical 0x9000; the next is not mapped
dump_file.PLACES = { 0x100010, 0x1FFFFC, 0x3FFFF0 } -- of the needle
dump_file.NEEDLE = "needle in a haystack"

-- name -> value, in the order of the notes below.
dump_file.REGISTERS = {
    rax = 0x1111111111111111, rbx = 0x2222222222222222, rcx = -1, rdx = 4, rsi = 5, rdi = 6,
    rsp = 0xFFFFC90000003EF8, rbp = 8, r8 = 9, r9 = 10, r10 = 11, r11 = 12, r12 = 13, r13 = 14,
    r14 = 15, r15 = 16, rip = 0xFFFFFFFF81000123, rflags = 0x46,
    cr0 = 0x80050033, cr2 = 0xDEAD000, cr3 = 0x1000, cr4 = 0x6F0, kernel_gs_base = 0x7777,
}

local PRESENT, LARGE = 0x3, 0x80

local function poke(pages, address, value)
    local page = address & ~0xFFF
    pages[page] = pages[page] or {}
    pages[page][(address & 0xFFF) // 8 + 1] = value
end

-- The page tables, as { [page's address] = { [index] = entry } }.
local function tables()
    local pages = {}
    local function level(address, shift) return address >> shift & 0x1FF end
    local function entry(table_at, address, shift, value)
        poke(pages, table_at + level(address, shift) * 8, value)
    end
    entry(0x1000, dump_file.KERNEL, 39, 0x2000 | PRESENT)
    entry(0x2000, dump_file.KERNEL, 30, 0x3000 | PRESENT)
    entry(0x3000, dump_file.KERNEL, 21, 2 * MIB | PRESENT | LARGE)
    entry(0x1000, dump_file.DIRECT, 39, 0x4000 | PRESENT)
    entry(0x4000, dump_file.DIRECT, 30, 0 | PRESENT | LARGE)
    entry(0x1000, dump_file.SMALL, 39, 0x5000 | PRESENT)
    entry(0x5000, dump_file.SMALL, 30, 0x6000 | PRESENT)
    entry(0x6000, dump_file.SMALL, 21, 0x7000 | PRESENT)
    entry(0x7000, dump_file.SMALL, 12, 0x9000 | PRESENT)
    -- The last page of all, and the first one.
    entry(0x1000, -4096, 39, 0x2000 | PRESENT)
    entry(0x2000, -4096, 30, 0xA000 | PRESENT)
    entry(0xA000, -4096, 21, 0xB000 | PRESENT)
    entry(0xB000, -4096, 12, 0x9000 | PRESENT)
    entry(0x1000, 0, 39, 0x5000 | PRESENT)
    entry(0x5000, 0, 30, 0x6000 | PRESENT)
    entry(0x6000, 0, 21, 0xC000 | PRESENT)
    entry(0xC000, 0, 12, 0x9000 | PRESENT)
    -- One whose table is not in the dump, and one that leads to itself.
    entry(0x1000, 0x8000000000, 39, 0x7FFFF000 | PRESENT)
    entry(0x1000, 0x10000000000, 39, 0x1000 | PRESENT)
    return pages
end

local function page_text(entries)
    local out = {}
    for index = 1, 512 do out[index] = ("<i8"):pack(entries[index] or 0) end
    return table.concat(out)
end

--- The bytes of the small page.
function dump_file.small_page()
    local out = {}
    for index = 0, 1023 do out[index + 1] = ("<I4"):pack(index) end
    return table.concat(out)
end

-- Where the kernel keeps its log, as kernels before 5.10 did.
local LOG = 2 * MIB + 0x2000
local LOG_INFO = [[
SYMBOL(log_buf)=ffffffff81002000
SYMBOL(log_buf_len)=ffffffff81002008
SYMBOL(log_first_idx)=ffffffff8100200c
SYMBOL(log_next_idx)=ffffffff81002010
SIZE(printk_log)=16
OFFSET(printk_log.ts_nsec)=0
OFFSET(printk_log.len)=8
OFFSET(printk_log.text_len)=10
]]

-- The log's variables and records; each is { nanoseconds, facility, level, text }.
local function log_text(lines)
    local records = {}
    for index, line in ipairs(lines) do
        local nanoseconds, facility, level, text = table.unpack(line)
        local pad = ("\0"):rep(-#text % 8)
        records[index] = ("<I8I2I2I2BB"):pack(nanoseconds, 16 + #text + #pad, #text, 0, facility,
            level << 5) .. text .. pad
    end
    local all = table.concat(records)
    return ("<I8I4I4I4"):pack(dump_file.KERNEL + 0x2100, 0x4000, 0, #all)
        .. ("\0"):rep(0x100 - 20) .. all
end

local function memory(log)
    local bytes, pieces = {}, {}
    if log then pieces[1] = { LOG, log_text(log) } end
    for address, entries in pairs(tables()) do
        pieces[#pieces + 1] = { address, page_text(entries) }
    end
    pieces[#pieces + 1] = { 0x9000, dump_file.small_page() }
    for _, place in ipairs(dump_file.PLACES) do
        if place + #dump_file.NEEDLE <= dump_file.MEMORY then
            pieces[#pieces + 1] = { place, dump_file.NEEDLE }
        end
    end
    pieces[#pieces + 1] = { 2 * MIB + 0x100, "the kernel's text" }
    table.sort(pieces, function(a, b) return a[1] < b[1] end)
    local at = 0
    for _, piece in ipairs(pieces) do
        bytes[#bytes + 1] = ("\0"):rep(piece[1] - at)
        bytes[#bytes + 1] = piece[2]
        at = piece[1] + #piece[2]
    end
    bytes[#bytes + 1] = ("\0"):rep(dump_file.MEMORY - at)
    return table.concat(bytes)
end

local function note(name, kind, text)
    local pad = ("\0"):rep(-#text % 4)
    local label = name .. "\0" .. ("\0"):rep(-(#name + 1) % 4)
    return ("<I4I4I4"):pack(#name + 1, #text, kind) .. label .. text .. pad
end

local GENERAL = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx",
    "rdx", "rsi", "rdi" }
local QEMU = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11",
    "r12", "r13", "r14", "r15", "rip", "rflags" }

local function prstatus(r)
    local out = {}
    for _, name in ipairs(GENERAL) do out[#out + 1] = ("<i8"):pack(r[name]) end
    out[#out + 1] = ("<i8i8i8i8i8i8"):pack(-1, r.rip, 0x10, r.rflags, r.rsp, 0x18)
    return ("\0"):rep(112) .. table.concat(out) .. ("\0"):rep(336 - 112 - 21 * 8)
end

-- Selector, limit, the descriptor's second word, base.
local function segment(selector, base, limit, flags)
    return ("<I4I4I4I4i8"):pack(selector, limit, flags, 0, base)
end

local function qemu(r)
    local out = { ("<I4I4"):pack(1, 440) }
    for _, name in ipairs(QEMU) do out[#out + 1] = ("<i8"):pack(r[name]) end
    out[#out + 1] = segment(0x10, 0, 0xFFFFFFFF, 0xA09B00)     -- cs
    out[#out + 1] = segment(0x18, 0, 0xFFFFFFFF, 0xC09300):rep(2) -- ds es
    out[#out + 1] = segment(0, 0x7F0000000000, 0, 0)           -- fs
    out[#out + 1] = segment(0, 0xFFFF88800F600000, 0, 0)       -- gs
    out[#out + 1] = segment(0x18, 0, 0xFFFFFFFF, 0xC09300)     -- ss
    out[#out + 1] = segment(0, 0, 0, 0)                        -- ldt
    out[#out + 1] = segment(0x40, 0xFFFFFE0000003000, 0x4087, 0x8B00) -- tr
    out[#out + 1] = segment(0, 0xFFFFFE0000001000, 0x7F, 0)    -- gdt
    out[#out + 1] = segment(0, 0xFFFFFE0000000000, 0xFFF, 0)   -- idt
    for _, value in ipairs { r.cr0, 0, r.cr2, r.cr3, r.cr4, r.kernel_gs_base } do
        out[#out + 1] = ("<i8"):pack(value)
    end
    return table.concat(out)
end

local INFO = "OSRELEASE=6.1.0-spec\nPAGESIZE=4096\nNUMBER(phys_base)=0\n"

local function program_header(kind, offset, address, size)
    return ("<I4I4I8I8I8I8I8I8"):pack(kind, 0, offset, 0, address, size, size, 0)
end

--- The text of the dump; `more.size` lets the first piece of memory end later than
--- what is there (a hole), `more.log` is what the kernel said.
function dump_file.elf(more)
    local second = {}
    for name, value in pairs(dump_file.REGISTERS) do second[name] = value end
    second.rip, second.rax = 0x400010, 2
    local first = dump_file.REGISTERS
    local notes = note("CORE", 1, prstatus(first)) .. note("CORE", 1, prstatus(second))
        .. note("QEMU", 0, qemu(first)) .. note("QEMU", 0, qemu(second))
        .. note("VMCOREINFO", 0, INFO .. (more and more.log and LOG_INFO or ""))
    local low, high = memory(more and more.log), ("high"):rep(0x1000)
    local headers = 64 + 3 * 56
    local begin = headers + #notes
    local size = more and more.size or #low
    local header = "\127ELF\2\1\1\0" .. ("\0"):rep(8) .. ("<I2I2I4I8I8I8I4I2I2I2I2I2I2"):pack(
        4, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    local heads = program_header(4, headers, 0, #notes)
        .. program_header(1, begin, dump_file.HIGH, #high)
        .. program_header(1, begin + #high, 0, size)
    return header .. heads .. notes .. high .. low
end

return dump_file
