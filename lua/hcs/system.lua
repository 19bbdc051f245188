-- SPDX-License-Identifier: MIT
-- A compute system: what one of its handles lets a script see and wait for.
-- The verbs that change it are in hcs.lifecycle and hcs.devices.
local class = require "hcs.class"
local ending = require "hcs.ending"
local errors = require "hcs.error"
local events = require "hcs.events"
local grants = require "hcs.grants"
local loop = require "hcs.loop"
local nics = require "hcs.hcn.nics"
local operation = require "hcs.operation"
local options = require "hcs.options"
local owner = require "hcs.owner"

---@class hcs.System
---@field id string
---@field owner string who made it, as given to create
---@field runtime_id string a GUID
---@field warnings string[] what is doubtful in its document, a sentence each; none when opened
local methods, System = class.define "hcs.System"
local system = { class = System, methods = methods }

system.STATES = { "Created", "Running", "Paused", "Stopped", "SavedAsTemplate" }

-- Worlds with open systems, which no garbage collection may end.
system.pinned = {}

--- Takes a handle out of its world's table.
function system.forget(world, handle)
    world.systems[handle] = nil
    if next(world.systems) == nil then system.pinned[world] = nil end
end

--- Wraps a handle. `fields`: id, handle, document, grants, nics, warnings, keep.
function system.new(world, strict, fields)
    local self = System.new({
        id = fields.id, warnings = fields.warnings or {},
        _world = world, _handle = fields.handle, _document = fields.document,
        _grants = fields.grants or {}, _keep = fields.keep, _created = fields.created,
        _grant = fields.grant, _nics = fields.nics or {},
        _handlers = {}, _watchers = {}, _unheard = {}, _consoles = {},
    }, strict)
    world.systems[fields.handle] = self
    system.pinned[world] = true
    return self
end

--- Takes over what the host tells about a system.
function system.describe(self, properties)
    self.owner = owner.name(properties.Owner or "")
    self.runtime_id = properties.RuntimeId
    self._last_state = properties.State or "Created"
end

--- Raises when the system was closed, or is none: vm.start() for vm:start().
function system.live(self)
    local mt = getmetatable(self) -- every call comes by here: System.is, in line
    if mt ~= System.strict and mt ~= System.plain then
        options.misuse("a system expected, got %s: methods go with a colon, vm:start()",
            self == nil and "nothing" or "a " .. type(self))
    end
    if self._closed then options.misuse('system "%s" is closed', self.id) end
    return self
end

--- Submits a call of the form api(handle, operation, options). The `finish` of
--- its operation finds the system as operation._system.
function system.submit(self, op, name, json, finish)
    local world = system.live(self)._world
    local call = world.api[name]
    if not call then
        return errors.fail({ op = op, target = self.id, hresult = 0x8007007F,
            message = ("build %s has no %s"):format(world.build or "?", name) }, world.core)
    end
    -- All that an operation will hold, so that the table need not grow.
    return operation.submit({
        name = op, target = self.id, _system = self, _world = world, _finish = finish,
        _strict = self._strict, _handle = false, _done = false, _result = false,
    }, self._strict, call, self._handle, json)
end

--- The blocking face of a method that returns an operation.
function system.face(self, op, timeout, submit, ...)
    return operation.face(system.live(self)._world, op, self.id, timeout, submit, self, ...)
end

-- --- asking -------------------------------------------------------------------

-- "process_list" -> "ProcessList"; the platform's own spelling stays.
local function property_name(name)
    if not name:match("^%l") then return name end
    return (("_" .. name):gsub("_(%l)", string.upper))
end

local function query_of(self, ...)
    local world = self._world
    local first = ...
    if first == nil then return nil end
    if type(first) == "table" then return world.encode(first, "System_PropertyQuery") end
    local names = {}
    for index = 1, select("#", ...) do
        local name = options.argument("properties", "a property", select(index, ...), "string")
        names[index] = property_name(name)
    end
    return world.encode({ PropertyTypes = names }, "System_PropertyQuery")
end

local function read_properties(op, json)
    local document = op._world.decode(json) or {}
    document.State = document.State or "Created"
    return document
end

--- Asks for properties; see properties.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.properties_async(self, ...)
    system.live(self)
    local query = query_of(self, ...)
    return system.submit(self, "properties", "HcsGetComputeSystemProperties", query,
        read_properties)
end

--- Asks for properties by name ("memory", "Statistics") or by a query
--- document, with a timeout last. Returns the platform's document.
---@param ... string|table|number
---@return table? document, hcs.Error? err, string? code
function methods.properties(self, ...)
    local arguments = table.pack(...)
    local timeout
    local last = arguments[arguments.n]
    if type(last) == "number" or type(last) == "string" and last:match("^%s*%.?%d") then
        timeout = arguments[arguments.n]
        arguments.n = arguments.n - 1
    end
    return system.face(self, "properties", timeout, methods.properties_async,
        table.unpack(arguments, 1, arguments.n))
end

local function read_state(op, json)
    local document = op._world.decode(json) or {}
    local state = document.State or document.Stopped and "Stopped" or "Created"
    op._system._last_state = state
    return state
end

--- Asks for the state.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.state_async(self)
    return system.submit(self, "state", "HcsGetComputeSystemProperties", nil, read_state)
end

--- The state: "Created", "Running", "Paused", "Stopped" or "SavedAsTemplate".
---@param timeout? number|string seconds, default 240
---@return string? state, hcs.Error? err, string? code
function methods.state(self, timeout)
    return system.face(self, "state", timeout, methods.state_async)
end

-- --- events ---------------------------------------------------------------------

--- Has `fn(event)` called, as a task, for each event of that name. Returns an
--- object whose `off()` takes the handler back.
---@param event string "exited", "crash", "crash_initiated", "crash_report" …
---@param fn fun(event: hcs.Event)
---@return hcs.Handler handler
function methods.on(self, event, fn)
    events.check_name("on", event)
    options.argument("on", "the handler", fn, "function")
    return events.on(system.live(self)._handlers, event, fn)
end

-- Nothing more will come: it was closed, has exited or lost the service.
local function gone(self)
    return self._closed or self._exit or self._lost
end

local function stop_watching(self, watcher)
    for index, one in ipairs(self._watchers) do
        if one == watcher then
            table.remove(self._watchers, index)
            return
        end
    end
end

--- Iterates over events as they come, of the given names or of all; ends when
--- the system has exited, was closed or lost the compute service.
---@param ... string names of events
---@return fun(): hcs.Event?
function methods.watch(self, ...)
    local world = system.live(self)._world
    local names = {}
    for _, name in ipairs(select("#", ...) > 0 and { ... } or events.NAMES) do
        names[events.check_name("watch", name)] = true
    end
    local watcher = { names = names, queue = {} }
    table.insert(self._watchers, watcher)
    local guard = setmetatable({}, { __close = function() stop_watching(self, watcher) end })
    local function next_event()
        local ok, reason = loop.wait(world, nil, function()
            return watcher.queue[1] or gone(self)
        end, self)
        if not ok and self._strict then
            local _, err = loop.failure(world, reason, { op = "watch", target = self.id })
            errors.raise(err)
        end
        return table.remove(watcher.queue, 1)
    end
    return next_event, nil, nil, guard
end

local function unheard(self, name)
    if name == "exited" then return self._exit end
    local list = self._unheard[name]
    return list and table.remove(list, 1)
end

--- The error of a wait for a system that has ended or was closed.
function system.ended(self, op)
    local world = self._world
    if self._closed then
        return errors.fail({ op = op, target = self.id, code = "closed" }, world.core)
    end
    local hresult = self._exit and 0x80370110 or 0x8037011E
    return errors.fail({ op = op, target = self.id, hresult = hresult }, world.core)
end

--- Waits for an event and returns it or fails; an event that came before and
--- was not waited for counts.
function system.wait_event(self, name, deadline)
    local world = self._world
    local event
    local ok, reason = loop.wait(world, deadline, function()
        event = event or unheard(self, name)
        return event or gone(self)
    end, self)
    if event then return event end
    if ok then return system.ended(self, "wait") end
    return loop.failure(world, reason, { op = "wait", target = self.id,
        message = reason == "timeout" and ("no event %q in time"):format(name) or nil })
end

local STATE_INTERVAL = 0.1 -- seconds between two looks at another's doing

local function wait_state(self, wanted, deadline)
    local world = self._world
    while true do
        local state, err, code = methods.state(self)
        if not state then return nil, err, code end
        if state == wanted then return state end
        if self._exit then return system.ended(self, "wait") end
        local until_time = loop.now(world) + STATE_INTERVAL
        if deadline and deadline < until_time then until_time = deadline end
        local ok, reason = loop.wait(world, until_time, function() return gone(self) end, self)
        if self._closed then return system.ended(self, "wait") end
        if not ok and (reason ~= "timeout" or loop.now(world) >= (deadline or math.huge)) then
            return loop.failure(world, reason, { op = "wait", target = self.id,
                message = reason == "timeout" and ("it is %s, not %s"):format(state, wanted)
                    or nil })
        end
    end
end

local function state_named(name)
    for _, state in ipairs(system.STATES) do
        if state:lower() == name:lower():gsub("_", "") then return state end
    end
    return nil
end

--- Waits for an event ("exited", "crash") or a state ("Paused"). Returns the
--- event or the state; fails with `stopped` when the system exits instead, and
--- with `service_lost` when the compute service goes away.
---@param what string an event's name or a state's
---@param timeout? number|string seconds, default 240
---@return hcs.Event|string? found, hcs.Error? err, string? code
function methods.wait(self, what, timeout)
    local world = system.live(self)._world
    options.argument("wait", "what to wait for", what, "string")
    local state = state_named(what)
    if not state then events.check_name("wait", what) end
    local deadline = loop.deadline(world, timeout)
    if state then return wait_state(self, state, deadline) end
    return system.wait_event(self, what, deadline)
end

-- --- the end ----------------------------------------------------------------------

local function revoke(self)
    local give_up = self._keep and not self._exit and grants.leave or grants.undo
    give_up(self._world, self.id, self._grants)
    self._grants = {}
end

--- Ends this handle, and with the last one the system, unless it was created
--- with keep = true. What waits on it fails with `closed`. Returns true, also
--- when it was closed.
---@return true
function methods.close(self)
    if self._closed then return true end
    self._closed = true
    local world = self._world
    if self._crash and self._crash.timer then world.timers:cancel(self._crash.timer) end
    for _, console in pairs(self._consoles) do console:close() end
    if world.api then
        world.api.HcsCloseComputeSystem(self._handle)
        system.forget(world, self._handle)
        if self._created and not self._keep then ending.note(world, self.id) end
        revoke(self)
        if not self._keep or self._exit then nics.release(world, self._nics) end
    end
    loop.wake(world, self)
    return true
end

System.meta("__close", function(self) methods.close(self) end)

System.meta("__tostring", function(self)
    local state = self._closed and "closed" or self._exit and "stopped" or self._lost and "lost"
        or self._last_state and self._last_state:lower() or "?"
    return ('hcs.System "%s" (%s)'):format(self.id, state)
end)

return system
