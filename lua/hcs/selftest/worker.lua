-- SPDX-License-Identifier: MIT
-- The process that carries the checks out, one after the other, and tells of
-- each on its standard output. It may hang or die of one: whoever started it
-- (hcs.selftest.process) starts another for the rest.
local errors = require "hcs.error"
local literal = require "hcs.selftest.literal"
local privacy = require "hcs.selftest.privacy"
local result = require "hcs.selftest.result"

local worker = {}

local function one_line(text)
    return (tostring(text):gsub("%s*\n.*", ""))
end

local function raised(err)
    if errors.is_error(err) then return err end
    return "it raised: " .. one_line(err)
end

local KNOWN = {}
for _, status in ipairs(result.STATUSES) do KNOWN[status] = true end

-- A check's answer as a list of results, each with a name and a text.
local function results_of(check, answer)
    if type(answer) ~= "table" then answer = result.failed "the check told nothing" end
    local list = answer.status and { answer } or answer
    for index, one in ipairs(list) do
        if not KNOWN[one.status] then
            one = result.failed("the check told " .. tostring(one.status))
            list[index] = one
        end
        one.name, one.text = one.name or check.name, one.text or ""
    end
    if #list == 0 then return results_of(check, nil) end
    return list
end

--- Carries one check out. Returns a list of results, and the seconds it took.
function worker.attempt(check, context, clock)
    clock = clock or os.clock
    local start = clock()
    local ok, answer = xpcall(check.run, raised, context)
    local seconds = clock() - start
    if not ok then answer = result.failed(answer) end
    return results_of(check, answer), seconds
end

--- Why a check is not carried out, or nil. `unfit`: names of those that were
--- needed and are not ok.
function worker.skipped(check, unfit)
    if not check.needs or not unfit[check.needs] then return nil end
    local one = result.skipped(("needs %q"):format(check.needs))
    one.name = check.name
    return { one }
end

--- Whether others may rely on a check with these results.
function worker.is_fit(results)
    for _, one in ipairs(results) do
        if one.status == "failed" or one.status == "skipped" then return false end
    end
    return true
end

-- Who and where we are, as the environment and hcs.core know it.
local function private_names(core)
    local names = privacy.of_environment()
    local machine = core and core.machine() or {}
    table.insert(names.machines, machine.name)
    table.insert(names.machines, machine.domain)
    table.insert(names.homes, machine.home)
    table.insert(names.users, core and core.user())
    return names
end

local function tell(...)
    io.stdout:write(table.concat({ ... }, " "), "\n")
    io.stdout:flush()
end

--- Carries out the checks of a list from `first` on, and tells. `core` is nil
--- where there is none; without it nothing limits the time.
function worker.run(list, context, first, unfit, core)
    local clean = privacy.cleaner(private_names(core))
    for index = first, #list do
        local check = list[index]
        tell("@begin", index)
        if core then core.watchdog(check.limit or require("hcs.selftest.checks").LIMIT) end
        local results = worker.skipped(check, unfit)
        local seconds = 0
        if not results then
            results, seconds = worker.attempt(check, context, core and core.monotonic)
        end
        unfit[check.name] = not worker.is_fit(results)
        tell("@end", index, literal.write { seconds = seconds, results = clean(results) })
    end
    if core then core.watchdog(nil) end
end

--- The process: the module of the checks, the host, the first check's number
--- and those of the unfit ones before it.
function worker.main(module, uri, first, unfit_numbers)
    local checks = require(module)
    local list = checks.list(uri)
    local unfit = {}
    for number in unfit_numbers:gmatch("%d+") do
        unfit[list[math.tointeger(tonumber(number))].name] = true
    end
    local found, core = pcall(require, "hcs.core")
    local context = checks.context(uri)
    worker.run(list, context, math.tointeger(tonumber(first)), unfit, found and core or nil)
    context.close()
end

return worker
