-- SPDX-License-Identifier: MIT
-- From the full data set of HCN to what a caller may write or gets back, in
-- the form of the other set: builds in the place of versions, values by name.

local part = ...
local cjson = require "cjson"
local text_of = part "text"

local M = {}

local SCALARS = { Guid = "guid", ByteArray = "bytes", Any = "any" }

-- HCN writes these as numbers though they are no flags; of protocols it takes
-- any number that IANA may give one.
local NUMBERS = { ProtocolType = true, LoadBalancerDistribution = true }
local OPEN = { ProtocolType = true }

-- What answers besides the documents of the roots.
local ANSWERS = { "ModifySettingResponse", "ModifyNamespaceSettingResponse",
    "EndpointAdditionalParams", "NetworkAdditionalParams", "GuestNetworkServiceNotificationData" }

-- The classes of the older interface whose names the newer one has too, or
-- that say nothing of where they belong.
local V1_NAMES = { Subnet = "HNSSubnet", MacPool = "HNSMacPool", Policy = "HNSPolicy",
    NetworkFlags = "NetworkFlags" }
local V1_ROOTS = { "HNSNetwork", "HNSEndpoint", "HNSNamespace" }
local V1_POLICIES = { "NatPolicyData", "QosPolicyData", "VlanPolicyData", "VsidPolicyData",
    "OutboundNatPolicyData" }

-- Members of the older interface that were seen, but that its classes lack.
local V1_MORE = {
    HNSNetwork = {
        { "ActivityId", "guid" }, { "DNSServerCompartment", "uint32" },
        { "DrMacAddress", "string" }, { "GatewayMac", "string" }, { "Health", "HNSHealth" },
        { "LayeredOn", "guid" }, { "ManagementIP", "string" },
        { "MaxConcurrentEndpoints", "uint32" }, { "NatName", "string" },
        { "Resources", "any" }, { "SwitchGuid", "guid" }, { "TotalEndpoints", "uint32" },
        { "Version", "uint64" } },
    HNSNetworkSwitchExtension = { { "Name", "string" } },
    HNSHealth = { { "LastErrorCode", "uint32" }, { "LastUpdateTime", "uint64" } },
    HNSSubnet = { { "ID", "guid" }, { "Flags", "SubnetFlags" }, { "Health", "HNSHealth" },
        { "IpSubnets", "HNSIpSubnet", true }, { "ObjectType", "uint32" }, { "State", "uint32" } },
    HNSIpSubnet = { { "ID", "guid" }, { "IpAddressPrefix", "string" },
        { "Flags", "IPSubnetFlags" }, { "Health", "HNSHealth" }, { "ObjectType", "uint32" },
        { "Policies", "HNSPolicy", true }, { "State", "uint32" } },
    HNSEndpoint = { { "Health", "HNSHealth" }, { "State", "uint32" }, { "Version", "uint64" },
        { "AdditionalParams", "any" }, { "Resources", "any" } },
    HNSPolicy = { { "ExternalPortReserved", "bool" }, { "Destinations", "string", true },
        { "DestinationPrefix", "string" }, { "NextHop", "string" }, { "NeedEncap", "bool" },
        { "PA", "string" } },
}
-- Texts and numbers of the older interface that are more than its classes say.
local V1_TYPES = { ["HNSNetwork.Type"] = "NetworkMode", ["HNSPolicy.Type"] = "string",
    ["HNSPolicy.Protocol"] = "any", ["HNSEndpoint.Policies"] = "HNSPolicy",
    ["HNSEndpoint.SharedContainers"] = "string" }

-- What HcnQueryEndpointStats answers.
local STATS = { "BytesReceived", "BytesSent", "DroppedPacketsIncoming",
    "DroppedPacketsOutgoing", "EndpointId", "InstanceId", "PacketsReceived", "PacketsSent" }

-- The order of members, which decoding loses: the file has a line for each key
-- and a blank for each level.
local function read_orders(text, section)
    local orders, inside, current = {}, false, nil
    for blanks, key in text:gmatch('\n( +)"([^"\n]+)": ') do
        if #blanks == 1 then
            inside = key == section
        elseif inside and #blanks == 2 then
            current = key
            orders[current] = {}
        elseif inside and #blanks == 4 then
            table.insert(orders[current], key)
        end
    end
    return orders
end

-- minor -> the first known build that takes it: the versions between two that
-- came with known builds came with the later one at the latest.
local function read_versions(map)
    local versions, waiting, builds = {}, {}, {}
    for _, entry in ipairs(map) do
        waiting[#waiting + 1] = entry.version
        if entry.build ~= cjson.null then
            builds[#builds + 1] = entry.build
            for _, version in ipairs(waiting) do
                versions[version] = entry.build
            end
            waiting = {}
        end
    end
    return versions, builds
end

local function read_choice(choice)
    if not choice or choice.by == "notification" then
        return nil
    end
    local cases = {}
    for value, type_name in pairs(choice.map) do
        cases[value] = type_name ~= cjson.null and type_name or nil
    end
    return { by = choice.by, cases = cases }
end

local function read_member(from, versions)
    return { type = SCALARS[from.type] or from.type, array = from.array, source = from.source,
        newInVersion = from.newInVersion, since = versions[from.newInVersion],
        public = from.source == nil or nil, choice = read_choice(from.oneOf) }
end

local function read_values(list, versions)
    local values = {}
    for _, from in ipairs(list) do
        values[from.name] = { value = from.value, newInVersion = from.newInVersion,
            since = versions[from.newInVersion], public = true }
    end
    return values
end

local function read_type(name, from, versions)
    local entry = { kind = from.members and "object" or from.empty and "object" or from.kind }
    if entry.kind == "enum" then
        entry.values = read_values(from.values, versions)
        entry.flags = from.flags
        entry.json = (from.flags or NUMBERS[name]) and "number" or "string"
        entry.open = OPEN[name]
        return entry
    end
    entry.members = {}
    for member, facts in pairs(from.members or {}) do
        entry.members[member] = read_member(facts, versions)
    end
    return entry
end

-- What real callers use and the page does not have.
local function extend(types, orders, extensions, versions)
    for _, from in ipairs(extensions.enumValues) do
        types[from.type].values[from.name] = { source = from.source, newInVersion = "2.0",
            value = from.value ~= cjson.null and from.value or nil, since = versions["2.0"] }
    end
    local function add(type_name, from)
        types[type_name].members[from.name] = { type = SCALARS[from.memberType] or from.memberType,
            array = from.array, source = from.source, newInVersion = "2.0",
            since = versions["2.0"] }
        table.insert(orders[type_name], from.name)
    end
    for _, from in ipairs(extensions.members) do
        add(from.type, from)
        local twin = from.type .. "_2"
        if types[twin] then
            add(twin, from)
        end
    end
end

local function add_members(types, orders, name, list, since)
    local entry = types[name] or { kind = "object", members = {} }
    types[name], orders[name] = entry, orders[name] or {}
    for _, member in ipairs(list) do
        assert(not entry.members[member[1]], name .. " has " .. member[1])
        entry.members[member[1]] = { type = member[2], array = member[3], newInVersion = "2.0",
            since = since }
        table.insert(orders[name], member[1])
    end
end

-- The older interface's policies are flat: one type has all their members.
local function flatten(v1, order)
    for _, name in ipairs(V1_POLICIES) do
        for _, member in ipairs(order[name]) do
            if not v1.Policy.members[member] then
                v1.Policy.members[member] = v1[name].members[member]
                table.insert(order.Policy, member)
            end
        end
    end
end

local function add_v1(types, orders, v1, order, since)
    flatten(v1, order)
    for name, from in pairs(v1) do
        local own = V1_NAMES[name] or name
        if own:find("^HNS") and from.members then
            local list = {}
            for i, member in ipairs(order[name]) do
                local facts = from.members[member]
                list[i] = { member, V1_TYPES[own .. "." .. member] or V1_NAMES[facts.type]
                    or SCALARS[facts.type] or facts.type, facts.array }
            end
            add_members(types, orders, own, list, since)
        end
    end
    for name, list in pairs(V1_MORE) do
        add_members(types, orders, name, list, since)
    end
end

local function add_stats(types, orders, since)
    local list = {}
    for i, name in ipairs(STATS) do
        list[i] = { name, name:find("Id$") and "guid" or "uint64" }
    end
    add_members(types, orders, "EndpointStats", list, since)
end

local function root_names(roots)
    local names = {}
    for _, entry in pairs(roots) do
        for _, name in pairs(type(entry) == "table" and entry or { entry }) do
            names[#names + 1] = name
        end
    end
    for _, more in ipairs { ANSWERS, V1_ROOTS, { "EndpointStats" } } do
        table.move(more, 1, #more, #names + 1, names)
    end
    return names
end

local function reachable(types, names)
    local wanted = {}
    local function want(name)
        local entry = types[name]
        if not entry or wanted[name] then
            return
        end
        wanted[name] = entry
        for _, member in pairs(entry.members or {}) do
            want(member.type)
            for _, case in pairs(member.choice and member.choice.cases or {}) do
                want(case)
            end
        end
    end
    for _, name in ipairs(names) do
        want(name)
    end
    return wanted
end

local function write_orders(types, orders)
    local lines = {}
    for name, entry in pairs(types) do
        if entry.members and orders[name] and orders[name][1] then
            lines[#lines + 1] = ("%s:%s"):format(text_of.scalar(name),
                text_of.compact(orders[name]))
        end
    end
    table.sort(lines)
    return "{\n" .. table.concat(lines, ",\n") .. "}\n"
end

--- @return the texts of the reduced shapes and of the order of their members
function M.reduce(text)
    local data = cjson.decode(text)
    local versions, builds = read_versions(data.versionMap)
    local types, orders = {}, read_orders(text, "types")
    for name, from in pairs(data.types) do
        types[name] = read_type(name, from, versions)
    end
    extend(types, orders, data.extensions, versions)
    add_v1(types, orders, data.schemaV1, read_orders(text, "schemaV1"), versions["2.0"])
    add_stats(types, orders, versions["2.0"])
    types = reachable(types, root_names(data.roots))
    return text_of.shapes({ format = 1, builds = builds, schemaVersions = versions,
        schemaVersionHints = {}, aliases = {} }, types), write_orders(types, orders)
end

return M
