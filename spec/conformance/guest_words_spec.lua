-- SPDX-License-Identifier: MIT
-- The test guest's words about its network (docs/guest.md): the simulated guest and
-- the real one answer alike.
local helper = require "spec.helper"

local LIMIT = 60 -- seconds for one answer

for _, uri in ipairs(helper.hosts()) do
    describe("the guest's words on " .. uri, function()
        local hcs, scope, lab
        local patient = not uri:find("clock=real", 1, true) -- where waiting costs nothing, or must

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

        local function networks(fn)
            return function() return scope and fn() end
        end

        local function network(kind)
            lab = assert(scope:network { name = "hcs-words", type = kind or "nat",
                subnet = "192.168.223.0/24" })
        end

        -- A guest with an adapter, started; it is booting while this returns.
        local function start(id, nic)
            if nic then nic.network = lab end
            local vm = assert(scope:create(helper.guest("words-" .. id,
                { cmdline = "console=ttyS0 quiet cryptomgr.notests=1",
                    nics = nic and { nic } or nil })))
            assert(vm:start())
            return vm
        end

        -- What it answers to a line, without "hcs-guest: ".
        local function say(vm, line)
            local console = vm:console()
            assert(console:write(line .. "\n"))
            local _, answer = console:expect({ pattern = "hcs%-guest: ([^\r\n]*)\r?\n" }, LIMIT)
            return assert(answer, "no answer to " .. line)
        end

        local function answers(vm, line, pattern)
            local text = say(vm, line)
            assert(text:find("^" .. pattern .. "$"), ("%q was answered by %q"):format(line, text))
        end

        -- What is said of echoes that come back. A real guest waits a second for each;
        -- where the machine has much else to do it is asked again.
        local function reaches(vm, line, pattern)
            local text
            for _ = 1, uri:find "^qemu:" and 5 or 1 do
                text = say(vm, line)
                if text:find("^" .. pattern .. "$") then return end
            end
            error(("%q was answered by %q"):format(line, text))
        end

        local function up(...)
            for _, vm in ipairs { ... } do assert(helper.up(uri, vm)) end
        end

        local function pair(first, second)
            first, second = first or {}, second or {}
            first.ip, second.ip = "192.168.223.10", "192.168.223.11"
            local a, b = start("a", first), start("b", second)
            up(a, b)
            answers(a, "net 192.168.223.10/24 192.168.223.1",
                "address 192%.168%.223%.10/24 gateway 192%.168%.223%.1")
            answers(b, "net 192.168.223.11/24 192.168.223.1",
                "address 192%.168%.223%.11/24 gateway 192%.168%.223%.1")
            return a, b
        end

        it("know how to reach each other, and that others are not there", networks(function()
            network()
            local a, b = pair()
            assert.equal("192.168.223.10", a:address())
            assert.equal("192.168.223.11", b:address())
            local all = "3 sent, 3 received, %d+%.%d%d%d ms"
            reaches(a, "ping 192.168.223.11", "ping 192%.168%.223%.11: " .. all)
            reaches(b, "ping 192.168.223.10 3", "ping 192%.168%.223%.10: " .. all)
            reaches(b, "ping 192.168.223.11", "ping 192%.168%.223%.11: " .. all) -- itself
            reaches(a, "ping 192.168.223.1 1", "ping 192%.168%.223%.1: 1 sent, 1 received, .*")
            answers(a, "ping 192.168.223.99 2", "ping 192%.168%.223%.99: 2 sent, 0 received")
            answers(a, "ping 192.168.223.11 none", "ping 192%.168%.223%.11: 0 sent, 0 received")
            answers(a, "ping", "ping : 0 sent, 0 received")
            answers(a, "no such word", 'unknown command "no"')
        end))

        it("have addresses that the host can tell", networks(function()
            network()
            local a = start("a", { ip = "192.168.223.10" })
            assert.equal("192.168.223.10", a:address())
            assert.equal("192.168.223.10", a:address_async():wait(10))
            -- Somebody else's: known by its port.
            local other = assert(hcs.open("words-a"))
            assert.equal("192.168.223.10", other:address(10))
            other:close()
            lab = assert(scope:network { name = "hcs-words 2", type = "private" })
            local b = start("b", {}) -- nobody has an address there
            local none, err = b:address(0.3)
            assert.is_nil(none)
            assert.is_true(err:is "timeout", tostring(err))
            local op = b:address_async()
            assert(b:terminate())
            none, err = op:wait(60)
            assert.is_nil(none)
            assert.is_true(err:is "stopped", tostring(err))
            b:close()
            assert.has_error(function() b:address() end, 'system "words-b" is closed')
        end))

        it("serve, ask, send and receive, also through a port of the host", networks(function()
            network()
            local a, b = pair { forward = { ["tcp/8223"] = 80 } }
            answers(a, "serve 80 hello  from a", "serve 80")
            answers(a, "serve 80 another", "cannot serve 80")
            answers(a, "serve port", "cannot serve 0")
            answers(b, "get 192.168.223.10 80", "get 200 hello  from a")
            answers(b, "get 192.168.223.1 8223", "get 200 hello  from a")
            answers(b, "get 192.168.223.10 81", "get failed")
            answers(b, "get", "get failed")
            answers(b, "receive 5001", "receive 5001")
            answers(b, "receive 5001", "cannot receive 5001")
            answers(a, "send 192.168.223.11 5001 3000000", "sent 3000000 bytes in %d+%.%d+ s")
            answers(a, "send 192.168.223.11 5001 1", "sent 1 bytes in %d+%.%d+ s")
            answers(a, "send 192.168.223.11 5002 1", "send failed")
            local endpoint = scope:add(assert(hcs.endpoint.open { name = "words-a",
                network = lab }))
            local stats = assert(endpoint:stats())
            assert.is_true(stats.BytesSent > 3000000, tostring(stats.BytesSent))
            assert.is_true(stats.PacketsReceived > 10, tostring(stats.PacketsReceived))
        end))

        it("feel what policies do", networks(function()
            network()
            local a, b = pair()
            local endpoint = scope:add(assert(hcs.endpoint.open { name = "words-b",
                network = lab }))
            local rule = hcs.doc.policy.acl { action = "block", direction = "in",
                protocols = "icmpv4", priority = 100 }
            assert(endpoint:add_policy(rule))
            answers(a, "ping 192.168.223.11 1", "ping 192%.168%.223%.11: 1 sent, 0 received")
            -- What answers is let in.
            reaches(b, "ping 192.168.223.10 1", "ping 192%.168%.223%.10: 1 sent, 1 received, .*")
            assert(endpoint:remove_policy(rule))
            reaches(a, "ping 192.168.223.11 1", "ping 192%.168%.223%.11: 1 sent, 1 received, .*")
            -- An address that is not the endpoint's gets nobody anywhere.
            answers(a, "net 192.168.223.77/24", "address 192%.168%.223%.77/24")
            answers(a, "ping 192.168.223.11 1", "ping 192%.168%.223%.11: 1 sent, 0 received")
        end))

        it("ask for an address where there is somebody to ask", networks(function()
            network "ics"
            local a, b = start("a", { ip = "192.168.223.20" }), start "b"
            up(a, b)
            answers(a, "dhcp", "address 192%.168%.223%.20/24 gateway 192%.168%.223%.1")
            reaches(a, "ping 192.168.223.1 1", "ping 192%.168%.223%.1: 1 sent, 1 received, .*")
            local _, err = b:address()
            assert.is_true(err:is "not_found", tostring(err))
            if not patient then return end
            answers(a, "dhcp eth7", "no address")
            answers(b, "net 10.0.0.1/24", "no address") -- there is no adapter
            answers(a, "get 192.168.223.99 80", "get failed")
        end))
    end)
end
