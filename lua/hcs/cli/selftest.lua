-- SPDX-License-Identifier: MIT
local arguments = require "hcs.cli.arguments"
local selftest = require "hcs.selftest"
local wrap = require("hcs.selftest.report").wrap

local NAME = "hcs-selftest.json"

local command = {
    usage = "selftest [--report FILE]",
    summary = "tries harmlessly what works here, and reports",
    help = [[
Tries what of lua-hcs works on this machine, shows it and writes a report that
can be sent. Nothing is created, granted, started or changed, but for simulated
guests in memory and the report itself.

  --report FILE   the report: JSON; a text for people goes beside it (default:
                  hcs-selftest.json here, or in the folder for temporary files)
  --host URI      the host to try (default: HCS_HOST, else the platform's own)
  --no-report     writes none

The exit status is 0 when all that should work works, 1 when something failed.]],
}

local function is_absolute(path)
    return path:match("^[/\\]") or path:match("^%a:")
end

-- Where the report goes unless one says: here, but not into Windows' own folder,
-- where an administrator's prompt opens.
local function places()
    local temporary = os.getenv "TEMP" or os.getenv "TMPDIR" or "/tmp"
    local separator = package.config:sub(1, 1)
    local list = { NAME, temporary .. separator .. NAME }
    local system = os.getenv "SystemRoot"
    local found, core = pcall(require, "hcs.core")
    local here = found and core.cwd() or ""
    if system and here:sub(1, #system):lower() == system:lower() then table.remove(list, 1) end
    return list, here, separator
end

-- Saves where it can be saved. Returns the two paths, or nil and why.
local function save(report, path)
    local list, here, separator = places()
    if path then list = { path } end
    local why
    for _, place in ipairs(list) do
        local json, text = selftest.save(report, place)
        if json then
            local prefix = here ~= "" and not is_absolute(json) and here .. separator or ""
            return prefix .. json, prefix .. text
        end
        why = text
    end
    return nil, why
end

local ABOUT = "Left out of it: names of users and of this machine, the home folder, and ids and "
    .. "names of systems. Please read it, then send it: docs/selftest.md says where to."

local function tell(tools, json, text)
    local lines = { "", "The report:", "  " .. json, "  " .. text }
    for _, line in ipairs(wrap(ABOUT, 79)) do lines[#lines + 1] = line end
    tools.write(table.concat(lines, "\n") .. "\n")
end

--- What runs this program: lua itself comes before its first argument.
local function interpreter(tools)
    if tools.interpreter then return tools.interpreter end
    if os.getenv "HCS_LUA" then return nil end -- as a variable it survives every character
    local index = 0
    while arg and arg[index - 1] do index = index - 1 end
    return arg and arg[index]
end

function command.run(list, tools)
    local known = { report = "value", host = "text", ["no-report"] = "flag" }
    local given = arguments.of("selftest", list, known, tools)
    if not given then return 2 end
    local report = selftest.run {
        uri = given.host, interpreter = interpreter(tools), module = tools.checks,
        show = function(lines) tools.write(table.concat(lines, "\n") .. "\n") end,
    }
    if not given["no-report"] then
        local json, text = save(report, given.report)
        if not json then
            tools.complain(("hcs selftest: the report cannot be written: %s\n"):format(text))
            return 1
        end
        tell(tools, json, text)
    end
    return selftest.passed(report) and 0 or 1
end

return command
