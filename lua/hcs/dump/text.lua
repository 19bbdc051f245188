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

local WIDTH = 16

-- The format of a line that has `count` bytes: address, digits, text.
local function line_format(count)
    local digits = {}
    for index = 1, WIDTH do
        digits[index] = (index == WIDTH / 2 + 1 and " " or "")
            .. (index <= count and "%02x" or "  ")
    end
    return "%016x  " .. table.concat(digits, " ") .. "  "
end

local FULL = line_format(WIDTH)

--- Bytes from an address on, sixteen in a line.
function text.hexadecimal(address, bytes)
    local lines, count = {}, 0
    local shown = bytes:gsub("[^\32-\126]", ".")
    for place = 1, #bytes, WIDTH do
        local last = place + WIDTH - 1
        local form = last <= #bytes and FULL or line_format(#bytes - place + 1)
        lines[count + 1] = form:format(address + place - 1, bytes:byte(place, last))
        lines[count + 2] = shown:sub(place, last)
        lines[count + 3] = "\n"
        count = count + 3
    end
    return table.concat(lines)
end

return text
