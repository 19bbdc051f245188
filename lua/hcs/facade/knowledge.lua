-- SPDX-License-Identifier: MIT
-- The verbs of hcs that tell, check and choose.
local doctor = require "hcs.doctor"
local errors = require "hcs.error"
local explain = require "hcs.explain"
local operation = require "hcs.operation"
local options = require "hcs.options"
local trace = require "hcs.trace"
local validate = require "hcs.validate"
local worlds = require "hcs.world"

-- What needs no host, or tells about it.
local function add_knowledge(M, world, strict, ready)
    --- Checks a document as the host would: true, or what is wrong with it. Of
    --- HCN's documents ("HostComputeNetwork", "HostComputeEndpoint" …) it is
    --- stricter: members and flags that Windows does not know it passes over
    --- silently, and here they are mistakes, unless lenient is set.
    ---@param document table
    ---@param type_name? string default "ComputeSystem"
    ---@param given? {build: integer?, lenient: boolean?}
    ---@return true? ok, hcs.Error? err, string? code
    function M.validate(document, type_name, given)
        options.argument("validate", "the document", document, "table")
        given = options.check("validate", given, { build = "integer", lenient = "boolean" })
        local build = given.build or world.build
        local ok, fault = validate.check(document, type_name,
            { build = build, lenient = given.lenient })
        if ok then return true end
        return errors.fail({ op = "validate", hresult = fault.code, path = fault.path,
            message = fault.message, hint = false }, world.core)
    end

    --- Explains an HRESULT in any spelling, a document type or member, a function
    --- of this library, an event, an error, a family of errors or a build.
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

    --- Passes a call's results through, but raises what it failed with:
    --- hcs.check(vm:start()).
    ---@param ... any
    ---@return any ...
    function M.check(...)
        return errors.check(...)
    end

    M.doctor_async = operation.async(world, strict, "doctor", M.doctor, ready)
end

local function add_values(M, world)
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
        options.argument("array", "the list", list, "table|nil")
        return world.core.array(list or {})
    end
end

-- What chooses and watches the host.
local function add_hosts(M, world, strict, ready, connect)
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

    --- Another host's world, which is opened: a table like this one.
    ---@param uri string "sim:?clock=manual&seed=7"
    ---@return table? hcs, hcs.Error? err, string? code
    function M.connect(uri)
        options.argument("connect", "the host", uri, "string")
        local other = worlds.new(uri, world.core)
        local ok, err, code = worlds.open(other)
        if not ok then return nil, err, code end
        return connect(other, strict)
    end

    --- Chooses this world's host; the next call opens it. What was open is closed.
    ---@param uri string "qemu:?accel=tcg"
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
end

--- Adds them; `connect(world, strict)` makes the table of another world.
return function(M, world, strict, ready, connect)
    add_knowledge(M, world, strict, ready)
    add_values(M, world)
    add_hosts(M, world, strict, ready, connect)
end
