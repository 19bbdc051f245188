-- SPDX-License-Identifier: MIT
-- Networks of real guests: adapters that are ports of endpoints, from the start,
-- while the guest runs, in saved states and clones; and who dies meanwhile.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local GATEWAY = "192.168.219.1"
local ATTACHED = 2

local function state(nic)
    local endpoint <close> = hcs.endpoint.open(nic.endpoint or nic)
    return endpoint:properties().State
end

-- Gives the guest's adapter its endpoint's address by hand; the address.
local function settle(vm, nic)
    local endpoint <close> = hcs.endpoint.open(nic.endpoint or nic.id)
    local address = endpoint:addresses()[1].address
    local text, status = support.sh(vm, ("for i in $(seq 150); do [ -e /sys/class/net/eth0 ]"
        .. " && break; sleep 0.2; done; ip addr flush dev eth0; ip addr add %s/24 dev eth0"
        .. " && ip link set eth0 up && cat /sys/class/net/eth0/address"):format(address))
    assert.are.equal(0, status, text)
    assert.are.equal(endpoint.mac:lower():gsub("-", ":"), (text:match "%x%x:[%x:]+"))
    return address
end

local function answers(vm, address)
    return select(2, support.sh(vm, ("ping -c 1 -W 2 %s"):format(address))) == 0
end

-- With patience: who has had no answer asks for an address once a second.
local function reaches(vm, address)
    return support.eventually(10, function() return answers(vm, address) end)
end

-- The only endpoint there is.
local function only()
    local list = hcs.endpoint.list()
    assert.are.equal(1, #list)
    return list[1]
end

local function colons(mac) return (mac:lower():gsub("-", ":")) end

local function failure(...)
    local ok, err = pcall(...)
    assert.is_false(ok)
    return err
end

-- Descriptions of the errors that starts end with.
local function assert_blamed(err, code, member)
    assert.is_true(err:is(code), tostring(err))
    assert.is_truthy(err.path:find(member, 1, true), tostring(err))
end

describe("a real guest's adapter", function()
    local net

    setup(function()
        -- By its id: a handle ends with the service that it is of.
        local made <close> = hcs.network.create { name = support.id "net",
            subnet = "192.168.219.0/24" }
        net = made.id
        support.template_id()
    end)

    teardown(function()
        hcs.network.delete(net)
        support.finish()
    end)

    after_each(function()
        for _, endpoint in ipairs(hcs.endpoint.list()) do hcs.endpoint.delete(endpoint.id) end
        assert.is_true(support.eventually(2, function()
            return hcs.host.inventory().systems == 1
        end))
    end)

    it("is its endpoint's port", function()
        local vm <close> = support.guest("port", { nics = { { network = net } } })
        local endpoint <close> = hcs.endpoint.open(only().id)
        assert.are.equal(ATTACHED, endpoint:properties().State)
        settle(vm, endpoint)
        assert.is_true(reaches(vm, GATEWAY))
        assert.is_true(endpoint:stats().PacketsReceived > 0)
        vm:terminate()
        vm:wait("exited", 10)
        vm:close()
        assert.are.equal(0, #hcs.endpoint.list())
    end)

    it("without an endpoint leads nowhere", function()
        local vm <close> = support.guest("nowhere", {
            nics = { { mac = "00-15-5D-01-02-03" }, {} } })
        local text = support.sh(vm, "cat /sys/class/net/eth*/address; ip link set eth0 up;"
            .. " ip link set eth1 up; ip addr add 10.0.2.15/24 dev eth0;"
            .. " sleep 0.3; cat /sys/class/net/eth*/carrier; ping -c 1 -W 1 10.0.2.2")
        assert.is_truthy(text:find("00:15:5d:01:02:03", 1, true), text)
        assert.is_truthy(text:find("1\n1\n", 1, true), text)
        assert.is_truthy(text:find("100%% packet loss"), text)
    end)

    it("comes and goes while it runs", function()
        local vm <close> = support.clone "plug"
        local first
        for _ = 1, 3 do
            local nic = vm:add_nic { network = net }
            first = first or nic.endpoint
            assert.are.equal(ATTACHED, state(nic))
            settle(vm, nic)
            assert.is_true(reaches(vm, GATEWAY))
            vm:remove_nic(nic)
            assert.are.equal(0, #hcs.endpoint.list())
            support.await_adapters(vm, 0)
        end
        assert.is_true(failure(vm.remove_nic, vm, first):is "not_found")
    end)

    it("that was there at the start can go", function()
        local vm <close> = support.guest("cold", { nics = { { network = net, name = "a" } } })
        settle(vm, only())
        assert.is_true(reaches(vm, GATEWAY))
        vm:remove_nic "a"
        support.await_adapters(vm, 0)
        settle(vm, vm:add_nic { network = net, name = "a" })
        assert.is_true(reaches(vm, GATEWAY))
    end)

    it("is one of eight at most, each with a name of its own", function()
        local vm <close> = support.clone "eight"
        for number = 1, 8 do vm:add_nic { network = net, name = "n" .. number } end
        assert.are.equal(8, #hcs.endpoint.list())
        support.await_adapters(vm, 8)
        local err = failure(vm.add_nic, vm, { network = net, name = "n9" })
        assert.is_truthy(tostring(err):find("8 network adapters", 1, true), tostring(err))
        vm:remove_nic "n8"
        assert.is_true(failure(vm.add_nic, vm, { network = net, name = "n7" }):is "exists")
        assert.are.equal(7, #hcs.endpoint.list())
    end)

    it("needs an endpoint that is there, free and of its address", function()
        local endpoint <close> = hcs.endpoint.create { network = net }
        local options = support.options("bad", { nics = {
            { endpoint = "00000000-1111-4222-8333-444444444444" } } })
        do
            local vm <close> = hcs.create(options)
            assert_blamed(failure(vm.start, vm), "not_found", "EndpointId")
        end
        options.nics = { { endpoint = endpoint.id, mac = "00-15-5D-77-77-77" } }
        do
            local vm <close> = hcs.create(options)
            assert_blamed(failure(vm.start, vm), "invalid_parameter", "MacAddress")
            assert.are_not.equal(ATTACHED, state(endpoint.id))
        end
        options.nics = { { endpoint = endpoint } }
        local holder <close> = support.clone("holder", { nics = { { endpoint = endpoint } } })
        assert.are.equal(ATTACHED, state(endpoint.id))
        local vm <close> = hcs.create(options)
        assert_blamed(failure(vm.start, vm), "invalid_state", "EndpointId")
        assert_blamed(failure(holder.add_nic, holder, { endpoint = endpoint.id, name = "x" }),
            "invalid_state", "$.Settings.EndpointId")
        holder:terminate()
        holder:wait("exited", 10)
        vm:start()
        assert.are.equal(ATTACHED, state(endpoint.id))
    end)

    it("outlives its endpoint, and leads nowhere then", function()
        local endpoint <close> = hcs.endpoint.create { network = net }
        local vm <close> = support.clone("orphan", {
            nics = { { endpoint = endpoint, name = "o" } } })
        settle(vm, endpoint)
        assert.is_true(reaches(vm, GATEWAY))
        endpoint:delete()
        assert.is_true(support.eventually(10, function()
            return support.sh(vm, "cat /sys/class/net/eth0/carrier"):find "^0"
        end))
        local pid = support.processes("qemu-system", vm.runtime_id)[1]
        local function ticks()
            local user, system = support.read(("/proc/%d/stat"):format(pid))
                :match "%) %a %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
            return user + system
        end
        local before = ticks()
        hcs.sleep(1)
        assert.is_true(ticks() - before < 50, "QEMU is busy with what is gone")
        vm:remove_nic "o"
        settle(vm, vm:add_nic { network = net })
        assert.is_true(reaches(vm, GATEWAY))
    end)

    it("is there again in a saved state that is restored", function()
        local path = support.temporary "network.vmrs"
        local endpoint <close> = hcs.endpoint.create { network = net }
        local options = support.options("resume", { nics = { { endpoint = endpoint } } })
        local late <close> = hcs.endpoint.create { network = net }
        do
            local vm <close> = support.boot(hcs.create(options))
            settle(vm, endpoint)
            assert.is_true(reaches(vm, GATEWAY))
            vm:add_nic { endpoint = late }
            support.await_adapters(vm, 2)
            vm:pause { reason = "save" }
            vm:save(path)
            vm:terminate()
            vm:wait("exited", 10)
        end
        assert.are_not.equal(ATTACHED, state(endpoint.id))
        options.restore, options.if_exists = path, "replace"
        do
            local vm <close> = hcs.create(options)
            local err = failure(vm.start, vm)
            assert.is_truthy(err.path:find("NetworkAdapters", 1, true), tostring(err))
        end
        options.nics = { { endpoint = late }, { endpoint = endpoint } }
        local vm <close> = hcs.create(options)
        vm:start()
        local text = support.sh(vm, "cat /sys/class/net/eth0/address")
        assert.are.equal(colons(endpoint.mac), text:match "%x%x:[%x:]+")
        assert.is_true(reaches(vm, GATEWAY))
        os.remove(path)
    end)

    it("has a link again when it is restored to an endpoint, if it lost the one it had", function()
        local path = support.temporary "lost.vmrs"
        local endpoint = hcs.endpoint.create { network = net }
        local mac = endpoint.mac
        local options = support.options("lost", { nics = { { endpoint = endpoint } } })
        do
            local vm <close> = support.boot(hcs.create(options))
            settle(vm, endpoint)
            endpoint:delete()
            assert.is_true(support.eventually(10, function()
                return support.sh(vm, "cat /sys/class/net/eth0/carrier"):find "^0"
            end))
            vm:pause { reason = "save" }
            vm:save(path)
        end
        local again <close> = hcs.endpoint.create { network = net, mac = mac }
        options.nics = { { endpoint = again } }
        options.restore, options.if_exists = path, "replace"
        local vm <close> = hcs.create(options)
        vm:start()
        settle(vm, again)
        assert.is_true(reaches(vm, GATEWAY))
        os.remove(path)
    end)

    it("is a clone's own, whatever its template had", function()
        local scope <close> = hcs.scope()
        local first = hcs.endpoint.create { network = net }
        local template = scope:create(support.options("mother", {
            nics = { { endpoint = first } } }))
        support.boot(template)
        local address = settle(template, first)
        template:pause { reason = "template" }
        template:save_template()
        local clones, addresses = {}, {}
        for number = 1, 2 do
            local endpoint = hcs.endpoint.create { network = net }
            local clone = scope:create(support.options("clone", {
                template = template.id, nics = { { endpoint = endpoint } } }))
            clone:start()
            clones[number], addresses[number] = clone, settle(clone, endpoint)
            endpoint:close()
        end
        assert.is_true(reaches(clones[1], addresses[2]))
        assert.is_true(reaches(clones[2], addresses[1]))
        assert.is_false(answers(clones[1], address))
        first:close()
    end)

    describe("of a guest that does not let go of it", function()
        local STUBBORN = "acpiphp.disable=1"

        it("has no network once it is removed", function()
            local vm <close> = support.guest("stubborn", {
                words = STUBBORN, nics = { { network = net, name = "n" } } })
            settle(vm, only())
            vm:remove_nic "n"
            assert.are.equal(0, #hcs.endpoint.list())
            assert.is_truthy(support.sh(vm, "cat /sys/class/net/eth0/carrier"):find "^0")
            assert.is_true(failure(vm.remove_nic, vm, "n"):is "not_found")
            vm:pause()
            assert.is_true(failure(vm.save, vm, support.temporary "no.vmrs"):is "invalid_state")
        end)

        it("is no clone's, who says so", function()
            local scope <close> = hcs.scope()
            local first = scope:endpoint { network = net }
            local second = scope:endpoint { network = net }
            local template = scope:create(support.options("stubborn", {
                words = STUBBORN, nics = { { endpoint = first } } }))
            support.boot(template)
            template:pause { reason = "template" }
            template:save_template()
            local clone = scope:create(support.options("clone", {
                template = template.id, nics = { { endpoint = second } } }))
            assert.is_true(failure(clone.start, clone):is "timeout")
            assert.are_not.equal(ATTACHED, state(second.id))
        end)
    end)

    it("keeps to its guest when that boots again", function()
        local vm <close> = support.guest("reboot", { nics = { { network = net } } })
        settle(vm, only())
        assert.is_true(reaches(vm, GATEWAY))
        local seen = #vm:console():text()
        vm:console():write "reboot\n"
        assert.is_true(support.eventually(60, function()
            return vm:console():text():find(support.UP, seen, true)
        end))
        settle(vm, only())
        assert.is_true(reaches(vm, GATEWAY))
    end)

    describe("when somebody dies", function()
        local function hostd()
            for _, pid in ipairs(support.processes("hcs-hostd", os.getenv "HCS_ROOT")) do
                if support.alive(pid) then return pid end
            end
            return nil
        end

        local function signal_workers(guests, signal)
            for _, vm in ipairs(guests) do
                support.kill(support.processes("hcs-vmwp", vm.runtime_id)[1], signal)
            end
        end

        it("keeps its connections over the network service's death", function()
            local ends, guests, at = {}, {}, {}
            local scope <close> = hcs.scope()
            local function join(number)
                ends[number] = hcs.endpoint.create { network = net }
                guests[number] = scope:add(support.clone("end", {
                    nics = { { endpoint = ends[number] } } }))
                at[number] = settle(guests[number], ends[number])
            end
            join(1)
            join(2)
            assert.is_true(reaches(guests[1], at[2]))
            local console = guests[1]:console()
            local said, before = #console:text(), hostd()
            local ended = support.begin(guests[1], "ping -c 40 -i 0.1 " .. at[2])
            assert.is_true(support.eventually(10, function()
                return console:text():find("PING ", said, true)
            end))
            -- Who would start the next one stands still: for a while there is none.
            signal_workers(guests, "STOP")
            support.kill(before)
            hcs.sleep(2)
            local none = hostd() == nil
            signal_workers(guests, "CONT")
            local text, status = ended()
            assert.is_true(none)
            assert.are.equal(0, status, text)
            local got = tonumber(text:match "(%d+) packets received")
            assert.is_true(got >= 30, text) -- but for some while the taps move
            assert.is_true(support.eventually(10, function() return hostd() end))
            assert.are_not.equal(before, hostd())
            -- The next service has them where they belong.
            assert.is_true(support.eventually(5, function()
                return state(ends[1].id) == ATTACHED and state(ends[2].id) == ATTACHED
            end))
            assert.is_true(reaches(guests[2], at[1]))
            assert.is_true(reaches(guests[1], GATEWAY))
            join(3)
            assert.is_true(reaches(guests[3], at[1]))
            assert.is_true(reaches(guests[2], at[3]))
        end)

        -- The service's threads have a namespace of their own, where its taps are.
        it("is another where the next network service cannot have it", function()
            local endpoint = hcs.endpoint.create { network = net }
            local vm <close> = support.clone("renewed", { nics = { { endpoint = endpoint } } })
            settle(vm, endpoint)
            local index = support.sh(vm, "cat /sys/class/net/eth0/ifindex")
            assert(os.execute(([[for thread in /proc/%d/task/*; do
                    [ "$(readlink $thread/ns/net)" = "$(readlink /proc/self/ns/net)" ] ||
                        namespace=$thread/ns/net
                done
                nsenter --net="$namespace" sh -c '
                    ip link del "$(ip -br link | grep -o "^hp[0-9]*")"'
                kill -9 %d]]):format(hostd(), hostd())))
            assert.is_true(support.eventually(10, function()
                local now = support.sh(vm, "cat /sys/class/net/eth0/ifindex")
                return now:find "^%d" and now ~= index
            end))
            local fresh <close> = hcs.endpoint.open(endpoint.id)
            settle(vm, fresh)
            assert.is_true(reaches(vm, GATEWAY))
            assert.are.equal(ATTACHED, state(endpoint.id))
        end)

        it("is attached by the next network service, wherever that dies", function()
            local endpoint <close> = hcs.endpoint.create { network = net }
            for moment = 0, 11 do
                local vm <close> = hcs.create(support.options("moment", {
                    template = support.template_id(), nics = { { endpoint = endpoint.id } } }))
                local op = vm:start_async()
                hcs.sleep(moment * 0.02)
                local pid = hostd()
                if pid then support.kill(pid) end
                op:wait(60)
                -- A call that the service goes away under may say so.
                assert.is_true(support.eventually(5, function()
                    local there, is = pcall(state, endpoint.id)
                    return there and is == ATTACHED
                end), ("after %d ms"):format(moment * 20))
                vm:close()
                assert.is_true(support.eventually(2, function()
                    return state(endpoint.id) ~= ATTACHED
                end))
            end
        end)

        it("does not keep its guest from ending while the service stands still", function()
            local endpoint <close> = hcs.endpoint.create { network = net }
            local vm <close> = support.clone("still", { nics = { { endpoint = endpoint } } })
            local pid = hostd()
            support.kill(pid, "STOP")
            vm:terminate()
            local ok = pcall(vm.wait, vm, "exited", 10)
            support.kill(pid, "CONT")
            assert.is_true(ok)
            assert.is_true(support.eventually(2, function()
                return state(endpoint.id) ~= ATTACHED
            end))
        end)

        for _, program in ipairs { "qemu-system", "hcs-vmwp" } do
            it("leaves its endpoint free: " .. program, function()
                local endpoint <close> = hcs.endpoint.create { network = net }
                local vm <close> = support.clone("dies", { nics = { { endpoint = endpoint } } })
                assert.are.equal(ATTACHED, state(endpoint.id))
                support.kill(support.processes(program, vm.runtime_id)[1])
                assert.is_true(support.eventually(2, function()
                    return state(endpoint.id) ~= ATTACHED
                end))
                local again <close> = support.clone("lives", { nics = { { endpoint = endpoint } } })
                settle(again, endpoint)
                assert.is_true(reaches(again, GATEWAY))
            end)
        end
    end)
end)
