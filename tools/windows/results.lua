-- SPDX-License-Identifier: MIT
-- What spec/results.lua wrote of two runs of the same specs, on Linux and on
-- Windows, and how they differ. A test is told by its file and its full name;
-- of several with the same, by their order.
local results = {}

local UNESCAPED = { ["\\"] = "\\", t = "\t", n = "\n", r = "\r" }

local function unescape(text)
    return (text:gsub("\\(.)", UNESCAPED))
end

local function fields_of(line)
    local fields = {}
    for text in (line .. "\t"):gmatch("(.-)\t") do
        fields[#fields + 1] = unescape(text)
    end
    return fields
end

-- "FILE: NAME", and from the second on with its number.
local function key_of(seen, file, name)
    local key = file .. ": " .. name
    seen[key] = (seen[key] or 0) + 1
    return seen[key] == 1 and key or ("%s (%d)"):format(key, seen[key])
end

--- Reads a run. Its result: `order`, the tests' keys; `tests`, by key a table with
--- status ("passed", "failed", "pending") and text; `whole`, whether the run came
--- to its end; `running`, the test that it was in when it went down.
function results.read(text)
    local run = { order = {}, tests = {}, whole = false }
    local seen = {}
    for line in text:gmatch("[^\r\n]+") do
        local status, file, name, message = table.unpack(fields_of(line))
        if status == "end" then
            run.whole = true
        elseif status == "begin" then
            run.running = file .. ": " .. name
        elseif (status == "passed" or status == "failed" or status == "pending") and name then
            local key = key_of(seen, file, name)
            run.order[#run.order + 1] = key
            run.tests[key] = { status = status, text = message or "" }
            run.running = nil
        end
    end
    return run
end

local function first_line(text)
    return text:match("[^\n]*")
end

local function describe(test)
    if not test then return "not there" end
    if test.text == "" then return test.status end
    return ("%s (%s)"):format(test.status, first_line(test.text))
end

-- A test may be left out on one of them only for what that one lacks.
local function excused(test)
    return test.status == "pending" and test.text:find("^needs %S") ~= nil
end

local function allowed(one, other)
    if not one or not other then return false end
    if one.status == other.status then return true end
    if one.status == "failed" or other.status == "failed" then return false end
    return excused(one.status == "pending" and one or other)
end

local function count(reasons, test)
    local reason = first_line(test.text)
    reasons[reason] = (reasons[reason] or 0) + 1
end

-- What became of one test on both sides.
local function add(found, key, linux, windows)
    if not allowed(linux, windows) then
        table.insert(found.differences, ("%s\n  on Linux: %s\n  on Windows: %s")
            :format(key, describe(linux), describe(windows)))
    elseif linux.status == "passed" and windows.status == "passed" then
        found.passed = found.passed + 1
    elseif linux.status == "failed" then
        found.failed = found.failed + 1
    elseif linux.status == "pending" and windows.status == "pending" then
        count(found.left_out.both, windows)
    elseif windows.status == "pending" then
        count(found.left_out.windows, windows)
    else
        count(found.left_out.linux, linux)
    end
end

--- Compares two runs. The result: `differences`, a list of texts; `passed` and
--- `failed`, how many did on both; `left_out`, for "windows", "linux" and "both" how
--- many tests were, by reason.
function results.compare(linux, windows)
    local found = {
        differences = {}, passed = 0, failed = 0,
        left_out = { windows = {}, linux = {}, both = {} },
    }
    for name, run in pairs { Linux = linux, Windows = windows } do
        if not run.whole then
            table.insert(found.differences, ("the run on %s went down %s"):format(name,
                run.running and "in " .. run.running or "between two tests"))
        end
    end
    for _, key in ipairs(linux.order) do
        -- What a run did not come to is told above, in one line.
        if windows.tests[key] or windows.whole then
            add(found, key, linux.tests[key], windows.tests[key])
        end
    end
    for _, key in ipairs(windows.order) do
        if not linux.tests[key] and linux.whole then
            add(found, key, nil, windows.tests[key])
        end
    end
    return found
end

local function total(reasons)
    local sum = 0
    for _, number in pairs(reasons) do sum = sum + number end
    return sum
end

-- The reasons with the most tests first.
local function sorted(reasons)
    local list = {}
    for reason in pairs(reasons) do list[#list + 1] = reason end
    table.sort(list, function(a, b)
        if reasons[a] ~= reasons[b] then return reasons[a] > reasons[b] end
        return a < b
    end)
    return list
end

local PLACES = {
    { "windows", "left out on Windows" }, { "linux", "left out on Linux" },
    { "both", "left out on both" },
}

--- The lines that tell a comparison to a person.
function results.report(found)
    local lines = { ("%d passed on both"):format(found.passed) }
    if found.failed > 0 then
        lines[1] = ("%s, %d failed on both"):format(lines[1], found.failed)
    end
    for _, place in ipairs(PLACES) do
        local reasons = found.left_out[place[1]]
        local sum = total(reasons)
        if sum > 0 then lines[#lines + 1] = ("%d %s:"):format(sum, place[2]) end
        for _, reason in ipairs(sorted(reasons)) do
            lines[#lines + 1] = ("%6d  %s"):format(reasons[reason],
                reason == "" and "(no reason given)" or reason)
        end
    end
    for _, text in ipairs(found.differences) do
        lines[#lines + 1] = "differs: " .. text
    end
    return lines
end

return results
