-- SPDX-License-Identifier: MIT
-- The table a user holds: the verbs of hcs, bound to one world and one flavour
-- (plain or strict).
local class = require "hcs.class"
local doctor = require "hcs.doctor"
local errors = require "hcs.error"
local events = require "hcs.events"
local explain = require "hcs.explain"
local file = require "hcs.file"
local host = require "hcs.host"
local loop = require "hcs.loop"
local operation = require "hcs.operation"
local options = require "hcs.options"
local scope = require "hcs.scope"
local sim = require "hcs.sim"
local systems = require "hcs.systems"
local task = require "hcs.task"
local trace = require "hcs.trace"
local validate = require "hcs.validate"
local vm = require "hcs.doc.vm"
local worlds = require "hcs.world"

require "hcs.lifecycle"
require "hcs.devices"

local facade = {}

-- The worlds behind the tables that users hold.
local worlds_of = setmetatable({}, { __mode = "k" })

--- The world of a table that `new` made.
function facade.world_of(hcs)
    return worlds_of[hcs]
end

-- The verbs that make, open and find systems.
local function add_systems(M, world, strict, ready)
    local function refusal(op, target)
        return operation.refusal(world, { op = op, target = target })
    end

    --- Makes a system: { id, memory, processors, kernel, initrd, cmdline |
    --- firmware, secure_boot, tpm; disks, nics, consoles, shares, dump,
    --- services, debug, restore | template, owner, keep, if_exists =
    --- "fail|open|replace", grant, validate, document }. `document` is laid over
    --- what the options make. The document is checked before it is sent
    --- (validate = false: not), and the files it names are granted to the system
    --- (grant = false: not). Unless keep = true the system ends with its last
    --- handle.
    ---@param given table
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.System? system, hcs.Error? err, string? code
    function M.create(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local plan = systems.plan(world, given)
        local refused = refusal("create", plan.id)
        if refused then return errors.fail(refused) end
        return systems.create_planned(world, strict, plan, loop.deadline(world, timeout))
    end

    --- Makes a system; see create.
    ---@param given table
    ---@return hcs.Operation? op, hcs.Error? err, string? code
    function M.create_async(given)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local plan = systems.plan(world, given)
        local fields = { op = "create", target = plan.id, strict = strict }
        return operation.compose(world, fields, systems.create_planned, world, strict, plan)
    end

    --- Opens a system by its id.
    ---@param id string
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.System? system, hcs.Error? err, string? code
    function M.open(id, timeout)
        options.argument("open", "the id", id, "string")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local refused = refusal("open", id)
        if refused then return errors.fail(refused) end
        return systems.open(world, strict, id, loop.deadline(world, timeout))
    end

    --- Opens a system; see open.
    ---@param id string
    ---@return hcs.Operation? op, hcs.Error? err, string? code
    function M.open_async(id)
        options.argument("open", "the id", id, "string")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return operation.compose(world, { op = "open", target = id, strict = strict },
            systems.open, world, strict, id)
    end

    --- Lists systems, of everybody's: { owner, state, type, id } choose. Returns
    --- records {id, owner, state, type, runtime_id, name, tag, document}, no
    --- handles.
    ---@param given? {owner: string, state: string, type: string, id: string}
    ---@param timeout? number|string seconds, default 240
    ---@return table[]? records, hcs.Error? err, string? code
    function M.list(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local refused = refusal("list")
        if refused then return errors.fail(refused) end
        return systems.list(world, given, loop.deadline(world, timeout))
    end

    M.list_async = operation.async(world, strict, "list",
        function(given) return systems.list(world, given) end, ready)

    --- Terminates systems of ours whose process is dead: { owner, dry_run }
    --- choose. Returns their records.
    ---@param given? {owner: string, dry_run: boolean}
    ---@param timeout? number|string seconds, default 240
    ---@return table[]? records, hcs.Error? err, string? code
    function M.sweep(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        if loop.would_block(world) then
            return loop.failure(world, "would_block", { op = "sweep" })
        end
        return systems.sweep(world, given, loop.deadline(world, timeout))
    end

    M.sweep_async = operation.async(world, strict, "sweep",
        function(given) return systems.sweep(world, given) end, ready)

    --- A scope, which undoes in reverse what it was given, when it is closed.
    ---@return hcs.Scope scope
    function M.scope()
        return scope.new(world, strict, M.create)
    end
end

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
    ---@param seconds number|string
    ---@return true? ok, hcs.Error? err, string? code
    function M.sleep(seconds)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.sleep(world, seconds)
    end

    --- Waits until one of the operations and tasks in a list has ended; returns
    --- it and its key.
    ---@param list table
    ---@param timeout? number|string seconds; no limit unless given
    ---@return hcs.Operation|hcs.Task|nil item, any key, string? code
    function M.wait_any(list, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.wait_any(world, list, timeout)
    end

    --- Waits until all operations and tasks in a list have ended; returns a
    --- table with the first result of each, or the first failure.
    ---@param list table
    ---@param timeout? number|string seconds; no limit unless given
    ---@return table? results, hcs.Error? err, string? code
    function M.wait_all(list, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return task.wait_all(world, list, timeout)
    end
end

-- For programs that own the loop.
local function add_loop(M, world, ready)
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

    --- Moves the host's time by `dt` seconds (no effect on the real clock) and
    --- does what is due on the way, for at most `budget` seconds of real time.
    --- Returns whether all of it was done, and the part of dt that was not.
    ---@param dt? number
    ---@param budget? number
    ---@return boolean? done, number|hcs.Error|nil left, string? code
    function M.step(dt, budget)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        dt = loop.timeout(dt, 0)
        if dt == nil then options.misuse("step: how far? seconds expected") end
        return loop.step(world, dt, loop.timeout(budget, nil))
    end

    --- Pumps until `pred()` holds.
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

    --- A descriptor that is readable when hcs.poll(0) has something to do.
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

    --- Has `fn(event)` called, as a task, for each event of that name of any
    --- system. Returns an object whose `off()` takes the handler back.
    ---@param event string
    ---@param fn fun(event: hcs.Event)
    function M.on(event, fn)
        events.check_name("on", event)
        options.argument("on", "the handler", fn, "function")
        return events.on(world.handlers, event, fn)
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

-- What needs no host, or tells about it.
local function add_knowledge(M, world, strict, ready)
    --- Checks a document as the host would: true, or what is wrong with it.
    ---@param document table
    ---@param type_name? string default "ComputeSystem"
    ---@param given? {build: integer}
    ---@return true? ok, hcs.Error? err, string? code
    function M.validate(document, type_name, given)
        options.argument("validate", "the document", document, "table")
        given = options.check("validate", given, { build = "integer" })
        local build = given.build or world.build
        local ok, fault = validate.check(document, type_name, { build = build })
        if ok then return true end
        return errors.fail({ op = "validate", hresult = 0x8037010D, path = fault.path,
            message = fault.message, hint = "" }, world.core)
    end

    --- Explains an HRESULT in any spelling, a document type or member, a function
    --- of this library, an event or an error.
    ---@param what any
    ---@return hcs.Explanation? explanation, hcs.Error? err, string? code
    function M.explain(what)
        return explain.explain(what, world.core)
    end

    --- Looks what is installed and usable; a list of verdicts that prints as
    --- lines.
    ---@return hcs.Verdict[] report
    function M.doctor()
        return doctor.examine(world)
    end

    --- Raises what a call failed with: hcs.check(vm:start()).
    function M.check(...)
        return errors.check(...)
    end

    --- Writes a line of JSON to `path` for each call of the ABI, completion and
    --- event; nil stops.
    ---@param path? string
    ---@return true? ok, hcs.Error? err, string? code
    function M.trace(path)
        options.argument("trace", "the path", path, "string|nil")
        world.trace_path = path
        if not path then
            trace.stop(world)
            return true
        end
        if not world.api then return ready() end
        return trace.start(world, path)
    end

    --- An integer as the 16 digits of an address.
    ---@param number integer
    ---@return string
    function M.hex(number)
        options.argument("hex", "the number", number, "integer")
        return ("0x%016x"):format(number)
    end

    --- Marks a table as an array, so that it is one in a document even when empty.
    ---@param list? table
    ---@return table list
    function M.array(list)
        return world.core.array(list or {})
    end

    --- Another host's world, which is opened: a table like this one.
    ---@param uri string "sim:?clock=manual&seed=7"
    ---@return table? hcs, hcs.Error? err, string? code
    function M.connect(uri)
        options.argument("connect", "the host", uri, "string")
        local other = worlds.new(uri, world.core)
        local ok, err, code = worlds.open(other)
        if not ok then return nil, err, code end
        return facade.new(other, strict)
    end

    --- Chooses this world's host. What was open is closed.
    ---@param uri string
    ---@return true? ok, hcs.Error? err, string? code
    function M.use(uri)
        return worlds.use(world, uri)
    end

    --- Closes the host: tasks are cancelled, handles closed. The next call opens
    --- it anew. Returns true.
    ---@return true
    function M.close()
        return worlds.close(world)
    end

    M.doctor_async = operation.async(world, strict, "doctor", M.doctor, ready)
end

-- What is there only on some hosts is absent elsewhere, not a stub.
local function add_optional(M, world, strict, ready)
    local functions
    return setmetatable(M, {
        __index = function(_, key)
            if key ~= "sim" or world.kind ~= "sim" then return nil end
            if not functions then
                functions = sim.functions(world, strict, ready)
                if strict then functions = class.strict_table(functions) end
            end
            return functions
        end,
        __tostring = function() return "hcs " .. world.uri end,
        __close = function() worlds.close(world) end,
    })
end

--- The table of a world.
function facade.new(world, strict)
    local function ready() return worlds.open(world) end
    local M = {}
    add_systems(M, world, strict, ready)
    add_tasks(M, world, strict, ready)
    add_loop(M, world, ready)
    add_knowledge(M, world, strict, ready)
    M.file = file.functions(world, strict, ready)
    M.doc = { vm = vm }
    M.null = world.core.null
    M._VERSION = worlds.VERSION
    local about = host.functions(world, strict, ready)
    if strict then
        M = class.strict_table(M)
        M.host = host.strict(about)
    else
        M.host = about
    end
    worlds_of[M] = world
    return add_optional(M, world, strict, ready)
end

return facade
