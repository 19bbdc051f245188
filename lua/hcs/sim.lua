-- SPDX-License-Identifier: MIT
-- hcs.sim: what only a simulated host can do. Programs for its guests: a
-- program is a function that runs as a task for as long as its guest does. The
-- compute service, which stops and starts.
local errors = require "hcs.error"
local loop = require "hcs.loop"
local operation = require "hcs.operation"
local options = require "hcs.options"
local task = require "hcs.task"

local sim = {}

-- What the program waits in when its guest has ended: until it is cancelled.
local function park(world)
    loop.wait(world, nil, function() return false end)
end

local function act(guest, action, text)
    guest.world.api.guest_act(guest.number, action, text)
end

local function wake_at(guest, deadline)
    local world = guest.world
    guest.world.api.guest_wake(guest.number, math.max(deadline - loop.now(world), 0))
    guest.woken = false
end

local PANIC = { log = "string" }

-- What a program is given. Its time is the guest's: it stands still while the
-- system is paused.
local function add_talk(g, guest)
    local world = guest.world

    --- Prints a line on the first serial port, or on another.
    ---@param text any
    ---@param port? integer 1 (default) for COM1, 2 for COM2
    function g.print(text, port)
        world.api.guest_print(guest.number, (port or 1) - 1, tostring(text) .. "\n")
    end

    --- Prints text as it is.
    ---@param text string
    ---@param port? integer 1 (default) for COM1, 2 for COM2
    function g.write(text, port)
        world.api.guest_print(guest.number, (port or 1) - 1, tostring(text))
    end

    --- Waits, for a time of the guest's: a pause does not count.
    ---@param seconds number|string seconds
    function g.sleep(seconds)
        wake_at(guest, loop.now(world) + loop.timeout(seconds, 0))
        loop.wait(world, nil, function() return guest.woken end, guest)
    end

    --- Waits for bytes on a serial port and returns them; nil when none came
    --- in time.
    ---@param timeout? number|string seconds, default: for ever
    ---@return string? bytes
    function g.input(timeout)
        local limit = loop.timeout(timeout, nil)
        if limit then wake_at(guest, loop.now(world) + limit) end
        loop.wait(world, nil, function()
            return guest.typed ~= "" or (limit and guest.woken)
        end, guest)
        local bytes = guest.typed
        guest.typed = ""
        return bytes ~= "" and bytes or nil
    end
end

local function add_ends(g, guest)
    local world = guest.world

    --- Switches the machine off.
    function g.poweroff()
        act(guest, "poweroff")
        park(world)
    end

    --- Resets the machine: the program starts anew.
    function g.reboot()
        act(guest, "reboot")
        park(world)
    end

    --- Panics, with the kernel's last words as log.
    ---@param given? {log: string}
    function g.panic(given)
        given = options.check("panic", given, PANIC)
        act(guest, "panic", given.log)
        park(world)
    end

    --- Resets the machine by a triple fault.
    function g.triple_fault()
        act(guest, "triplefault")
        park(world)
    end

    --- Answers nothing any more; an NMI still arrives.
    function g.hang()
        act(guest, "hang")
        park(world)
    end
end

local function add_rest(g, guest)
    --- Does what the built-in guest would do now: at the start, boot and obey
    --- its console.
    function g.default()
        act(guest, "default")
    end

    --- Has `fn` called, as a task, on the power button instead of powering off.
    ---@param fn function
    function g.on_power(fn) guest.on_power = fn end

    --- Has `fn` called, as a task, on an NMI instead of what the built-in guest
    --- does.
    ---@param fn function
    function g.on_nmi(fn) guest.on_nmi = fn end
end

local function make_g(guest)
    local g = { id = guest.id }
    add_talk(g, guest)
    add_ends(g, guest)
    add_rest(g, guest)
    return g
end

-- --- from the host's queue ----------------------------------------------------------

local function run_program(guest, program)
    guest.g = make_g(guest)
    guest.task = task.spawn(guest.world, false, "guest " .. tostring(guest.id), program, guest.g)
end

local function stop_program(guest)
    if guest.task then task.methods.cancel(guest.task) end
    guest.task = nil
end

local EVENTS = {}

function EVENTS.boot(world, number, id)
    local guest = world.guests[number]
    if guest then stop_program(guest) end
    guest = { world = world, number = number, id = id or guest and guest.id, typed = "" }
    local program = world.programs[guest.id] or world.programs[""]
    if not program then return end
    world.guests[number] = guest
    run_program(guest, program)
end

function EVENTS.wake(world, number)
    local guest = world.guests[number]
    if not guest then return end
    guest.woken = true
    loop.wake(world, guest)
end

function EVENTS.input(world, number, text)
    local guest = world.guests[number]
    if not guest then return end
    guest.typed = guest.typed .. (text or "")
    loop.wake(world, guest)
end

local function handle(world, number, handler)
    local guest = world.guests[number]
    if not guest then return end
    local fn = guest[handler]
    if fn then
        task.spawn(world, false, handler .. " " .. tostring(guest.id), fn, guest.g)
    else
        act(guest, "default")
    end
end

function EVENTS.power(world, number) handle(world, number, "on_power") end

function EVENTS.nmi(world, number) handle(world, number, "on_nmi") end

function EVENTS.off(world, number)
    local guest = world.guests[number]
    if not guest then return end
    world.guests[number] = nil
    stop_program(guest)
end

--- Takes a guest's item off the host's queue.
function sim.arrived(world, number, event, text)
    local handler = EVENTS[event]
    if handler then handler(world, number, text) end
end

-- What becomes of the compute service: whether it runs, in turn.
local SERVICE = { stop = { false }, start = { true }, restart = { false, true } }

--- The functions of hcs.sim for a world.
function sim.functions(world, strict, ready)
    local M = {}

    --- Gives the guest of the system `id` (nil: every guest without a program
    --- of its own) a program: `fn(g)` runs as a task from power-on and from
    --- each reset. nil for `fn` returns to the built-in guest.
    ---@param id? string
    ---@param fn? fun(g: table) the functions of g are below
    ---@return true? ok, hcs.Error? err, string? code
    function M.guest(id, fn)
        options.argument("guest", "the system's id", id, "string|nil")
        options.argument("guest", "the program", fn, "function|nil")
        local opened, err, code = ready()
        if not opened then return nil, err, code end
        local ok, hresult = world.api.guest(id, fn ~= nil)
        if not ok then
            return errors.fail({ op = "guest", target = id, hresult = hresult }, world.core)
        end
        world.programs[id or ""] = fn
        return true
    end

    --- Stops the compute service, starts it again, or both. Open systems are
    --- told ("service_disconnect"), what is under way on them fails with
    --- `service_lost`, and so does all but close from then on. A system that was
    --- created with keep = true goes on, and hcs.open finds it after the start.
    ---@param what string "stop", "start" or "restart"
    ---@return true? ok, hcs.Error? err, string? code
    function M.service(what)
        options.one_of("service", "what to do", what, { "stop", "start", "restart" })
        local opened, err, code = ready()
        if not opened then return nil, err, code end
        for _, running in ipairs(SERVICE[what]) do
            local changed, hresult = world.api.service(running)
            if changed == nil then
                return errors.fail({ op = "service", target = what, hresult = hresult },
                    world.core)
            end
        end
        return true
    end

    M.service_async = operation.async(world, strict, "service", M.service, ready)

    M.guest_async = operation.async(world, strict, "guest", M.guest, ready)
    return M
end

return sim
