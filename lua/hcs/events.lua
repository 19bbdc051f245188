-- SPDX-License-Identifier: MIT
-- Events of systems: their names, who hears them, and the `crash` event that
-- is composed of a crash's reports.
local loop = require "hcs.loop"
local nics = require "hcs.hcn.nics"
local options = require "hcs.options"
local task = require "hcs.task"

---@class hcs.Event
---@field name string "exited", "crash_report", "crash" …
---@field type string the platform's name: "SystemExited"
---@field time number seconds of the host's clock
---@field seq integer counts the events of this world
---@field system? hcs.System whose it is; nil for those of networks
---@field id? string (networks) the id of the network or namespace
---@field err? hcs.Error (networks) what failed
---@field document? table the platform's document, where there is one
---@field json? string its text
---@field log? string (crash) the guest's last words
---@field parameters? integer[] (crash) what the guest reported in numbers
---@field dumps? hcs.CrashDump[] (crash) the files that were written
---@field reports? table[] (crash) the documents of its reports
local events = {}

-- The platform's numbers: name here, the platform's name.
events.TYPES = {
    [0x00000001] = { "exited", "SystemExited" },
    [0x00000002] = { "crash_initiated", "CrashInitiated" },
    [0x00000003] = { "crash_report", "CrashReport" },
    [0x00000004] = { "rdp_enhanced_mode_state_changed", "RdpEnhancedModeStateChanged" },
    [0x00000005] = { "silo_job_created", "SiloJobCreated" },
    [0x00000006] = { "guest_connection_closed", "GuestConnectionClosed" },
    [0x02000000] = { "service_disconnect", "ServiceDisconnect" },
}

events.NAMES = { "crash" }
for _, names in pairs(events.TYPES) do events.NAMES[#events.NAMES + 1] = names[1] end
table.sort(events.NAMES)

local KEEP = 64      -- unheard events of one name that a system keeps
local QUIET = 2      -- seconds after which no further report is expected

local mt = {
    __name = "hcs.Event",
    __tostring = function(event)
        local whose = event.system and event.system.id or event.id
        return ("hcs.Event %s%s"):format(event.name, whose and (' of "%s"'):format(whose) or "")
    end,
}

function events.check_name(what, name)
    return options.one_of(what, "the event", name, events.NAMES)
end

--- Makes an event of `fields`; `names` is its name and the platform's.
function events.new(world, names, fields)
    world.sequence = world.sequence + 1
    fields.name, fields.type = names[1], names[2]
    fields.time, fields.seq = loop.now(world), world.sequence
    return setmetatable(fields, mt)
end

local function make(world, system, names, json)
    return events.new(world, names,
        { system = system, document = world.decode(json), json = json })
end

-- --- hearing ----------------------------------------------------------------

local function add(list, name, fn)
    local handler = { name = name, fn = fn }
    table.insert(list, handler)
    return handler
end

local function off(list, handler)
    for index = 1, #list do
        if list[index] == handler then
            table.remove(list, index)
            return true
        end
    end
    return false
end

---@class hcs.CrashDump
---@field path string
---@field format string "elf", "kdump", "dmp", "vmrs" …
---@field bytes? integer its size; nil where the file cannot be read
---@field seconds number from the crash to the report of it

---@class hcs.Handler
---@field off fun(): boolean takes the handler back; whether it was registered

--- Registers a handler in a list of handlers; returns what can take it back.
--- `after` is called when it was.
function events.on(list, name, fn, after)
    local handler = add(list, name, fn)
    local function take_back()
        local was_there = off(list, handler)
        if was_there and after then after() end
        return was_there
    end
    return setmetatable({
        --- Takes the handler back; whether it was registered.
        off = take_back,
    }, { __name = "hcs.Handler", __close = function() take_back() end })
end

local function call_handlers(world, list, event, strict)
    for _, handler in ipairs({ table.unpack(list) }) do
        if handler.name == event.name then
            task.spawn(world, strict, "on " .. event.name, handler.fn, event)
        end
    end
end

--- Calls the world's handlers of an event that is no system's.
function events.announce(world, event)
    call_handlers(world, world.handlers, event, false)
end

local function keep_unheard(system, event)
    local list = system._unheard[event.name] or {}
    system._unheard[event.name] = list
    table.insert(list, event)
    if #list > KEEP then table.remove(list, 1) end
end

local function feed_watchers(system, event)
    for _, watcher in ipairs(system._watchers) do
        if watcher.names[event.name] then
            table.insert(watcher.queue, event)
        end
    end
end

local function deliver(world, system, event)
    if event.name == "exited" then
        system._exit = event
        nics.release(world, system._nics)
    end
    if event.name == "service_disconnect" then system._lost = event end
    keep_unheard(system, event)
    feed_watchers(system, event)
    call_handlers(world, system._handlers, event, system._strict)
    call_handlers(world, world.handlers, event, system._strict)
    loop.wake(world, system)
end

-- --- crashes ----------------------------------------------------------------

local FORMATS = { ElfCore = "elf", KDump = "kdump" }

local function dump_format(system)
    local document = system._document or {}
    local machine = document.VirtualMachine or {}
    local reporting = (machine.Devices or {}).GuestCrashReporting or {}
    local settings = reporting.NixCrashSettings or {}
    return FORMATS[settings.DumpType] or "elf"
end

-- The files that a report speaks of: {path, format}.
local function files_of(system, report)
    local files = {}
    local function file(record, member, format)
        local path = type(record) == "table" and record[member]
        if type(path) == "string" and path ~= "" then files[#files + 1] = { path, format } end
    end
    file(report.NixCrashInfo, "DumpFile", dump_format(system))
    file(report.WindowsCrashInfo, "DumpFile", "dmp")
    file(report.GuestCrashSaveInfo, "SaveStateFile", "vmrs")
    file(report.VmwpDump, "DumpFile", "vmwp")
    file(report.LiveDump, "DumpFile", "livedump")
    return files
end

-- How many reports a crash of this system ends in: one, and one for each
-- saved state its document asks for. nil when we do not know its document.
local function expected_reports(system)
    if not system._document then return nil end
    local debug_options = (system._document.VirtualMachine or {}).DebugOptions or {}
    local count = 1
    if debug_options.BugcheckSavedStateFileName then count = count + 1 end
    if debug_options.BugcheckNoCrashdumpSavedStateFileName then count = count + 1 end
    return count
end

local function compose(world, system)
    local crash = system._crash
    if not crash then return end
    system._crash = nil
    if crash.timer then world.timers:cancel(crash.timer) end
    local last = crash.last
    deliver(world, system, events.new(world, { "crash", last.type }, {
        system = system, document = last.document, json = last.json,
        log = crash.log, parameters = crash.parameters, dumps = crash.dumps,
        reports = crash.reports,
    }))
end

local function begin_crash(system, event)
    system._crash = { started = event.time, reports = {}, dumps = {}, last = event }
    return system._crash
end

local function wait_for_more(world, system, crash)
    if crash.timer then world.timers:cancel(crash.timer) end
    crash.timer = world.timers:set(loop.now(world) + QUIET, function()
        crash.timer = nil
        compose(world, system)
    end)
end

local function take_report(world, system, crash, event)
    local report = event.document or {}
    crash.last = event
    table.insert(crash.reports, report)
    crash.log = crash.log or report.CrashLog
    crash.parameters = crash.parameters or report.CrashParameters
    for _, file in ipairs(files_of(system, report)) do
        table.insert(crash.dumps, {
            path = file[1], format = file[2], bytes = (world.core.file_size(file[1])),
            seconds = event.time - crash.started,
        })
    end
    local expected = expected_reports(system)
    if expected and #crash.reports >= expected then return compose(world, system) end
    wait_for_more(world, system, crash)
end

-- What bears on a crash in progress, before it is delivered.
local function before_delivery(world, system, name)
    if name == "exited" or name == "crash_initiated" or name == "service_disconnect" then
        compose(world, system)
    end
end

local function after_delivery(world, system, event)
    if event.name == "crash_initiated" then
        local crash = begin_crash(system, event)
        crash.parameters = event.document and event.document.CrashParameters
    elseif event.name == "crash_report" then
        take_report(world, system, system._crash or begin_crash(system, event), event)
    end
end

-- --- from the host's queue ---------------------------------------------------

--- Takes an event off the host's queue.
function events.arrived(world, handle, number, json)
    local system = world.systems[handle]
    local names = events.TYPES[number]
    if not system or not names then return end
    before_delivery(world, system, names[1])
    local event = make(world, system, names, json)
    deliver(world, system, event)
    after_delivery(world, system, event)
end

return events
