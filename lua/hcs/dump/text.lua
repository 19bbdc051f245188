-- SPDX-License-Identifier: MIT
-- What a dump holds as text for people: registers, bytes.
local text = {}

-- A register that is more than a number.
local function composed(value)
    if value.selector then
        return ("%04x base %016x limit %08x attributes %04x"):format(value.selector, value.base,
            value.limit, value.attributes)
    elseif value.base then
        return ("base %016x limit %04x"):format(value.base, value.limit)
    elseif value.high then
        return ("%016x%016x"):format(value.high, value.low)
    elseif value.status then
        return ("control %04x status %04x tag %02x last rip %016x"):format(value.control,
            value.status, value.tag, value.last_rip)
    end
    return ("control %08x mask %08x"):format(value.control, value.mask)
end

--- All registers of a CPU: numbers three in a line, others one.
function text.registers(cpu)
    local lines, row = { tostring(cpu) }, {}
    local function flush()
        if #row > 0 then lines[#lines + 1] = table.concat(row, "  ") end
        row = {}
    end
    for name, value in cpu:registers() do
        if math.type(value) == "integer" then
            row[#row + 1] = ("%-6s %016x"):format(name, value)
            if #row == 3 then flush() end
        else
            flush()
            lines[#lines + 1] = ("%-6s %s"):format(name, composed(value))
        end
    end
    flush()
    return table.concat(lines, "\n") .. "\n"
end

local function digits(bytes)
    local out = {}
    for index = 1, 16 do
        local byte = bytes:byte(index)
        out[index] = byte and ("%02x"):format(byte) or "  "
    end
    return table.concat(out, " ", 1, 8) .. "  " .. table.concat(out, " ", 9, 16)
end

--- Bytes from an address on, sixteen in a line.
function text.hexadecimal(address, bytes)
    local lines = {}
    for place = 1, #bytes, 16 do
        local row = bytes:sub(place, place + 15)
        lines[#lines + 1] = ("%016x  %s  %s\n"):format(address + place - 1, digits(row),
            (row:gsub("[^\32-\126]", ".")))
    end
    return table.concat(lines)
end

return text
