-- SPDX-License-Identifier: MIT
-- The registers of a CPU in a dump, by name.
local options = require "hcs.options"

local cpus = {}

---@class hcs.Cpu
---@field index integer
---@field paging? string `"none"`, `"32-bit"`, `"pae"`, `"4-level"`, `"5-level"`, `"armv8"`
---@field kernel? boolean whether it was in the kernel
local methods = {}
cpus.methods = methods

-- What the two halves of a register's 128 bits are, by its kind.
local READERS = {
    number = function(low) return low end,
    wide = function(low, high) return { low = low, high = high } end,
    segment = function(low, high)
        return { base = low, limit = high & 0xFFFFFFFF, selector = high >> 32 & 0xFFFF,
            attributes = high >> 48 & 0xFFFF }
    end,
    table = function(low, high) return { base = high, limit = low & 0xFFFF } end,
    fpu = function(low, high)
        return { control = low & 0xFFFF, status = low >> 16 & 0xFFFF, tag = low >> 32 & 0xFF,
            last_op = low >> 48 & 0xFFFF, last_rip = high }
    end,
    sse = function(low, high)
        return { last_rdp = low, control = high & 0xFFFFFFFF, mask = high >> 32 }
    end,
}

local LA57 = 1 << 12
local PAGING = { "none", "32-bit", "pae", "4-level", "armv8" }

local function paging_of(cpu, mode)
    if mode == 4 and (cpu.cr4 or 0) & LA57 ~= 0 then return "5-level" end
    return PAGING[mode]
end

--- The registers that the dump has, in Microsoft's order: an iterator of names and
--- values.
---@return fun(): string?, any
function methods.registers(self)
    local place = 0
    return function()
        place = place + 1
        local name = self._names[place]
        if name then return name, rawget(self, name) end
    end
end

-- A register that there is, but not in this dump, is nil; a name that there is not
-- is a slip.
local function missing(self, name)
    if methods[name] then return methods[name] end
    local known = rawget(self, "_known")
    if type(name) ~= "string" or name:sub(1, 1) == "_" or known[name]
        or name == "paging" or name == "kernel" then
        return nil
    end
    local near = options.nearest(name, known)
    options.misuse("dump:cpu: there is no register %q%s", name,
        near and (" (did you mean %q?)"):format(near) or "")
end

local function to_text(self)
    local where = self.rip or self.pc
    local parts = { ("hcs.Cpu %d"):format(self.index) }
    if where then parts[#parts + 1] = ("at 0x%x"):format(where) end
    if self.kernel ~= nil then
        parts[#parts + 1] = self.kernel and "in the kernel" or "in user space"
    end
    return table.concat(parts, " ")
end

local Cpu = { __name = "hcs.Cpu", __index = missing, __tostring = to_text }

local NOT_THERE = 0x80070490

local function known_names(all)
    local known = {}
    for _, register in pairs(all) do
        if register then known[register.name] = true end
    end
    return known
end

--- Reads all registers of a CPU out of a dump's file; nil, hresult, text.
function cpus.read(dump, file, index)
    local all, hresult, text = dump._world.core.dump_registers()
    if not all then return nil, hresult, text end
    local cpu = { index = index, _names = {}, _known = known_names(all) }
    for id = 0, #all do
        local register = all[id]
        if register then
            local low, high, why = file:register(index, id)
            if low then
                cpu[register.name] = READERS[register.kind](low, high)
                table.insert(cpu._names, register.name)
            elseif high ~= NOT_THERE then
                return nil, high, why
            end
        end
    end
    local mode = file:paging(index)
    cpu.paging = mode and paging_of(cpu, mode) or nil
    local kernel = file:in_kernel(index)
    if kernel ~= nil then cpu.kernel = kernel end
    return setmetatable(cpu, Cpu)
end

return cpus
