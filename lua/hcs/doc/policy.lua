-- SPDX-License-Identifier: MIT
-- Policies of networks, subnets and endpoints: one function for each type that
-- the tables have, whose options are the members of its settings.

local options = require "hcs.options"
local schema = require "hcs.schema.hcn"
local settings = require "hcs.doc.settings"
local snake_case = require "hcs.doc.snake"

local M = {}

-- Where the letters of Microsoft's name do not tell its words.
local NAMES = { OutBoundNAT = "outbound_nat", L4WFPPROXY = "l4_wfp_proxy",
    VSwitchExtension = "vswitch_extension", NetworkACL = "network_acl" }

-- Without these a policy would not say what it is for, or Windows would fill in
-- what nobody meant.
local NEEDED = {
    PortMapping = { "Protocol", "InternalPort" }, ACL = { "Action", "Direction" },
    NetworkACL = { "Action", "Direction" }, SDNRoute = { "DestinationPrefix", "NextHop" },
    L4Proxy = { "Port" }, RemoteSubnetRoute = { "DestinationPrefix" },
    SetPolicy = { "Id", "PolicyType" }, TierAcl = { "Direction", "TierAclRules" },
}

local FAMILIES = { { "EndpointPolicy", "endpoint" }, { "NetworkPolicy", "network" },
    { "SubnetPolicy", "subnet" } }

-- Types without settings of their own have none of these.
local function add(list, text, t, of)
    local name = NAMES[text] or snake_case(text)
    local entry = list[name]
    if not entry then
        entry = { name = name, type = text, settings = t, of = {} }
        list[name] = entry
        list[#list + 1] = entry
    end
    entry.of[#entry.of + 1] = of
end

local function read_types()
    local list = {}
    for _, family in ipairs(FAMILIES) do
        local members = schema.types[family[1]].members
        for _, text in ipairs(members.Type.of.order) do
            if members.Type.of.values[text].value then
                add(list, text, members.Settings.cases[text], family[2])
            end
        end
    end
    table.sort(list, function(a, b) return a.name < b.name end)
    return list
end

local list = read_types()

-- A policy of one member takes its value, too: vlan(5), qos("10M").
local function only_member(entry)
    local order = entry.settings and entry.settings.order or {}
    return #order == 1 and order[1] or nil
end

local function need(entry, object)
    local only = only_member(entry)
    for _, member in ipairs(NEEDED[entry.type] or only and { only } or {}) do
        if object[member] == nil then
            options.misuse("%s: %s is missing", entry.name, settings.option(member))
        end
    end
end

local function make(entry, given)
    local only = only_member(entry)
    if only and given ~= nil and type(given) ~= "table" then
        given = { [settings.option(only)] = given }
    end
    if not entry.settings then
        options.check(entry.name, given, {})
        return { Type = entry.type }
    end
    options.argument(entry.name, "the table of options", given, "table|nil")
    local object = settings.build(entry.name, entry.settings, given or {})
    need(entry, object)
    return { Type = entry.type, Settings = object }
end

--- The types, sorted by name: { name, type, settings, of, options }; `of` lists
--- "endpoint", "network" and "subnet".
---@return table[] types
function M.types()
    local types = {}
    for i, entry in ipairs(list) do
        local names = {}
        for k, member in ipairs(entry.settings and entry.settings.order or {}) do
            names[k] = settings.option(member)
        end
        types[i] = { name = entry.name, type = entry.type, of = entry.of, options = names,
            settings = entry.settings and entry.settings.name }
    end
    return types
end

local builders = {}
for _, entry in ipairs(list) do
    builders[entry.name] = function(given)
        return make(entry, given)
    end
end

--- hcs.doc.policy: the functions by name; any other name is a mistake.
M.builders = setmetatable(builders, { __index = function(_, name)
    local near = type(name) == "string" and options.nearest(name, builders)
    options.misuse("policy: there is no %q%s", tostring(name),
        near and (' (did you mean "%s"?)'):format(near) or "")
end })

--- Checks that a list holds policies as hcs.doc.policy makes them, of one kind.
---@param what string the option
---@param given table|nil
---@param of string "endpoint", "network" or "subnet"
---@return table list
function M.check(what, given, of)
    if given == nil then
        return {}
    end
    options.argument(what, "the policies", given, "table")
    if given.Type ~= nil then
        given = { given }
    end
    local values
    for _, family in ipairs(FAMILIES) do
        if family[2] == of then
            values = schema.types[family[1]].members.Type.of.values
        end
    end
    local policies = {}
    for i, policy in ipairs(given) do
        if type(policy) ~= "table" or type(policy.Type) ~= "string" then
            options.misuse("%s[%d]: a policy of hcs.doc.policy expected, got a %s", what, i,
                type(policy))
        elseif not values[policy.Type] then
            options.misuse("%s[%d]: %s is no policy of a%s %s", what, i, policy.Type,
                of == "endpoint" and "n" or "", of)
        end
        policies[i] = policy
    end
    return policies
end

return M
