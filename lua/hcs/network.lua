-- SPDX-License-Identifier: MIT
-- hcs.network: the networks of the host, and what one of their handles lets a
-- script do.
local build = require "hcs.doc.network"
local call = require "hcs.hcn.call"
local class = require "hcs.class"
local creation = require "hcs.hcn.creation"
local enum = require "hcs.hcn.enum"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local object = require "hcs.hcn.object"
local operation = require "hcs.operation"
local options = require "hcs.options"
local policies = require "hcs.hcn.policies"
local split = require "hcs.hcn.split"
local stream = require "hcs.stream"

---@class hcs.Network
---@field id string a GUID
---@field name string
---@field type string "nat", "internal", "private", "ics" …
---@field owner string who made it, as given to create
---@field warnings string[] what the host made otherwise than asked, a sentence each
local methods, Network = class.define "hcs.Network"

local kind = object.finish {
    noun = "network", name = "Network", plural = "Networks", type = "HostComputeNetwork",
    named = true, class = Network, methods = methods,
    read = function(self, properties) self.type = enum.text("NetworkMode", properties.Type) end,
    record = function(record, properties)
        record.type = enum.text("NetworkMode", properties.Type)
    end,
}

-- --- methods ---------------------------------------------------------------------

--- The properties, as the platform's document (HostComputeNetwork); a query
--- document asks for another form of it.
---@param query? table HostComputeQuery
---@return table? document, hcs.Error? err, string? code
function methods.properties(self, query)
    return object.properties(self, kind, query)
end

--- Asks for the properties; see properties.
---@param query? table
---@return hcs.Operation op
function methods.properties_async(self, query)
    return object.async(self, kind, "properties", methods.properties, query)
end

local MODIFY = { document = "table" }

--- Sends a modify request: document = { ResourceType =, RequestType =, Settings = }
--- (ModifyNetworkSettingRequest). Fails with `unsupported` for a pair that networks
--- do not know.
---@param given {document: table}
---@return true? ok, hcs.Error? err, string? code
function methods.modify(self, given)
    object.live(self, kind)
    options.check("network:modify", given, MODIFY)
    if not given or not given.document then
        options.misuse("network:modify: document is missing")
    end
    return object.modify(self, kind, "modify", given.document)
end

--- Sends a modify request; see modify.
---@param given {document: table}
---@return hcs.Operation op
function methods.modify_async(self, given)
    return object.async(self, kind, "modify", methods.modify, given)
end

--- Adds a policy, { Type =, Settings = } as of hcs.doc.policy, or a list of them.
--- Fails with `exists` where there may be one only and there is one, with
--- `invalid_document`.
---@param policy table
---@return true? ok, hcs.Error? err, string? code
function methods.add_policy(self, policy)
    return policies.change(self, kind, "add_policy", "Add", policy)
end

--- Adds a policy; see add_policy.
---@param policy table
---@return hcs.Operation op
function methods.add_policy_async(self, policy)
    return object.async(self, kind, "add_policy", methods.add_policy, policy)
end

--- Removes a policy that is like the given one, or a list of them. Fails with
--- `not_found`.
---@param policy table
---@return true? ok, hcs.Error? err, string? code
function methods.remove_policy(self, policy)
    return policies.change(self, kind, "remove_policy", "Remove", policy)
end

--- Removes a policy; see remove_policy.
---@param policy table
---@return hcs.Operation op
function methods.remove_policy_async(self, policy)
    return object.async(self, kind, "remove_policy", methods.remove_policy, policy)
end

--- Deletes the network with all its endpoints, waits until it is gone, and
--- closes it.
---@param timeout? number|string seconds, default 240, of which at most 10 count
---@return true? ok, hcs.Error? err, string? code
function methods.delete(self, timeout)
    return object.delete_method(self, kind, timeout)
end

--- Deletes it; see delete.
---@return hcs.Operation op
function methods.delete_async(self)
    return object.async(self, kind, "delete", methods.delete)
end

--- Ends this handle; the network stays. Returns true, also when it was closed.
---@return true
function methods.close(self)
    return object.close(self)
end

-- --- the noun ----------------------------------------------------------------------

-- What open and delete take: the id, { name = … } or an object.
local function id_of(world, op, what, fields)
    if Network.is(what) then return object.live(what, kind).id end
    options.argument(op, "the network", what, "string|table")
    if type(what) == "string" then return call.id(op, what) end
    options.check(op, what, { name = "string", id = "string" })
    if what.id then return call.id(op, what.id) end
    if not what.name then options.misuse("%s: an id or { name = … } expected", op) end
    fields.target = what.name
    local id, err, code = object.named(world, kind, fields, what.name)
    if id or err then return id, err, code end
    return errors.fail({ op = op, target = what.name, hresult = 0x803B0001 }, world.core)
end

local LIST = { name = "string", id = "string", owner = "string", type = "string" }

local function list(world, given)
    given = options.check("network.list", given, LIST)
    local wanted = given.type and enum.chosen("network.list: type", "NetworkMode", given.type)
    local filter = (given.name or given.id)
        and { Name = given.name, ID = given.id and call.id("network.list", given.id) } or nil
    return object.list(world, kind, filter, function(record)
        return (not given.name or call.same(record.name, given.name))
            and (not given.owner or record.owner == given.owner)
            and (not wanted or record.type == wanted)
    end)
end

local function plan_of(world, verb, given)
    local ours, options_of_document = split(verb, given)
    return creation.plan(world, kind, ours, build(options_of_document))
end

local function create(world, strict, given, timeout)
    local plan = plan_of(world, "network.create", given)
    return creation.create(world, strict, kind, plan, loop.deadline(world, timeout))
end

local function changes(world, given)
    local plan = plan_of(world, "network.plan", given)
    plan.fields.op = "network.plan"
    local ok, json, code = creation.foresee(world, kind, plan)
    if not ok then return nil, json, code end
    local found = {}
    for index, change in ipairs(world.decode(json).Changes or {}) do
        found[index] = { kind = change.Kind:lower(), machine = change.Machine, text = change.Text }
    end
    return found
end

-- What only Windows itself knows, or nothing of ours can do.
local function only_embedded(world, fields)
    return errors.fail({ op = fields.op, target = fields.target, hresult = 0x80070032,
        message = "a host of this kind has no such way in" }, world.core)
end

local function connect(world, strict, address, port, timeout)
    options.argument("network.connect", "the address", address, "string|nil")
    options.argument("network.connect", "the port", port, "integer")
    if port < 1 or port > 65535 then
        options.misuse("network.connect: port %d, expected 1 to 65535", port)
    end
    local fields = { op = "network.connect", address = address, port = port,
        target = ("%s port %d"):format(address or "the host", port) }
    local deadline = loop.deadline(world, timeout)
    if not world.api.network_connect then return only_embedded(world, fields) end
    local ok, native, code = call.make(world, { op = fields.op, target = fields.target },
        "network_connect", address, port)
    if not ok then return nil, native, code end
    return stream.new(world, strict, native, fields, deadline)
end

local function open(world, strict, what)
    local fields = object.fields(kind, "open", type(what) == "string" and what or nil)
    local id, err, code = id_of(world, "network.open", what, fields)
    if not id then return nil, err, code end
    return object.open(world, strict, kind, fields, id)
end

local function delete(world, what, timeout)
    if Network.is(what) then return object.delete_method(what, kind, timeout) end
    local fields = object.fields(kind, "delete", type(what) == "string" and what or nil)
    local id, err, code = id_of(world, "network.delete", what, fields)
    if not id then return nil, err, code end
    return object.delete(world, kind, fields, id, loop.deadline(world, timeout))
end

--- The functions of hcs.network for a world.
local function functions(world, strict, ready)
    local M = {}

    --- Makes a network: the options of hcs.doc.network, and owner, keep, if_exists =
    --- "fail|open|replace", validate. Names are unique on a host. What the host made
    --- otherwise than asked is in `warnings`, a sentence each, also when an existing
    --- one was opened. It stays until it is deleted; hcs.sweep deletes it once its
    --- maker is dead, unless keep = true. The document is checked before it is sent
    --- (validate = false: not). Fails with `exists`, with `invalid_document`, with
    --- `unsupported` for what the host cannot do.
    ---@param given table
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.Network? network, hcs.Error? err, string? code
    function M.create(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return create(world, strict, given, timeout)
    end

    M.create_async = operation.async(world, strict, "network.create",
        function(given) return create(world, strict, given) end, ready)

    --- Tells what create of these options would change, and changes nothing: a list
    --- of {kind, machine, text} in the order in which it would be done. `kind` is
    --- "interface", "address", "route", "rule", "setting", "process" or "file",
    --- `machine` whether it is of the machine's own (never, unless the host has
    --- allow_host_change=1), `text` a line for people. Fails as create would. On sim:
    --- the list is empty.
    ---@param given table
    ---@return table[]? changes, hcs.Error? err, string? code
    function M.plan(given)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return changes(world, given)
    end

    M.plan_async = operation.async(world, strict, "network.plan",
        function(given) return changes(world, given) end, ready)

    --- Connects to a TCP port as from another machine beside the host of the networks:
    --- how a forwarded port is reached. `address` is the host's, or what can be reached
    --- from there; nil is any address of the host. Returns a stream with read, write
    --- and close. Fails with `connection_refused`, with `timeout`, with `unsupported`
    --- on windows:.
    ---@param address? string
    ---@param port integer
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.Stream? stream, hcs.Error? err, string? code
    function M.connect(address, port, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return connect(world, strict, address, port, timeout)
    end

    M.connect_async = operation.async(world, strict, "network.connect",
        function(address, port) return connect(world, strict, address, port) end, ready)

    --- Opens a network by its id or { name = }. Fails with `not_found`.
    ---@param what string|table
    ---@return hcs.Network? network, hcs.Error? err, string? code
    function M.open(what)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return open(world, strict, what)
    end

    M.open_async = operation.async(world, strict, "network.open",
        function(what) return open(world, strict, what) end, ready)

    --- Lists networks, of everybody's: { name, id, owner, type } choose. Returns
    --- records {kind, id, name, owner, tag, type, document}, no handles.
    ---@param given? {name: string, id: string, owner: string, type: string}
    ---@return table[]? records, hcs.Error? err, string? code
    function M.list(given)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return list(world, given)
    end

    M.list_async = operation.async(world, strict, "network.list",
        function(given) return list(world, given) end, ready)

    --- Deletes a network (its id, { name = } or object) with all its endpoints, and
    --- waits until it is gone. Fails with `not_found`.
    ---@param what string|table
    ---@param timeout? number|string seconds, default 240, of which at most 10 count
    ---@return true? ok, hcs.Error? err, string? code
    function M.delete(what, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return delete(world, what, timeout)
    end

    M.delete_async = operation.async(world, strict, "network.delete",
        function(what) return delete(world, what) end, ready)

    return M
end

return { functions = functions, kind = kind, methods = methods, class = Network }
