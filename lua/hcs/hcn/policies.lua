-- SPDX-License-Identifier: MIT
-- Policies of networks and endpoints: what add_policy and remove_policy take,
-- and the modify requests that they become.
local errors = require "hcs.error"
local object = require "hcs.hcn.object"
local options = require "hcs.options"
local validate = require "hcs.validate"

local policies = {}

local function is_policy(value)
    return type(value) == "table" and type(value.Type) == "string"
end

-- One policy { Type =, Settings = } or a list of them, as a list.
local function list_of(world, what, given)
    options.argument(what, "the policy", given, "table")
    if is_policy(given) then return world.core.array { given } end
    for index, one in ipairs(given) do
        if not is_policy(one) then
            options.misuse("%s: policy %d has no Type: { Type = \"ACL\", Settings = { … } }", what,
                index)
        end
    end
    if given[1] == nil and next(given) ~= nil then
        options.misuse("%s: a policy has a Type: { Type = \"ACL\", Settings = { … } }", what)
    end
    return world.core.array { table.unpack(given) }
end

-- What the service would pass over without a word is a slip.
local function check(world, fields, kind, list)
    for index, policy in ipairs(list) do
        local ok, fault = validate.check(policy, kind.name .. "Policy")
        if not ok then
            return errors.fail({ op = fields.op, target = fields.target, hresult = fault.code,
                path = ("$.Settings.Policies[%d]%s"):format(index - 1, fault.path:sub(2)),
                message = fault.message }, world.core)
        end
    end
    return true
end

--- Has an object of that kind add, remove or set ("Update") policies: one or a
--- list of them. `verb` is what the caller called.
function policies.change(self, kind, verb, request, given)
    local world = object.live(self, kind)._world
    local list = list_of(world, kind.noun .. ":" .. verb, given)
    local ok, err, code = check(world, object.fields(kind, verb, self.name or self.id), kind, list)
    if not ok then return nil, err, code end
    return object.modify(self, kind, verb,
        { ResourceType = "Policy", RequestType = request, Settings = { Policies = list } })
end

return policies
