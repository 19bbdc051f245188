-- SPDX-License-Identifier: MIT
-- The service of real networks: everybody of a state root has the same one, it
-- comes when it is wanted, keeps what it was told, and goes. No guest is needed.
local hcs = require "hcs.strict"
local plain = require "hcs"
local support = require "spec.host.support"

local SUBNET = "192.168.217.0/24"

describe("the network service of real hosts", function()
    local root, worlds

    -- A world of its own on the test's root, in the flavour whose failures are values.
    local function world(more)
        local one = assert(plain.connect(("qemu:?root=%s%s"):format(root, more or "")))
        worlds[#worlds + 1] = one
        return one
    end

    local function daemons()
        local living = {}
        for _, pid in ipairs(support.processes("hcs-hostd", root)) do
            if support.alive(pid) then living[#living + 1] = pid end
        end
        return living
    end

    local function gone()
        return #daemons() == 0 and not os.execute(("test -e %s/net"):format(root))
    end

    before_each(function()
        root, worlds = support.output("mktemp -d"):match("%S+"), {}
    end)

    after_each(function()
        for _, one in ipairs(worlds) do
            for _, record in ipairs(one.network.list() or {}) do one.network.delete(record.id) end
            for _, record in ipairs(one.namespace.list() or {}) do
                one.namespace.delete(record.id)
            end
            one.close()
        end
        assert(support.eventually(5, gone), "hcs-hostd or its files are left")
        os.execute(("rm -rf %s"):format(root))
        support.forget_scripts()
    end)

    it("is there when it is first asked for, and goes when nothing is left", function()
        local here = world()
        assert.are.equal(0, here.host.inventory().networks)
        assert.are.same({}, daemons()) -- counting is no use of it
        local net = assert(here.network.create { name = "first", subnet = SUBNET })
        assert.are.equal(1, #daemons())
        local counts = here.host.inventory()
        assert.are.equal(1, counts.networks)
        assert.is_true(counts.interfaces >= 1 and counts.rules >= 1)
        here.close()
        assert.are.equal(1, #daemons()) -- it outlives its maker
        local later = world()
        assert.are.equal(net.id, later.network.list()[1].id)
        assert.is_true(later.network.delete(net.id))
        later.close()
        assert.is_true(support.eventually(5, gone))
    end)

    it("is one for all scripts", function()
        local here = world()
        local heard = {}
        here.on("network_create", function(event) heard[#heard + 1] = event.id end)
        local _, out = support.script(([[
            local there = hcs.connect "qemu:?root=%s"
            local net = there.network.create { name = "theirs", subnet = "%s", keep = true }
            local ep = there.endpoint.create { network = net, name = "theirs too" }
            print("made", net.id, ep.id)
            while #there.network.list { name = "ours" } == 0 do there.sleep(0.02) end
            print("saw", there.network.open { name = "ours" }.id)
            there.network.delete(net)
            print "deleted"
        ]]):format(root, SUBNET))
        local id, endpoint = support.printed(out, "\n", 30):match("made%s+(%S+)%s+(%S+)")
        local net <close> = assert(here.network.open { name = "THEIRS" })
        assert.are.equal(id, net.id)
        assert.are.equal(endpoint, here.endpoint.list { name = "theirs too" }[1].id)
        local clash, err = here.network.create { name = "theirs" }
        assert.is_nil(clash)
        assert.are.equal("network_already_exists", err.code)
        local ours = assert(here.network.create { name = "ours", subnet = "192.168.218.0/24" })
        support.printed(out, "deleted", 30)
        assert.are.equal(ours.id, out():match("saw%s+(%S+)"))
        local none
        none, err = net:properties()
        assert.is_nil(none)
        assert.are.equal("network_not_found", err.code)
        assert.is_true(here.run_until(function() return #heard == 2 end, 5))
        assert.are.same({ id, ours.id }, heard)
    end)

    it("may die under a script, and what it was told is there again", function()
        local here = world()
        local ended
        here.on("network_service_disconnect", function() ended = true end)
        local net = assert(here.network.create { name = "it's \"kept\"\n\\", subnet = SUBNET })
        local ep = assert(here.endpoint.create { network = net, name = "a\tb",
            policies = { hcs.doc.policy.port_mapping { protocol = "tcp", internal_port = 80,
                external_port = 8080 } } })
        local before = { net:properties(), ep:properties() }
        support.kill(daemons()[1])
        assert.is_true(here.run_until(function() return ended end, 5))
        for _, one in ipairs { net, ep } do
            local none, err = one:properties()
            assert.is_nil(none)
            assert.are.equal(0x800706BA, err.hresult)
            assert.is_true(err:is "unavailable")
        end
        local none, err = here.endpoint.create { network = net }
        assert.is_nil(none)
        assert.is_true(err:is "unavailable")
        local again <close> = assert(here.network.open(net.id))
        local ep_again <close> = assert(here.endpoint.open(ep.id))
        assert.are.same(before[1], again:properties())
        assert.are.same(before[2], ep_again:properties())
        assert.is_true(net:close())
        local made
        here.on("network_create", function() made = true end)
        assert(here.network.create { name = "afterwards", subnet = "192.168.218.0/24" })
        assert.is_true(here.run_until(function() return made end, 5))
    end)

    it("may die again and again between calls", function()
        local here = world()
        local net = assert(here.network.create { name = "kept", subnet = SUBNET })
        for _ = 1, 5 do
            support.kill(daemons()[1])
            local list = assert(here.network.list())
            assert.are.same({ net.id }, { list[1].id, list[2] and list[2].id })
        end
    end)

    it("keeps apart what must be apart", function()
        local here = world()
        local net = assert(here.network.create { name = "one", subnet = "192.168.217.0/29" })
        for _, case in ipairs {
            { { name = "ONE", subnet = "192.168.218.0/24" }, "network_already_exists" },
            { { name = "two", subnet = "192.168.216.0/22" }, "already_exists" },
            { { name = "two", subnet = "192.168.217.0/29" }, "already_exists" },
        } do
            local none, err = here.network.create(case[1])
            assert.is_nil(none)
            assert.are.equal(case[2], err.code, tostring(err))
        end
        local mapped = { protocol = "tcp", internal_port = 80, external_port = 8080 }
        local first = assert(here.endpoint.create { network = net,
            policies = { hcs.doc.policy.port_mapping(mapped) } })
        local none, err = here.endpoint.create { network = net,
            policies = { hcs.doc.policy.port_mapping(mapped) } }
        assert.is_nil(none)
        assert.are.equal("port_already_exists", err.code)
        none, err = here.endpoint.create { network = net, mac = first.mac }
        assert.is_nil(none)
        assert.are.equal("object_already_exists", err.code)
        -- Six addresses less the gateway's: the pool ends.
        for _ = 2, 5 do assert(here.endpoint.create { network = net }) end
        none, err = here.endpoint.create { network = net }
        assert.is_nil(none)
        assert.are.equal("addr_invalid_or_reserved", err.code)
        assert.is_true(first:delete())
        assert(here.endpoint.create { network = net })
    end)

    it("says what a network would change, and changes nothing", function()
        local here = world()
        local plan = assert(here.network.plan { name = "thought", subnet = SUBNET })
        local kinds = {}
        for _, change in ipairs(plan) do
            kinds[change.kind] = true
            assert.is_false(change.machine, change.text)
            assert.is_nil(change.text:find("\n", 1, true))
        end
        assert.is_true(kinds.interface and kinds.address and kinds.rule)
        assert.are.same({}, here.network.list())
        assert.are.equal(0, here.host.inventory().networks)
        assert(here.network.create { name = "thought", subnet = SUBNET })
        local none, err = here.network.plan { name = "thought" }
        assert.is_nil(none)
        assert.are.equal("network_already_exists", err.code)
        local allowed = world "&allow_host_change=1"
        assert.is_true(allowed.host.allow_host_change)
        assert.is_false(here.host.allow_host_change)
        local touched = false
        for _, change in ipairs(assert(allowed.network.plan { name = "x", subnet =
            "192.168.218.0/24" })) do
            touched = touched or change.machine
        end
        assert.is_true(touched)
        assert.is_nil(here.network.list { name = "x" }[1])
    end)

    -- What the machine has of its own.
    local function interfaces()
        local names = {}
        for name in support.read("/proc/net/dev"):gmatch("([^%s:]+):") do
            names[#names + 1] = name
        end
        table.sort(names)
        return names
    end

    it("leaves the machine's own network alone unless it is allowed", function()
        local before = interfaces()
        local here = world()
        local net = assert(here.network.create { name = "inside", subnet = SUBNET })
        assert(here.endpoint.create { network = net })
        assert.are.same(before, interfaces())
        if support.output "id -u" ~= "0\n" then return end
        local allowed = world "&allow_host_change=1"
        local out = assert(allowed.network.create { name = "out", subnet =
            "192.168.218.0/24" })
        assert.are.equal(#before + 1, #interfaces())
        assert.is_true(out:delete())
        assert.is_true(net:delete())
        allowed.close()
        here.close()
        assert.is_true(support.eventually(5, gone))
        assert.are.same(before, interfaces())
    end)

    it("can be reached from outside", function()
        local here = world()
        assert(here.network.create { name = "far", subnet = SUBNET })
        for address, code in pairs {
            ["192.168.217.1"] = "connection_refused", ["10.255.255.1"] = "network_unreachable",
        } do
            local none, err = here.network.connect(address, 8080, 5)
            assert.is_nil(none)
            assert.are.equal(code, err.code)
            assert.is_true(err:is "unavailable")
        end
        local none, err = here.network.connect(nil, 8080, 5)
        assert.is_nil(none)
        assert.are.equal("connection_refused", err.code)
        none, err = here.network.connect("nowhere", 8080)
        assert.is_nil(none)
        assert.are.equal("invalid_parameter", err.code)
    end)

    it("works for users without rights, or says in a line what it lacks", function()
        local home = support.output("mktemp -d"):match("%S+")
        local script = home .. "/script.lua"
        local file = assert(io.open(script, "w"))
        file:write(([[
            package.path, package.cpath = %q, %q
            local hcs = require "hcs".connect "qemu:?root=%s/root"
            local net, err = hcs.network.create { name = "mine", subnet = "%s" }
            if not net then
                print("refused", err.code, (tostring(err):gsub("\n", "|")))
                os.exit(0)
            end
            local ep = assert(hcs.endpoint.create { network = net })
            local space = assert(hcs.namespace.create {})
            assert(ep:attach(space))
            local none, why = hcs.network.connect("192.168.217.1", 80, 5)
            print("works", ep:addresses()[1].address, why.code)
            assert(space:delete() and net:delete())
        ]]):format(package.path, package.cpath, home, SUBNET))
        file:close()
        os.execute(("chmod 755 %s && chown -R 65534:65534 %s"):format(home, home))
        local lua = os.getenv "HCS_LUA" or "lua5.4"
        local nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
        if support.output "id -u" ~= "0\n" then nobody = "" end
        if not os.execute(nobody .. "test -r lua/hcs/init.lua") then
            os.execute("rm -rf " .. home)
            return pending("the tree cannot be read by others")
        end
        local said = support.output(("timeout 60 %s %s %s 2>&1"):format(nobody, lua, script))
        assert.is_true(support.eventually(5, function()
            return not os.execute(("test -e %s/root/net"):format(home))
        end), said)
        os.execute("rm -rf " .. home)
        local works = said:match("works%s+192%.168%.217%.%d+%s+connection_refused\n$")
        local lacks = said:match("refused%s+(%S+)%s+[^\n|]+\n$")
        assert.is_true(works ~= nil or lacks == "access_denied" or lacks == "not_supported", said)
    end)
end)
