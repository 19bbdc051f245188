-- SPDX-License-Identifier: MIT
-- HCN_NETWORK, HCN_ENDPOINT, HCN_NAMESPACE and HCN_CALLBACK.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local platform = require "spec.platform"
local support = require "support"

local GONE, NO_NETWORK, NO_ENDPOINT, NOT_FOUND, NO_JSON =
    0x800706BA, 0x803B0001, 0x803B0002, 0x80070490, 0x803B001B
local DISCONNECT = 0x01000000
local ID = "01234567-89AB-CDEF-0123-456789ABCDEF"
local V2 = '{"SchemaVersion":{"Major":2,"Minor":0}}'
local FUNCTIONS = {
    "HcnEnumerateNetworks", "HcnCreateNetwork", "HcnOpenNetwork", "HcnModifyNetwork",
    "HcnQueryNetworkProperties", "HcnDeleteNetwork", "HcnCloseNetwork",
    "HcnEnumerateEndpoints", "HcnCreateEndpoint", "HcnOpenEndpoint", "HcnModifyEndpoint",
    "HcnQueryEndpointProperties", "HcnQueryEndpointStats", "HcnDeleteEndpoint",
    "HcnCloseEndpoint", "HcnEnumerateNamespaces", "HcnCreateNamespace", "HcnOpenNamespace",
    "HcnModifyNamespace", "HcnQueryNamespaceProperties", "HcnDeleteNamespace",
    "HcnCloseNamespace", "HcnRegisterServiceCallback", "HcnUnregisterServiceCallback",
}

after_each(support.finish)

local function document(members)
    members.SchemaVersion = { Major = 2, Minor = 0 }
    return assert(core.json.encode(members))
end

local function refused(code, hr, nothing, record)
    assert.are.equal(code, hr)
    assert.is_nil(nothing)
    local said = assert(core.json.decode(record))
    assert.is_false(said.Success)
    assert.are.equal(code, said.ErrorCode)
    assert.truthy(#said.Error > 10)
    return said.Error
end

local function raises(words, call, ...)
    local ok, message = pcall(call, ...)
    assert.is_false(ok)
    assert.truthy(message:find(words, 1, true), message)
end

for _, driver in ipairs(support.drivers) do
    describe("networks (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        local function network(name, id)
            local hr, made, record = api.HcnCreateNetwork(id, document { Name = name or "lan" })
            assert.are.equal(0, hr, record)
            assert.is_nil(record)
            return made
        end

        local function alive()
            local counts = core.json.decode(api.inventory())
            return counts.Networks, counts.Endpoints, counts.Namespaces, counts.Handles
        end

        it("are made, opened, asked, changed and deleted", function()
            local lan = network("lan é", "{" .. ID:lower() .. "}")
            assert.are.equal('HCN_NETWORK "{' .. ID:lower() .. '}"', tostring(lan))
            local hr, text, record = api.HcnQueryNetworkProperties(lan, V2)
            assert.are.equal(0, hr)
            assert.is_nil(record)
            local properties = core.json.decode(text)
            assert.are.equal(ID, properties.ID)
            assert.are.equal("lan é", properties.Name)
            local second
            hr, second = api.HcnOpenNetwork(ID)
            assert.are.equal(0, hr)
            assert.are_not.equal(lan, second)
            hr, record = api.HcnModifyNetwork(second, document {
                ResourceType = "DNS", RequestType = "Update", Settings = { Domain = "here" } })
            assert.are.equal(0, hr, record)
            _, text = api.HcnQueryNetworkProperties(lan, V2)
            assert.are.equal("here", core.json.decode(text).Dns.Domain)
            _, text = api.HcnEnumerateNetworks(document { Filter = ('{"ID":"%s"}'):format(ID) })
            assert.are.same({ ID }, core.json.decode(text))
            assert.are.equal(0, api.HcnCloseNetwork(lan))
            assert.are.equal(0, api.HcnCloseNetwork(lan))
            assert.is_false(lan:is_open())
            assert.are.equal(0, (api.HcnDeleteNetwork(ID)))
            refused(NO_NETWORK, api.HcnQueryNetworkProperties(second))
            refused(NO_NETWORK, api.HcnOpenNetwork(ID))
            assert.are.equal(0, api.HcnCloseNetwork(second))
            assert.are.same({ 0, 0, 0, 0 }, { alive() })
        end)

        it("have endpoints, which namespaces hold", function()
            local lan = network()
            local hr, endpoint, record = api.HcnCreateEndpoint(lan, ID, V2)
            assert.are.equal(0, hr, record)
            assert.are.equal('HCN_ENDPOINT "' .. ID .. '"', tostring(endpoint))
            local text, space
            hr, space = api.HcnCreateNamespace(nil, V2)
            assert.are.equal(0, hr)
            assert.truthy(tostring(space):find "^HCN_NAMESPACE %d+$")
            assert.are.same({ 1, 1, 1, 3 }, { alive() })
            local member = { ResourceType = "Endpoint", RequestType = "Add",
                Settings = { EndpointId = ID } }
            hr, record = api.HcnModifyNamespace(space, document(member))
            assert.are.equal(0, hr, record)
            _, text = api.HcnQueryNamespaceProperties(space, V2)
            assert.are.equal(ID:lower(), core.json.decode(text).Resources[1].Data.Id:lower())
            hr, text = api.HcnQueryEndpointStats(endpoint)
            assert.are.equal(0, hr)
            assert.are.equal(0, core.json.decode(text).PacketsReceived)
            hr, record = api.HcnModifyNamespace(space, document(member))
            refused(0x803B002B, hr, nil, record)
            assert.are.equal(0, (api.HcnDeleteEndpoint(ID)))
            refused(NO_ENDPOINT, api.HcnQueryEndpointStats(endpoint))
            _, text = api.HcnEnumerateEndpoints()
            assert.are.equal("[]", text)
        end)

        it("leave a record of what failed", function()
            refused(NO_NETWORK, api.HcnOpenNetwork(ID))
            refused(NO_ENDPOINT, api.HcnOpenEndpoint(ID))
            refused(NOT_FOUND, api.HcnOpenNamespace(ID))
            refused(NO_JSON, api.HcnCreateNetwork(nil, "{"))
            refused(NO_JSON, api.HcnCreateNetwork(nil, ""))
            refused(NO_JSON, api.HcnEnumerateNamespaces "7")
            local hr, record = api.HcnDeleteNamespace(ID)
            refused(NOT_FOUND, hr, nil, record)
            local lan = network "lan"
            local said = refused(0x803B0010,
                api.HcnCreateNetwork(nil, document { Name = "LAN" }))
            assert.truthy(said:find("$.Name", 1, true), said)
            hr, record = api.HcnModifyNetwork(lan, "[]")
            refused(NO_JSON, hr, nil, record)
        end)

        it("take GUIDs as text", function()
            for _, bad in ipairs { "", "x", ID .. "0", "{" .. ID, ID .. "\0", "\xFF" } do
                raises("#1 to '?' (not a GUID)", api.HcnOpenNetwork, bad)
                raises("not a GUID", api.HcnDeleteEndpoint, bad)
                raises("not a GUID", api.HcnCreateNamespace, bad, V2)
            end
            raises("#1", api.HcnOpenNetwork)
            raises("#1", api.HcnDeleteNetwork, nil)
            raises("#1", api.HcnOpenEndpoint, {})
            raises("#2", api.HcnCreateNetwork)
            raises("#2", api.HcnCreateNetwork, nil, {})
            raises("#2", api.HcnCreateNetwork, nil, "\xFF")
            raises("#1", api.HcnEnumerateNetworks, "a\0b")
            assert.are.same({ 0, 0, 0, 0 }, { alive() })
        end)

        it("tell kinds, closed handles and hosts apart", function()
            local lan = network()
            local _, endpoint = api.HcnCreateEndpoint(lan, nil, V2)
            raises("HCN_ENDPOINT expected", api.HcnQueryEndpointStats, lan)
            raises("HCN_NETWORK expected", api.HcnModifyNetwork, endpoint, V2)
            raises("HCN_NETWORK expected", api.HcnCreateEndpoint, nil, nil, V2)
            raises("HCN_NAMESPACE expected", api.HcnCloseNamespace, endpoint)
            raises("HCS_SYSTEM expected", api.HcsCloseComputeSystem, lan)
            raises("HCN_NETWORK expected", lan.close, endpoint)
            local other = support.open(support.uri(driver))
            raises("it belongs to another host", other.HcnQueryNetworkProperties, lan)
            local _, text = other.HcnEnumerateNetworks()
            assert.are.equal("[]", text)
            endpoint:close()
            raises("it is closed", api.HcnQueryEndpointProperties, endpoint)
            assert.truthy(tostring(endpoint):find "%(closed%)$")
            api.close()
            assert.is_false(lan:is_open())
            raises("is closed", api.HcnEnumerateNetworks)
            lan:close()
        end)

        it("are closed when they are collected, and stay", function()
            do
                local lan <close> = network()
                api.HcnCreateEndpoint(lan, nil, V2)
                assert.is_true(lan:is_open())
            end
            network "second"
            api.HcnRegisterServiceCallback(true)
            collectgarbage()
            collectgarbage()
            assert.are.same({ 2, 1, 0, 0 }, { alive() })
        end)

        it("are told of through the queue", function()
            local context = {}
            local hr, callback = api.HcnRegisterServiceCallback(true, context)
            assert.are.equal(0, hr)
            assert.are.equal(context, callback:context())
            local lan = network("lan", ID)
            api.HcnCreateEndpoint(lan, nil, V2)
            api.HcnCreateNamespace(ID, V2)
            api.HcnDeleteNetwork(ID)
            api.HcnDeleteNamespace(ID)
            for _, wanted in ipairs { 1, 2, 5, 3, 4, 6 } do
                support.expect(api, function(kind, type, status, json, which)
                    assert.are.equal("network", kind)
                    assert.are.equal(wanted, type)
                    assert.are.equal(0, status)
                    assert.are.equal(ID, core.json.decode(json).ID:upper())
                    assert.are.equal(callback, which)
                    return true
                end)
            end
            -- nothing is taken for the same, and nothing is left after the end
            for index = 1, 100 do network("n" .. index) end
            local count = 0
            support.expect(api, function(kind)
                count = count + (kind == "network" and 1 or 0)
                return count == 200
            end)
            network "last"
            api.pump(0.05)
            assert.are.equal(0, api.HcnUnregisterServiceCallback(callback))
            assert.are.equal(0, api.HcnUnregisterServiceCallback(callback))
            assert.is_nil((api.next()))
            assert.are.equal(0, (api.queue_counts()))
        end)

        it("need a callback to be told", function()
            local hr, callback = api.HcnRegisterServiceCallback()
            assert.are.equal(0x80070057, hr)
            assert.is_nil(callback)
            hr = api.HcnRegisterServiceCallback(false, {})
            assert.are.equal(0x80070057, hr)
        end)

        it("are out of reach while their service is stopped", function()
            local lan = network("lan", ID)
            local _, callback = api.HcnRegisterServiceCallback(true)
            assert.is_true(api.service(false))
            support.expect(api, function(kind, type, _, json, which)
                assert.are.same({ "network", DISCONNECT, callback }, { kind, type, which })
                assert.is_nil(json)
                return true
            end)
            refused(GONE, api.HcnEnumerateNetworks())
            refused(GONE, api.HcnOpenNetwork(ID))
            assert.are.equal(GONE, (api.HcnRegisterServiceCallback(true)))
            assert.is_true(api.service(true))
            refused(GONE, api.HcnQueryNetworkProperties(lan))
            assert.are.equal(0, api.HcnCloseNetwork(lan))
            assert.are.equal(0, api.HcnUnregisterServiceCallback(callback))
            local hr
            hr, lan = api.HcnOpenNetwork(ID)
            assert.are.equal(0, hr)
            lan:close()
        end)

        it("have the ports of virtual machines", function()
            local lan = network()
            local _, endpoint = api.HcnCreateEndpoint(lan, ID, V2)
            local function state()
                local _, text = api.HcnQueryEndpointProperties(endpoint, V2)
                return core.json.decode(text).State
            end
            local machine = support.document(nil,
                { Devices = { NetworkAdapters = { lan = { EndpointId = ID } } } })
            local system, operation = support.create(api, "one", machine)
            assert.are.equal(1, state())
            support.finished(api, operation, api.HcsStartComputeSystem(system, operation))
            assert.are.equal(2, state())
            local second, late = support.create(api, "two", machine)
            assert.are.equal(0, api.HcsStartComputeSystem(second, late))
            local hr, text = api.HcsWaitForOperationResult(late, 10000)
            assert.are.equal(0x803B0014, hr)
            assert.truthy(text:find("NetworkAdapters.lan.EndpointId", 1, true), text)
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            assert.are.equal(4, state())
        end)

        it("carry packets, as they were told to", function()
            local lan = network()
            local MAPPED = "22222222-2222-3333-4444-555555555555"
            local function endpoint(id, policies)
                local hr, made, record = api.HcnCreateEndpoint(lan, id,
                    document { Policies = policies })
                assert.are.equal(0, hr, record)
                local _, text = api.HcnQueryEndpointProperties(made, V2)
                return core.json.decode(text).IpConfigurations[1].IpAddress
            end
            endpoint(ID)
            local address = endpoint(MAPPED, {
                { Type = "PortMapping",
                    Settings = { Protocol = 6, InternalPort = 80, ExternalPort = 8080 } },
                { Type = "ACL", Settings = { Action = "Block", Direction = "In",
                    Protocols = "17", RuleType = "Switch", Priority = 100 } },
                { Type = "ACL", Settings = { Action = "Allow", Direction = "In",
                    Protocols = "256", RuleType = "Switch", Priority = 65500 } } })
            local space = assert(select(2, api.HcnCreateNamespace(nil, V2)))
            for _, id in ipairs { ID, MAPPED } do
                local hr, record = api.HcnModifyNamespace(space, document {
                    ResourceType = "Endpoint", RequestType = "Add",
                    Settings = { EndpointId = id } })
                assert.are.equal(0, hr, record)
            end
            local function packet(members)
                members.From = members.From or ID
                members.Destination = members.Destination or address
                return core.json.decode(assert(api.packet(core.json.encode(members))))
            end
            local verdict = packet { Protocol = 6, DestinationPort = 5, Count = 3, Bytes = 10 }
            assert.is_true(verdict.Passed, verdict.Reason)
            assert.are.equal(MAPPED, verdict.To)
            verdict = packet { Protocol = 17, DestinationPort = 5, Count = 2 }
            assert.is_false(verdict.Passed)
            assert.is_nil(verdict.To)
            assert.truthy(#verdict.Reason > 5)
            local _, mapped = api.HcnOpenEndpoint(MAPPED)
            local _, stats = api.HcnQueryEndpointStats(mapped)
            stats = core.json.decode(stats)
            assert.are.equal(3, stats.PacketsReceived)
            assert.are.equal(30, stats.BytesReceived)
            assert.are.equal(2, stats.DroppedPacketsIncoming)
            assert.is_true(api.service(false)) -- packets need none
            assert.is_true(packet({ Protocol = 6, DestinationPort = 5 }).Passed)
        end)

        it("refuse what is no packet", function()
            for _, bad in ipairs { "{", "[]", "{}", '{"Destination":"x"}',
                '{"Destination":"10.0.0.1","Protocol":256}',
                '{"Destination":"10.0.0.1","DestinationPort":65536}',
                '{"Destination":"10.0.0.1","From":"nobody"}',
                '{"Destination":"10.0.0.1","Source":7}' } do
                local verdict, hr = api.packet(bad)
                assert.is_nil(verdict)
                assert.is_true(hr >= 0x80000000, bad)
            end
            raises("#1", api.packet)
        end)

        it("are planned, and nothing is changed", function()
            local hr, json, record = api.network_plan(document { Name = "lan" })
            assert.are.equal(0, hr, record)
            assert.are.same({ Changes = core.array {} }, core.json.decode(json))
            assert.is_nil(record)
            assert.are.same({ 0, 0, 0, 0 }, { alive() })
            refused(NO_JSON, api.network_plan "{")
            local net <close> = network()
            refused(0x803B0010, api.network_plan(document { Name = "LAN" }))
            raises("string expected", api.network_plan)
            assert.is_true(net:is_open())
        end)

        it("are reached from outside where somebody listens", function()
            for _, address in ipairs { "127.0.0.1", false } do
                refused(0x800704C9, api.network_connect(address or nil, 80))
            end
            refused(0x80070057, api.network_connect("nowhere", 80))
            for _, port in ipairs { 0, 65536, -1 } do
                raises("not between 1 and 65535", api.network_connect, nil, port)
            end
            raises("number expected", api.network_connect, "127.0.0.1")
            assert.are.same({ 0, 0, 0, 0 }, { alive() })
        end)

        it("are the same for the same seed", function()
            local texts = {}
            for index = 1, 3 do
                local own = support.open(support.uri(driver,
                    "clock=virtual&seed=" .. (index < 3 and 5 or 6)))
                local _, lan = own.HcnCreateNetwork(nil, document { Name = "lan" })
                local _, endpoint = own.HcnCreateEndpoint(lan, nil, V2)
                local _, first = own.HcnQueryNetworkProperties(lan)
                local _, second = own.HcnQueryEndpointProperties(endpoint)
                texts[index] = first .. second
            end
            assert.are.equal(texts[1], texts[2])
            assert.are_not.equal(texts[1], texts[3])
        end)
    end)
end

describe("networks", function()
    it("came with Windows 1809", function()
        local old = support.open "sim:?driver=step&build=17134"
        local new = support.open "sim:?driver=step&build=17763"
        for _, name in ipairs(FUNCTIONS) do
            assert.is_nil(old[name], name)
            assert.is_function(new[name], name)
        end
    end)

    it("belong to their process", function()
        if platform.no_fork then return pending(platform.no_fork) end
        local text, status = support.child [[
            package.path = "spec/core/?.lua;" .. package.path
            local core = require "hcs.core"
            local unix = require "hcs.spec_unix"
            local ID = "01234567-89AB-CDEF-0123-456789ABCDEF"
            local HANDLE = 0x80070006
            local api = assert(core.open "sim:?driver=thread")
            local _, lan = api.HcnCreateNetwork(ID, "{}")
            local _, callback = api.HcnRegisterServiceCallback(true)
            local pid = unix.fork()
            if pid == 0 then
                assert(api.HcnQueryNetworkProperties(lan) == HANDLE)
                assert(api.HcnCreateEndpoint(lan, nil, "{}") == HANDLE)
                assert(api.HcnEnumerateNetworks() == HANDLE)
                assert(api.HcnDeleteNetwork(ID) == HANDLE)
                assert(api.HcnRegisterServiceCallback(true) == HANDLE)
                assert(api.HcnCloseNetwork(lan) == HANDLE)
                assert(api.HcnUnregisterServiceCallback(callback) == HANDLE)
                assert(not lan:is_open())
                local own = assert(core.open "sim:?driver=step")
                assert(own.HcnCreateNetwork(ID, "{}") == 0)
                own.close()
                api.close()
                os.exit(7, true)
            end
            assert(unix.wait(pid) == 7)
            assert(api.HcnQueryNetworkProperties(lan) == 0)
            print "ok"]]
        assert.are.equal("ok\n", text)
        assert.are.equal(0, status)
    end)
end)
