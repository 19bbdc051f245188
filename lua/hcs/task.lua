-- SPDX-License-Identifier: MIT
-- Tasks: coroutines that a world's pump resumes. Blocking calls made in a task
-- let the others run.
local class = require "hcs.class"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local options = require "hcs.options"

---@class hcs.Task
local methods, Task = class.define "hcs.Task"
local task = { class = Task, methods = methods }

-- What a task that cancels itself raises.
local CANCEL = setmetatable({}, { __tostring = function() return "cancelled" end })

local function cancelled(self)
    return errors.new({ op = "task", target = self.name, hresult = 0x800704C7 }, self._world.core)
end

-- A mistake in a task nobody waits for must not get lost: it goes to the
-- handler the user has set, else the pump raises it.
local function report(self)
    local world = self._world
    local fault = type(self.err) == "string" and self.traceback or self.err
    if world.on_error then
        local ok, err = pcall(world.on_error, self.err, self.traceback)
        if ok then return end
        fault = err
    end
    table.insert(world.faults, fault)
end

local function finish(self, results)
    self.finished = true
    self._results = results
    self._world.tasks[self] = nil
    loop.wake(self._world, self)
end

local function fail(self, err)
    if err == CANCEL then
        self._cancelled = true
        return finish(self, table.pack(errors.fail(cancelled(self))))
    end
    self.err = err
    self.traceback = errors.is_error(err) and err.traceback
        or debug.traceback(self.co, tostring(err))
    finish(self, table.pack(nil, err))
    if not self.joined and not (self.waiters and #self.waiters > 0) then report(self) end
end

local function after(self, ok, ...)
    if coroutine.status(self.co) == "dead" then
        if ok then return finish(self, table.pack(...)) end
        return fail(self, (...))
    end
    if self._cancelling then
        self._cancelling = nil
        methods.cancel(self)
    elseif (...) ~= loop.PARK then
        loop.make_ready(self._world, self) -- a coroutine.yield of the user's own
    end
end

-- Called by the loop.
function methods._resume(self)
    if self.finished then return end
    local world = self._world
    local previous = world.current
    world.current = self
    local arguments = self._arguments
    self._arguments = nil
    local function back(...)
        world.current = previous
        return ...
    end
    if arguments then
        after(self, back(coroutine.resume(self.co, table.unpack(arguments, 1, arguments.n))))
    else
        after(self, back(coroutine.resume(self.co)))
    end
end

--- Makes a task that starts in the next round of the pump.
function task.spawn(world, strict, name, fn, ...)
    local self = Task.new({
        co = coroutine.create(fn), name = name, _world = world, _arguments = table.pack(...),
    }, strict)
    world.tasks[self] = true
    loop.make_ready(world, self)
    return self
end

--- Makes a task that runs at once until it first waits. What it raises until
--- then is the caller's business: `err`.
function task.start(world, strict, name, fn, ...)
    local self = Task.new({
        co = coroutine.create(fn), name = name, _world = world, _arguments = table.pack(...),
        joined = true,
    }, strict)
    world.tasks[self] = true
    self:_resume()
    self.joined = nil
    return self
end

local function results(self)
    if self.err == nil then return table.unpack(self._results, 1, self._results.n) end
    if errors.is_error(self.err) then return errors.fail(self.err) end
    error(type(self.err) == "string" and self.traceback or self.err, 0)
end

--- Waits for the task's end and returns what its function returned. An error
--- object it raised is returned as nil, err; anything else it raised is raised.
---@param timeout? number|string seconds; no limit unless given
---@return any ...
function methods.wait(self, timeout)
    if self.finished then return results(self) end
    if coroutine.running() == self.co then options.misuse("wait: a task cannot await itself") end
    self.joined = true
    local world = self._world
    local ok, reason = loop.wait(world, world.api and loop.deadline(world, timeout, false),
        function() return self.finished end, self)
    if ok then return results(self) end
    self.joined = nil
    return loop.failure(world, reason, { op = "wait", target = self.name })
end

--- Whether the task has ended.
---@return boolean
function methods.done(self)
    return self.finished or false
end

--- Ends the task where it waits; what it holds with <close> is closed. Waiters
--- get a `cancelled` error. Returns true, also when it had ended.
---@return true
function methods.cancel(self)
    if self.finished then return true end
    local status = coroutine.status(self.co)
    if status == "suspended" then
        local ok, err = coroutine.close(self.co)
        fail(self, ok and CANCEL or err)
    elseif coroutine.running() == self.co then
        error(CANCEL, 0)
    else
        self._cancelling = true
    end
    return true
end

--- Pollable, for other loops: the world's descriptor, and its timeout.
---@return integer fd
function methods.pollfd(self)
    return self._world.api.pollfd()
end

--- What to poll the descriptor for.
---@return string events "r"
function methods.events()
    return "r"
end

--- Seconds until somebody should call hcs.poll(0): 0 when the task has ended.
---@return number? seconds
function methods.timeout(self)
    if self.finished then return 0 end
    return loop.next_timeout(self._world)
end

Task.meta("__tostring", function(self)
    return ('hcs.Task "%s" (%s)'):format(self.name,
        not self.finished and "running" or self._cancelled and "cancelled"
        or self.err ~= nil and "failed" or "done")
end)

-- --- several at once ----------------------------------------------------------

local function check_list(world, what, list)
    options.argument(what, "the list", list, "table")
    for _, item in pairs(list) do
        local done = type(item) == "table" and item.done
        if type(done) ~= "function" then
            options.misuse("%s: a list of operations and tasks expected", what)
        elseif item._world ~= world then
            options.misuse("%s: %s is of another world, which stands still here", what,
                tostring(item))
        end
    end
end

local function sorted_keys(list)
    local keys = {}
    for key in pairs(list) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b)
        if math.type(a) and math.type(b) then return a < b end
        return tostring(a) < tostring(b)
    end)
    return keys
end

local function sources_of(list, keys)
    local sources = {}
    for index, key in ipairs(keys) do sources[index] = list[key] end
    return table.unpack(sources)
end

--- Waits until one of the operations and tasks in `list` has ended. Returns it
--- and its key.
function task.wait_any(world, list, timeout)
    check_list(world, "wait_any", list)
    if next(list) == nil then options.misuse("wait_any: the list is empty") end
    local keys = sorted_keys(list)
    local found
    local function ready()
        for _, key in ipairs(keys) do
            if list[key]:done() then
                found = key
                return true
            end
        end
        return false
    end
    local ok, reason = loop.wait(world, loop.deadline(world, timeout, false), ready,
        sources_of(list, keys))
    if not ok then return loop.failure(world, reason, { op = "wait_any" }) end
    return list[found], found
end

--- Waits until all have ended. Returns a table with the first result of each
--- under its key, or the first failure.
function task.wait_all(world, list, timeout)
    check_list(world, "wait_all", list)
    local keys = sorted_keys(list)
    for _, key in ipairs(keys) do list[key].joined = true end
    local ok, reason = loop.wait(world, loop.deadline(world, timeout, false), function()
        for _, key in ipairs(keys) do
            if not list[key]:done() then return false end
        end
        return true
    end, sources_of(list, keys))
    if not ok then return loop.failure(world, reason, { op = "wait_all" }) end
    local all = {}
    for _, key in ipairs(keys) do
        local item = list[key]
        local first, err, code = getmetatable(item).plain_wait(item)
        if first == nil and errors.is_error(err) then return nil, err, code end
        all[key] = first
    end
    return all
end

for _, mt in ipairs { Task.plain, Task.strict } do mt.plain_wait = methods.wait end

--- Waits.
function task.sleep(world, seconds)
    options.argument("sleep", "the time", seconds, "number|string")
    seconds = loop.timeout(seconds, nil, "sleep")
    local deadline = seconds and loop.now(world) + seconds
    local ok, reason = loop.wait(world, deadline, function() return false end)
    if ok or reason == "timeout" then return true end
    return loop.failure(world, reason, { op = "sleep" })
end

return task
