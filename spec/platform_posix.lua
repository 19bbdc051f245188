-- SPDX-License-Identifier: MIT
-- What specs ask of Linux; see spec/platform.lua.
local core = require "hcs.core"

local platform = {
    lua = os.getenv "HCS_LUA" or "lua5.4",
    full = "/dev/full",
    -- A child has none of the threads that held the locks of a sanitizer's allocator.
    no_fork = (os.getenv "ASAN_OPTIONS" or os.getenv "TSAN_OPTIONS") and "needs no sanitizer",
}

local function read(path)
    local file = io.open(path, "r")
    local text = file and file:read("a") or ""
    if file then file:close() end
    return text
end

local function exists(path)
    local file = io.open(path, "r")
    if file then file:close() end
    return file ~= nil
end

function platform.program(name) return name end

function platform.descriptors()
    local count = 0
    for fd = 0, 511 do
        if exists(("/proc/self/fdinfo/%d"):format(fd)) then count = count + 1 end
    end
    return count
end

function platform.other() return 1 end

function platform.children()
    local pid = core.pid()
    return read(("/proc/%d/task/%d/children"):format(pid, pid))
end

function platform.threads()
    return tonumber(read("/proc/self/status"):match("Threads:%s*(%d+)"))
end

function platform.loaded(stem)
    return read("/proc/self/maps"):find(stem, 1, true) ~= nil
end

platform.remove = os.remove

function platform.kill(pid)
    require("hcs.spec_unix").kill(pid, 9)
end

function platform.interrupt(seconds)
    -- Not os.execute: until it returns this process ignores the signal.
    io.popen(("(sleep %g; kill -INT %d) </dev/null >/dev/null 2>&1 &")
        :format(seconds, core.pid())):close()
end

local function quoted(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

function platform.run(arguments, settings)
    local words = { "env" }
    for name, value in pairs(settings.environment) do
        if not value then
            table.insert(words, 2, "-u " .. name)
        else
            words[#words + 1] = quoted(name .. "=" .. value)
        end
    end
    words[#words + 1] = ("timeout -k 5 %g"):format(settings.limit)
    for _, word in ipairs(arguments) do words[#words + 1] = quoted(word) end
    local pipe = assert(io.popen(("%s <%s 2>&1"):format(table.concat(words, " "),
        quoted(settings.input or "/dev/null"))))
    local text = pipe:read "a"
    local _, how, status = pipe:close()
    return text, how == "signal" and 128 + status or status
end

-- --- pipes -------------------------------------------------------------------------

platform.pipes = setmetatable({}, { __index = function(_, name)
    local unix = require "hcs.spec_unix"
    return unix[name == "open" and "pipe" or name]
end })

function platform.socket_readable(socket, ms)
    return require("hcs.spec_unix").readable(socket, ms)
end

function platform.foreign()
    local pipe <close> = assert(io.popen "ldconfig -p | sed -n 's/.*=> \\(.*libm.so.6\\)$/\\1/p'")
    return (pipe:read "l")
end

return platform
