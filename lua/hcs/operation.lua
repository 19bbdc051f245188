-- SPDX-License-Identifier: MIT
-- An operation: something the host was asked for that completes later. One
-- object, three faces: wait for it, ask whether it is done, be called.
local class = require "hcs.class"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local options = require "hcs.options"
local task = require "hcs.task"

---@class hcs.Operation
---@field name string the verb: "start"
---@field target? string the system's id
local methods, Operation = class.define "hcs.Operation"
local operation = { class = Operation, methods = methods }

-- What wait returns: `_results` where there are several, else `_result`.
local function unpack_results(self)
    local several = self._results
    if several then return table.unpack(several, 1, several.n) end
    return self._result
end

local function settled(self)
    self._done = true
    loop.wake(self._world, self)
    if not self._on_done then return end
    for _, fn in ipairs(self._on_done) do
        task.spawn(self._world, self._strict, self.name .. " done", fn, unpack_results(self))
    end
    self._on_done = nil
end

local function settle(self, ...)
    self._results = table.pack(...)
    settled(self)
end

local function failure(self, hresult, json)
    return errors.fail({
        op = self.name, target = self.target, hresult = hresult, json = json,
    }, self._world.core)
end

local function failed(hresult)
    return hresult & 0x80000000 ~= 0
end

--- Called when the host says that the operation of `handle` has completed.
function operation.completed(world, handle)
    local self = world.operations[handle]
    if not self then return end
    world.operations[handle] = nil
    self._handle = nil
    local hresult, json = world.api.HcsGetOperationResult(handle)
    world.api.HcsCloseOperation(handle)
    if failed(hresult) then return settle(self, failure(self, hresult, json)) end
    local finish = self._finish
    if finish then self._result = finish(self, json) else self._result = true end
    settled(self)
end

--- Hands an operation to the host. `fields` becomes the operation: name,
--- target, _world, and _finish(operation, json), which turns the result
--- document into what wait returns (default: true). `call(subject, handle,
--- document)` makes the call and returns its HRESULT. Returns the operation, or
--- nil, err, code when the host refused it at once.
function operation.submit(fields, strict, call, subject, document)
    local self = Operation.new(fields, strict)
    local world = self._world
    local handle = world.api.HcsCreateOperation(nil, true)
    if not handle then return failure(self, 0x8007000E) end
    self._handle = handle
    world.operations[handle] = self
    local hresult = call(subject, handle, document)
    if not failed(hresult) then return self end
    world.operations[handle] = nil
    local reason, json = world.api.HcsGetOperationResult(handle)
    world.api.HcsCloseOperation(handle)
    return failure(self, hresult, failed(reason) and json or nil)
end

--- Makes an operation of a function that makes several calls: it runs as a
--- task, at once until it first waits.
function operation.compose(world, fields, fn, ...)
    local self = Operation.new({
        name = fields.op, target = fields.target, _world = world,
    }, fields.strict)
    -- Closed without a result and without an error: it was cancelled.
    local unfinished = setmetatable({}, {
        __close = function(_, err)
            if not self._done and err == nil then settle(self, failure(self, 0x800704C7)) end
        end,
    })
    local function run(...)
        local guard <close> = unfinished
        settle(self, fn(...))
        return guard
    end
    self._task = task.start(world, false, fields.op, run, ...)
    if self._task.finished and not self._done then options.pass_on(self._task.err) end
    return self
end

--- The asynchronous face of a function of a facade. `ready` opens the world.
function operation.async(world, strict, name, fn, ready)
    return function(...)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return operation.compose(world, { op = name, strict = strict }, fn, ...)
    end
end

local function is_done(self)
    return self._done or (self._task and self._task.finished)
end

local function results(self)
    if self._done then return unpack_results(self) end
    return self._task:wait() -- it was cancelled, or raised
end

--- Waits for the operation until host time `deadline`; a wait that ends early
--- asks the host to cancel, and what comes of it is dropped.
function operation.await(self, deadline)
    local ok, reason = loop.wait(self._world, deadline, is_done, self, self._task)
    if ok then return results(self) end
    methods.cancel(self)
    return loop.failure(self._world, reason, { op = self.name, target = self.target })
end

--- The error for a call that would have to wait where nobody may, or nil.
function operation.refusal(world, op, target)
    if world.latency == 0 or not loop.would_block(world) then return nil end
    local _, err = loop.failure(world, "would_block", { op = op, target = target })
    return err
end

--- The blocking face of `submit(...)`, which returns an operation or fails.
--- Nothing is submitted where waiting would be refused.
function operation.face(world, op, target, timeout, submit, ...)
    local deadline = loop.deadline(world, timeout)
    local refused = operation.refusal(world, op, target)
    if refused then return errors.fail(refused) end
    local self, err, code = submit(...)
    if not self then return nil, err, code end
    return operation.await(self, deadline)
end

--- Waits for the result: what the blocking verb returns. A timeout ends the
--- wait and leaves the operation going.
---@param timeout? number|string seconds, default 240
---@return any result, hcs.Error? err, string? code
function methods.wait(self, timeout)
    if self._done then return unpack_results(self) end
    local world = self._world
    local ok, reason = loop.wait(world, loop.deadline(world, timeout), is_done, self, self._task)
    if ok then return results(self) end
    return loop.failure(self._world, reason, { op = self.name, target = self.target })
end

--- Whether it has completed, for better or worse.
---@return boolean
function methods.done(self)
    return self._done or (self._task ~= nil and self._task.finished) or false
end

--- Asks the host to cancel it. It still completes, as cancelled or otherwise.
--- Fails with `unsupported` on hosts that cannot.
---@return true? ok, hcs.Error? err, string? code
function methods.cancel(self)
    if methods.done(self) then return true end
    if self._task then
        task.methods.cancel(self._task)
        return true
    end
    local hresult = self._world.api and self._world.api.HcsCancelOperation(self._handle) or 0
    if not failed(hresult) then return true end
    return errors.fail({ op = "cancel", target = self.name, hresult = hresult }, self._world.core)
end

--- Has `fn` called, as a task, with what wait returns.
---@param fn function
---@return hcs.Operation self
function methods.on_done(self, fn)
    options.argument("on_done", "the handler", fn, "function")
    if self._done then
        task.spawn(self._world, self._strict, self.name .. " done", fn, unpack_results(self))
        return self
    end
    self._on_done = self._on_done or {}
    table.insert(self._on_done, fn)
    return self
end

--- Pollable, for other loops: the world's descriptor (on Windows the number of an
--- event's handle), and its timeout.
---@return integer fd
function methods.pollfd(self)
    return self._world.api.pollfd()
end

--- What to poll the descriptor for.
---@return string events "r"
function methods.events()
    return "r"
end

--- Seconds until somebody should call hcs.poll(0): 0 when it is done.
---@return number? seconds
function methods.timeout(self)
    if methods.done(self) then return 0 end
    return loop.next_timeout(self._world)
end

Operation.meta("__tostring", function(self)
    return ("hcs.Operation %s%s (%s)"):format(self.name,
        self.target and (' "%s"'):format(self.target) or "",
        methods.done(self) and "done" or "pending")
end)

for _, mt in ipairs { Operation.plain, Operation.strict } do mt.plain_wait = methods.wait end

return operation
