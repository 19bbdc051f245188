-- SPDX-License-Identifier: MIT
-- Connections from outside the host of the networks (hcs.network.connect), and what
-- making a network would change (hcs.network.plan), on every host that has them.
local helper = require "spec.helper"

local PORT = 8222

for _, uri in ipairs(helper.hosts()) do
    describe("outside the networks of " .. uri, function()
        local hcs, scope, lab

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
            if hcs.host.can "networks" then scope = hcs.scope() end
        end)

        after_each(function()
            if scope then scope:close() end
            scope, lab = nil, nil
            helper.after()
        end)

        -- `fn` where the host has networks that can be reached and foreseen.
        local function reachable(fn)
            return function()
                if scope and uri:find "^windows:" then
                    local none, err = hcs.network.connect("127.0.0.1", PORT)
                    assert.is_nil(none)
                    assert.is_true(err:is("unsupported"), tostring(err))
                    none, err = hcs.network.plan { name = "hcs-outside" }
                    assert.is_nil(none)
                    assert.is_true(err:is("unsupported"), tostring(err))
                elseif scope then
                    fn()
                end
            end
        end

        local function network()
            lab = assert(scope:network { name = "hcs-outside", subnet = "192.168.221.0/24" })
            return lab
        end

        -- A guest that serves at PORT of the host, and takes bytes at the next one.
        local function server()
            network()
            local vm = assert(scope:create(helper.guest("outside", {
                cmdline = "console=ttyS0 quiet cryptomgr.notests=1",
                nics = { { network = lab, ip = "192.168.221.10",
                    forward = { ["tcp/" .. PORT] = 80, ["tcp/" .. PORT + 1] = 5001 } } },
            })))
            assert(vm:start())
            assert(helper.up(uri, vm))
            local console = vm:console()
            for _, case in ipairs {
                { "net 192.168.221.10/24 192.168.221.1", "hcs-guest: address" },
                { "serve 80 hello  outside", "hcs-guest: serve 80" },
                { "receive 5001", "hcs-guest: receive 5001" },
            } do
                assert(console:write(case[1] .. "\n"))
                assert(console:expect(case[2], 60))
            end
            return vm
        end

        local function ask(stream)
            assert(stream:write "GET / HTTP/1.0\r\n\r\n")
            return assert(stream:read_all(60))
        end

        it("a forwarded port is reached, and what answers is read", reachable(function()
            server()
            local stream = assert(hcs.network.connect("192.168.221.1", PORT, 30))
            assert.equal("192.168.221.1", stream.address)
            assert.equal(PORT, stream.port)
            assert.truthy(tostring(stream):find("%(connected%)$"))
            local answer = ask(stream)
            assert.truthy(answer:find("^HTTP/1%.[01] 200"), answer)
            assert.truthy(answer:find("hello  outside", 1, true), answer)
            assert.equal("", stream:read())
            assert.equal("", stream:read(5))
            assert.truthy(tostring(stream):find("%(ended%)$"))
            assert.is_true(stream:close())
            assert.is_true(stream:close())
            local none, err = stream:read()
            assert.is_nil(none)
            assert.equal("closed", err.code)
            none, err = stream:write "too late"
            assert.is_nil(none)
            assert.equal("closed", err.code)

            -- Whichever address of the host; several at once, from tasks, byte by byte.
            local tasks = {}
            for i = 1, 3 do
                tasks[i] = hcs.spawn(function()
                    local one <close> = assert(hcs.network.connect_async(nil, PORT):wait(30))
                    assert(one:write "GET / HTTP/1.0\r\n\r\n")
                    local parts = {}
                    repeat
                        parts[#parts + 1] = assert(one:read(1, 60))
                        assert.is_true(#parts[#parts] <= 1)
                    until parts[#parts] == ""
                    return table.concat(parts)
                end)
            end
            for i = 1, 3 do assert.equal(answer, tasks[i]:wait(60)) end
        end))

        it("more is sent than fits anywhere at once", reachable(function()
            server()
            local stream <close> = assert(hcs.network.connect(nil, PORT + 1, 30))
            local bytes = ("0123456789abcdef"):rep(0x40000) -- 4 MiB
            assert(stream:write(#bytes .. "\n"))
            assert(stream:write(bytes, 60))
            assert.equal(#bytes .. "\n", assert(stream:read_all(60)))
        end))

        it("who waits too long for bytes is told so, and may go on", reachable(function()
            server()
            local stream <close> = assert(hcs.network.connect(nil, PORT, 30))
            local none, err = stream:read(nil, 0.05)
            assert.is_nil(none)
            assert.is_true(err:is "timeout")
            none, err = stream:read_all(0.05)
            assert.is_nil(none)
            assert.is_true(err:is "timeout")
            assert.truthy(ask(stream):find("hello  outside", 1, true))
        end))

        it("nobody is where nothing listens", reachable(function()
            network()
            for _, address in ipairs { "192.168.221.1", false } do
                local none, err = hcs.network.connect(address or nil, PORT, 30)
                assert.is_nil(none)
                assert.equal("connection_refused", err.code, tostring(err))
                assert.is_true(err:is "unavailable")
                assert.equal("network.connect", err.op)
                assert.truthy(err.target:find(tostring(PORT), 1, true))
            end
            local none, err = hcs.network.connect("no address", PORT)
            assert.is_nil(none)
            assert.equal("invalid_parameter", err.code)
            for _, wrong in ipairs { 0, 65536, -1 } do
                assert.has_error(function() hcs.network.connect(nil, wrong) end)
            end
            assert.has_error(function() hcs.network.connect(80) end)
        end))

        it("a guest that ends takes its connections along", reachable(function()
            local vm = server()
            local stream <close> = assert(hcs.network.connect(nil, PORT, 30))
            assert(vm:terminate())
            -- A real connection learns of it when it says something more.
            if uri:find "^sim:" then assert.equal("", (stream:read(nil, 30))) end
            local none, err = hcs.network.connect(nil, PORT, 3)
            assert.is_nil(none)
            assert.is_true(err:is("unavailable", "timeout"), tostring(err))
        end))

        it("what a network would change is told, and not done", reachable(function()
            network()
            local told = {}
            local on = hcs.on("network_create", function(event) told[#told + 1] = event.id end)
            scope:defer(on.off)
            local before = hcs.host.inventory()
            local plan = assert(hcs.network.plan { name = "hcs-planned",
                subnet = "192.168.220.0/24" })
            assert.equal(#plan, #assert(hcs.network.plan_async { name = "hcs-planned",
                subnet = "192.168.220.0/24" }:wait()))
            for _, change in ipairs(plan) do
                assert.is_string(change.kind)
                assert.is_false(change.machine)
                assert.is_string(change.text)
            end
            assert.equal(uri:find "^sim:" and 0 or #plan, #plan)
            for _, case in ipairs {
                { { name = "HCS-outside" }, "exists" },
                { { name = "other", subnet = "192.168.221.0/25" }, "exists" },
                { { name = "other", document = { Nonsense = true } }, "invalid_document" },
            } do
                local none, err = hcs.network.plan(case[1])
                assert.is_nil(none)
                assert.is_true(err:is(case[2]), tostring(err))
                assert.equal("network.plan", err.op)
            end
            assert.same(before, hcs.host.inventory())
            assert.same({}, hcs.network.list { name = "hcs-planned" })
            hcs.poll(0)
            assert.same({}, told)
        end))
    end)
end
