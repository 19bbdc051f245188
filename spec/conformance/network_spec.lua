-- SPDX-License-Identifier: MIT
-- Networks, endpoints and namespaces, on every host that has them.
local helper = require "spec.helper"

local function names_of(records)
    local names = {}
    for index, record in ipairs(records) do names[index] = record.name end
    table.sort(names)
    return names
end

for _, uri in ipairs(helper.hosts()) do
    describe("networks on " .. uri, function()
        local hcs, scope

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
            if hcs.host.can "networks" then scope = hcs.scope() end
        end)

        after_each(function()
            if scope then scope:close() end
            scope = nil
            helper.after()
        end)

        -- `fn` where the host has networks; elsewhere it says that it has none.
        local function networks(fn)
            return function()
                if scope then return fn() end
                for _, noun in ipairs { hcs.network, hcs.namespace } do
                    local none, err = noun.create { name = "hcs-spec" }
                    assert.is_nil(none)
                    assert.is_true(err:is("unsupported", "access_denied"), tostring(err))
                end
            end
        end

        local function lab(more)
            local given = { name = "hcs-spec", subnet = "192.168.222.0/24" }
            for key, value in pairs(more or {}) do given[key] = value end
            return assert(scope:network(given))
        end

        it("are made as they were asked for, and read back", networks(function()
            local net = lab()
            assert.same({ "hcs-spec", "nat" }, { net.name, net.type })
            assert.same({}, net.warnings)
            local document = assert(net:properties())
            assert.equal(net.id, document.ID)
            local subnet = document.Ipams[1].Subnets[1]
            assert.equal("192.168.222.0/24", subnet.IpAddressPrefix)
            assert.equal("192.168.222.1", subnet.Routes[1].NextHop)
            assert.truthy(document.MacPool.Ranges[1].StartMacAddress:find("^00%-15%-5D"))
            local old = assert(net:properties { SchemaVersion = { Major = 1, Minor = 0 } })
            assert.equal("192.168.222.0/24", old.Subnets[1].AddressPrefix)
            assert.equal("NAT", old.Type)
        end))

        it("have one name each, whoever spells it how", networks(function()
            local net = lab()
            local other, err = hcs.network.create { name = "HCS-Spec" }
            assert.is_nil(other)
            assert.equal("network_already_exists", err.code)
            assert.is_true(err:is("exists"))
            assert.equal(0x803B0010, err.document.ErrorCode)
            assert.is_false(err.document.Success)
            local same = scope:add(assert(hcs.network.create { name = "HCS-SPEC",
                if_exists = "open", subnet = "192.168.223.0/24" }))
            assert.equal(net.id, same.id)
            assert.truthy(same.warnings[1]:find('got "192.168.222.0/24"', 1, true))
            local new = assert(scope:network { name = "hcs-spec", if_exists = "replace",
                subnet = "192.168.223.0/24" })
            assert.not_equal(net.id, new.id)
            local none
            none, err = hcs.network.open(net.id)
            assert.is_nil(none)
            assert.equal("network_not_found", err.code)
            none, err = net:properties()
            assert.is_nil(none)
            assert.is_true(err:is("not_found"))
        end))

        it("keep the names that people give", networks(function()
            local name = "a \"b\"\n\\ Ωжק日本 😀"
            local net = lab { name = name }
            assert.equal(name, net.name)
            local ep = assert(scope:endpoint { network = net, name = name })
            assert.equal(name, ep.name)
            assert.equal(net.id, assert(hcs.network.list { name = name })[1].id)
            assert.equal(ep.id, scope:add(assert(hcs.endpoint.open { name = name })).id)
        end))

        it("give addresses and MACs, each once", networks(function()
            local net = lab()
            local seen = {}
            for index = 1, 5 do
                local ep = assert(scope:endpoint { network = net, name = "e" .. index })
                local address = assert(ep:addresses())[1]
                assert.truthy(address.address:find("^192%.168%.222%.%d+$"))
                assert.equal(24, address.prefix)
                assert.is_nil(seen[address.address])
                assert.is_nil(seen[ep.mac])
                seen[address.address], seen[ep.mac] = true, true
            end
            assert.is_nil(seen["192.168.222.1"])
            local fixed = assert(scope:endpoint { network = net, ip = "192.168.222.77",
                mac = "00-15-5d-aa-bb-cc" })
            assert.same({}, fixed.warnings)
            assert.equal("192.168.222.77/24", tostring(assert(fixed:addresses())[1]))
            assert.equal("00-15-5D-AA-BB-CC", fixed.mac)
            assert.equal(6, #assert(hcs.endpoint.list { network = net }))
        end))

        it("refuse what cannot be, with the service's codes", networks(function()
            local net = lab()
            assert(scope:endpoint { network = net, name = "a", ip = "192.168.222.5",
                forward = { ["tcp/18080"] = 80 } })
            for code, given in pairs {
                object_already_exists = { ip = "192.168.222.5" },
                invalid_ip = { ip = "10.9.8.7" },
                addr_invalid_or_reserved = { ip = "192.168.222.1" },
                port_already_exists = { forward = { ["tcp/18080"] = 81 } },
                invalid_internal_port = { forward = { ["tcp/18081"] = 0 } },
            } do
                given.network, given.name = net, "b"
                local ep, err = hcs.endpoint.create(given)
                assert.is_nil(ep, code)
                assert.equal(code, err.code, tostring(err))
                assert.truthy(#err.document.Error > 0)
            end
            assert.same({ "a" }, names_of(hcs.endpoint.list { network = net }))
            assert(scope:endpoint { network = net, forward = { ["udp/18080"] = 80 } })
            local wrong, err = hcs.network.create { name = "hcs-wrong",
                document = { Ipams = { { Subnets = { { IpAddressPrefix = "10.0.0.1/24" } } } } } }
            assert.is_nil(wrong)
            assert.is_true(err:is("invalid_document"))
        end))

        it("take policies and let them go", networks(function()
            local ep = assert(scope:endpoint { network = lab(), name = "a" })
            local acl = hcs.doc.policy.acl { action = "block", direction = "in",
                protocols = "tcp", local_ports = 22, priority = 100 }
            local qos = hcs.doc.policy.qos "10M"
            assert(ep:add_policy { acl, qos })
            assert.equal(2, #assert(ep:properties()).Policies)
            assert(ep:remove_policy(acl))
            local left = assert(ep:properties()).Policies
            assert.same({ "QOS" }, { left[1].Type })
            assert.equal(1, #left)
            local ok, err = ep:remove_policy(acl)
            assert.is_nil(ok)
            assert.equal("policy_not_found", err.code)
            assert(ep:modify { policies = { acl } })
            assert.equal("ACL", assert(ep:properties()).Policies[1].Type)
            assert(ep:modify { policies = {} })
            assert.equal(0, #(assert(ep:properties()).Policies or {}))
            local private = assert(scope:network { name = "hcs-private", type = "private",
                subnet = "192.168.224.0/24" })
            local inside = assert(scope:endpoint { network = private })
            ok, err = inside:add_policy(hcs.doc.policy.port_mapping {
                protocol = "tcp", internal_port = 80, external_port = 18090 })
            assert.is_nil(ok)
            assert.equal("mapping_not_supported", err.code)
            assert.is_true(err:is("unsupported"))
        end))

        it("have namespaces, which endpoints are attached to", networks(function()
            local net = lab()
            local ns = assert(scope:namespace())
            local other = assert(scope:namespace())
            local ep = assert(scope:endpoint { network = net, name = "a", namespace = ns })
            assert.same({ ep.id }, assert(ns:endpoints()))
            assert.equal(ns.id, assert(hcs.endpoint.list { network = net })[1].namespace)
            local ok, err = ep:attach(other)
            assert.is_nil(ok)
            assert.equal("endpoint_namespace_already_exists", err.code)
            assert(ep:detach())
            assert.same({}, assert(ns:endpoints()))
            ok, err = ep:detach()
            assert.is_nil(ok)
            assert.equal("endpoint_not_attached", err.code)
            assert(ep:attach(other.id))
            assert(hcs.namespace.delete(other))
            assert.is_nil(assert(hcs.endpoint.list { network = net })[1].namespace)
            assert.equal(ep.id, assert(ep:stats()).EndpointId:lower())
            -- Of one that was never in a namespace: a kernel sends of itself (MLD reports, say).
            local unused = assert(scope:endpoint { network = net, name = "b" })
            local stats = assert(unused:stats())
            assert.same({ 0, 0 }, { stats.BytesSent, stats.BytesReceived })
            local default = assert(hcs.namespace.list { type = "host_default" })[1]
            assert.truthy(default)
            local none
            none, err = hcs.namespace.open "11111111-2222-4333-8444-555555555555"
            assert.is_nil(none)
            assert.equal(0x80070490, err.hresult)
        end))

        it("leave nothing in a namespace that could not be had", networks(function()
            local net = lab()
            local guest = assert(scope:namespace { type = "guest" })
            local ns = assert(scope:namespace())
            assert(ns:delete())
            local ep, err = hcs.endpoint.create { network = net, name = "x", namespace = ns.id }
            assert.is_nil(ep)
            assert.is_true(err:is("not_found"))
            assert.same({}, hcs.endpoint.list { network = net })
            assert.equal("guest", guest.type)
        end))

        it("take their endpoints with them", networks(function()
            local net = lab()
            local ep = assert(scope:endpoint { network = net, name = "a" })
            assert(net:delete())
            local ok, err = ep:properties()
            assert.is_nil(ok)
            assert.is_true(err:is("not_found"))
            assert.is_true(ep:close())
            ok, err = hcs.endpoint.delete(ep.id)
            assert.is_nil(ok)
            assert.equal("endpoint_not_found", err.code)
        end))

        it("tell what happens, in order", networks(function()
            local heard, handlers = {}, {}
            for _, name in ipairs { "network_pre_create", "network_create", "network_pre_delete",
                "network_delete", "namespace_create", "namespace_delete" } do
                handlers[#handlers + 1] = assert(hcs.on(name, function(event)
                    heard[#heard + 1] = { event.name, event.id:lower() }
                end))
            end
            local net = lab()
            local ns = assert(scope:namespace())
            assert(ns:delete())
            assert(net:delete())
            local id, space = net.id:lower(), ns.id:lower()
            local function ours()
                local list = {}
                for _, one in ipairs(heard) do
                    if one[2] == id or one[2] == space then list[#list + 1] = one end
                end
                return list
            end
            assert(hcs.run_until(function() return #ours() == 6 end, 10))
            assert.same({ { "network_pre_create", id }, { "network_create", id },
                { "namespace_create", space }, { "namespace_delete", space },
                { "network_pre_delete", id }, { "network_delete", id } }, ours())
            for _, handler in ipairs(handlers) do assert.is_true(handler.off()) end
            lab():delete()
            hcs.poll(0)
            assert.equal(6, #ours())
        end))

        local simulated = uri:match "^sim:" and it or function() end

        simulated("stand still while the service is away", networks(function()
            local net = lab()
            local lost = 0
            local handler = assert(hcs.on("network_service_disconnect", function()
                lost = lost + 1
            end))
            hcs.sim.service "stop"
            assert(hcs.run_until(function() return lost == 1 end, 10))
            local none, err = hcs.network.list()
            assert.is_nil(none)
            assert.is_true(err:is("unavailable"))
            hcs.sim.service "start"
            none, err = net:properties()
            assert.is_nil(none)
            assert.is_true(err:is("unavailable"))
            assert.truthy(err.hint:find("opened again", 1, true))
            local again <close> = assert(hcs.network.open(net.id))
            assert.equal("hcs-spec", again.name)
            local heard = {}
            local other = assert(hcs.on("network_delete", function(event)
                heard[#heard + 1] = event.id
            end))
            assert(again:delete())
            assert(hcs.run_until(function() return #heard == 1 end, 10))
            handler.off()
            other.off()
        end))

        it("are seen and changed from tasks", networks(function()
            local net = lab()
            local tasks = {}
            for index = 1, 20 do
                tasks[index] = hcs.spawn(function()
                    local ep = assert(hcs.endpoint.create { network = net, name = "t" .. index })
                    hcs.sleep(0.001)
                    assert(ep:add_policy_async(hcs.doc.policy.qos "1M"):wait())
                    return assert(ep:delete())
                end)
            end
            assert(hcs.wait_all(tasks, 60))
            assert.same({}, hcs.endpoint.list { network = net })
        end))

        it("have adapters of systems, whose endpoints go with them", networks(function()
            local net = lab()
            local vm <close> = assert(hcs.create(helper.guest("nics", { nics = {
                { network = net, forward = { ["tcp/18080"] = 80 } },
                { network = { name = "hcs-spec" }, name = "second", ip = "192.168.222.50" } } })))
            assert.same({ "nics", "nics 2" }, names_of(hcs.endpoint.list { network = net }))
            assert(vm:start())
            local nic = assert(vm:add_nic { network = net })
            assert.equal(3, #hcs.endpoint.list { network = net })
            assert.truthy(nic.mac:find("^00%-15%-5D"))
            assert(vm:remove_nic(nic))
            local ok, err = vm:remove_nic(nic)
            assert.is_nil(ok)
            assert.is_true(err:is("not_found"))
            assert.equal(2, #hcs.endpoint.list { network = net })
            assert(vm:terminate())
            assert(vm:wait("exited", 60))
            assert.same({}, hcs.endpoint.list { network = net })
        end))

        it("leave no endpoint of a system that was not made", networks(function()
            local net = lab()
            local vm <close> = assert(hcs.create(helper.guest("taken")))
            local other, err = hcs.create(helper.guest("taken", { nics = { { network = net } } }))
            assert.is_nil(other)
            assert.is_true(err:is("exists"))
            assert.same({}, hcs.endpoint.list { network = net })
            local same <close> = assert(hcs.create(helper.guest("taken",
                { nics = { { network = net } }, if_exists = "open" })))
            assert.equal(vm.runtime_id, same.runtime_id)
            assert.same({}, hcs.endpoint.list { network = net })
        end))

        it("leave what is others' alone when swept", networks(function()
            local net = lab()
            assert.same({}, hcs.sweep { owner = "hcs-spec-nobody" })
            local dead = assert(scope:endpoint { network = net, name = "dead", document = {
                Owner = "hcs-spec [lua-hcs nobody 1.1 another-boot]" } })
            local swept = assert(hcs.sweep { owner = "hcs-spec" })
            assert.same({ "dead" }, names_of(swept))
            assert.same({}, hcs.endpoint.list { network = net })
            dead:close()
        end))
    end)
end
