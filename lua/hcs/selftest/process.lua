-- SPDX-License-Identifier: MIT
-- Has checks carried out in processes of their own, each of which ends by
-- itself when a check takes too long, and another takes over after one that
-- died.
local literal = require "hcs.selftest.literal"
local result = require "hcs.selftest.result"
local worker = require "hcs.selftest.worker"

local process = {}

local TIME_IS_OVER = 124 -- the exit status that core.watchdog gives

local WINDOWS = package.config:sub(1, 1) == "\\"

local function posix_quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- cmd.exe takes the outermost quotes off. Within quotes only % and quotes have
-- a meaning; the path of the interpreter, where both may be, is left to its
-- variable.
local function windows_quoted(text)
    assert(not text:find('"', 1, true), "a quote cannot be passed on")
    return '"' .. text .. '"'
end

local function line_of(program, arguments, quoted)
    local words = { program }
    for _, word in ipairs(arguments) do words[#words + 1] = quoted(word) end
    return table.concat(words, " ") .. " 2>&1"
end

-- Modules are to be found where they are found here, however that was set.
local function posix_command(interpreter, arguments)
    local program = interpreter and posix_quoted(interpreter) or '"$HCS_LUA"'
    return ("exec env LUA_PATH_5_4=%s LUA_CPATH_5_4=%s %s"):format(posix_quoted(package.path),
        posix_quoted(package.cpath), line_of(program, arguments, posix_quoted))
end

--- The command line that starts a worker. The interpreter is a path; nil stands
--- for what the variable HCS_LUA names. On Windows the worker finds modules by
--- the same variables and places as we did.
function process.command(interpreter, arguments, windows)
    if not windows then return posix_command(interpreter, arguments) end
    return '"' .. line_of(windows_quoted(interpreter or "%HCS_LUA%"), arguments, windows_quoted)
        .. '"'
end

-- The worker's program is a file, found as modules are.
local function arguments_of(module, uri, first, unfit)
    local numbers = {}
    for number in pairs(unfit) do numbers[#numbers + 1] = number end
    table.sort(numbers)
    local path = assert(package.searchpath("hcs.selftest.start", package.path))
    return { path, module, uri, tostring(first), table.concat(numbers, ",") }
end

-- How a process ended that was in the middle of a check.
local function death(check, kind, status, noise, limit)
    if kind == "exit" and status == TIME_IS_OVER then
        return result.failed(("no answer in %g s"):format(check.limit or limit))
    end
    local text = ("the process ended: %s %d"):format(kind == "signal" and kind or "status", status)
    if status < 0 or status > 255 then
        text = ("the process ended: status 0x%08X"):format(status & 0xFFFFFFFF)
    end
    return result.failed(noise and ("%s (%s)"):format(text, noise) or text)
end

-- Reads what a worker tells. Returns the number of the check it was at when it
-- ended, if any, the last line that was none of its own, and how it ended.
local function listen(pipe, take)
    local current, noise
    for line in pipe:lines() do
        line = line:gsub("\r$", "")
        local word, number, rest = line:match("^@(%a+) (%d+) ?(.*)$")
        number = math.tointeger(tonumber(number))
        if word == "begin" then
            current = number
        elseif word == "end" and number == current then
            current = nil
            take(number, literal.read(rest))
        elseif line:match("%S") then
            noise = line
        end
    end
    local _, kind, status = pipe:close()
    return current, noise, kind, status
end

-- Starts a worker for the checks from `first` on. Returns what `listen` does.
local function start(settings, first, unfit, take)
    local command = process.command(settings.interpreter,
        arguments_of(settings.module, settings.uri, first, unfit), WINDOWS)
    return listen((settings.popen or io.popen)(command, "r"), take)
end

--- Has the checks of `list` carried out. `settings`: module (of the checks),
--- uri, limit (seconds), take(check, results, seconds), interpreter; popen
--- stands in for io.popen.
function process.run(list, settings)
    local unfit, reached = {}, 0
    local function record(number, results, seconds)
        if not worker.is_fit(results) then unfit[number] = true end
        reached = number
        settings.take(list[number], results, seconds)
    end
    local function told(number, it)
        if not it then it = { results = { result.failed "what it told cannot be read" } } end
        record(number, it.results, it.seconds)
    end
    repeat
        local before = reached
        local current, noise, kind, status = start(settings, reached + 1, unfit, told)
        local check = list[reached + 1]
        if current then
            record(current, { death(check, kind, status, noise, settings.limit) })
        elseif reached == before then
            record(reached + 1, { result.failed(("no check can be run: %s")
                :format(noise or "status " .. tostring(status))) })
            while reached < #list do record(reached + 1, { result.skipped "cannot be run" }) end
        elseif status ~= 0 then -- between two checks, or after the last
            check = { section = list[reached].section, name = "after " .. list[reached].name }
            settings.take(check, { death(check, kind, status, noise, settings.limit) })
        end
    until reached >= #list
end

return process
