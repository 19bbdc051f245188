-- SPDX-License-Identifier: MIT
-- Records of a kernel's log as lines.
local printk = {}

local function escaped(byte)
    return ("\\x%02x"):format(byte:byte())
end

--- The text without what a terminal would obey: as `dmesg` does it.
function printk.printable(text)
    return (text:gsub("[\0-\8\11-\31\127]", escaped))
end

local function prefix_of(nanoseconds)
    return ("[%5d.%06d] "):format(nanoseconds // 1000000000, nanoseconds % 1000000000 // 1000)
end

local function record_of(told)
    return {
        text = told.text, time = told.nanoseconds / 1e9, level = told.level,
        facility = told.facility, sequence = told.sequence,
    }
end

--- An iterator of lines and records. Further lines of one text are below its first.
function printk.lines(records)
    local place, rest, record, indent = 0, nil, nil, nil
    return function()
        if not rest then
            place = place + 1
            local told = records[place]
            if not told then return nil end
            record, rest = record_of(told), told.text
            indent = prefix_of(told.nanoseconds)
        end
        local line, more = rest:match "^([^\n]*)\n(.+)$"
        local whole = indent .. printk.printable(line or (rest:gsub("\n+$", "")))
        rest, indent = more, (" "):rep(#indent)
        return whole, record
    end
end

return printk
