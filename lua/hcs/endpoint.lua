-- SPDX-License-Identifier: MIT
-- hcs.endpoint: where systems and namespaces are joined to networks.
local build = require "hcs.doc.endpoint"
local call = require "hcs.hcn.call"
local class = require "hcs.class"
local creation = require "hcs.hcn.creation"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local namespaces = require "hcs.namespace"
local networks = require "hcs.network"
local object = require "hcs.hcn.object"
local operation = require "hcs.operation"
local options = require "hcs.options"
local policies = require "hcs.hcn.policies"
local split = require "hcs.hcn.split"

---@class hcs.Endpoint
---@field id string a GUID
---@field name string need not be unique
---@field network string the id of its network
---@field mac string "00-15-5D-52-C0-00"
---@field owner string who made it, as given to create
---@field warnings string[] what the host made otherwise than asked, a sentence each
local methods, Endpoint = class.define "hcs.Endpoint"

-- What its addresses are called in a document, as ours.
local function addresses_of(properties)
    local list = {}
    for _, one in ipairs(properties.IpConfigurations or {}) do
        list[#list + 1] = setmetatable({
            address = one.IpAddress, prefix = one.PrefixLength,
            family = one.IpAddress:find(":", 1, true) and "ipv6" or "ipv4",
        }, { __tostring = function(self) return self.address .. "/" .. (self.prefix or "?") end })
    end
    return list
end

local function namespace_of(properties)
    local id = properties.HostComputeNamespace
    if id == nil or id == "" or call.same(id, call.NO_ID) then return nil end
    return id
end

local kind = object.finish {
    noun = "endpoint", name = "Endpoint", plural = "Endpoints", type = "HostComputeEndpoint",
    named = true, class = Endpoint, methods = methods,
    read = function(self, properties)
        self.network = properties.HostComputeNetwork
        self.mac = properties.MacAddress
    end,
    record = function(record, properties)
        record.network = properties.HostComputeNetwork
        record.mac = properties.MacAddress
        record.namespace = namespace_of(properties)
        record.addresses = addresses_of(properties)
    end,
}

-- --- methods ---------------------------------------------------------------------

--- The properties, as the platform's document (HostComputeEndpoint); a query
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

--- Its addresses: a list of {address, prefix, family = "ipv4|ipv6"} that print as
--- "192.168.100.2/24".
---@return table[]? addresses, hcs.Error? err, string? code
function methods.addresses(self)
    local properties, err, code = object.properties(self, kind, nil, "addresses")
    if not properties then return nil, err, code end
    return addresses_of(properties)
end

--- Asks for the addresses; see addresses.
---@return hcs.Operation op
function methods.addresses_async(self)
    return object.async(self, kind, "addresses", methods.addresses)
end

--- What has passed it, as the platform's document: BytesReceived, BytesSent,
--- PacketsReceived, PacketsSent, DroppedPacketsIncoming, DroppedPacketsOutgoing.
---@return table? document, hcs.Error? err, string? code
function methods.stats(self)
    local world = object.live(self, kind)._world
    local ok, json, code = call.make(world, object.fields(kind, "stats", self.name or self.id),
        "HcnQueryEndpointStats", self._handle, nil)
    if not ok then return nil, json, code end
    return world.decode(json) or {}
end

--- Asks for them; see stats.
---@return hcs.Operation op
function methods.stats_async(self)
    return object.async(self, kind, "stats", methods.stats)
end

local MODIFY = { document = "table", policies = "table" }

--- Changes it: { policies = list } puts these policies in the place of those it
--- has; { document = { ResourceType =, RequestType =, Settings = } } is a request
--- of any kind (ModifyEndpointSettingRequest).
---@param given {policies: table, document: table}
---@return true? ok, hcs.Error? err, string? code
function methods.modify(self, given)
    object.live(self, kind)
    options.check("endpoint:modify", given, MODIFY)
    if not given or (given.policies == nil) == (given.document == nil) then
        options.misuse("endpoint:modify: either policies or document expected")
    end
    if given.document then return object.modify(self, kind, "modify", given.document) end
    return policies.change(self, kind, "modify", "Update", given.policies)
end

--- Changes it; see modify.
---@param given {policies: table, document: table}
---@return hcs.Operation op
function methods.modify_async(self, given)
    return object.async(self, kind, "modify", methods.modify, given)
end

--- Adds a policy, { Type =, Settings = } as of hcs.doc.policy, or a list of them.
--- Fails with `exists` for a port that is mapped already, with `unsupported` where
--- the network's type has no such thing, with `invalid_document`.
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

-- A namespace that a caller gave: an object, or its id.
local function namespace_given(what, given)
    if type(given) == "string" then return call.id(what, given, true) end
    if namespaces.class.is(given) then return object.live(given, namespaces.kind) end
    options.misuse("%s: a namespace or its id expected, got a %s", what, type(given))
end

-- Has a namespace (an object or its id) take it in or let it go.
local function change_membership(self, verb, namespace, request)
    local world = self._world
    local fields = object.fields(kind, verb, self.name or self.id)
    return object.with(world, namespaces.kind, namespace, fields, function(handle)
        local ok, err, code = call.make(world, fields, "HcnModifyNamespace", handle, world.encode {
            ResourceType = "Endpoint", RequestType = request, Settings = { EndpointId = self.id },
        })
        if not ok then return nil, err, code end
        return true
    end)
end

--- Puts it into a namespace (an object or an id), where it becomes an interface.
--- Fails with `invalid_state` where it is in one, or with a system, already.
---@param namespace hcs.Namespace|string
---@return true? ok, hcs.Error? err, string? code
function methods.attach(self, namespace)
    object.live(self, kind)
    options.argument("attach", "the namespace", namespace, "string|table")
    return change_membership(self, "attach", namespace_given("attach", namespace), "Add")
end

--- Puts it into a namespace; see attach.
---@param namespace hcs.Namespace|string
---@return hcs.Operation op
function methods.attach_async(self, namespace)
    return object.async(self, kind, "attach", methods.attach, namespace)
end

--- Takes it out of its namespace. Fails with `invalid_state` where it is in none.
---@return true? ok, hcs.Error? err, string? code
function methods.detach(self)
    local properties, err, code = object.properties(self, kind, nil, "detach")
    if not properties then return nil, err, code end
    local namespace = namespace_of(properties)
    if not namespace then
        local fields = object.fields(kind, "detach", self.name or self.id)
        fields.hresult = 0x803B0034
        return errors.fail(fields, self._world.core)
    end
    return change_membership(self, "detach", namespace, "Remove")
end

--- Takes it out of its namespace; see detach.
---@return hcs.Operation op
function methods.detach_async(self)
    return object.async(self, kind, "detach", methods.detach)
end

--- Deletes the endpoint, wherever it is attached, waits until it is gone, and
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

--- Ends this handle; the endpoint stays. Returns true, also when it was closed.
---@return true
function methods.close(self)
    return object.close(self)
end

-- --- the noun ----------------------------------------------------------------------

-- The id of a network that is given as an object, an id or { name = … }.
local function network_id(world, what, given, fields)
    if networks.class.is(given) then return object.live(given, networks.kind).id end
    options.argument(what, "network", given, "string|table")
    if type(given) == "string" then return call.id(what .. ": network", given) end
    options.check(what .. ": network", given, { name = "string" })
    if not given.name then options.misuse("%s: network: an id or { name = … } expected", what) end
    local id, err, code = object.named(world, networks.kind, fields, given.name)
    if id or err then return id, err, code end
    return errors.fail({ op = fields.op, target = given.name, hresult = 0x803B0001 }, world.core)
end

local function on_network(id)
    return function(properties) return not id or call.same(properties.HostComputeNetwork, id) end
end

local function find(world, fields, name, network)
    return object.named(world, kind, fields, name, network and { VirtualNetwork = network },
        on_network(network))
end

-- What open and delete take: the id, { name =, network = } or an object.
local function id_of(world, op, what, fields)
    if Endpoint.is(what) then return object.live(what, kind).id end
    options.argument(op, "the endpoint", what, "string|table")
    if type(what) == "string" then return call.id(op, what) end
    options.check(op, what, { name = "string", id = "string", network = "string|table" })
    if what.id then return call.id(op, what.id) end
    if not what.name then options.misuse("%s: an id or { name = … } expected", op) end
    fields.target = what.name
    local network, id, err, code
    if what.network then
        network, err, code = network_id(world, op, what.network, fields)
        if not network then return nil, err, code end
    end
    id, err, code = find(world, fields, what.name, network)
    if id or err then return id, err, code end
    return errors.fail({ op = op, target = what.name, hresult = 0x803B0002 }, world.core)
end

local LIST = { name = "string", id = "string", owner = "string", network = "string|table" }

local function list(world, given)
    given = options.check("endpoint.list", given, LIST)
    local network, err, code
    if given.network then
        network, err, code = network_id(world, "endpoint.list", given.network,
            object.fields(kind, "list"))
        if not network then return nil, err, code end
    end
    local filter = { Name = given.name, VirtualNetwork = network,
        ID = given.id and call.id("endpoint.list", given.id) }
    return object.list(world, kind, next(filter) and filter or nil, function(record)
        return (not given.name or call.same(record.name, given.name))
            and (not given.owner or record.owner == given.owner)
            and (not network or call.same(record.network, network))
    end)
end

local CREATE = { network = "string|table", namespace = "string|table" }

local function plan_of(world, given)
    local ours, others = split("endpoint.create", given, CREATE)
    local document = build(others)
    if not given.network then options.misuse("endpoint.create: network is missing") end
    if given.namespace then namespace_given("endpoint.create: namespace", given.namespace) end
    local fields = object.fields(kind, "create", given.name)
    local network, err, code = network_id(world, "endpoint.create", given.network, fields)
    if not network then return nil, err, code end
    local plan = creation.plan(world, kind, ours, document)
    plan.parent = { kind = networks.kind,
        network = networks.class.is(given.network) and given.network or network }
    if given.name then
        plan.find = function() return find(world, plan.fields, given.name, network) end
    end
    return plan
end

-- One that was there before may be where it is wanted.
local function attach_new(self, namespace)
    local id = namespaces.class.is(namespace) and namespace.id or call.guid(namespace)
    local properties, err, code = object.properties(self, kind, nil, "attach")
    if not properties then return nil, err, code end
    if call.same(namespace_of(properties), id) then return true end
    return methods.attach(self, namespace)
end

local function create(world, strict, given, timeout)
    local plan, err, code = plan_of(world, given)
    if not plan then return nil, err, code end
    local self
    self, err, code = creation.create(world, strict, kind, plan, loop.deadline(world, timeout))
    if not self or not given.namespace then return self, err, code end
    local ok
    ok, err, code = attach_new(self, given.namespace)
    if ok then return self end
    if self._created then object.undo(self) end
    object.close(self)
    return nil, err, code
end

local function open(world, strict, what)
    local fields = object.fields(kind, "open", type(what) == "string" and what or nil)
    local id, err, code = id_of(world, "endpoint.open", what, fields)
    if not id then return nil, err, code end
    return object.open(world, strict, kind, fields, id)
end

local function delete(world, what, timeout)
    if Endpoint.is(what) then return object.delete_method(what, kind, timeout) end
    local fields = object.fields(kind, "delete", type(what) == "string" and what or nil)
    local id, err, code = id_of(world, "endpoint.delete", what, fields)
    if not id then return nil, err, code end
    return object.delete(world, kind, fields, id, loop.deadline(world, timeout))
end

--- The functions of hcs.endpoint for a world.
local function functions(world, strict, ready)
    local M = {}

    --- Makes an endpoint on a network (an object, its id or { name = }): the options
    --- of hcs.doc.endpoint, and owner, keep, if_exists = "fail|open|replace", which
    --- goes by the id, or by the name in that network, validate. The host chooses the
    --- addresses and the MAC that are not given. What it made otherwise than asked is
    --- in `warnings`. With a namespace (an object or its id) it is attached to that.
    --- Fails with `not_found` without the network, with `exists` for an id, address or
    --- mapped port that is taken, with `invalid_document`.
    ---@param given table
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.Endpoint? endpoint, hcs.Error? err, string? code
    function M.create(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return create(world, strict, given, timeout)
    end

    M.create_async = operation.async(world, strict, "endpoint.create",
        function(given) return create(world, strict, given) end, ready)

    --- Opens an endpoint by its id or { name =, network = }. Fails with `not_found`,
    --- with `exists` where several have the name.
    ---@param what string|table
    ---@return hcs.Endpoint? endpoint, hcs.Error? err, string? code
    function M.open(what)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return open(world, strict, what)
    end

    M.open_async = operation.async(world, strict, "endpoint.open",
        function(what) return open(world, strict, what) end, ready)

    --- Lists endpoints, of everybody's: { name, id, owner, network } choose. Returns
    --- records {kind, id, name, owner, tag, network, namespace, mac, addresses,
    --- document}, no handles.
    ---@param given? {name: string, id: string, owner: string, network: string|table}
    ---@return table[]? records, hcs.Error? err, string? code
    function M.list(given)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return list(world, given)
    end

    M.list_async = operation.async(world, strict, "endpoint.list",
        function(given) return list(world, given) end, ready)

    --- Deletes an endpoint (its id, { name =, network = } or object), wherever it is
    --- attached, and waits until it is gone. Fails with `not_found`.
    ---@param what string|table
    ---@param timeout? number|string seconds, default 240, of which at most 10 count
    ---@return true? ok, hcs.Error? err, string? code
    function M.delete(what, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return delete(world, what, timeout)
    end

    M.delete_async = operation.async(world, strict, "endpoint.delete",
        function(what) return delete(world, what) end, ready)

    return M
end

return { functions = functions, kind = kind, methods = methods, class = Endpoint,
    create = create, build = build }
