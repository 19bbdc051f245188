-- SPDX-License-Identifier: MIT
-- The one pump of a world. Everything that waits waits here: inside one of
-- our tasks it yields, anywhere else it drives the host until its condition
-- holds. What the host has to say is taken off its queue here and handed to
-- whoever registered for it (world.sinks).
local errors = require "hcs.error"
local options = require "hcs.options"
local units = require "hcs.units"

local loop = {}

loop.DEADLINE = 240      -- seconds that a call may take unless told otherwise
loop.DEPTH = 32          -- nested pumps, e.g. from a comparison function
local SLACK = 1e-8       -- seconds: below this a time has come
local PARK = {}          -- what our tasks yield

loop.PARK = PARK

--- The host's clock, in seconds.
function loop.now(world)
    return world.now()
end

--- Seconds of a timeout argument: a number, a text with a unit, or the
--- default. math.huge and false mean for ever (nil). `what` (default:
--- "timeout") names it in the message.
function loop.timeout(value, default, what)
    if value == nil then return default end
    if value == false or value == math.huge then return nil end
    local seconds, problem = units.seconds(value)
    if not seconds or seconds ~= seconds or seconds < 0 then
        options.misuse("%s: %s", what or "timeout", problem or "seconds expected, 0 or more")
    end
    return seconds
end

--- The host time at which a timeout ends, or nil for never.
function loop.deadline(world, value, default)
    local seconds = loop.timeout(value, default == nil and loop.DEADLINE or default or nil)
    return seconds and world.now() + seconds
end

-- --- things to wait for ---------------------------------------------------

--- Lets a task run in the next round.
function loop.make_ready(world, task)
    if task.queued or task.finished then return end
    task.queued = true
    local ready = world.ready
    ready.last = ready.last + 1
    ready[ready.last] = task
end

--- Lets everything that waits for `source` look again.
function loop.wake(world, source)
    local waiters = source.waiters
    if not waiters then return end
    for index = 1, #waiters do
        loop.make_ready(world, waiters[index])
    end
end

local function remove(list, item)
    for index = 1, #list do
        if list[index] == item then
            table.remove(list, index)
            return
        end
    end
end

local registration_mt = {
    __close = function(registration)
        for _, source in ipairs(registration.sources) do
            remove(source.waiters, registration.task)
        end
        if registration.timer then
            registration.world.timers:cancel(registration.timer)
        end
    end,
}

local function register(world, task, deadline, sources)
    local registration = setmetatable({ world = world, task = task, sources = sources },
        registration_mt)
    for _, source in ipairs(sources) do
        source.waiters = source.waiters or {}
        table.insert(source.waiters, task)
    end
    if deadline then
        registration.timer = world.timers:set(deadline,
            function() loop.make_ready(world, task) end)
    end
    return registration
end

--- The task that runs now and can be made to wait, or nil.
function loop.current(world)
    local task = world.current
    if task and coroutine.running() == task.co and coroutine.isyieldable() then return task end
    return nil
end

-- --- one round of the pump --------------------------------------------------

--- Resumes what is ready; tasks made ready meanwhile come in the next round,
--- and so does what there is no time for in a step of limited length. Returns
--- whether there were any.
function loop.run_ready(world)
    local ready, finish = world.ready, world.finish
    local last = ready.last
    if ready.first > last then return false end
    while ready.first <= last do
        local task = ready[ready.first]
        ready[ready.first] = nil
        ready.first = ready.first + 1
        task.queued = nil
        task:_resume()
        if finish and world.core.monotonic() >= finish then break end
    end
    return true
end

-- Takes everything off the host's queue.
local function dispatch(world)
    local any = false
    while world.api do
        local kind, a, b, c, d = world.api.next()
        if not kind then break end
        if world.trace_file then world.trace_item(kind, a, b, c, d) end
        world.sinks[kind](world, a, b, c, d)
        any = true
    end
    return any
end

local function serve_descriptors(world, ready)
    local any = false
    for fd in pairs(ready) do
        local stream = world.descriptors[fd]
        if stream then
            stream:_serve()
            any = true
        end
    end
    return any
end

local function descriptors(world)
    if next(world.descriptors) == nil then return nil end
    local wanted = {}
    for fd, stream in pairs(world.descriptors) do wanted[fd] = stream.wants or "r" end
    return wanted
end

local function raise_pending(world)
    if world.faults[1] then error(table.remove(world.faults, 1), 0) end
end

-- Seconds from `now` until a timer or `deadline` is due, or nil.
local function timeout_of(world, deadline, now)
    local limit = world.timers:next()
    if deadline and (not limit or deadline < limit) then limit = deadline end
    if not limit or limit <= now then return limit and 0 end
    return math.max(limit - now, SLACK)
end

-- Waits for the host and deals with what it has to say.
local function pump(world, deadline, now)
    local kind, set, text = world.api.pump(timeout_of(world, deadline, now), descriptors(world))
    if not kind then
        errors.raise(errors.new({ op = "pump", hresult = set, message = text }, world.core))
    end
    local any = set ~= nil and serve_descriptors(world, set)
    any = dispatch(world) or any
    if world.api and world.timers:next() then
        any = world.timers:expire(loop.now(world) + SLACK) or any
    end
    return any
end

local function round(world, deadline, now)
    local any = loop.run_ready(world)
    if not any then
        any = pump(world, deadline, now)
        any = loop.run_ready(world) or any
    end
    raise_pending(world)
    return any
end

--- One round: waits until something happens, at most until host time
--- `deadline` (nil: no limit of ours), and deals with it. Returns whether
--- anything happened.
function loop.round(world, deadline)
    return round(world, deadline, loop.now(world))
end

-- --- waiting ----------------------------------------------------------------

--- Whether a wait for something that needs time would be refused here.
function loop.would_block(world)
    return world.clock == "manual" and not loop.current(world)
end

local function over(world, deadline)
    return deadline and loop.now(world) + SLACK >= deadline
end

local function wait_in_task(world, task, deadline, ready, ...)
    local registration <close> = register(world, task, deadline, { ... })
    while not ready(...) do
        if not world.api then return nil, "closed" end
        if over(world, deadline) then return nil, "timeout" end
        coroutine.yield(PARK)
    end
    return registration and true
end

local nesting_mt = { __close = function(nesting) nesting.depth = nesting.depth - 1 end }

--- What counts a world's waits inside waits.
function loop.nesting()
    return setmetatable({ depth = 0 }, nesting_mt)
end

-- To be held while tasks may run.
local function nest(world)
    local nesting = world.nesting
    if nesting.depth >= loop.DEPTH then
        options.misuse("waits are nested too deep: wait in a task (hcs.spawn) instead")
    end
    nesting.depth = nesting.depth + 1
    return nesting
end

local function has_ready(world)
    return world.ready.first <= world.ready.last
end

-- Whether nobody but the caller wants anything of the pump.
local function is_quiet(world)
    return not world.current and not has_ready(world) and not world.timers:next()
        and next(world.descriptors) == nil
end

-- A round for a caller who is alone: takes what the host has to say at once.
-- Most calls need no more where the host runs in our own thread.
local function glance(world)
    if world.api.pump(0) ~= "queue" then return end
    dispatch(world)
    if not has_ready(world) then return end
    local nesting <close> = nest(world)
    loop.run_ready(world)
    raise_pending(world)
    return nesting
end

-- `ready` has just been asked.
-- Whether virtual time would pass without an end: nothing is due, and nobody
-- else is there to do anything.
local function is_eternity(world)
    return world.clock == "virtual" and world.driver == "step" and not has_ready(world)
        and not world.timers:next() and next(world.descriptors) == nil
        and not (world.api and world.api.timeout())
end

local function wait_by_pumping(world, deadline, ready, ...)
    local nesting <close> = nest(world)
    local manual = world.clock == "manual"
    repeat
        if not world.api then return nil, "closed" end
        local now = world.now()
        if deadline and now + SLACK >= deadline then return nil, "timeout" end
        local any = round(world, manual and now or deadline, now)
        local over_with = ready(...)
        if manual and not any and not over_with then return nil, "would_block" end
        if not (any or over_with or deadline) and is_eternity(world) then return nil, "timeout" end
    until over_with
    return nesting and true
end

--- Waits until `ready(sources...)` holds or host time `deadline` has come. In a
--- task, `ready` is asked again whenever one of the `sources` is woken;
--- elsewhere after each round of the pump. Returns true, or nil and "timeout",
--- "would_block" or "closed".
function loop.wait(world, deadline, ready, ...)
    if ready(...) then return true end
    if not world.api then return nil, "closed" end
    local task = loop.current(world)
    if task then return wait_in_task(world, task, deadline, ready, ...) end
    if is_quiet(world) and not over(world, deadline) then
        glance(world)
        if ready(...) then return true end
    end
    return wait_by_pumping(world, deadline, ready, ...)
end

local LOOK = 0.01 -- seconds between two looks at a condition

--- Waits for a condition that nothing need announce.
function loop.poll_until(world, deadline, ready)
    while true do
        local next_look = loop.now(world) + LOOK
        if deadline and deadline < next_look then next_look = deadline end
        local ok, reason = loop.wait(world, next_look, ready)
        if ok or reason ~= "timeout" then return ok, reason end
        if over(world, deadline) then return nil, "timeout" end
    end
end

--- The error for a wait that ended without its end.
function loop.failure(world, reason, fields)
    if reason == "timeout" then
        fields.hresult = fields.hresult or 0x80370118
        fields.code = "timeout"
        fields.hint = fields.hint or false -- the host's hints are not for it
    else
        fields.code = reason
    end
    return errors.fail(fields, world.core)
end

-- --- a program that owns the loop -------------------------------------------

local ROUNDS = 1000 -- at most, so that a task that only yields cannot hold us up

--- Does what is due without waiting, until `finish` of the real clock at most.
--- Returns whether anything was done.
function loop.settle(world, finish)
    local any = false
    for _ = 1, ROUNDS do
        if not world.api or not loop.round(world, loop.now(world)) then break end
        any = true
        if finish and world.core.monotonic() >= finish then break end
    end
    return any
end

local function step_once(world, remaining, budget, finish)
    local due = world.timers:next()
    local slice = remaining
    if due then slice = math.min(slice, math.max(due - loop.now(world), 0)) end
    slice = math.min(slice, world.api.timeout() or slice)
    local before = loop.now(world)
    world.api.step(slice, budget)
    loop.settle(world, finish)
    return world.api and remaining - (loop.now(world) - before) or 0
end

-- Tasks are resumed until `finish` at most, while this is open.
local function limited(world, finish)
    local before = world.finish
    world.finish = finish
    return setmetatable({}, { __close = function() world.finish = before end })
end

--- Moves host time by `dt` seconds and does what is due on the way, for at
--- most `budget` seconds of real time. Returns whether all of it was done, and
--- the part of dt that was not.
function loop.step(world, dt, budget)
    local real = world.core.monotonic
    local finish = budget and real() + budget
    local guard <close> = limited(world, finish)
    loop.settle(world, finish)
    if not world.api then return true, 0 end
    if world.clock == "real" then
        if world.driver ~= "thread" then world.api.step(0, budget) end
        loop.settle(world, finish)
        return guard and true, 0
    end
    local remaining = dt
    while remaining > SLACK and world.api do
        local left = finish and finish - real()
        if left and left <= 0 then return false, remaining end
        remaining = step_once(world, remaining, left, finish)
    end
    return true, 0
end

--- Seconds until the world wants a round, or nil for only when its descriptor
--- is readable.
function loop.next_timeout(world)
    if world.ready.first <= world.ready.last then return 0 end
    local host = world.api.timeout()
    local timer = world.timers:next()
    if not timer then return host end
    timer = math.max(timer - loop.now(world), 0)
    return host and math.min(host, timer) or timer
end

return loop
