-- SPDX-License-Identifier: MIT
-- Making networks, endpoints and namespaces: a plan of options, what is there
-- already, and what came of it.
local call = require "hcs.hcn.call"
local differ = require "hcs.hcn.differ"
local errors = require "hcs.error"
local object = require "hcs.hcn.object"
local options = require "hcs.options"
local owner = require "hcs.owner"
local validate = require "hcs.validate"

local creation = {}

local POLICIES = { "fail", "open", "replace" }

--- What creates an object: { id, name, document, if_exists, validate, parent, find }.
--- `parent` is the network of an endpoint; `find(fields)` gives the id of what
--- is there already where the service would not say that it exists.
function creation.plan(world, kind, given, document)
    local noun = kind.noun .. ".create"
    options.one_of(noun, "if_exists", given.if_exists or "fail", POLICIES)
    local id = given.id and call.id(noun, given.id, true) or call.guid(document.ID)
    if document.Owner == nil then
        document.Owner = given.keep and (given.owner or owner.DEFAULT)
            or owner.tag(world.core, given.owner)
    end
    document.ID = nil
    return {
        id = id, name = given.name, if_exists = given.if_exists or "fail", document = document,
        json = world.encode(document, kind.type), validate = given.validate,
        fields = object.fields(kind, "create", given.name or id),
    }
end

local function submit(world, kind, plan)
    if not plan.parent then
        return object.call(world, plan.fields, kind, "Create", plan.id, plan.json)
    end
    return object.with(world, plan.parent.kind, plan.parent.network, plan.fields,
        function(handle)
            return object.call(world, plan.fields, kind, "Create", handle, plan.id, plan.json)
        end)
end

-- What the service would pass over without a word is a slip.
local function check_document(world, kind, plan)
    if plan.validate == false then return true end
    local ok, fault = validate.check(plan.document, kind.type)
    if ok then return true end
    return errors.fail({ op = plan.fields.op, target = plan.fields.target, hresult = fault.code,
        path = fault.path, message = fault.message }, world.core)
end

--- What making a network of a plan would change, as the host's document.
function creation.foresee(world, kind, plan)
    local valid, fault, code = check_document(world, kind, plan)
    if not valid then return nil, fault, code end
    return call.make(world, plan.fields, "network_plan", plan.json)
end

-- An object that cannot be read back is taken away again, where its id is known.
local function create_once(world, strict, kind, plan)
    local ok, handle, code = submit(world, kind, plan)
    if not ok then return nil, handle, code end
    local guard <close> = object.guard_of(world, kind, handle)
    local properties, err
    properties, err, code = object.query(world, kind, handle, plan.fields)
    if not properties then
        if plan.id then object.call(world, plan.fields, kind, "Delete", plan.id) end
        return nil, err, code
    end
    guard.handle = nil
    return object.adopt(world, strict, kind, handle, properties, {
        warnings = differ(plan.document, properties, kind.type), _created = true,
    })
end

local function existing(world, kind, plan)
    if plan.id then
        local there, err, code = object.is_there(world, kind, plan.fields, plan.id)
        if there == nil then return nil, err, code end
        if there then return plan.id end
    end
    if plan.find then return plan.find(plan.fields) end
    if not (kind.named and plan.name) then return nil end
    return object.named(world, kind, plan.fields, plan.name)
end

local function open_existing(world, strict, kind, plan, id)
    local self, err, code = object.open(world, strict, kind, plan.fields, id)
    if not self then return nil, err, code end
    local properties
    properties, err, code = object.query(world, kind, self._handle, plan.fields)
    if not properties then
        object.close(self)
        return nil, err, code
    end
    self.warnings = differ(plan.document, properties, kind.type)
    return self
end

local function replace(world, strict, kind, plan, id, deadline)
    local ok, err, code = object.delete(world, kind, plan.fields, id, deadline)
    if not ok and not err:is("not_found") then return nil, err, code end
    return create_once(world, strict, kind, plan)
end

local function create_or_use(world, strict, kind, plan, deadline)
    local id, err, code = existing(world, kind, plan)
    if err then return nil, err, code end
    if id and plan.if_exists == "open" then
        return open_existing(world, strict, kind, plan, id)
    elseif id then
        return replace(world, strict, kind, plan, id, deadline)
    end
    return create_once(world, strict, kind, plan)
end

--- Makes an object of a plan.
function creation.create(world, strict, kind, plan, deadline)
    local valid, fault, fault_code = check_document(world, kind, plan)
    if not valid then return nil, fault, fault_code end
    if plan.if_exists == "fail" then return create_once(world, strict, kind, plan) end
    local self, err, code = create_or_use(world, strict, kind, plan, deadline)
    if self or not err:is("exists", "not_found") then return self, err, code end
    -- Another may have made or deleted it since it was looked for.
    return create_or_use(world, strict, kind, plan, deadline)
end

return creation
