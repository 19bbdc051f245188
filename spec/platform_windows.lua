-- SPDX-License-Identifier: MIT
-- What specs ask of Windows; see spec/platform.lua.
local core = require "hcs.core"
local system = require "hcs.spec_windows"

local platform = {
    lua = os.getenv "HCS_LUA" or system.loaded(),
    no_fork = "needs fork",
    descriptors = system.handles, threads = system.threads, kill = system.kill,
    remove = system.remove,
}

function platform.program(name) return name .. ".exe" end

local CREATE_NO_WINDOW = 0x08000000

function platform.interrupt(seconds)
    system.interrupt(math.ceil(seconds * 1000))
end

function platform.other()
    for pid in pairs(system.processes()) do
        if pid > 4 and pid ~= core.pid() then return pid end
    end
end

function platform.children()
    local own, list = core.pid(), {}
    for pid, parent in pairs(system.processes()) do
        if parent == own then list[#list + 1] = pid end
    end
    table.sort(list)
    return table.concat(list, " ")
end

function platform.loaded(stem)
    return system.loaded(stem .. ".dll") ~= nil
end

-- A word of a command line, so that a program of C finds it in argv as it was.
local function quoted(word)
    if word ~= "" and not word:find '[ \t"]' then return word end
    word = word:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1")
    return '"' .. word .. '"'
end

local function with_environment(given, fn, ...)
    local before = {}
    for name, value in pairs(given) do before[name] = system.setenv(name, value or nil) or false end
    local results = table.pack(pcall(fn, ...))
    for name, value in pairs(before) do system.setenv(name, value or nil) end
    if not results[1] then error(results[2], 0) end
    return table.unpack(results, 2, results.n)
end

function platform.run(arguments, settings)
    local words = {}
    for index, word in ipairs(arguments) do words[index] = quoted(word) end
    local output = platform.temporary()
    -- A program finds the DLLs that the interpreter lies beside.
    settings.environment.PATH = settings.environment.PATH
        or platform.lua:match "^(.*)[/\\]" .. ";" .. os.getenv "PATH"
    local status = with_environment(settings.environment, system.run, table.concat(words, " "),
        settings.input, output, math.ceil(settings.limit * 1000),
        settings.alone and CREATE_NO_WINDOW or 0)
    local text = platform.read(output)
    assert(system.remove(output), output)
    return text, status
end

-- --- pipes -------------------------------------------------------------------------

-- api.pump watches handles here: an event stands for either end. The one that
-- is written to is always set; the other, when something was written.
local pipes, readers, writers = { read = system.reset, readable = system.signalled }, {}, {}

function pipes.open()
    local r, w = system.event(), system.event()
    system.set(w)
    readers[w], writers[r] = r, w
    return r, w
end

function pipes.write(w, text)
    system.set(readers[w])
    return #text
end

function pipes.close(handle)
    local reader, writer = readers[handle], writers[handle]
    if reader then
        system.set(reader) -- which is at its end
        readers[handle], writers[reader] = nil, nil
    elseif writer then
        readers[writer], writers[handle] = nil, nil
    end
    system.close(handle)
end

platform.pipes = pipes
platform.socket_readable = system.socket_readable

function platform.foreign()
    return (os.getenv "SystemRoot" or "C:\\Windows") .. "\\System32\\kernel32.dll"
end

return platform
