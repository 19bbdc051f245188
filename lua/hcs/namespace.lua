-- SPDX-License-Identifier: MIT
-- hcs.namespace: what a container or a process sees of networks, made of
-- endpoints.
local build = require "hcs.doc.namespace"
local call = require "hcs.hcn.call"
local class = require "hcs.class"
local creation = require "hcs.hcn.creation"
local enum = require "hcs.hcn.enum"
local loop = require "hcs.loop"
local object = require "hcs.hcn.object"
local operation = require "hcs.operation"
local options = require "hcs.options"
local split = require "hcs.hcn.split"

---@class hcs.Namespace
---@field id string a GUID
---@field type string "host", "host_default", "guest", "guest_default"
---@field owner string who made it, as given to create
---@field warnings string[] what the host made otherwise than asked, a sentence each
local methods, Namespace = class.define "hcs.Namespace"

-- The ids of its members of a type ("Endpoint", "Container").
local function members(properties, type_name)
    local list = {}
    for _, one in ipairs(properties.Resources or {}) do
        local data = one.Data or {}
        if one.Type == type_name then list[#list + 1] = data.Id or data.ID end
    end
    return list
end

local kind = object.finish {
    noun = "namespace", name = "Namespace", plural = "Namespaces", type = "HostComputeNamespace",
    named = false, class = Namespace, methods = methods,
    read = function(self, properties) self.type = enum.text("NamespaceType", properties.Type) end,
    record = function(record, properties)
        record.type = enum.text("NamespaceType", properties.Type)
        record.compartment = properties.NamespaceId
        record.endpoints = members(properties, "Endpoint")
        record.containers = members(properties, "Container")
    end,
}

-- --- methods ---------------------------------------------------------------------

--- The properties, as the platform's document (HostComputeNamespace); a query
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

--- The ids of the endpoints that are in it.
---@return string[]? ids, hcs.Error? err, string? code
function methods.endpoints(self)
    local properties, err, code = object.properties(self, kind, nil, "endpoints")
    if not properties then return nil, err, code end
    return members(properties, "Endpoint")
end

--- Asks for them; see endpoints.
---@return hcs.Operation op
function methods.endpoints_async(self)
    return object.async(self, kind, "endpoints", methods.endpoints)
end

local MODIFY = { document = "table" }

--- Sends a modify request: document = { ResourceType =, RequestType =, Settings = }
--- (ModifyNamespaceSettingRequest). For endpoints there is endpoint:attach.
---@param given {document: table}
---@return true? ok, hcs.Error? err, string? code
function methods.modify(self, given)
    object.live(self, kind)
    options.check("namespace:modify", given, MODIFY)
    if not given or not given.document then
        options.misuse("namespace:modify: document is missing")
    end
    return object.modify(self, kind, "modify", given.document)
end

--- Sends a modify request; see modify.
---@param given {document: table}
---@return hcs.Operation op
function methods.modify_async(self, given)
    return object.async(self, kind, "modify", methods.modify, given)
end

--- Deletes the namespace, whose endpoints are detached first, waits until it is
--- gone, and closes it.
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

--- Ends this handle; the namespace stays. Returns true, also when it was closed.
---@return true
function methods.close(self)
    return object.close(self)
end

-- --- the noun ----------------------------------------------------------------------

-- What open and delete take: the id, or an object.
local function id_of(op, what)
    if Namespace.is(what) then return object.live(what, kind).id end
    if type(what) == "table" then
        options.check(op, what, { id = "string" })
        what = what.id
    end
    return call.id(op, what, true)
end

local LIST = { id = "string", owner = "string", type = "string" }

local function list(world, given)
    given = options.check("namespace.list", given, LIST)
    local wanted = given.type
        and enum.chosen("namespace.list: type", "NamespaceType", given.type)
    local filter = given.id and { ID = call.id("namespace.list", given.id, true) } or nil
    return object.list(world, kind, filter, function(record)
        return (not given.owner or record.owner == given.owner)
            and (not wanted or record.type == wanted)
    end)
end

local function create(world, strict, given, timeout)
    given = given or {}
    local ours, others = split("namespace.create", given)
    if ours.if_exists and ours.if_exists ~= "fail" and not ours.id then
        options.misuse("namespace.create: if_exists goes by the id, which is missing")
    end
    local plan = creation.plan(world, kind, ours, build(others))
    return creation.create(world, strict, kind, plan, loop.deadline(world, timeout))
end

local function open(world, strict, what)
    local id = id_of("namespace.open", what)
    return object.open(world, strict, kind, object.fields(kind, "open", id), id)
end

local function delete(world, what, timeout)
    if Namespace.is(what) then return object.delete_method(what, kind, timeout) end
    local id = id_of("namespace.delete", what)
    return object.delete(world, kind, object.fields(kind, "delete", id), id,
        loop.deadline(world, timeout))
end

--- The functions of hcs.namespace for a world.
local function functions(world, strict, ready)
    local M = {}

    --- Makes a namespace: the options of hcs.doc.namespace, and owner, keep, if_exists
    --- = "fail|open|replace", which goes by the id, validate. Fails with `exists` where
    --- the id is taken, with `invalid_document`.
    ---@param given? table
    ---@param timeout? number|string seconds, default 240
    ---@return hcs.Namespace? namespace, hcs.Error? err, string? code
    function M.create(given, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return create(world, strict, given, timeout)
    end

    M.create_async = operation.async(world, strict, "namespace.create",
        function(given) return create(world, strict, given) end, ready)

    --- Opens a namespace by its id. Fails with `not_found`.
    ---@param what string|table
    ---@return hcs.Namespace? namespace, hcs.Error? err, string? code
    function M.open(what)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return open(world, strict, what)
    end

    M.open_async = operation.async(world, strict, "namespace.open",
        function(what) return open(world, strict, what) end, ready)

    --- Lists namespaces, of everybody's: { id, owner, type } choose. Returns records
    --- {kind, id, owner, tag, type, compartment, endpoints, containers, document}, no
    --- handles. The host's own, of type "host_default", is always there.
    ---@param given? {id: string, owner: string, type: string}
    ---@return table[]? records, hcs.Error? err, string? code
    function M.list(given)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return list(world, given)
    end

    M.list_async = operation.async(world, strict, "namespace.list",
        function(given) return list(world, given) end, ready)

    --- Deletes a namespace (its id or object), whose endpoints are detached first, and
    --- waits until it is gone. Fails with `not_found`.
    ---@param what string|table
    ---@param timeout? number|string seconds, default 240, of which at most 10 count
    ---@return true? ok, hcs.Error? err, string? code
    function M.delete(what, timeout)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        return delete(world, what, timeout)
    end

    M.delete_async = operation.async(world, strict, "namespace.delete",
        function(what) return delete(world, what) end, ready)

    return M
end

return { functions = functions, kind = kind, methods = methods, class = Namespace }
