-- SPDX-License-Identifier: MIT
-- The tag in each system's Owner that says whose it is: a name, the user, the
-- process (id and start) and the boot it runs in. So a system whose process
-- is dead can be told from one in use.
local owner = {}

owner.DEFAULT = "lua-hcs"

local function read_line(path)
    local file = io.open(path, "r")
    if not file then return nil end
    local line = file:read("l")
    file:close()
    return line
end

-- When a process started, in the kernel's ticks since boot; 0 where it cannot
-- be told. The name in the line may hold blanks and parentheses.
local function start_of(pid)
    local line = read_line(("/proc/%d/stat"):format(pid))
    local rest = line and line:match("^.*%) (.*)$")
    if not rest then return 0 end
    local count = 0
    for field in rest:gmatch("%S+") do
        count = count + 1
        if count == 20 then return math.tointeger(tonumber(field)) or 0 end
    end
    return 0
end

-- The name of the user that this process runs as, by /proc and the password
-- file; his number where he has none.
local function user_of_process()
    local status = io.open("/proc/self/status", "r")
    if not status then return nil end
    local uid = status:read("a"):match("\nUid:%s+%d+%s+(%d+)")
    status:close()
    local passwords = uid and io.open("/etc/passwd", "r")
    if not passwords then return uid end
    local name
    for line in passwords:lines() do
        name = name or line:match("^([^:]+):[^:]*:" .. uid .. ":")
    end
    passwords:close()
    return name or uid
end

local function user()
    local name = os.getenv("USER") or os.getenv("USERNAME") or os.getenv("LOGNAME")
        or user_of_process() or "unknown"
    return (name:gsub("[^%w._@-]", "_"))
end

-- What a tag says of this process is read from files once; a forked child is
-- another process.
local marks = setmetatable({}, { __mode = "k" })

local function mark_of(core)
    local pid = core.pid()
    local known = marks[core]
    if not known or known.pid ~= pid then
        known = { pid = pid, text = (" [lua-hcs %s %d.%d %s]"):format(user(), pid, start_of(pid),
            core.boot_id() or "-") }
        marks[core] = known
    end
    return known.text
end

--- The tag of this process for a system owned by `name`.
function owner.tag(core, name)
    return (name or owner.DEFAULT) .. mark_of(core)
end

--- Takes a tag apart: {name, user, pid, start, boot}, or nil for a text that
--- is none of ours.
function owner.parse(text)
    local name, who, pid, start, boot =
        (text or ""):match("^(.*) %[lua%-hcs (%S+) (%d+)%.(%d+) (%S+)%]$")
    if not name then return nil end
    return {
        name = name, user = who, pid = math.tointeger(tonumber(pid)),
        start = math.tointeger(tonumber(start)), boot = boot,
    }
end

--- The name in an Owner, tagged or not.
function owner.name(text)
    local tag = owner.parse(text)
    return tag and tag.name or text
end

--- Whether the process of a tag is gone.
function owner.is_dead(core, tag)
    if tag.boot ~= (core.boot_id() or "-") then return true end
    if tag.pid < 1 or not core.alive(tag.pid) then return true end
    return tag.start ~= 0 and start_of(tag.pid) ~= tag.start
end

return owner
