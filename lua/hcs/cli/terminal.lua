-- SPDX-License-Identifier: MIT
-- Where a command's words go, and how it ends when it is broken off: its output
-- cannot be written, it was used wrongly, a call failed.
local errors = require "hcs.error"
local options = require "hcs.options"

local terminal = {}

local FAILED, USAGE = 1, 2
local EPIPE = 32 -- on every system: nobody reads any more

-- What is raised to end a command: the status, and a sentence if one is due.
local End = {}

local function give_up(why, number)
    local sentence = number ~= EPIPE and "cannot write: " .. tostring(why) or nil
    error(setmetatable({ status = FAILED, sentence = sentence }, End), 0)
end

--- What commands are given: write(text), which returns only if it is written, and
--- complain(text).
terminal.tools = {
    write = function(text)
        local ok, why, number = io.stdout:write(text)
        if ok then ok, why, number = io.stdout:flush() end
        if not ok then give_up(why, number) end
    end,
    complain = function(text) io.stderr:write(text) end,
}

local function ending_of(err)
    if getmetatable(err) == End then return err end
    if errors.is_error(err) then return { status = FAILED, sentence = tostring(err) } end
    local mistake = options.mistake(err)
    if mistake then return { status = USAGE, sentence = mistake } end
    return { status = FAILED, sentence = debug.traceback(tostring(err), 2) }
end

--- Runs a command's function; returns its status, or that of what broke it off,
--- after saying what that was.
function terminal.run(tools, run, ...)
    local ok, result = xpcall(run, ending_of, ...)
    if ok then return result end
    if result.sentence then tools.complain("hcs: " .. result.sentence .. "\n") end
    return result.status
end
options.program(terminal.run)

return terminal
