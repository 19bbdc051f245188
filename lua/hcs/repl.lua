-- SPDX-License-Identifier: MIT
-- The prompt. A line is tried as an expression first; what is not complete is
-- continued; `_` is the last result and `_err` the last error. While it waits
-- for a line the world goes on, so events show up between prompts.
local errors = require "hcs.error"
local facade = require "hcs.facade"
local inspect = require "hcs.inspect"
local loop = require "hcs.loop"
local worlds = require "hcs.world"

local repl = {}

local STDIN = 0

-- --- evaluation ----------------------------------------------------------------

local function is_incomplete(message)
    return message and message:find("<eof>", -6, true) ~= nil
end

--- Compiles what was typed. Returns a function; nil and the message when it is
--- wrong; nil, the message and true when it is not complete.
function repl.compile(text, env)
    local fn, as_expression = load("return " .. text, "=stdin", "t", env)
    if fn then return fn end
    local message
    fn, message = load(text, "=stdin", "t", env)
    if fn then return fn end
    return nil, message, is_incomplete(message) or is_incomplete(as_expression)
end

local function is_interrupt(err)
    return type(err) == "string" and err:match("^[^\n]*interrupted!") ~= nil
end

-- Without the position where that is the line itself. What the line calls last
-- has no caller but whoever started the prompt.
local function one_line(err)
    local text = tostring(err):gsub("\n.*", "")
    if errors.is_error(err) and err.where then return text:sub(#err.where + 3) end
    return (text:gsub("^stdin:1: ", ""):gsub("^%(command line%):1: ", ""))
end

local function show_error(session, err)
    if is_interrupt(err) then return session.write("\n") end -- after the terminal's ^C
    session.env._err = err
    session.write("error: " .. one_line(err) .. "\n")
end

local function show_results(session, ok, ...)
    if not ok then return show_error(session, (...)) end
    local count = select("#", ...)
    if count == 0 then return end
    local first, second = ...
    session.env._ = first
    if first == nil and errors.is_error(second) then return show_error(session, second) end
    local parts = {}
    for index = 1, count do parts[index] = inspect.show((select(index, ...))) end
    session.write(table.concat(parts, "  ") .. "\n")
end

local function keep_traceback(err)
    if type(err) ~= "string" then return err end
    return debug.traceback(err, 2)
end

--- Takes a line. Returns "more" when it wants another one.
function repl.feed(session, line)
    local text = session.pending and session.pending .. "\n" .. line or line
    session.pending = nil
    if text:match("^%s*$") then return nil end
    text = text:gsub("^%s*=", "return ")
    local fn, message, incomplete = repl.compile(text, session.env)
    if incomplete then
        session.pending = text
        return "more"
    end
    if not fn then
        show_error(session, message)
        return nil
    end
    show_results(session, xpcall(fn, keep_traceback))
    return nil
end

-- --- events ------------------------------------------------------------------------

local function summary_of(event)
    local document = event.document or {}
    if event.name == "exited" then return document.ExitType or "" end
    if event.name == "crash" then
        local dump = event.dumps[1]
        return dump and ("dump %s"):format(dump.path) or "no dump"
    end
    return ""
end

local function announce(session, event)
    local text = ('[%s] "%s" %s'):format(event.name, event.system.id, summary_of(event))
    session.write("\r" .. text:gsub("%s+$", "") .. "\n")
    session.prompt_again = true
end

local SHOWN = { "exited", "crash_initiated", "crash", "service_disconnect" }

local function listen(session)
    for _, name in ipairs(SHOWN) do
        session.hcs.on(name, function(event) announce(session, event) end)
    end
    session.hcs.on_error(function(err)
        session.write("\r")
        show_error(session, err)
        session.prompt_again = true
    end)
end

-- --- reading ------------------------------------------------------------------------

local function prompt(session)
    local name = session.pending and "_PROMPT2" or "_PROMPT"
    local text = session.env[name] or (session.pending and ">> " or "> ")
    session.write(tostring(text))
    session.flush()
end

-- Waits for a line while the world goes on; nil at the end.
local function next_line(session)
    prompt(session)
    while not session.input:ready() do
        session.pump(session.input)
        if session.prompt_again then
            session.prompt_again = nil
            prompt(session)
        end
    end
    return session.input:line()
end

-- Lines of stdin as its descriptor becomes readable. It is not buffered: a
-- line held back in a buffer could not be polled for.
local Input = {}
Input.__index = Input

local function new_input(file)
    file:setvbuf("no")
    return setmetatable({ file = file, wants = "r", text = "" }, Input)
end

--- Takes in a line. Called by the pump when the descriptor is readable.
function Input:_serve()
    local line = self.file:read("L")
    if not line then
        self.ended = true
        return
    end
    self.text = self.text .. line
end

--- Whether there is a line, or an end, to give.
function Input:ready()
    return self.ended or self.text ~= ""
end

--- Gives it.
function Input:line()
    local line, rest = self.text:match("^([^\n]*)\n?(.*)$")
    if self.text == "" then return nil end
    self.text = rest
    return line
end

-- What this prompt leaves behind, and what goes with it.
local function farewell(session, world)
    if not world.api then return end
    local open, kept = 0, 0
    for _, system in pairs(world.systems) do
        if not system._exit then
            open = open + 1
            if system._keep then kept = kept + 1 end
        end
    end
    session.write(("%d open, %d of them kept, on %s\n"):format(open, kept, world.uri))
end

local function environment(hcs)
    local env = setmetatable({ hcs = hcs }, { __index = _G })
    env._G = env
    return env
end

--- Makes a session. `settings`: write, flush, input and pump stand in for the
--- terminal and the world.
function repl.session(hcs, settings)
    settings = settings or {}
    return {
        hcs = hcs, env = environment(hcs),
        write = settings.write or function(text) io.stdout:write(text) end,
        flush = settings.flush or function() io.stdout:flush() end,
        input = settings.input, pump = settings.pump,
    }
end

local function protected_line(session)
    local ok, line = pcall(next_line, session)
    if ok then return line, line == nil end
    session.pending = nil
    if not is_interrupt(line) then session.write("\n") end
    show_error(session, line)
    return nil, false
end

--- Runs until the end of the input.
function repl.loop(session)
    while true do
        local line, ended = protected_line(session)
        if ended then break end
        if line then repl.feed(session, line) end
    end
    session.write("\n")
end

-- Lets the world go on until there is input. Only real time goes by itself;
-- other clocks stand still at the prompt, and so does the world while it cannot
-- be told whether there is input: where Windows' prompt reads from a pipe.
local function pump_of(world)
    local stdin = world.core.standard(STDIN)
    return function(input)
        if not world.api then return input:_serve() end
        if world.clock ~= "real" or not stdin then
            loop.settle(world)
            return input:_serve()
        end
        world.descriptors[stdin] = input
        loop.round(world, nil)
        if world.descriptors then world.descriptors[stdin] = nil end
    end
end

--- Runs a prompt on the terminal with `hcs` at hand.
function repl.run(hcs)
    local world = facade.world_of(hcs)
    local session = repl.session(hcs, { input = new_input(io.stdin), pump = pump_of(world) })
    local ok, err = worlds.open(world)
    session.write(("lua-hcs %s on %s: hcs.doctor(), hcs.explain \"create\"; %s\n")
        :format(hcs._VERSION, world.uri, world.core.platform == "windows"
            and "Ctrl-Z and Enter leave" or "Ctrl-D leaves"))
    if not ok then show_error(session, err) end
    listen(session)
    repeat
        local ended, problem = world.core.interruptible(repl.loop, session)
    until ended or not is_interrupt(problem)
    farewell(session, world)
    hcs.close()
end

return repl
