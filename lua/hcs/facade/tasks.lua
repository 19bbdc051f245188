-- SPDX-License-Identifier: MIT
-- The verbs of hcs that run tasks, wait, and drive the world.
local events = require "hcs.events"
local loop = require "hcs.loop"
local network_events = require "hcs.hcn.events"
local options = require "hcs.options"
local task = require "hcs.task"

-- What runs tasks and waits.
local function add_tasks(M, world, strict, ready)
    --- Makes a task of `fn(...)`. It starts with the next wait, poll or step.
    ---@param fn function
    ---@return hcs.Task? task, hcs.Error? err, string? code
    function M.spawn(fn, ...)
        options.argument("spawn", "the function", fn, "function")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.spawn(world, strict, "task", fn, ...)
    end

    --- Runs `fn(...)` as a task until it returns, and returns what it does.
    ---@param fn function
    ---@return any ...
    function M.run(fn, ...)
        options.argument("run", "the function", fn, "function")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        if loop.would_block(world) then
            return loop.failure(world, "would_block", { op = "run" })
        end
        return task.methods.wait(task.spawn(world, strict, "run", fn, ...), math.huge)
    end

    --- Waits for a time of the host's clock.
    ---@param seconds number|string seconds
    ---@return true? ok, hcs.Error? err, string? code
    function M.sleep(seconds)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.sleep(world, seconds)
    end

    --- Waits until one of the operations and tasks in a list has ended; returns
    --- it and its key.
    ---@param list table<any, hcs.Operation|hcs.Task>
    ---@param timeout? number|string seconds; no limit unless given
    ---@return hcs.Operation|hcs.Task|nil item, any key_or_err, string? code
    function M.wait_any(list, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.wait_any(world, list, timeout)
    end

    --- Waits until all operations and tasks in a list have ended; returns a
    --- table with the first result of each, or the first failure.
    ---@param list table<any, hcs.Operation|hcs.Task>
    ---@param timeout? number|string seconds; no limit unless given
    ---@return table? results, hcs.Error? err, string? code
    function M.wait_all(list, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.wait_all(world, list, timeout)
    end
end

-- For programs that own the loop.
local function add_steps(M, world, ready)
    --- Deals with what has happened, and waits for something to happen for at
    --- most `timeout` seconds. Returns whether anything did.
    ---@param timeout? number|string seconds, default 0
    ---@return boolean? any, hcs.Error? err, string? code
    function M.poll(timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local deadline = loop.deadline(world, timeout, 0)
        if loop.settle(world) then return true end
        if not deadline or deadline > loop.now(world) then
            local any = loop.round(world, deadline)
            return loop.settle(world) or any
        end
        return false
    end

    --- Moves the host's time by `dt` seconds (not on the real clock) and does what
    --- is due on the way, for at most `budget` seconds of real time. Returns whether
    --- all of it was done, and the part of dt that was not.
    ---@param dt? number|string seconds, default 0
    ---@param budget? number|string seconds; no limit unless given
    ---@return boolean? done, number|hcs.Error|nil left, string? code
    function M.step(dt, budget)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        dt = loop.timeout(dt, 0, "step")
        if dt == nil then options.misuse("step: how far? seconds expected") end
        return loop.step(world, dt, loop.timeout(budget, nil, "step: budget"))
    end
end

local function add_polling(M, world, ready)
    --- Pumps until `pred()` holds, which is asked again and again.
    ---@param pred fun(): any
    ---@param timeout? number|string seconds, default 240
    ---@return true? ok, hcs.Error? err, string? code
    function M.run_until(pred, timeout)
        options.argument("run_until", "the condition", pred, "function")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local held, reason = loop.poll_until(world, loop.deadline(world, timeout), pred)
        if held then return true end
        return loop.failure(world, reason, { op = "run_until" })
    end

    --- A descriptor that is readable when hcs.poll(0) has something to do; on
    --- Windows the number of an event's handle.
    ---@return integer? fd, hcs.Error? err, string? code
    function M.pollfd()
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return world.api.pollfd()
    end

    --- What to poll the descriptor for.
    ---@return string events "r"
    function M.events()
        return "r"
    end

    --- Seconds until hcs.poll(0) should be called though the descriptor is not
    --- readable; nil for never.
    ---@return number? seconds, hcs.Error? err, string? code
    function M.timeout()
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return loop.next_timeout(world)
    end
end

-- Names of events of systems and of networks.
local NAMES = table.move(network_events.NAMES, 1, #network_events.NAMES, #events.NAMES + 1,
    { table.unpack(events.NAMES) })

local function add_handlers(M, world, ready)
    --- Has `fn(event)` called, as a task, for each event of that name of any
    --- system, or of networks and namespaces, whoever made them. Returns an object
    --- whose `off()` takes the handler back. Fails only for networks' events, which
    --- the host has to be asked for.
    ---@param event string its name
    ---@param fn fun(event: hcs.Event)
    ---@return hcs.Handler? handler, hcs.Error? err, string? code
    function M.on(event, fn)
        options.one_of("on", "the event", event, NAMES)
        options.argument("on", "the handler", fn, "function")
        if not network_events.is_name(event) then return events.on(world.handlers, event, fn) end
        local ok, err, code = ready()
        if ok then ok, err, code = network_events.listen(world) end
        if not ok then return nil, err, code end
        return events.on(world.handlers, event, fn, function()
            network_events.rest(world)
        end)
    end

    --- Has `fn(err, traceback)` called for errors in handlers and in tasks that
    --- nobody waits for. Without it the pump raises them. nil takes it back.
    ---@param fn? fun(err: any, traceback: string)
    ---@return true
    function M.on_error(fn)
        options.argument("on_error", "the handler", fn, "function|nil")
        world.on_error = fn
        return true
    end
end

return function(M, world, strict, ready)
    add_tasks(M, world, strict, ready)
    add_steps(M, world, ready)
    add_polling(M, world, ready)
    add_handlers(M, world, ready)
end
