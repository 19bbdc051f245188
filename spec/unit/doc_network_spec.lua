-- SPDX-License-Identifier: MIT
-- The documents that the options of networks, endpoints and namespaces make.
local doc = require "hcs.doc"
local policies = require "hcs.doc.policy"
local validate = require "hcs.validate"

local ID = "01234567-89ab-cdef-0123-456789abcdef"

local function checked(document, type_name)
    local ok, fault = validate.check(document, type_name)
    assert.is_nil(fault and fault.path .. ": " .. fault.message)
    assert.is_true(ok)
    return document
end

local function network(given) return checked(doc.network(given), "HostComputeNetwork") end
local function endpoint(given) return checked(doc.endpoint(given), "HostComputeEndpoint") end

local function refusal(fn, given)
    local ok, message = pcall(fn, given)
    assert.is_false(ok)
    assert.truthy(message:find("doc_network_spec.lua", 1, true) or message:find("^[%w_]"), message)
    return message
end

describe("hcs.doc.network", function()
    it("makes a NAT network", function()
        assert.same({
            Name = "lab", Type = "NAT", SchemaVersion = { Major = 2, Minor = 0 },
            Ipams = { { Type = "Static", Subnets = { { IpAddressPrefix = "192.168.100.0/24",
                Routes = { { NextHop = "192.168.100.1", DestinationPrefix = "0.0.0.0/0" } } } } } },
        }, network { name = "lab", type = "nat", subnet = "192.168.100.0/24" })
    end)

    it("leaves to the host what is not said", function()
        assert.same({ Type = "NAT", SchemaVersion = { Major = 2, Minor = 0 } }, network {})
        assert.same({ { Type = "Dhcp" } }, network { type = "transparent", dhcp = true }.Ipams)
    end)

    it("gives a gateway only where the host is it, or one is named", function()
        local function routes(given)
            return network(given).Ipams[1].Subnets[1].Routes
        end
        assert.is_nil(routes { subnet = "10.0.0.0/24", gateway = false })
        assert.is_nil(routes { type = "l2bridge", subnet = "10.0.0.0/24" })
        assert.equal("10.0.0.1", routes { type = "l2_bridge", subnet = "10.0.0.0/24",
            gateway = true }[1].NextHop)
        assert.same({ { NextHop = "fd00::fe", DestinationPrefix = "::/0" } },
            routes { subnet = "fd00::/64", gateway = "fd00::fe" })
        assert.equal("fd00::1", routes { type = "ics", subnet = "fd00::/64" }[1].NextHop)
        assert.is_nil(routes { subnet = "10.0.0.4/31" })
    end)

    it("makes an overlay network with all that it may have", function()
        local document = network { name = "o", id = ID, owner = "me", type = "overlay",
            adapter = "Ethernet", mac_pool = { first = "00:15:5d:52:c0:00",
                last = "00-15-5D-52-CF-FF" },
            dns = { servers = "1.1.1.1", domain = "a.b", search = { "a.b", "b" },
                options = "ndots:5" },
            flags = { "enable_dns_proxy", "enable_non_persistent" },
            policies = { doc.policy.vxlan_port(4789) },
            subnets = { { prefix = "10.1.0.0/16", gateway = "10.1.0.1", vsid = 5000,
                ip_subnets = { "10.1.1.0/24" }, flags = "do_not_reserve_gateway_address",
                routes = { { to = "10.2.0.0/16", via = "10.1.0.2", metric = 5 } } },
                "10.3.0.0/16" } }
        assert.same({
            ID = ID, Owner = "me", Name = "o", Type = "Overlay", Flags = 9,
            SchemaVersion = { Major = 2, Minor = 0 },
            MacPool = { Ranges = { { StartMacAddress = "00-15-5D-52-C0-00",
                EndMacAddress = "00-15-5D-52-CF-FF" } } },
            Dns = { ServerList = { "1.1.1.1" }, Domain = "a.b", Search = { "a.b", "b" },
                Options = { "ndots:5" } },
            Policies = { { Type = "VxlanPort", Settings = { Port = 4789 } },
                { Type = "NetAdapterName", Settings = { NetworkAdapterName = "Ethernet" } } },
            Ipams = { { Type = "Static", Subnets = {
                { IpAddressPrefix = "10.1.0.0/16", Flags = 1,
                    IpSubnets = { { IpAddressPrefix = "10.1.1.0/24" } },
                    Policies = { { Type = "VSID", Settings = { IsolationId = 5000 } } },
                    Routes = { { NextHop = "10.1.0.1", DestinationPrefix = "0.0.0.0/0" },
                        { NextHop = "10.1.0.2", DestinationPrefix = "10.2.0.0/16",
                            Metric = 5 } } },
                { IpAddressPrefix = "10.3.0.0/16" } } } },
        }, document)
    end)

    it("lays document= over it, last", function()
        local given = { name = "a", subnet = "10.0.0.0/8", document = { Name = "b",
            SchemaVersion = { Minor = 16 }, Ipams = {} } }
        local document = network(given)
        assert.equal("b", document.Name)
        assert.same({ Major = 2, Minor = 16 }, document.SchemaVersion)
        assert.same({}, document.Ipams)
        assert.same({ Major = 2, Minor = 0 }, network {}.SchemaVersion)
    end)

    for _, case in ipairs {
        { { nmae = "x" }, 'network: unknown option "nmae" (did you mean "name"?)' },
        { { type = "natt" }, 'network: type: "natt" is unknown' },
        { { subnet = "192.168.100.1/24" }, 'subnet: "192.168.100.1/24" has host bits, '
            .. 'did you mean "192.168.100.0/24"?' },
        { { subnet = "fd00::1/64" }, 'did you mean "fd00::/64"?' },
        { { subnet = "192.168.100.0" }, 'is not a prefix like "192.168.100.0/24"' },
        { { subnet = "192.168.100.0/33" }, "is not an address like" },
        { { subnet = "a", subnets = {} }, "subnet and subnets exclude each other" },
        { { subnets = { {} } }, "subnets[1]: prefix is missing" },
        { { subnets = { { prefx = 1 } } }, 'subnets[1]: unknown option "prefx"' },
        { { gateway = "10.0.0.1" }, "gateway goes with subnet, which is missing" },
        { { vsid = 1, subnets = { "10.0.0.0/8" } }, "vsid goes with subnet, not with subnets" },
        { { vlan = 1, subnet = { prefix = "10.0.0.0/8", vlan = 2 } }, "vlan is there twice" },
        { { subnet = "10.0.0.0/8", gateway = "10.0.0" }, 'subnet.gateway: "10.0.0" is not an' },
        { { subnet = { prefix = "10.0.0.0/8", routes = { { to = "0.0.0.0/0" } } } },
            "subnet.routes[1]: via is missing" },
        { { mac_pool = { first = "00-15-5D-00-00-01" } }, "mac_pool: last is missing" },
        { { mac_pool = { { first = "x", last = "y" } } }, 'mac_pool[1].first: "x" is not an' },
        { { mac_pool = { first = "00-15-5D-00-00-02", last = "00-15-5D-00-00-01" } },
            "the first address is after the last" },
        { { dns = "dns.google" }, 'dns.servers: "dns.google" is not an address' },
        { { flags = { "enable_dnsproxi" } }, 'did you mean "enable_dns_proxy"?' },
        { { policies = { doc.policy.qos "1M" } }, "policies[1]: QOS is no policy of a network" },
        { { policies = { "vlan" } }, "policies[1]: a policy of hcs.doc.policy expected" },
        { { document = "x" }, 'network: option "document" is "x"' },
    } do
        it("refuses " .. case[2], function()
            local message = refusal(doc.network, case[1])
            assert.truthy(message:find(case[2], 1, true), message)
        end)
    end
end)

describe("hcs.doc.endpoint", function()
    it("makes one with a name only", function()
        assert.same({ Name = "e", SchemaVersion = { Major = 2, Minor = 0 } },
            endpoint { name = "e" })
    end)

    it("makes one with all that it may have", function()
        assert.same({
            ID = ID, Owner = "me", Name = "e", HostComputeNetwork = ID, HostComputeNamespace = ID,
            SchemaVersion = { Major = 2, Minor = 0 }, MacAddress = "00-15-5D-0A-0B-0C",
            IpConfigurations = { { IpAddress = "10.0.0.5", PrefixLength = 24 },
                { IpAddress = "fd00::5", IpSubnetId = ID } },
            Dns = { ServerList = { "1.1.1.1", "::1" } }, Flags = 8,
            Routes = { { NextHop = "10.0.0.1", DestinationPrefix = "0.0.0.0/0" },
                { NextHop = "fd00::1", DestinationPrefix = "::/0" },
                { NextHop = "10.0.0.2", DestinationPrefix = "10.1.0.0/16" } },
            Policies = {
                { Type = "L2Driver" },
                { Type = "PortMapping", Settings = { Protocol = 6, InternalPort = 80,
                    ExternalPort = 8080 } },
                { Type = "PortMapping", Settings = { Protocol = 6, InternalPort = 443,
                    ExternalPort = 8443 } },
                { Type = "PortMapping", Settings = { Protocol = 17, InternalPort = 53,
                    ExternalPort = 53, VIP = "::1", Flags = 2 } },
                { Type = "QOS", Settings = { MaximumOutgoingBandwidthInBytes = 10485760 } },
            },
        }, endpoint { name = "e", id = ID, owner = "me", network = { id = ID }, namespace = ID,
            mac = "00:15:5d:0a:0b:0c", dns = { "1.1.1.1", "::1" },
            ips = { "10.0.0.5/24", { address = "fd00::5", subnet = ID } },
            gateway = { "10.0.0.1", "fd00::1" },
            routes = { { to = "10.1.0.0/16", via = "10.0.0.2" } },
            policies = { doc.policy.l2_driver() }, flags = "enable_low_interface_metric",
            forward = { ["udp/53"] = { port = 53, address = "::1" }, ["tcp/8080"] = 80,
                [8443] = 443 },
            bandwidth = "10M" })
    end)

    it("keeps the lists that it was given as they were", function()
        local list = { doc.policy.l2_driver() }
        endpoint { policies = list, bandwidth = "1M" }
        assert.equal(1, #list)
        assert.same({ { Type = "L2Driver" } }, endpoint { policies = list[1] }.Policies)
    end)

    for _, case in ipairs {
        { { ip = "10.0.0.5", ips = {} }, "ip and ips exclude each other" },
        { { ip = "10.0.0" }, 'ip: "10.0.0" is not an address like' },
        { { ips = { "10.0.0.5/240" } }, 'ips[1]: "10.0.0.5/240" is not an address' },
        { { ip = {} }, "ip: address is missing" },
        { { mac = "00-15" }, 'mac: "00-15" is not an address like' },
        { { forward = { tcp = 80 } }, 'forward: "tcp" is not a port like "tcp/8080"' },
        { { forward = { ["sctp/1"] = 80 } }, 'forward: "sctp/1" is not a port' },
        { { forward = { ["tcp/65536"] = 80 } }, "a port from 0 to 65535 expected, got 65536" },
        { { forward = { ["tcp/80"] = "80" } }, 'forward["tcp/80"]: a port from 0 to 65535' },
        { { forward = { ["tcp/80"] = 1, [80] = 2 } }, "forward: port 80 is there twice" },
        { { forward = { ["tcp/80"] = { prot = 1 } } }, 'unknown option "prot"' },
        { { forward = { ["tcp/80"] = { port = 1, address = "x" } } }, '"x" is not an address' },
        { { bandwidth = 10 }, 'did you mean "10M"?' },
        { { network = {} }, "endpoint: network" },
        { { policies = { doc.policy.vsid(1) } }, "VSID is no policy of an endpoint" },
    } do
        it("refuses " .. case[2], function()
            local message = refusal(doc.endpoint, case[1])
            assert.truthy(message:find(case[2], 1, true), message)
        end)
    end
end)

describe("hcs.doc.namespace", function()
    it("makes one", function()
        assert.same({ Type = "Host", SchemaVersion = { Major = 2, Minor = 0 } },
            checked(doc.namespace(), "HostComputeNamespace"))
        assert.same({ ID = ID, Type = "GuestDefault", NamespaceId = 5, Name = "n",
            CreateWithCompartment = true, SchemaVersion = { Major = 2, Minor = 0 } },
            checked(doc.namespace { id = ID, type = "guest_default", number = 5, name = "n",
                compartment = true }, "HostComputeNamespace"))
        assert.truthy(refusal(doc.namespace, { type = "hots" }):find('did you mean "host"?', 1,
            true))
    end)
end)

-- A value for each type of an option, so that every policy can be made.
local function sample(m, name)
    if not m.of then
        return ({ bool = true, guid = ID, any = {} })[m.type] or m.type ~= "string" and 7
            or name:find("MacAddress") and "00-15-5D-00-00-01" or name == "Address"
            and "00-15-5D-00-00-02" or "1.2.3.4"
    elseif m.of.kind == "enum" then
        return m.of.order[#m.of.order]:lower()
    end
    return nil
end

describe("hcs.doc.policy", function()
    local schema = require "hcs.schema.hcn"
    local settings = require "hcs.doc.settings"

    local OWNERS = { endpoint = "HostComputeEndpoint", network = "HostComputeNetwork",
        subnet = "Subnet" }

    for _, one in ipairs(policies.types()) do
        it("makes a policy of each type: " .. one.name, function()
            local given = {}
            local t = one.settings and schema.types[one.settings]
            for _, name in ipairs(t and t.order or {}) do
                given[settings.option(name)] = sample(t.members[name], name)
            end
            if given.bandwidth then given.bandwidth = "1M" end
            if one.name == "tier_acl" then given.tier_acl_rules = { { id = "a" } } end
            local made = doc.policy[one.name](given)
            assert.equal(one.type, made.Type)
            for _, kind in ipairs(one.of) do
                checked({ Policies = { made } }, OWNERS[kind])
                assert.same({ made }, policies.check("x", { made }, kind))
            end
        end)
    end

    it("writes lists and protocols as Windows wants them", function()
        assert.same({ Type = "ACL", Settings = { Action = "Block", Direction = "In",
            Protocols = "6,17,256", LocalPorts = "22,8000-8080", RemoteAddresses = "10.0.0.0/8",
            RuleType = "Switch", Priority = 200 } },
            doc.policy.acl { action = "block", direction = "in", rule_type = "switch",
                protocols = { "tcp", "udp", 256 }, local_ports = { 22, "8000-8080" },
                remote_addresses = "10.0.0.0/8", priority = 200 })
        assert.same({ Id = "s", PolicyType = "NESTEDIPSET", Values = "a,b" },
            doc.policy.set_policy { id = "s", policy_type = "nestedipset",
                values = { "a", "b" } }.Settings)
        assert.same({ Protocol = 58, InternalPort = 1 },
            doc.policy.port_mapping { protocol = "icmpv6", internal_port = 1 }.Settings)
        assert.equal("0", doc.policy.acl { action = "allow", direction = "out",
            protocols = 0 }.Settings.Protocols)
    end)

    it("knows enums whose names begin with their type's by the rest", function()
        for _, text in ipairs { "off", "iov_interrupt_moderation_off" } do
            assert.equal("IovInterruptModerationOff",
                doc.policy.iov { interrupt_moderation = text }.Settings.InterruptModeration)
        end
        assert.truthy(refusal(doc.policy.iov, { interrupt_moderation = "of" })
            :find("expected default, adaptive, off, low, medium, high", 1, true))
    end)

    it("takes the value of a policy with one option", function()
        assert.same({ Type = "VLAN", Settings = { IsolationId = 5 } }, doc.policy.vlan(5))
        assert.same(doc.policy.vlan(5), doc.policy.vlan { isolation_id = 5 })
        assert.same({ Type = "DrMacAddress", Settings = { Address = "00-15-5D-00-00-0A" } },
            doc.policy.dr_mac_address "00:15:5d:00:00:0a")
        assert.same({ Type = "HostRoute", Settings = {} }, doc.policy.host_route())
    end)

    it("builds what is inside of policies", function()
        assert.same({ Name = "t", Direction = "Out", Order = 1, TierAclRules = {
            { Id = "a", Protocols = "6", TierAclRuleAction = "Pass", Priority = 1 } } },
            doc.policy.tier_acl { name = "t", direction = "out", order = 1, tier_acl_rules = {
                { id = "a", protocols = "tcp", tier_acl_rule_action = "pass",
                    priority = 1 } } }.Settings)
        assert.same({ EncryptionMethodType = "Ipsec", AuthenticationMethods = {
            { Type = "PresharedKey", Settings = { Key = "k" } } } },
            doc.policy.encryption { encryption_method_type = "ipsec", authentication_methods =
                { type = "preshared_key", settings = { key = "k" } } }.Settings)
        assert.same({ InboundExceptions = { PortExceptions = { "80" } } },
            doc.policy.l4_wfp_proxy { inbound_exceptions = { port_exceptions = 80 } }.Settings)
    end)

    for _, case in ipairs {
        { "acl", { action = "permit", direction = "in" }, 'acl: action: "permit" is unknown' },
        { "acl", { action = "alow", direction = "in" }, 'did you mean "allow"?' },
        { "acl", { direction = "in" }, "acl: action is missing" },
        { "acl", { action = 7.5 }, "acl: action" },
        { "port_mapping", { internal_prot = 1 }, '(did you mean "internal_port"?)' },
        { "port_mapping", { protocol = "tcpp", internal_port = 1 }, 'did you mean "tcp"?' },
        { "port_mapping", { internal_port = "80" }, "internal_port" },
        { "vlan", nil, "vlan: isolation_id is missing" },
        { "qos", 10, 'qos: bandwidth: 10 is not a size: did you mean "10M"?' },
        { "l2_driver", { x = 1 }, 'l2_driver: unknown option "x"' },
        { "outbound_nat", "10.0.0.0/8", "outbound_nat: the table of options is" },
        { "tier_acl", { direction = "in", tier_acl_rules = { { actoin = 1 } } },
            'tier_acl_rules[1]: unknown option "actoin"' },
        { "encryption", { authentication_methods = { settings = {} } },
            "type says no type that has settings" },
    } do
        it("refuses " .. case[3], function()
            local message = refusal(doc.policy[case[1]], case[2])
            assert.truthy(message:find(case[3], 1, true), message)
        end)
    end

    it("names the nearest type", function()
        local ok, message = pcall(function() return doc.policy.prot_mapping end)
        assert.is_false(ok)
        assert.truthy(message:find('there is no "prot_mapping" (did you mean "port_mapping"?)', 1,
            true), message)
    end)
end)

describe("addresses in options", function()
    local address = require "hcs.doc.address"

    it("are read and written", function()
        for _, text in ipairs { "1.2.3.4", "::", "::1", "fd00::", "2001:db8::1", "1::8",
            "1:2:3:4:5:6:7:8", "fe80::1:0:0:1" } do
            assert.equal(text, address.format((address.parse(text))))
        end
    end)

    it("are refused when they are none", function()
        for _, text in ipairs { "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.0004", ":::",
            "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "1:2:3:4:5:6:7::8",
            ":1:2:3:4:5:6:7:8", "1:", "12345::", "1.2.3.-4", " 1.2.3.4" } do
            assert.is_nil((address.parse(text)), text)
        end
        assert.is_nil((address.parse(7)))
    end)
end)
