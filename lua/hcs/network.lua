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

local function create(world, strict, given, timeout)
    local ours, options_of_document = split("network.create", given)
    local document = build(options_of_document)
    local plan = creation.plan(world, kind, ours, document)
    return creation.create(world, strict, kind, plan, loop.deadline(world, timeout))
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
