-- SPDX-License-Identifier: MIT
-- What a self-test found, for people: lines of at most 79 columns, in ASCII as
-- far as they are ours, since that is what every console shows.
local result = require "hcs.selftest.result"

local report = {}

local WIDTH, NAME, STATUS = 79, 26, 9
local TIME = 8 -- at the end of a line
local INDENT = 2 + STATUS + NAME

local WORDS = { ok = "ok", failed = "FAILED", absent = "not there", skipped = "skipped" }

local PLAIN = { ["→"] = "->", ["·"] = "-", ["…"] = "...", ["–"] = "-", ["—"] = "-" }

local function plain(text)
    return (text:gsub("[\194-\244][\128-\191]+", PLAIN):gsub("%c+", " "))
end

local function length(text)
    return utf8.len(text) or #text
end

-- A word as pieces that fit: paths are cut behind a separator if they can be.
local function cut(word, width, lines)
    while length(word) > width do
        local at = (utf8.len(word) and utf8.offset(word, width + 1) or width + 1) - 1
        local piece = word:sub(1, at):match("^.*[/\\&?=]") or word:sub(1, at)
        at = #piece
        lines[#lines + 1] = piece
        word = word:sub(at + 1)
    end
    return word
end

-- Breaks a text at blanks into lines of at most `width`.
local function wrap(text, width)
    local lines, line = {}, ""
    for word in plain(text):gmatch("%S+") do
        if line ~= "" and length(line) + 1 + length(word) > width then
            lines[#lines + 1] = line
            line = ""
        end
        if line == "" then line = cut(word, width, lines) else line = line .. " " .. word end
    end
    lines[#lines + 1] = line ~= "" and line or nil
    return lines
end

report.wrap = wrap

local function padded(text, width)
    return text .. (" "):rep(width - length(text))
end

local function time_of(seconds)
    if not seconds or seconds < 0.0005 then return "" end
    if seconds < 1 then return ("%d ms"):format(math.floor(seconds * 1000 + 0.5)) end
    return ("%.1f s"):format(seconds)
end

report.time = time_of

-- The text with number and name of the HRESULT, unless it has them already.
local function text_lines(one, width)
    local text, number = one.text, one.hresult and ("0x%08X"):format(one.hresult)
    local code = { number, one.symbol }
    if number and text:lower():find(number:lower(), 1, true) then code = { one.symbol } end
    if code[1] and not text:find(code[1], 1, true) then
        text = ("%s (%s)"):format(text, table.concat(code, " "))
    end
    return wrap(text, width)
end

--- The lines of one result; `seconds` (nil: none) stand on its first.
function report.lines_of(one, seconds)
    local out = {}
    local time = time_of(seconds)
    local texts = text_lines(one, WIDTH - INDENT - (time ~= "" and TIME + 1 or 0))
    local name = plain(one.name)
    local head = "  " .. padded(WORDS[one.status], STATUS) .. " "
    if length(name) > NAME - 2 then
        out[1] = head .. name
        head = (" "):rep(STATUS + 3)
        name = ""
    end
    head = head .. padded(name, NAME - 1) .. (texts[1] or "")
    out[#out + 1] = (padded(head, WIDTH - #time) .. time):gsub("%s+$", "")
    local margin = (" "):rep(INDENT)
    for index = 2, #texts do out[#out + 1] = margin .. texts[index] end
    for index, line in ipairs(wrap(one.hint or "", WIDTH - INDENT - 3)) do
        out[#out + 1] = margin .. (index == 1 and "-> " or "   ") .. line
    end
    return out
end

--- The lines at the top.
function report.head(self)
    local text = ("lua-hcs %s self-test of %s, %s"):format(self.hcs, self.host, self.time)
    return { "", text, ("="):rep(length(text)) }
end

-- Many that were skipped for the same reason are one line.
local function merged(skipped)
    if #skipped == 1 then return skipped[1] end
    return { status = "skipped", name = ("%d checks"):format(#skipped), text = skipped[1].text }
end

--- Shows results as they come, under the names of their sections: add(result),
--- and finish() after the last.
function report.view(show)
    local section, skipped = nil, {}
    local view = {}

    function view.finish()
        if #skipped > 0 then show(report.lines_of(merged(skipped))) end
        skipped = {}
    end

    function view.add(one)
        local same = one.section == section
        local last = skipped[1]
        if not same or one.status ~= "skipped" or last and last.text ~= one.text then
            view.finish()
        end
        section = one.section
        if not same then
            show { "", plain(section), ("-"):rep(length(plain(section))) }
        end
        if one.status == "skipped" then
            skipped[#skipped + 1] = one
        else
            show(report.lines_of(one, one.seconds))
        end
    end

    return view
end

-- What to do, each advice once.
local function advice(self)
    local lines, seen = {}, {}
    for _, one in ipairs(self.results) do
        if one.status == "failed" and one.hint and not seen[one.hint] then
            seen[one.hint] = true
            for index, line in ipairs(wrap(one.hint, WIDTH - 4)) do
                lines[#lines + 1] = (index == 1 and "  * " or "    ") .. line
            end
        end
    end
    return lines
end

--- The lines at the bottom: the sums, and what helps.
function report.foot(self)
    local parts = {}
    for index, status in ipairs(result.STATUSES) do
        parts[index] = ("%d %s"):format(self.summary[status],
            status == "absent" and "not there" or status)
    end
    local out = { "", table.concat(parts, ", ") .. (" in %.2f s"):format(self.seconds) }
    local todo = advice(self)
    if #todo > 0 then
        out[#out + 1] = ""
        out[#out + 1] = "What to do:"
        for _, line in ipairs(todo) do out[#out + 1] = line end
    end
    return out
end

--- All of it as text.
function report.text(self)
    local lines = {}
    local function add(more)
        for _, line in ipairs(more) do lines[#lines + 1] = line end
    end
    add(report.head(self))
    local view = report.view(add)
    for _, one in ipairs(self.results) do view.add(one) end
    view.finish()
    add(report.foot(self))
    return table.concat(lines, "\n") .. "\n"
end

return report
