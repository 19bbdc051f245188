-- SPDX-License-Identifier: MIT
-- hcs.trace: a line of JSON for each call of the ABI, and for each completion
-- and event that comes off the host's queue.
local errors = require "hcs.error"
local paths = require "hcs.paths"

local trace = {}

local function plain(value)
    local kind = type(value)
    if kind == "userdata" or kind == "table" or kind == "function" then return tostring(value) end
    return value
end

local function plain_list(core, ...)
    local list = {}
    for index = 1, select("#", ...) do
        local value = plain((select(index, ...)))
        if value == nil then value = core.null end
        list[index] = value
    end
    return core.array(list)
end

-- What cannot be written is lost; the calls go on.
local function write(world, record)
    local path = world.trace_file
    if not path then return end
    record.time = world.now()
    world.core.write_file(path, world.encode(record) .. "\n", true)
end

local function traced(world, name, fn)
    local function done(arguments, ...)
        write(world, { call = name, arguments = arguments, results = plain_list(world.core, ...) })
        return ...
    end
    return function(...)
        return done(plain_list(world.core, ...), fn(...))
    end
end

-- Functions of the ABI are Microsoft's; ours only tell or drive.
local function is_call(name)
    return name:find "^Hc[sn]" or name:find "^guest" or name == "pipe_connect"
end

--- Starts to write to `path`.
function trace.start(world, path)
    trace.stop(world)
    path = paths.absolute(path, world.core.cwd())
    local ok, hresult, why = world.core.write_file(path, "")
    if not ok then
        return errors.fail({ op = "trace", target = path, hresult = hresult, message = why },
            world.core)
    end
    world.trace_file = path
    world.untraced = world.api
    local api = {}
    for name, fn in pairs(world.untraced) do
        api[name] = type(fn) == "function" and is_call(name) and traced(world, name, fn) or fn
    end
    world.api = api
    world.trace_item = function(kind, ...)
        write(world, { item = kind, values = plain_list(world.core, ...) })
    end
    return true
end

--- Stops.
function trace.stop(world)
    if not world.trace_file then return end
    world.trace_file = nil
    if world.api then world.api = world.untraced end
    world.untraced = nil
    world.trace_item = function() end
end

return trace
