-- SPDX-License-Identifier: MIT
-- The verbs of hcs that make, open, find and clean up systems.
local errors = require "hcs.error"
local loop = require "hcs.loop"
local operation = require "hcs.operation"
local options = require "hcs.options"
local scope = require "hcs.scope"
local systems = require "hcs.systems"

local function add_create(M, world, strict, ready)
    --- Makes a system: { id, memory, processors, kernel, initrd, cmdline |
    --- firmware, secure_boot, tpm; disks, nics, consoles, shares, dump,
    --- services, debug, restore | template, owner, keep, if_exists =
    --- "fail|open|replace", grant, validate, document }. `document` is laid over
    --- what the options make. The document is checked before it is sent
    --- (validate = false: not), and the files it names are granted to the system
    --- (grant = false: not). Unless keep = true the system ends with its last
    --- handle. Fails with `exists` where the id is taken, with `invalid_document`
    --- (err.path names the member), with `unsupported` for what the host cannot do.
    --- Its files need not be there before it starts.
    ---@param given table
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.System? system, hcs.Error? err, string? code
    function M.create(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local plan = systems.plan(world, given)
        local refused = operation.refusal(world, "create", plan.id)
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
end

local function add_find(M, world, strict, ready)
    --- Opens a system by its id, also another process's. Fails with `not_found`, also
    --- when it has exited.
    ---@param id string
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.System? system, hcs.Error? err, string? code
    function M.open(id, timeout)
        options.argument("open", "the id", id, "string")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local refused = operation.refusal(world, "open", id)
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
        local refused = operation.refusal(world, "list")
        if refused then return errors.fail(refused) end
        return systems.list(world, given, loop.deadline(world, timeout))
    end

    M.list_async = operation.async(world, strict, "list",
        function(given) return systems.list(world, given) end, ready)
end

local function add_cleaning(M, world, strict, ready)
    --- Terminates systems of ours whose process is dead, and deletes the networks,
    --- endpoints and namespaces that such a process made: { owner, dry_run } choose.
    --- A network with an endpoint of somebody else's stays. Returns their records, as
    --- the lists have them.
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
        return scope.new(world, strict, {
            create = M.create, network = M.network.create, endpoint = M.endpoint.create,
            namespace = M.namespace.create,
        })
    end
end

return function(M, world, strict, ready)
    add_create(M, world, strict, ready)
    add_find(M, world, strict, ready)
    add_cleaning(M, world, strict, ready)
end
