-- SPDX-License-Identifier: MIT
-- The HostComputeEndpoint document of an endpoint, from options.

local address = require "hcs.doc.address"
local merge = require("hcs.doc.merge").merge
local options = require "hcs.options"
local parts = require "hcs.doc.network_parts"
local policy = require "hcs.doc.policy"
local settings = require "hcs.doc.settings"

local KNOWN = {
    name = "string", id = "string", owner = "string", network = "string|table|userdata",
    namespace = "string|table|userdata", ip = "string|table", ips = "table", mac = "string",
    dns = "string|table", gateway = "string|table", routes = "table",
    policies = "table", forward = "table", bandwidth = "string|integer",
    flags = "string|table|integer", document = "table",
    -- read by hcs.endpoint.create itself
    if_exists = "string", validate = "boolean",
}

local IP = { address = "string", subnet = "string" }

local function ip_configuration(what, value)
    local given = type(value) == "string" and { address = value } or value
    options.check(what, given, IP)
    if not given.address then
        options.misuse("%s: address is missing", what)
    end
    local text, length = address.interface(what, given.address)
    return { IpAddress = text, PrefixLength = length, IpSubnetId = given.subnet }
end

local function ip_configurations(o)
    if o.ip and o.ips then
        options.misuse("endpoint: ip and ips exclude each other")
    elseif o.ip then
        return { ip_configuration("ip", o.ip) }
    end
    local list = {}
    for i, value in ipairs(o.ips or {}) do
        list[i] = ip_configuration(("ips[%d]"):format(i), value)
    end
    return list[1] and list or nil
end

local function port(what, value)
    if math.type(value) ~= "integer" or value < 0 or value > 65535 then
        options.misuse("%s: a port from 0 to 65535 expected, got %s", what,
            value == nil and "nothing" or tostring(value))
    end
    return value
end

local FORWARD = { port = "integer", address = "string" }

-- "tcp/8080" or 8080 -> "tcp", 8080
local function outer_port(key)
    local protocol, number = "tcp", key
    if type(key) == "string" then
        protocol, number = key:match("^(%a+)/(%d+)$")
        number = math.tointeger(tonumber(number or key))
        protocol = protocol or "tcp"
    end
    if not number or protocol ~= "tcp" and protocol ~= "udp" then
        options.misuse("forward: %q is not a port like \"tcp/8080\"", tostring(key))
    end
    return protocol, port("forward", number)
end

local function mapping(key, value)
    local protocol, outer = outer_port(key)
    local what = ("forward[\"%s/%d\"]"):format(protocol, outer)
    local given = type(value) == "table" and options.check(what, value, FORWARD)
        or { port = value }
    local vip = given.address
    local _, family
    if vip then
        _, family = address.parse(vip)
        if not family then
            options.misuse("%s: %q is not an address", what, vip)
        end
    end
    return policy.builders.port_mapping { protocol = protocol, external_port = outer,
        internal_port = port(what, given.port), vip = vip,
        flags = family == "v6" and "ipv6" or nil }
end

-- Sorted, so that the same options make the same document.
local function mappings(given)
    local list = {}
    for key, value in pairs(given) do
        list[#list + 1] = mapping(key, value)
    end
    table.sort(list, function(a, b)
        a, b = a.Settings, b.Settings
        if a.Protocol ~= b.Protocol then
            return a.Protocol < b.Protocol
        end
        return a.ExternalPort < b.ExternalPort
    end)
    for i = 2, #list do
        local a, b = list[i - 1].Settings, list[i].Settings
        if a.Protocol == b.Protocol and a.ExternalPort == b.ExternalPort then
            options.misuse("forward: port %d is there twice", a.ExternalPort)
        end
    end
    return list
end

local function policies(o)
    local list = policy.check("policies", o.policies, "endpoint")
    if o.forward then
        local more = mappings(o.forward)
        table.move(more, 1, #more, #list + 1, list)
    end
    if o.bandwidth then
        list[#list + 1] = policy.builders.qos(o.bandwidth)
    end
    return list[1] and list or nil
end

--- The document for the options of hcs.doc.endpoint.
---@param given table
---@return table document
return function(given)
    local o = options.check("endpoint", given, KNOWN)
    return merge({
        ID = o.id,
        Owner = o.owner,
        Name = o.name,
        SchemaVersion = parts.VERSION,
        HostComputeNetwork = o.network and parts.id("endpoint: network", o.network),
        HostComputeNamespace = o.namespace and parts.id("endpoint: namespace", o.namespace),
        Policies = policies(o),
        IpConfigurations = ip_configurations(o),
        Dns = o.dns and parts.dns(o.dns),
        Routes = parts.routes("", o.routes, o.gateway),
        MacAddress = o.mac and address.mac("mac", o.mac),
        Flags = o.flags and settings.flags("endpoint: flags", "EndpointFlags", o.flags),
    }, o.document)
end
