-- SPDX-License-Identifier: MIT
-- The tables of docs/networks.md: which types of networks and policies a host has,
-- and with which code it refuses the others.
local helper = require "spec.helper"
local platform = require "spec.platform"

local ID = "00000000-0000-0000-0000-000000000001"
local ACL = { Action = "Block", Direction = "In", Protocols = "6", Priority = 100,
    RuleType = "Switch" }
local PROXY = { Port = "9000", IP = "10.91.0.1", Protocol = 6, Destination = "10.92.0.1" }

-- Settings that are good, by the policy's type.
local SETTINGS = {
    PortMapping = { Protocol = 6, InternalPort = 80, ExternalPort = 8223 },
    ACL = ACL, NetworkACL = ACL, L4Proxy = PROXY,
    TierAcl = { Direction = "In", Order = 1, TierAclRules = {
        { Id = "r", Protocols = "6", TierAclRuleAction = "Allow", Priority = 10 } } },
    OutBoundNAT = { Exceptions = { "10.92.0.0/16" } },
    QOS = { MaximumOutgoingBandwidthInBytes = 1000000 },
    EncapOverhead = { Overhead = 50 }, InterfaceParameters = { Mtu = 1400 },
    SDNRoute = { DestinationPrefix = "10.92.0.0/16", NextHop = "10.91.0.1" },
    L4WFPPROXY = { OutboundProxyPort = "9000", FilterTuple = { Protocols = "6" } },
    ProviderAddress = { ProviderAddress = "10.1.1.1" },
    VLAN = { IsolationId = 5 }, VSID = { IsolationId = 5 },
    InterfaceConstraint = { InterfaceIndex = 1 },
    PortName = { Name = "x" }, Iov = { IovOffloadWeight = 1 },
    SetPolicy = { Id = "s", Name = "s", PolicyType = "IPSET", Values = "10.0.0.0/8" },
    SourceMacAddress = { SourceMacAddress = "00-15-5D-01-02-03" },
    DrMacAddress = { Address = "00-15-5D-01-02-04" },
    NetAdapterName = { NetworkAdapterName = "eth0" },
    RemoteSubnetRoute = { DestinationPrefix = "10.93.0.0/16", IsolationId = 5,
        ProviderAddress = "10.1.1.2", DistributedRouterMacAddress = "00-15-5D-01-02-05" },
    VxlanPort = { Port = 8472 }, VSwitchExtension = { ExtensionID = ID, Enable = true },
    AutomaticDNS = { Enable = true }, LayerConstraint = { LayerId = ID },
}

-- The rows of the table whose first heading is `title`: lists of cells.
local function rows_of(title)
    local rows, inside = {}, false
    for line in platform.read("docs/networks.md"):gmatch "[^\r\n]*" do
        if line:find("^| " .. title) then
            inside = true
        elseif inside and line:find "^|" and not line:find "^|%-" then
            local cells = {}
            for cell in line:sub(2):gmatch "([^|]*)|" do
                cells[#cells + 1] = cell:match "^%s*(.-)%s*$"
            end
            rows[#rows + 1] = cells
        elseif line == "" and #rows > 0 then
            break
        end
    end
    return rows
end

local function each_name(cell, fn)
    for name in cell:gmatch "`([%w_]+)`" do fn(name) end
end

for _, uri in ipairs(helper.hosts()) do
    describe("what networks there are on " .. uri, function()
        local hcs
        local column = uri:find "^qemu:" and 1 or 0 -- beyond that of sim:

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
        end)

        after_each(helper.after)

        -- Holds what was made, or the error, against a cell of the table.
        local function compare(name, cell, made, err)
            local code = math.tointeger(tonumber(cell))
            if code then
                assert(not made, name .. " was made")
                assert(err.hresult == code, ("%s: %s, not %s"):format(name, err, cell))
                return
            end
            assert(made, ("%s: %s"):format(name, err))
            assert(cell == "simulated" or cell == "real" or cell == "kept", cell)
            assert(made:delete())
        end

        local function network(given)
            given.name, given.validate = "hcs-table", false
            return hcs.network.create(given)
        end

        it("of each type", function()
            if not hcs.host.can "networks" then return end
            local count = 0
            for _, row in ipairs(rows_of "type of network") do
                each_name(row[1], function(name)
                    count = count + 1
                    local vsid = name == "overlay"
                        and { { Type = "VSID", Settings = { IsolationId = 5000 } } } or nil
                    compare(name, row[2 + column], network { type = name, document = {
                        Ipams = { { Type = "Static", Subnets = { {
                            IpAddressPrefix = "10.91.0.0/24", Policies = vsid } } } },
                    } })
                end)
            end
            assert.equal(11, count)
        end)

        local MAKE = {}

        function MAKE.network(policy)
            return network { subnet = "10.91.0.0/24", document = { Policies = { policy } } }
        end

        function MAKE.subnet(policy)
            return network { document = { Ipams = { { Type = "Static", Subnets = { {
                IpAddressPrefix = "10.91.0.0/24", Policies = { policy } } } } } } }
        end

        function MAKE.endpoint(policy)
            return hcs.endpoint.create { network = { name = "hcs-table" }, validate = false,
                document = { Policies = { policy } } }
        end

        local function check_policy(name, places, cell)
            local count = 0
            for place in places:gmatch "%a+" do
                count = count + 1
                local around = place == "endpoint"
                    and assert(network { subnet = "10.91.0.0/24" }) or nil
                compare(("%s of an %s"):format(name, place), cell,
                    MAKE[place] { Type = name, Settings = SETTINGS[name] or {} })
                if around then assert(around:delete()) end
            end
            return count
        end

        it("with each policy", function()
            if not hcs.host.can "networks" then return end
            local count = 0
            for _, row in ipairs(rows_of "policy") do
                each_name(row[1], function(name)
                    count = count + check_policy(name, row[2], row[3 + column])
                end)
            end
            assert.equal(34, count) -- all but NeighborDiscovery, which has no number
        end)
    end)
end
