-- SPDX-License-Identifier: MIT
-- The command hcs: a table of commands, each a file of this folder; whatever is
-- no command is a script. Statuses: 0 done, 1 failed, 2 used wrongly.
local options = require "hcs.options"
local terminal = require "hcs.cli.terminal"

local cli = {}

local USAGE = 2

-- Each a module with `usage`, `summary` and run(arguments, tools) -> status.
local COMMANDS = { "selftest", "doctor", "dump", "version" }

local function command(name)
    return require("hcs.cli." .. name)
end

local function known(name)
    for _, one in ipairs(COMMANDS) do
        if one == name then return true end
    end
    return false
end

local function help(tools)
    local lines = {
        "usage: hcs COMMAND [options]", "       hcs SCRIPT [arguments]", "       hcs -i", "",
    }
    for _, name in ipairs(COMMANDS) do
        lines[#lines + 1] = ("  %-26s %s"):format(command(name).usage, command(name).summary)
    end
    for _, row in ipairs {
        { "help [COMMAND]", "this text, or that of a command" },
        { "SCRIPT [arguments]", "runs a Lua script" },
        { "-i", "a prompt with hcs at hand" },
    } do
        lines[#lines + 1] = ("  %-26s %s"):format(row[1], row[2])
    end
    lines[#lines + 1] = ""
    lines[#lines + 1] = "HCS_HOST names the host: windows:, qemu:, sim:"
    tools.write(table.concat(lines, "\n") .. "\n")
    return 0
end

local function wrong(tools, format, ...)
    tools.complain("hcs: " .. format:format(...) .. "; hcs help says what there is\n")
    return USAGE
end

local function help_on(name, tools)
    if not name then return help(tools) end
    if not known(name) then return wrong(tools, "there is no command %q", name) end
    local it = command(name)
    tools.write(("usage: hcs %s\n\n%s\n"):format(it.usage, it.help or it.summary))
    return 0
end

local function is_file(path)
    local file = io.open(path, "r")
    if file then file:close() end
    return file ~= nil
end

-- A word that is no command and no file: which did they mean?
local function unknown(name, tools)
    if name:match("[/\\]") or name:match("%.lua$") then
        return wrong(tools, "there is no script %s", name)
    end
    local near = options.nearest(name, COMMANDS)
    return wrong(tools, "there is no command %q%s", name,
        near and (" (did you mean %q?)"):format(near) or "")
end

local function tail(list, first)
    return { table.unpack(list, first, #list) }
end

--- Does what the arguments say; returns the exit status. `tools` (write,
--- complain, interpreter) stand in for the terminal.
function cli.main(arguments, tools)
    tools = setmetatable(tools or {}, { __index = terminal.tools })
    local name = arguments[1]
    if name == nil then return terminal.run(tools, help, tools) and USAGE end
    if name == "help" or name == "--help" or name == "-h" then
        return terminal.run(tools, help_on, arguments[2], tools)
    end
    if name == "--version" then name = "version" end
    if known(name) then
        return terminal.run(tools, command(name).run, tail(arguments, 2), tools)
    end
    if name == "-i" then return require("hcs.cli.prompt")(tail(arguments, 2), tools) end
    if name:match("^%-") then return wrong(tools, "there is no option %s", name) end
    if not is_file(name) then return unknown(name, tools) end
    return require("hcs.cli.script")(name, tail(arguments, 2), tools)
end

return cli
