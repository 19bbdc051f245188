-- SPDX-License-Identifier: MIT
-- A world: one host and everything of ours that is bound to it. Nothing is
-- opened before the first call that needs the host.
local ending = require "hcs.ending"
local errors = require "hcs.error"
local events = require "hcs.events"
local loop = require "hcs.loop"
local network_events = require "hcs.hcn.events"
local objects = require "hcs.hcn.object"
local operation = require "hcs.operation"
local options = require "hcs.options"
local sets = require "hcs.schema.sets"
local sim = require "hcs.sim"
local task = require "hcs.task"
local timers = require "hcs.timers"
local trace = require "hcs.trace"

local world = {}

local VERSION = "0.1.0"
world.VERSION = VERSION

--- The host that is used unless one is chosen: HCS_HOST, else the platform's
--- own.
function world.default_uri()
    local uri = require("hcs.core").getenv "HCS_HOST"
    if uri and uri ~= "" then return uri end
    return package.config:sub(1, 1) == "\\" and "windows:" or "qemu:"
end

-- The options of a host spec, as texts.
local function options_of(uri)
    local given = {}
    for key, value in (uri:match("%?(.*)$") or ""):gmatch("([^&=]+)=([^&]*)") do
        given[key] = value
    end
    return given
end

-- One thread is enough for Lua, and a host without one of its own is easier
-- to reason about: `step` unless the spec says otherwise.
local function with_driver(uri, kind)
    if not uri:match("^%w+:") then return uri end -- no host: the binding says so
    if kind == "windows" or options_of(uri).driver then return uri end
    return uri .. (uri:find("?", 1, true) and "&" or "?") .. "driver=step"
end

local function reset(self, uri)
    self.uri = uri
    self.kind = uri:match("^(%w+):") or uri
    self.api = nil
    self.operations, self.systems, self.descriptors = {}, {}, {}
    self.tasks, self.guests, self.programs, self.granted = {}, {}, {}, {}
    self.objects, self.network_callback = setmetatable({}, { __mode = "k" }), nil
    self.ready = { first = 1, last = 0 }
    self.timers, self.ending = timers.new(), ending.new()
    self.faults, self.handlers = {}, {}
    self.nesting = loop.nesting()
    self.sequence, self.latency = 0, 0
    self.current, self.finish = nil, nil
    self.on_error = nil
    self.trace_item = function() end
end

-- Documents as text, members in the schema's order where the type is known. A
-- value that no document can hold is the caller's mistake.
local function encoder(core)
    return function(value, type_name)
        local t, set = sets.find(type_name)
        local text, problem = core.json.encode(value, t and t.name, t and set)
        if text then return text end
        options.misuse("%s: %s", problem.path or "$", problem.message)
    end
end

local function decoder(core)
    return function(text)
        if text == nil or text == "" then return nil end
        return (core.json.decode(text))
    end
end

local SINKS = {
    operation = operation.completed,
    event = events.arrived,
    guest = sim.arrived,
    network = network_events.arrived,
}

--- Makes a world for a host spec (default: default_uri()). `core` stands in
--- for hcs.core.
function world.new(uri, core)
    core = core or require "hcs.core"
    local self = {
        core = core, sinks = SINKS, encode = encoder(core), decode = decoder(core),
    }
    reset(self, uri or world.default_uri())
    return self
end

local function seconds(text)
    local number, unit = (text or "0"):match("^([%d.]+)(%a*)$")
    local scale = { [""] = 1e-9, ns = 1e-9, us = 1e-6, ms = 1e-3, s = 1 }
    return (tonumber(number) or 0) * (scale[unit or ""] or 1)
end

local function describe(self)
    local api = self.api
    local about = self.decode(api.describe and api.describe()) or {}
    local given = options_of(self.uri)
    self.about = about
    self.build = about.Build
    self.clock = (about.Clock or "real"):lower()
    self.driver = (about.Driver or "thread"):lower()
    self.latency = seconds(given.latency)
    self.now = api.now or self.core.monotonic
end

--- Opens the host unless it is open. Returns true, or nil, err, code.
function world.open(self)
    if self.api then return true end
    local api, hresult, text = self.core.open(with_driver(self.uri, self.kind))
    if not api then
        local is_json = type(text) == "string" and text:match("^%s*{")
        return errors.fail({
            op = "host", target = self.uri, hresult = hresult,
            json = is_json and text or nil, message = not is_json and text or nil,
        }, self.core)
    end
    self.api = api
    describe(self)
    if self.trace_path then
        local ok, err, code = trace.start(self, self.trace_path)
        if not ok then return nil, err, code end
    end
    return true
end

local function snapshot(set)
    local list = {}
    for item in pairs(set) do list[#list + 1] = item end
    return list
end

--- Closes the host and all that is bound to it: tasks are cancelled, handles
--- closed. Whatever waits fails with `closed`.
function world.close(self)
    for _, one in ipairs(snapshot(self.tasks)) do
        if coroutine.running() ~= one.co then task.methods.cancel(one) end
    end
    if not self.api then return true end
    local systems = {}
    for _, one in pairs(self.systems) do systems[#systems + 1] = one end
    table.sort(systems, function(a, b) return a.id < b.id end)
    for _, one in ipairs(systems) do one:close() end
    objects.close_all(self)
    network_events.stop(self)
    local api = self.api
    self.api = nil
    trace.stop(self)
    api.close()
    for _, one in pairs(self.operations) do loop.wake(self, one) end
    return true
end

--- Closes the host and chooses another, which is opened.
function world.use(self, uri)
    options.argument("use", "the host", uri, "string")
    world.close(self)
    reset(self, uri)
    return world.open(self)
end

return world
