-- SPDX-License-Identifier: MIT
-- The tag in each system's Owner that says whose it is: a name, the user, the
-- process (id and start) and the boot it runs in. So a system whose process
-- is dead can be told from one in use.
local owner = {}

owner.DEFAULT = "lua-hcs"

local function user(core)
    return (core.user():gsub("[^%w._@-]", "_"))
end

-- What a tag says of this process is asked for once; a forked child is another
-- process.
local marks = setmetatable({}, { __mode = "k" })

local function mark_of(core)
    local pid = core.pid()
    local known = marks[core]
    if not known or known.pid ~= pid then
        known = { pid = pid, text = (" [lua-hcs %s %d.%d %s]"):format(user(core), pid,
            core.started(pid), core.boot_id() or "-") }
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
    return tag.start ~= 0 and core.started(tag.pid) ~= tag.start
end

return owner
