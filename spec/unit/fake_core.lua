-- SPDX-License-Identifier: MIT
-- A stand-in for hcs.core: a host with a clock of its own, whose calls succeed
-- at the next pump unless a spec says otherwise. So specs can make anything
-- fail, and see every call.
local core = require "hcs.core"

local fake = {}

local Handle = { __name = "fake.Handle", __tostring = function(self) return self.kind end }

local function handle(kind, fields)
    fields = fields or {}
    fields.kind = kind
    return setmetatable(fields, Handle)
end

-- Which calls complete through an operation, and where it stands among their
-- arguments.
local OPERATIONS = {
    HcsEnumerateComputeSystems = 2, HcsStartComputeSystem = 2, HcsShutDownComputeSystem = 2,
    HcsTerminateComputeSystem = 2, HcsCrashComputeSystem = 2, HcsPauseComputeSystem = 2,
    HcsResumeComputeSystem = 2, HcsSaveComputeSystem = 2, HcsGetComputeSystemProperties = 2,
    HcsModifyComputeSystem = 2, HcsCreateComputeSystem = 3,
}

local DOCUMENTS = {
    HcsGetComputeSystemProperties = function(system)
        return core.json.encode { Id = system.id, SystemType = "VirtualMachine", Owner = "spec",
            RuntimeId = "00000000-0000-0000-0000-000000000001", State = system.state }
    end,
    HcsEnumerateComputeSystems = function() return "[]" end,
}

--- Makes a fake. Its fields: calls (a list of {name, ...}), fail[name] = hr or
--- {hr, json} in the call, answer[name] = {hr, json} through the operation,
--- hold[name] = true to never complete, time, opened (the uri).
function fake.new(about)
    local self = { calls = {}, fail = {}, answer = {}, hold = {}, due = {}, queue = {}, time = 0,
        systems = {}, granted = {}, about = about or {} }

    local function record(name, ...) table.insert(self.calls, { name, ... }) end

    local function complete(operation)
        if operation.closed then return end
        operation.done = true
        table.insert(self.queue, { "operation", operation })
    end

    -- Has the host's queue say something at a time.
    function self.at(time, ...)
        table.insert(self.due, { time = time, item = table.pack(...) })
        table.sort(self.due, function(a, b) return a.time < b.time end)
    end

    function self.event(system, number, document)
        table.insert(self.queue, { "event", system, number,
            document and core.json.encode(document) })
    end

    local api = { uri = "fake:", library = "fake" }

    for name, place in pairs(OPERATIONS) do
        api[name] = function(...)
            record(name, ...)
            local operation = select(place, ...)
            local failure = self.fail[name]
            if failure then
                if type(failure) == "table" then
                    operation.result = failure
                    return failure[1]
                end
                return failure
            end
            local subject = select(1, ...)
            local made
            if name == "HcsCreateComputeSystem" then
                made = handle("system", { id = subject })
                self.systems[subject] = made
                subject = made
            end
            local document = DOCUMENTS[name]
            operation.result = self.answer[name] or { 0, document and document(subject) or nil }
            if not self.hold[name] then complete(operation) end
            return 0, made
        end
    end

    function api.HcsCreateOperation()
        record "HcsCreateOperation"
        if self.no_operations then return nil end
        return handle "operation"
    end
    function api.HcsCloseOperation(operation)
        record("HcsCloseOperation", operation)
        operation.closed = true
    end
    function api.HcsCancelOperation(operation)
        record("HcsCancelOperation", operation)
        return self.fail.HcsCancelOperation or 0
    end
    function api.HcsGetOperationResult(operation)
        local result = operation.result or { 0x80370115 }
        return result[1], result[2]
    end
    function api.HcsOpenComputeSystem(id)
        record("HcsOpenComputeSystem", id)
        if self.fail.HcsOpenComputeSystem then return self.fail.HcsOpenComputeSystem end
        return 0, handle("system", { id = id })
    end
    function api.HcsCloseComputeSystem(system)
        record("HcsCloseComputeSystem", system)
        system.closed = true
    end
    function api.HcsSetComputeSystemCallback(system)
        record("HcsSetComputeSystemCallback", system)
        return self.fail.HcsSetComputeSystemCallback or 0
    end
    function api.HcsGrantVmAccess(id, path)
        record("HcsGrantVmAccess", id, path)
        local failure = self.fail.HcsGrantVmAccess
        if failure then return failure end
        self.granted[path] = id
        return 0
    end
    function api.HcsRevokeVmAccess(id, path)
        record("HcsRevokeVmAccess", id, path)
        self.granted[path] = nil
        return 0
    end
    function api.now() return self.time end
    function api.describe() return core.json.encode(self.about) end
    function api.inventory() return '{"Handles":0}' end
    function api.pollfd() return 7 end
    function api.timeout()
        if self.queue[1] then return 0 end
        return self.due[1] and math.max(self.due[1].time - self.time, 0) or nil
    end
    function api.next()
        local item = table.remove(self.queue, 1)
        if not item then return nil end
        return table.unpack(item, 1, item.n or 5)
    end

    local function fall_due()
        while self.due[1] and self.due[1].time <= self.time do
            table.insert(self.queue, table.remove(self.due, 1).item)
        end
    end

    -- A virtual clock: waiting moves time.
    function api.pump(timeout)
        fall_due()
        if self.queue[1] then return "queue" end
        local next_due = self.due[1] and self.due[1].time
        local limit = timeout and self.time + timeout
        assert(next_due or limit, "the fake host would wait for ever")
        if self.about.Clock == "Manual" then return "timeout" end
        if next_due and (not limit or next_due <= limit) then
            self.time = next_due
            fall_due()
            return "queue"
        end
        self.time = limit
        return "timeout"
    end
    function api.step(dt)
        self.time = self.time + dt
        fall_due()
        return true, 0
    end
    function api.close()
        record "close"
        self.closed = true
    end

    self.api = api
    self.complete = complete

    -- What hcs.core is to the world.
    self.core = setmetatable({
        open = function(uri)
            self.opened = uri
            if self.fail.open then return nil, self.fail.open, self.open_text end
            return api
        end,
        pid = function() return 4242 end,
        alive = function(pid) return pid == 4242 end,
        started = function(pid) return pid == 4242 and 1 or 0 end,
        boot_id = function() return "this-boot" end,
        monotonic = function() return self.time end,
        cwd = function() return "/work/dir" end,
    }, { __index = core })

    return self
end

--- A world's table on a new fake, whose host has networks if it is asked to; the
--- second result is the fake.
function fake.hcs(about, strict, uri, networks)
    local self = fake.new(about or { Clock = "Virtual", Build = 26100, Driver = "Step" })
    if networks then require("spec.unit.fake_network").add(self) end
    local worlds = require "hcs.world"
    local world = worlds.new(uri or "fake:", self.core)
    self.world = world
    return require("hcs.facade").new(world, strict or false), self
end

--- The names of the calls made, without the bookkeeping.
function fake.names(self)
    local names = {}
    for _, call in ipairs(self.calls) do
        if not call[1]:find("Operation$") then names[#names + 1] = call[1] end
    end
    return names
end

return fake
