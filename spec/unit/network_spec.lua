-- SPDX-License-Identifier: MIT
-- hcs.network, hcs.endpoint and hcs.namespace against a host that does what the
-- spec says.
local core = require "hcs.core"
local differ = require "hcs.hcn.differ"
local fake = require "spec.unit.fake_core"

local ID = "11111111-2222-4333-8444-555555555555"
local OTHER = "99999999-2222-4333-8444-555555555555"

local function calls_of(host, name)
    local list = {}
    for _, call in ipairs(host.calls) do
        if call[1] == name then list[#list + 1] = call end
    end
    return list
end

local function last_document(host, name)
    local calls = calls_of(host, name)
    local call = calls[#calls]
    return core.json.decode(call[#call]), call
end

-- The host is asked for nothing more once it holds no handle.
local function nothing_open(host)
    assert.equal(0, host.handles())
end

describe("hcs.network", function()
    local hcs, host

    before_each(function() hcs, host = fake.hcs(nil, false, nil, true) end)

    it("creates, reads back, and closes", function()
        local net = assert(hcs.network.create { name = "lab", owner = "me" })
        local sent = last_document(host, "HcnCreateNetwork")
        assert.equal("lab", sent.Name)
        assert.equal(2, sent.SchemaVersion.Major)
        assert.truthy(sent.Owner:find("^me %[lua%-hcs %S+ 4242%.1 this%-boot%]$"))
        assert.same({ "lab", "nat", "me" }, { net.name, net.type, net.owner })
        assert.same({}, net.warnings)
        assert.equal(net.id, assert(net:properties()).ID)
        assert.truthy(tostring(net):find('hcs.Network "lab" (open)', 1, true))
        assert.is_true(net:close())
        assert.is_true(net:close())
        assert.truthy(tostring(net):find("closed", 1, true))
        assert.truthy(host.network.Network[net.id])
        nothing_open(host)
        assert.has_error(function() net:properties() end, 'network "lab" is closed')
    end)

    it("asks for documents of version 2", function()
        local net <close> = assert(hcs.network.create { name = "lab" })
        local query = last_document(host, "HcnQueryNetworkProperties")
        assert.same({ Major = 2, Minor = 0 }, query.SchemaVersion)
        assert(net:properties { Flags = 1 })
        assert.same({ Flags = 1 }, (last_document(host, "HcnQueryNetworkProperties")))
    end)

    it("has the id that it was told to have, and no tag when it is to stay", function()
        local net <close> = assert(hcs.network.create { id = "{" .. ID .. "}", name = "x",
            keep = true, owner = "me" })
        assert.equal(ID, net.id)
        assert.equal(ID, calls_of(host, "HcnCreateNetwork")[1][2])
        assert.equal("me", last_document(host, "HcnCreateNetwork").Owner)
        assert.is_nil(last_document(host, "HcnCreateNetwork").ID)
        assert.is_nil(hcs.network.list()[1].tag)
    end)

    it("tells what the host made otherwise", function()
        function host.change(_, document)
            document.Type = "Internal"
            document.Policies = nil
        end
        local net <close> = assert(hcs.network.create { name = "lab", type = "private",
            policies = { { Type = "HostRoute" } } })
        assert.equal("internal", net.type)
        assert.same({ '$.Policies: was not kept', '$.Type: asked for "Private", got "Internal"' },
            net.warnings)
    end)

    it("takes back what it cannot read back, if it knows its id", function()
        host.fail.HcnQueryNetworkProperties = 0x80070005
        local net, err, code = hcs.network.create { id = ID, name = "lab" }
        assert.is_nil(net)
        assert.equal("access_denied", code)
        assert.truthy(err.hint:find("elevated", 1, true))
        assert.same({}, host.network.Network)
        nothing_open(host)
    end)

    it("has errors with the service's words, code, family and a hint", function()
        assert(hcs.network.create { name = "lab" }):close()
        local net, err, code = hcs.network.create { name = "LAB" }
        assert.is_nil(net)
        assert.equal("network_already_exists", code)
        assert.is_true(err:is("exists"))
        assert.equal("network.create", err.op)
        assert.equal("LAB", err.target)
        assert.equal(0x803B0010, err.document.ErrorCode)
        assert.equal("it failed", err.message)
        assert.truthy(err.hint:find("if_exists", 1, true))
        host.fail.HcnCreateNetwork = 0x803B0006
        net, err = hcs.network.create { name = "x" }
        assert.is_nil(net)
        assert.is_true(err:is("not_found"))
        assert.truthy(err.hint:find("adapter", 1, true))
        nothing_open(host)
    end)

    it("raises for what is no option, with the nearest name, before any call", function()
        for message, mistake in pairs {
            ['did you mean "if_exists"?'] = function() hcs.network.create { if_exist = "open" } end,
            ['did you mean "name"?'] = function() hcs.network.create { nam = "x" } end,
            ['did you mean "open"?'] = function() hcs.network.create { if_exists = "opne" } end,
            ["a dot, not a colon"] = function() hcs.network:create { name = "x" } end,
            ["a GUID expected"] = function() hcs.network.open "lab" end,
            ["{ name = \"lab\" }"] = function() hcs.network.delete "lab" end,
            ["an id or { name = … }"] = function() hcs.network.open {} end,
            ["\"7\" is no id"] = function() hcs.network.create { id = "7" } end,
            ['did you mean "owner"?'] = function() hcs.network.list { ownr = "x" } end,
            ['did you mean "private"?'] = function() hcs.network.list { type = "privat" } end,
            ["the table of options is missing"] = function() hcs.network.create() end,
        } do
            local ok, err = pcall(mistake)
            assert.is_false(ok, message)
            assert.truthy(tostring(err):find(message, 1, true), tostring(err))
        end
        assert.same({}, calls_of(host, "HcnCreateNetwork"))
    end)

    it("says where a mistake is, and nothing that would not help", function()
        local net <close> = assert(hcs.network.create { name = "lab" })
        local ep <close> = assert(hcs.endpoint.create { network = net, name = "a" })
        for message, mistake in pairs {
            ['did you mean "network"?'] = function() hcs.endpoint.create { netwrok = net } end,
            ["namespace: a namespace or its id expected, got a table"] = function()
                hcs.endpoint.create { network = net, namespace = {} }
            end,
            ["attach: a namespace or its id expected, got a table"] = function()
                ep:attach {}
            end,
            ["an endpoint expected, got nothing"] = function() ep.addresses() end,
            ["a port from 0 to 65535 expected, got nothing"] = function()
                hcs.endpoint.create { network = net, forward = { [80] = {} } }
            end,
        } do
            local ok, err = pcall(mistake)
            assert.is_false(ok, message)
            assert.truthy(tostring(err):find(message, 1, true), tostring(err))
        end
        -- Names would not do.
        for _, mistake in ipairs {
            function() hcs.namespace.open "x" end,
            function() ep:attach "x" end,
            function() hcs.endpoint.create { network = net, namespace = "x" } end,
            function() hcs.network.create { id = "x" } end,
        } do
            local _, err = pcall(mistake)
            assert.truthy(tostring(err):find("a GUID expected$"), tostring(err))
        end
    end)

    it("checks documents: what the service would pass over is a slip", function()
        local net, err = hcs.network.create { name = "x", document = { Polices = {} } }
        assert.is_nil(net)
        assert.is_true(err:is("invalid_document"))
        assert.equal("$.Polices", err.path)
        net = assert(hcs.network.create { name = "x", document = { Polices = {} },
            validate = false })
        net:close()
        assert.equal(1, #calls_of(host, "HcnCreateNetwork"))
    end)

    it("opens by id and by name, and fails where there is none", function()
        local made = assert(hcs.network.create { name = "lab" })
        made:close()
        local net <close> = assert(hcs.network.open(made.id:upper()))
        local same <close> = assert(hcs.network.open { name = "LAB" })
        assert.equal(net.id, same.id)
        assert.same({}, same.warnings)
        for _, what in ipairs { OTHER, { name = "nope" } } do
            local none, err = hcs.network.open(what)
            assert.is_nil(none)
            assert.is_true(err:is("not_found"))
            assert.equal(0x803B0001, err.hresult)
        end
    end)

    it("opens or replaces what is there, by id or name", function()
        local first = assert(hcs.network.create { name = "lab" })
        first:close()
        local again = assert(hcs.network.create { name = "Lab", if_exists = "open",
            type = "private" })
        assert.equal(first.id, again.id)
        assert.same({ '$.Type: asked for "Private", got "NAT"' }, again.warnings)
        again:close()
        local new = assert(hcs.network.create { name = "lab", if_exists = "replace" })
        assert.not_equal(first.id, new.id)
        assert.is_nil(host.network.Network[first.id])
        new:close()
        local fresh = assert(hcs.network.create { id = new.id, name = "other",
            if_exists = "replace" })
        assert.equal(new.id, fresh.id)
        assert.equal("other", fresh.name)
        assert(fresh:delete())
        assert(hcs.network.create { name = "lab", if_exists = "open" }):close()
        nothing_open(host)
    end)

    it("looks again where another was faster", function()
        local create = host.api.HcnCreateNetwork
        local first = true
        function host.api.HcnCreateNetwork(id, json)
            if first then
                first = false
                assert.equal(0, create(OTHER, json))
            end
            return create(id, json)
        end
        local net = assert(hcs.network.create { name = "lab", if_exists = "open" })
        assert.equal(OTHER, net.id)
        net:close()
        host.fail.HcnCreateNetwork = 0x800700B7
        local none, err = hcs.network.create { name = "b", if_exists = "open" }
        assert.is_nil(none)
        assert.is_true(err:is("exists"))
        assert.truthy(err.hint:find("prefix", 1, true))
    end)

    it("lists records of everybody's", function()
        assert(hcs.network.create { name = "a", owner = "me" }):close()
        assert(hcs.network.create { name = "b", type = "private" }):close()
        local all = assert(hcs.network.list())
        assert.equal(2, #all)
        assert.equal('network "a" (me)', tostring(assert(hcs.network.list { name = "A" })[1]))
        local record = assert(hcs.network.list { type = "private" })[1]
        assert.same({ "network", "b", "private", 4242 },
            { record.kind, record.name, record.type, record.tag.pid })
        assert.equal(1, #hcs.network.list { owner = "me" })
        assert.equal(1, #hcs.network.list { id = record.id })
        assert.equal(0, #hcs.network.list { name = "c" })
        nothing_open(host)
    end)

    it("leaves out of a list what goes meanwhile", function()
        local net = assert(hcs.network.create { name = "a" })
        net:close()
        host.api.HcnEnumerateNetworks = function()
            return 0, core.json.encode { net.id, OTHER }
        end
        assert.equal(1, #assert(hcs.network.list()))
        host.fail.HcnOpenNetwork = 0x80070005
        local list, err = hcs.network.list()
        assert.is_nil(list)
        assert.equal("network.list", err.op)
    end)

    it("deletes, and waits until it is gone", function()
        host.linger = 3
        local net = assert(hcs.network.create { name = "lab" })
        assert.is_true(net:delete())
        assert.truthy(host.time > 0.02)
        assert.has_error(function() net:properties() end, 'network "lab" is deleted')
        host.linger = 1e9
        net = assert(hcs.network.create { name = "lab" })
        local ok, err = hcs.network.delete(net)
        assert.is_nil(ok)
        assert.is_true(err:is("timeout"))
        assert.truthy(host.time < 12)
        host.linger = nil
        net:close()
        assert(hcs.network.create { name = "c" }):close()
        assert.is_true(hcs.network.delete { name = "c" })
        local _, missing = hcs.network.delete(OTHER)
        assert.equal("network_not_found", missing.code)
        nothing_open(host)
    end)

    it("adds and removes policies, checked", function()
        local net <close> = assert(hcs.network.create { name = "lab" })
        assert(net:add_policy { Type = "HostRoute" })
        local request = last_document(host, "HcnModifyNetwork")
        assert.same({ "Policy", "Add", "HostRoute" }, { request.ResourceType, request.RequestType,
            request.Settings.Policies[1].Type })
        assert(net:remove_policy { { Type = "HostRoute" }, { Type = "VxlanPort",
            Settings = { Port = 4789 } } })
        request = last_document(host, "HcnModifyNetwork")
        assert.same({ "Remove", 2, 4789 }, { request.RequestType, #request.Settings.Policies,
            request.Settings.Policies[2].Settings.Port })
        assert.has_error(function() net:add_policy { type = "ACL" } end)
        assert.has_error(function() net:add_policy { { Type = "ACL" }, {} } end)
        assert.has_error(function() net:add_policy() end)
        local ok, err = net:add_policy { Type = "VxlanPort", Settings = { Prt = 1 } }
        assert.is_nil(ok)
        assert.equal("$.Settings.Policies[0].Settings.Prt", err.path)
        host.fail.HcnModifyNetwork = 0x803B0008
        ok, err = net:remove_policy { Type = "HostRoute" }
        assert.is_nil(ok)
        assert.same({ "network.remove_policy", "policy_not_found" }, { err.op, err.code })
    end)

    it("sends what modify is given", function()
        local net <close> = assert(hcs.network.create { name = "lab" })
        local request = { ResourceType = "DNS", RequestType = "Update",
            Settings = { Domain = "x" } }
        assert(net:modify { document = request })
        assert.same(request, (last_document(host, "HcnModifyNetwork")))
        assert.has_error(function() net:modify(request) end)
        assert.has_error(function() net:modify {} end)
    end)

    it("has asynchronous faces", function()
        local op = assert(hcs.network.create_async { name = "lab" })
        local net <close> = assert(op:wait())
        assert.equal("lab", assert(assert(hcs.network.list_async()):wait())[1].name)
        assert.equal(net.id, assert(assert(hcs.network.open_async(net.id)):wait()).id)
        assert.equal("lab", assert(net:properties_async():wait()).Name)
        assert.is_true(net:add_policy_async({ Type = "HostRoute" }):wait())
        host.linger = 2
        op = net:delete_async()
        assert.is_false(op:done())
        assert.is_true(op:wait())
        local ok, err = assert(hcs.network.delete_async(net.id)):wait()
        assert.is_nil(ok)
        assert.is_true(err:is("not_found"))
        assert.has_error(function() hcs.network.create_async { nam = 1 } end)
    end)

    it("raises in the strict face", function()
        local strict = fake.hcs(nil, true, nil, true)
        local net <close> = strict.network.create { name = "lab" }
        local ok, err = pcall(net.delete, net, 5)
        assert.is_true(ok, err)
        ok, err = pcall(strict.network.open, OTHER)
        assert.is_false(ok)
        assert.equal("network_not_found", err.code)
        assert.truthy(tostring(err):find("network_spec.lua", 1, true))
    end)

    it("says so where the host has no networks", function()
        local bare = fake.hcs()
        for _, call in ipairs { bare.network.list, bare.endpoint.list, bare.namespace.list } do
            local list, err = call()
            assert.is_nil(list)
            assert.is_true(err:is("unsupported"))
            assert.truthy(err.message:find("build 26100 has no Hcn", 1, true))
        end
        assert.is_nil((bare.on("network_create", print)))
        local can, reason = bare.host.can "networks"
        assert.is_false(can)
        assert.truthy(reason:find("HcnEnumerateNetworks", 1, true))
        assert.is_false((bare.host.can "HcnCreateNetwork"))
        assert.is_true((hcs.host.can "networks"))
        assert.is_true((hcs.host.can "HcnCreateNetwork"))
        assert.same({}, bare.sweep())
    end)

    it("closes with its world", function()
        local net = assert(hcs.network.create { name = "lab" })
        hcs.close()
        nothing_open(host)
        assert.has_error(function() net:delete() end, 'network "lab" is closed')
    end)

    it("refuses to wait on a clock that stands", function()
        local still, manual = fake.hcs({ Clock = "Manual", Driver = "Step" }, false, nil, true)
        local net = assert(still.network.create { name = "lab" })
        manual.linger = 1
        local ok, err = net:delete()
        assert.is_nil(ok)
        assert.equal("would_block", err.code)
    end)
end)

describe("hcs.endpoint", function()
    local hcs, host, net

    before_each(function()
        hcs, host = fake.hcs(nil, false, nil, true)
        net = assert(hcs.network.create { name = "lab" })
    end)

    it("is made on a network: an object, an id, a name", function()
        for _, network in ipairs { net, net.id, { name = "LAB" } } do
            local ep = assert(hcs.endpoint.create { network = network, name = "web" })
            assert.equal(net.id, ep.network)
            assert.equal("00-15-5D-00-00-01", ep.mac)
            assert.same({}, ep.warnings)
            ep:close()
        end
        local none, err = hcs.endpoint.create { network = { name = "nope" } }
        assert.is_nil(none)
        assert.same({ "endpoint.create", "network_not_found" }, { err.op, err.code })
        none, err = hcs.endpoint.create { network = OTHER, name = "web" }
        assert.is_nil(none)
        assert.same({ "network_not_found", "web" }, { err.code, err.target })
        assert.has_error(function() hcs.endpoint.create { name = "web" } end)
        assert.has_error(function() hcs.endpoint.create { network = "lab" } end)
        net:close()
        assert.has_error(function() hcs.endpoint.create { network = net } end)
        nothing_open(host)
    end)

    it("is found by name in its network", function()
        local other <close> = assert(hcs.network.create { name = "other" })
        local a <close> = assert(hcs.endpoint.create { network = net, name = "web" })
        local b <close> = assert(hcs.endpoint.create { network = other, name = "web" })
        local found, err = hcs.endpoint.open { name = "web" }
        assert.is_nil(found)
        assert.is_true(err:is("exists"))
        assert.truthy(err.message:find("2 endpoints", 1, true))
        local one <close> = assert(hcs.endpoint.open { name = "WEB", network = other })
        assert.equal(b.id, one.id)
        local same <close> = assert(hcs.endpoint.create { network = net, name = "web",
            if_exists = "open" })
        assert.equal(a.id, same.id)
        local new <close> = assert(hcs.endpoint.create { network = net, name = "web",
            if_exists = "replace" })
        assert.is_nil(host.network.Endpoint[a.id])
        assert.not_equal(a.id, new.id)
        assert.equal(2, #hcs.endpoint.list { name = "web" })
        assert.equal(1, #hcs.endpoint.list { network = other })
        assert.is_true(hcs.endpoint.delete { name = "web", network = net })
        assert.equal(1, #hcs.endpoint.list())
    end)

    it("has addresses and statistics", function()
        function host.change(_, document)
            document.IpConfigurations = { { IpAddress = "10.0.0.2", PrefixLength = 24 },
                { IpAddress = "fd00::2", PrefixLength = 64 } }
        end
        local ep <close> = assert(hcs.endpoint.create { network = net, name = "web" })
        local list = assert(ep:addresses())
        assert.same({ "10.0.0.2", 24, "ipv4" }, { list[1].address, list[1].prefix, list[1].family })
        assert.equal("fd00::2/64", tostring(list[2]))
        assert.equal("ipv6", assert(ep:addresses_async():wait())[2].family)
        assert.equal(7, assert(ep:stats()).BytesSent)
        assert.equal(7, assert(ep:stats_async():wait()).BytesSent)
        local record = assert(hcs.endpoint.list())[1]
        assert.equal("10.0.0.2/24", tostring(record.addresses[1]))
        host.fail.HcnQueryEndpointStats = 0x80004001
        local stats, err = ep:stats()
        assert.is_nil(stats)
        assert.is_true(err:is("unsupported"))
    end)

    it("goes into a namespace and out of it", function()
        local ep <close> = assert(hcs.endpoint.create { network = net, name = "web" })
        local ns <close> = assert(hcs.namespace.create())
        local ok, err = ep:detach()
        assert.is_nil(ok)
        assert.equal("endpoint_not_attached", err.code)
        assert.is_true(ep:attach(ns))
        assert.equal(ns.id, assert(hcs.endpoint.list())[1].namespace)
        assert.is_true(ep:detach())
        assert.is_nil(assert(hcs.endpoint.list())[1].namespace)
        assert.is_true(ep:attach(ns.id))
        local request = last_document(host, "HcnModifyNamespace")
        assert.same({ ResourceType = "Endpoint", RequestType = "Add",
            Settings = { EndpointId = ep.id } }, request)
        host.fail.HcnModifyNamespace = 0x803B002B
        ok, err = ep:attach(ns)
        assert.is_nil(ok)
        assert.same({ "endpoint.attach", "web" }, { err.op, err.target })
        assert.truthy(err.hint:find("detach", 1, true))
        host.fail.HcnQueryEndpointProperties = 0x803B0002
        ok, err = ep:detach()
        assert.is_nil(ok)
        assert.equal("endpoint.detach", err.op)
        ok, err = ep:addresses()
        assert.is_nil(ok)
        assert.equal("endpoint.addresses", err.op)
        host.fail.HcnQueryEndpointProperties = nil
        assert.has_error(function() ep:attach(net) end)
        assert.has_error(function() ep:attach "x" end)
        assert.has_error(function() ep:attach() end)
        local elsewhere = fake.hcs(nil, false, nil, true)
        local foreign = assert(elsewhere.namespace.create())
        assert.has_error(function() ep:attach(foreign) end)
    end)

    it("sets policies", function()
        local ep <close> = assert(hcs.endpoint.create { network = net, name = "web" })
        assert(ep:modify { policies = {} })
        local call = calls_of(host, "HcnModifyEndpoint")[1]
        assert.truthy(call[3]:find('"Policies":[]', 1, true))
        assert.truthy(call[3]:find('"Update"', 1, true))
        assert(ep:modify { document = { ResourceType = "Port", RequestType = "Refresh" } })
        assert.has_error(function() ep:modify {} end)
        assert.has_error(function() ep:modify { policies = {}, document = {} } end)
    end)
end)

describe("hcs.namespace", function()
    it("has no name", function()
        local hcs, host = fake.hcs(nil, false, nil, true)
        local ns = assert(hcs.namespace.create { type = "guest" })
        assert.equal("guest", ns.type)
        assert.is_nil(ns.name)
        assert.truthy(tostring(ns):find(ns.id, 1, true))
        assert.has_error(function() hcs.namespace.open { name = "x" } end)
        assert.has_error(function() hcs.namespace.create { if_exists = "open" } end)
        local same = assert(hcs.namespace.create { id = ns.id, if_exists = "open" })
        assert.equal(ns.id, same.id)
        assert.equal("guest", assert(hcs.namespace.list { type = "guest" })[1].type)
        assert.equal(0, #hcs.namespace.list { type = "host" })
        local opened = assert(hcs.namespace.open(ns.id))
        for _, one in ipairs { ns, same, opened } do one:close() end
        assert.is_true(hcs.namespace.delete(ns.id))
        local none, err = hcs.namespace.open(ns.id)
        assert.is_nil(none)
        assert.is_true(err:is("not_found"))
        nothing_open(host)
    end)

    it("tells its members", function()
        local hcs, host = fake.hcs(nil, false, nil, true)
        function host.change(_, document)
            document.Resources = { { Type = "Endpoint", Data = { Id = ID } },
                { Type = "Container", Data = { ID = "c" } } }
        end
        local ns <close> = assert(hcs.namespace.create())
        assert.same({ ID }, ns:endpoints())
        local record = assert(hcs.namespace.list())[1]
        assert.same({ { ID }, { "c" } }, { record.endpoints, record.containers })
    end)
end)

describe("events of networks", function()
    local hcs, host

    before_each(function() hcs, host = fake.hcs(nil, false, nil, true) end)

    it("are listened to from the first handler on", function()
        local heard = {}
        local handler = assert(hcs.on("network_create", function(event)
            heard[#heard + 1] = event
        end))
        assert(hcs.on("namespace_delete", print)).off()
        assert.equal(1, #calls_of(host, "HcnRegisterServiceCallback"))
        assert.is_true(calls_of(host, "HcnRegisterServiceCallback")[1][2])
        host.notify(1, { ID = ID, Flags = 0 })
        host.notify(2, { ID = ID, Flags = 8 })
        host.notify(2, nil, 0x803B0006)
        host.notify(0x77, { ID = ID })
        hcs.poll(0)
        assert.equal(2, #heard)
        assert.same({ "network_create", "NetworkCreate", ID, 8 },
            { heard[1].name, heard[1].type, heard[1].id, heard[1].document.Flags })
        assert.is_nil(heard[1].system)
        assert.is_nil(heard[1].err)
        assert.truthy(tostring(heard[1]):find(ID, 1, true))
        assert.equal("adapter_not_found", heard[2].err.code)
        assert.equal("hcs.Event network_create", tostring(heard[2]))
        assert.is_true(handler.off())
        assert.is_false(handler.off())
        assert.equal(1, #calls_of(host, "HcnUnregisterServiceCallback"))
        nothing_open(host)
        local guard <close> = assert(hcs.on("network_create", print))
        assert.is_truthy(guard.off)
        hcs.close()
        nothing_open(host)
    end)

    it("are registered for anew when the service was lost", function()
        local lost
        assert(hcs.on("network_service_disconnect", function(event) lost = event end))
        host.notify(0x01000000)
        hcs.poll(0)
        assert.equal("ServiceDisconnect", lost.type)
        nothing_open(host)
        assert(hcs.on("network_create", print))
        assert.equal(2, #calls_of(host, "HcnRegisterServiceCallback"))
    end)

    it("are no system's, and may be refused", function()
        local vm <close> = assert(hcs.create { id = "web", kernel = "/k" })
        assert.has_error(function() vm:on("network_create", print) end)
        assert.has_error(function() vm:wait("network_create") end)
        host.fail.HcnRegisterServiceCallback = 0x80070005
        local handler, err = hcs.on("network_create", print)
        assert.is_nil(handler)
        assert.is_true(err:is("access_denied"))
        local ok, message = pcall(hcs.on, "network_creat", print)
        assert.is_false(ok)
        assert.truthy(message:find('did you mean "network_create"?', 1, true))
    end)
end)

describe("nics of a system", function()
    local hcs, host, net

    before_each(function()
        hcs, host = fake.hcs(nil, false, nil, true)
        net = assert(hcs.network.create { name = "lab" })
    end)

    local function guest(nics, more)
        local given = { id = "web", kernel = "/k", nics = nics }
        for key, value in pairs(more or {}) do given[key] = value end
        return given
    end

    local function endpoints() return #assert(hcs.endpoint.list()) end

    it("have endpoints made for them, which go with the system", function()
        local vm = assert(hcs.create(guest { { network = net, forward = { ["tcp/8080"] = 80,
            ["udp/53"] = 5353 } }, { mac = "00-15-5D-01-02-03" },
            { network = net.id, name = "second" } }))
        assert.equal(2, endpoints())
        local sent = core.json.decode(calls_of(host, "HcnCreateEndpoint")[1][4])
        assert.equal("web", sent.Name)
        assert.same({ Type = "PortMapping", Settings = { Protocol = 6, ExternalPort = 8080,
            InternalPort = 80 } }, sent.Policies[1])
        assert.equal(17, sent.Policies[2].Settings.Protocol)
        assert.truthy(sent.Owner:find("4242", 1, true))
        local document = core.json.decode(calls_of(host, "HcsCreateComputeSystem")[1][3])
        local adapters = document.VirtualMachine.Devices.NetworkAdapters
        local first = assert(hcs.endpoint.open { name = "web" })
        assert.same({ EndpointId = first.id, MacAddress = first.mac }, adapters[first.id])
        assert.truthy(adapters.second)
        assert.equal("00-15-5D-01-02-03", adapters["0"].MacAddress)
        first:close()
        vm:close()
        assert.equal(0, endpoints())
        net:close()
        nothing_open(host)
    end)

    it("may be one alone", function()
        local vm <close> = assert(hcs.create(guest { network = net }))
        assert.same({ "web", 1 }, { vm.id, endpoints() })
        local ok, err = pcall(hcs.create, guest(net))
        assert.is_false(ok)
        assert.truthy(tostring(err):find("got the network itself", 1, true), tostring(err))
    end)

    it("leave nothing when the system comes to nothing", function()
        host.fail.HcsCreateComputeSystem = 0x8037010D
        assert.is_nil((hcs.create(guest { { network = net } })))
        assert.equal(0, endpoints())
        host.fail.HcsCreateComputeSystem = nil
        host.fail.HcsGrantVmAccess = 0x80070005
        assert.is_nil((hcs.create(guest { { network = net } })))
        assert.equal(0, endpoints())
        host.fail.HcsGrantVmAccess = nil
        local vm, err = hcs.create(guest { { network = net }, { network = OTHER } })
        assert.is_nil(vm)
        assert.equal("network_not_found", err.code)
        assert.equal(0, endpoints())
        assert.equal(1, host.handles())
    end)

    it("go when the system exits, and stay with one that is kept", function()
        local vm = assert(hcs.create(guest { { network = net } }))
        host.event(host.systems.web, 1, {})
        hcs.poll(0)
        assert.equal(0, endpoints())
        vm:close()
        local kept = assert(hcs.create(guest({ { network = net } }, { keep = true })))
        kept:close()
        assert.equal(1, endpoints())
    end)

    it("can be added and removed", function()
        local vm <close> = assert(hcs.create(guest()))
        local nic = assert(vm:add_nic { network = net, forward = { ["tcp/80"] = 80 } })
        assert.equal(nic.endpoint, nic.name)
        local request = core.json.decode(calls_of(host, "HcsModifyComputeSystem")[1][4])
        assert.same({ ResourcePath = "VirtualMachine/Devices/NetworkAdapters/" .. nic.name,
            RequestType = "Add", Settings = { EndpointId = nic.endpoint, MacAddress = nic.mac } },
            request)
        assert.is_true(vm:remove_nic(nic))
        request = core.json.decode(calls_of(host, "HcsModifyComputeSystem")[2][4])
        assert.equal("Remove", request.RequestType)
        assert.equal(0, endpoints())
        host.answer.HcsModifyComputeSystem = { 0x80070032 }
        assert.is_nil((vm:add_nic { network = net }))
        assert.equal(0, endpoints())
        host.answer.HcsModifyComputeSystem = nil
        local ep = assert(hcs.endpoint.create { network = net, name = "mine" })
        nic = assert(vm:add_nic { endpoint = ep, name = "n" })
        assert.same({ "n", ep.id, ep.mac }, { nic.name, nic.endpoint, nic.mac })
        assert.is_true(vm:remove_nic "n")
        assert.equal(1, endpoints())
        assert.is_true(vm:add_nic_async({ network = net.id, name = "x" }):wait().owned)
        assert.equal(2, endpoints())
    end)

    it("are refused where they are wrong", function()
        local vm <close> = assert(hcs.create(guest()))
        for message, nic in pairs {
            ["like \"tcp/8080\""] = { network = net, forward = { ["icmp/8080"] = 80 } },
            ["a port from"] = { network = net, forward = { ["tcp/8080"] = 70000 } },
            ["exclude each other"] = { network = net, endpoint = ID },
            ["did you mean \"network\"?"] = { netwrk = net },
            ["network, which is missing"] = { endpoint = ID, forward = {} },
            ["{ network = … }, got the network itself"] = net,
        } do
            for _, call in ipairs { function() vm:add_nic(nic) end,
                function() hcs.create { id = "b", kernel = "/k", nics = { nic } } end } do
                local ok, err = pcall(call)
                assert.is_false(ok)
                assert.truthy(tostring(err):find(message, 1, true), message .. ": "
                    .. tostring(err))
            end
        end
        assert.has_error(function() vm:add_nic {} end)
        assert.has_error(function() vm:add_nic { network = net, name = "a/b" } end)
        assert.has_error(function() vm:remove_nic(7) end)
        assert.equal(0, endpoints())
    end)
end)

describe("a scope", function()
    it("deletes the networks it made, in reverse, and nothing else", function()
        local hcs, host = fake.hcs(nil, false, nil, true)
        assert(hcs.network.create { name = "there" }):close()
        local scope = hcs.scope()
        local net = assert(scope:network { name = "lab" })
        assert(scope:network { name = "there", if_exists = "open" })
        assert(scope:network { name = "kept", keep = true })
        assert(scope:endpoint { network = net, name = "a" })
        assert(scope:namespace())
        local gone = assert(scope:endpoint { network = net, name = "b" })
        assert(gone:delete())
        assert(scope:endpoint { network = net, name = "c" }):close()
        assert.is_nil((scope:network { name = "lab" }))
        scope:close()
        local left = {}
        for _, record in ipairs(assert(hcs.network.list())) do left[#left + 1] = record.name end
        table.sort(left)
        assert.same({ "kept", "there" }, left)
        assert.same({}, host.network.Endpoint)
        assert.same({}, host.network.Namespace)
        local deleted = {}
        for _, name in ipairs(fake.names(host)) do
            if name:find "^HcnDelete" then deleted[#deleted + 1] = name:sub(10) end
        end
        assert.same({ "Endpoint", "Endpoint", "Namespace", "Endpoint", "Network" }, deleted)
        nothing_open(host)
    end)
end)

describe("sweep", function()
    it("deletes what dead makers left, and no network that is in use", function()
        local hcs, host = fake.hcs(nil, false, nil, true)
        local function put(kind, id, fields)
            fields.ID = id
            host.network[kind][id] = fields
        end
        local dead = "lua-hcs [lua-hcs root 1.1 this-boot]"
        local net = assert(hcs.network.create { name = "mine" })
        put("Network", ID, { Name = "dead", Owner = dead })
        put("Network", OTHER, { Name = "dead, in use", Owner = dead })
        put("Network", "no-tag", { Name = "another's", Owner = "docker" })
        put("Endpoint", "e1", { Name = "dead", Owner = dead, HostComputeNetwork = net.id })
        put("Endpoint", "e2", { Name = "alive", Owner = "x", HostComputeNetwork = OTHER:upper() })
        put("Namespace", "n1", { Owner = "you [lua-hcs root 1.1 other-boot]" })
        local names = {}
        for _, record in ipairs(assert(hcs.sweep { dry_run = true })) do
            names[#names + 1] = record.kind .. " " .. (record.name or record.id)
        end
        assert.same({ "endpoint dead", "namespace n1", "network dead" }, names)
        assert.equal(1, #assert(hcs.sweep { owner = "you" }))
        assert.equal(2, #assert(hcs.sweep()))
        assert.equal(0, #assert(hcs.sweep()))
        assert.truthy(host.network.Network[net.id])
        assert.truthy(host.network.Network[OTHER])
        assert.truthy(host.network.Network["no-tag"])
        assert.truthy(host.network.Endpoint.e2)
        host.fail.HcnEnumerateEndpoints = 0x80070032
        assert.same({}, hcs.sweep())
        host.fail.HcnEnumerateEndpoints = 0x8007000E
        local swept, err = hcs.sweep()
        assert.is_nil(swept)
        assert.is_true(err:is("limit"))
    end)
end)

describe("differences between what was asked for and got", function()
    local function of(asked, got, type_name)
        return differ(asked, got, type_name or "HostComputeNetwork")
    end

    it("are none for defaults, other spellings and what was added", function()
        assert.same({}, of({ Name = "LAB", Type = "nat", Flags = 0, Policies = {},
            Dns = { Domain = "" }, Owner = "x" }, { Name = "lab", Version = 3 }))
        assert.same({}, of({ Type = "Overlay" }, { Type = 5 }))
        assert.same({}, of({ Policies = { { Type = "ACL" } } },
            { Policies = { { Type = "HostRoute" }, { Type = "acl" } } }))
    end)

    it("are told with their place", function()
        assert.same({ '$.Flags: asked for 8, got 0' }, of({ Flags = 8 }, { Flags = 0 }))
        assert.same({ '$.Dns: was not kept' }, of({ Dns = { Domain = "x" } }, {}))
        assert.same({ '$.Ipams[0].Subnets[0].IpAddressPrefix: asked for "10.0.0.0/24", '
            .. 'got "10.1.0.0/24"' },
            of({ Ipams = { { Subnets = { { IpAddressPrefix = "10.0.0.0/24" } } } } },
                { Ipams = { { Subnets = { { IpAddressPrefix = "10.1.0.0/24" } } } } }))
        assert.same({ "$.Policies[1]: was not kept" },
            of({ Policies = { { Type = "HostRoute" }, { Type = "VxlanPort" } } },
                { Policies = { { Type = "HostRoute" } } }))
        assert.same({ '$.Policies[0].Settings.Action: asked for "Block", got "Allow"' },
            of({ Policies = { { Type = "ACL", Settings = { Action = "Block" } } } },
                { Policies = { { Type = "ACL", Settings = { Action = "Allow" } } } },
                "HostComputeEndpoint"))
        assert.same({ '$.Name: asked for "x", got something else' },
            of({ Name = "x" }, { Name = {} }))
    end)
end)
