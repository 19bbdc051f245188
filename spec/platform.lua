-- SPDX-License-Identifier: MIT
-- What specs ask of the operating system, the same everywhere. What differs is
-- in spec/platform_posix.lua and spec/platform_windows.lua:
--
--   descriptors()  how many descriptors or handles this process has open
--   threads()      how many threads it has
--   other()        the id of some process that is not ours
--   children()     its child processes, as a text to compare
--   remove(path)   removes a file, whatever its name
--   kill(pid)      ends a process at once
--   interrupt(seconds)  a Ctrl-C for this process, so much later
--   loaded(stem)   whether a library whose name holds `stem` is loaded
--   pipes          what api.pump can watch: open() gives two ends, r and w; what
--                  write(w, text) makes readable at r, read(r) takes away;
--                  readable(fd, ms) is 1 or 0; close(fd)
--   run(arguments, settings)  runs a program; see below
--   socket_readable(socket, ms)  1 or 0
--   lua            the interpreter that specs start
--   program(name)  a program's file name
--   foreign()      the path of a library that is not ours
--   no_fork        why a process cannot be forked, or nil
--   full           a file that takes nothing, or nil
local core = require "hcs.core"
local lfs = require "lfs"
local sleep = require("system").sleep

local windows = core.platform == "windows"
local platform = require(windows and "spec.platform_windows" or "spec.platform_posix")

platform.windows = windows

local SEPARATOR = package.config:sub(1, 1)
local FOLDER = windows and core.getenv "TEMP" or core.getenv "TMPDIR" or "/tmp"

--- An absolute path, as this system writes it, for names that "/" separates.
function platform.path(names)
    return (windows and "C:" or "") .. (("/" .. names):gsub("/", SEPARATOR))
end

--- The absolute path of a file of this tree.
function platform.here(names)
    return core.cwd() .. SEPARATOR .. names:gsub("/", SEPARATOR)
end

-- Windows gives numbers of processes anew at once, and keeps the name of a file
-- that was removed as long as somebody has it open.
local RUN = ("%d-%x"):format(core.pid(), os.time())
local made = 0

--- A path where nothing is, or a file that holds `text`, for one to remove; its
--- name ends with `ending`.
function platform.temporary(text, ending)
    made = made + 1
    local path = ("%s%shcs-spec-%s-%d%s"):format(FOLDER, SEPARATOR, RUN, made, ending or "")
    platform.remove(path)
    if text then assert(core.write_file(path, text)) end
    return path
end

--- Reads a whole file, as it is.
function platform.read(path)
    return (assert(core.read_file(path)))
end

--- The files below a folder whose names match `pattern`, as paths with "/",
--- sorted.
function platform.files(folder, pattern)
    local list = {}
    local function walk(path)
        for name in lfs.dir(path) do
            local whole = path .. "/" .. name
            if name == "." or name == ".." then
                goto next
            elseif lfs.attributes(whole, "mode") == "directory" then
                walk(whole)
            elseif name:find(pattern) then
                list[#list + 1] = whole
            end
            ::next::
        end
    end
    walk(folder)
    table.sort(list)
    return list
end

--- Whether a file or folder is there.
function platform.exists(path)
    return lfs.attributes(path, "mode") ~= nil
end

local CALM = 0.1    -- seconds that a count stays what it is to be believed
local PATIENCE = 5  -- seconds until it is believed anyway

--- What `count` comes to when it has not changed for a while: threads of what
--- is closed by now may still be on their way out.
function platform.settled(count)
    local last = count()
    local changed = core.monotonic()
    local deadline = changed + PATIENCE
    while core.monotonic() < math.min(changed + CALM, deadline) do
        sleep(0.005)
        local now = count()
        if now ~= last then last, changed = now, core.monotonic() end
    end
    return last
end

--- Waits until `count` comes to `wanted`; returns what it came to. On Windows fewer
--- are as good: threads of its own, which it ends when it likes, have some, too.
function platform.settles(count, wanted)
    local deadline = core.monotonic() + PATIENCE
    local now = count()
    while now ~= wanted and not (windows and now < wanted) and core.monotonic() < deadline do
        sleep(0.005)
        now = count()
    end
    return windows and now < wanted and wanted or now
end

local run = platform.run

--- Runs a program with `arguments`, the first of which is its name. `settings`:
--- environment (a table; false takes a variable away), input (a file's path),
--- limit (seconds, 60), alone (a console of its own, where there are such: so that
--- its Ctrl-C is nobody else's). Returns what it printed, errors included, with "\n" at the
--- ends of lines, and its exit code: 124 when its time was over.
function platform.run(arguments, settings)
    settings = settings or {}
    local text, status = run(arguments, {
        environment = settings.environment or {}, input = settings.input,
        limit = settings.limit or 60, alone = settings.alone,
    })
    return (text:gsub("\r\n", "\n")), status
end

--- Runs Lua text in a process of its own that finds the modules we find; what
--- else is set as for run, and interpreter.
function platform.lua_text(text, settings)
    settings = settings or {}
    local path = platform.temporary(text)
    local environment = { LUA_PATH = package.path, LUA_CPATH = package.cpath }
    for name, value in pairs(settings.environment or {}) do environment[name] = value end
    local output, status = platform.run({ settings.interpreter or platform.lua, path },
        { environment = environment, input = settings.input, limit = settings.limit,
            alone = settings.alone })
    os.remove(path)
    return output, status
end

return platform
