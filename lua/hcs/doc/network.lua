-- SPDX-License-Identifier: MIT
-- The HostComputeNetwork document of a network, from options.

local address = require "hcs.doc.address"
local enum = require "hcs.doc.enum"
local merge = require("hcs.doc.merge").merge
local options = require "hcs.options"
local parts = require "hcs.doc.network_parts"
local policy = require "hcs.doc.policy"
local settings = require "hcs.doc.settings"

local KNOWN = {
    name = "string", id = "string", type = "string", owner = "string",
    subnet = "string|table", subnets = "table", gateway = "string|boolean",
    vlan = "integer", vsid = "integer", dhcp = "boolean", dns = "string|table",
    mac_pool = "table", adapter = "string", policies = "table",
    flags = "string|table|integer", document = "table",
    -- read by hcs.network.create itself
    if_exists = "string", validate = "boolean",
}

local SUBNET = {
    prefix = "string", gateway = "string|boolean", routes = "table", vlan = "integer",
    vsid = "integer", policies = "table", ip_subnets = "table", flags = "string|table|integer",
}

-- Where the host is the gateway, so that one is there even if none is named.
local HOST_IS_GATEWAY = { NAT = true, ICS = true, ConstrainedICS = true }

local function gateway(given, kind, bytes, length)
    if given.gateway == false then
        return nil
    elseif type(given.gateway) == "string" then
        return given.gateway
    end
    return (given.gateway or HOST_IS_GATEWAY[kind]) and address.first_host(bytes, length) or nil
end

local function ip_subnets(what, list)
    local result = {}
    for i, prefix in ipairs(list or {}) do
        result[i] = { IpAddressPrefix = (address.prefix(("%s.ip_subnets[%d]"):format(what, i),
            prefix)) }
    end
    return result[1] and result or nil
end

local function subnet_policies(what, given)
    local list = policy.check(what .. ".policies", given.policies, "subnet")
    local builders = policy.builders
    if given.vlan then
        list[#list + 1] = builders.vlan(given.vlan)
    end
    if given.vsid then
        list[#list + 1] = builders.vsid(given.vsid)
    end
    return list[1] and list or nil
end

local function subnet(what, value, kind)
    local given = type(value) == "string" and { prefix = value } or value
    options.check(what, given, SUBNET)
    if not given.prefix then
        options.misuse("%s: prefix is missing", what)
    end
    local prefix, bytes, length = address.prefix(what, given.prefix)
    return {
        IpAddressPrefix = prefix,
        Routes = parts.routes(what .. ".", given.routes, gateway(given, kind, bytes, length)),
        Policies = subnet_policies(what, given),
        IpSubnets = ip_subnets(what, given.ip_subnets),
        Flags = given.flags and settings.flags(what .. ".flags", "SubnetFlags", given.flags),
    }
end

-- The options that belong to the only subnet may stand beside it.
local function with_outer(o, value)
    local given = type(value) == "string" and { prefix = value } or value
    local result = {}
    for key, item in pairs(given) do
        result[key] = item
    end
    for _, name in ipairs { "gateway", "vlan", "vsid" } do
        if o[name] ~= nil then
            if result[name] ~= nil then
                options.misuse("network: %s is there twice", name)
            end
            result[name] = o[name]
        end
    end
    return result
end

local function subnets(o, kind)
    if o.subnet and o.subnets then
        options.misuse("network: subnet and subnets exclude each other")
    elseif o.subnet then
        return { subnet("subnet", with_outer(o, o.subnet), kind) }
    end
    for _, name in ipairs { "gateway", "vlan", "vsid" } do
        if o[name] ~= nil then
            options.misuse("network: %s goes with subnet%s", name,
                o.subnets and ", not with subnets: say it in each" or ", which is missing")
        end
    end
    local list = {}
    for i, value in ipairs(o.subnets or {}) do
        list[i] = subnet(("subnets[%d]"):format(i), value, kind)
    end
    return list[1] and list or nil
end

local RANGE = { first = "string", last = "string" }

local function mac_range(what, given)
    options.check(what, given, RANGE)
    for _, name in ipairs { "first", "last" } do
        if not given[name] then
            options.misuse("%s: %s is missing", what, name)
        end
    end
    local range = { StartMacAddress = address.mac(what .. ".first", given.first),
        EndMacAddress = address.mac(what .. ".last", given.last) }
    if range.StartMacAddress > range.EndMacAddress then
        options.misuse("%s: the first address is after the last", what)
    end
    return range
end

local function mac_pool(value)
    local ranges = {}
    for i, range in ipairs(value[1] and value or { value }) do
        ranges[i] = mac_range(value[1] and ("mac_pool[%d]"):format(i) or "mac_pool", range)
    end
    return { Ranges = ranges }
end

local function policies(o)
    local list = policy.check("policies", o.policies, "network")
    if o.adapter then
        list[#list + 1] = policy.builders.net_adapter_name(o.adapter)
    end
    return list[1] and list or nil
end

local function ipams(o, kind)
    local list = subnets(o, kind)
    if not list and not o.dhcp then
        return nil
    end
    return { { Type = o.dhcp and "Dhcp" or "Static", Subnets = list } }
end

--- The document for the options of hcs.doc.network.
---@param given table
---@return table document
return function(given)
    local o = options.check("network", given, KNOWN)
    local kind = enum("network: type", "NetworkMode", o.type or "nat")
    return merge({
        ID = o.id,
        Owner = o.owner,
        Name = o.name,
        SchemaVersion = parts.VERSION,
        Type = kind,
        Policies = policies(o),
        MacPool = o.mac_pool and mac_pool(o.mac_pool),
        Dns = o.dns and parts.dns(o.dns),
        Ipams = ipams(o, kind),
        Flags = o.flags and settings.flags("network: flags", "NetworkFlags", o.flags),
    }, o.document)
end
