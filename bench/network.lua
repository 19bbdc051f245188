-- SPDX-License-Identifier: MIT
-- What bench/network measures: the time of a network with its endpoints, and two
-- pairs of guests beside each other, one by lua-hcs, one by hand.
local strict = require "hcs.strict"
local monotonic = require("hcs.core").monotonic

local WORK, ROUNDS = arg[1], tonumber(arg[2])
local ENDPOINTS, TIMES = 100, 5
local BYTES, PINGS = 48 * 0x100000, 100
local AIM = 0.95

local function median(list)
    local sorted = table.move(list, 1, #list, 1, {})
    table.sort(sorted)
    local middle = #sorted // 2
    if #sorted % 2 == 1 then return sorted[middle + 1] end
    return (sorted[middle] + sorted[middle + 1]) / 2
end

local function milliseconds(fn)
    local before = monotonic()
    fn()
    return (monotonic() - before) * 1000
end

local function of_kind(uri)
    return strict.connect(uri == "qemu:" and "qemu:?root=" .. WORK .. "/root" or uri)
end

-- --- objects ---------------------------------------------------------------------

local function objects(uri)
    local hcs = of_kind(uri)
    local made, deleted, net = {}, {}, nil
    for index = 1, TIMES do
        made[index] = milliseconds(function()
            net = hcs.network.create { name = "bench", subnet = "10.77.0.0/16" }
            for number = 1, ENDPOINTS do
                hcs.endpoint.create({ network = net, name = "e" .. number }):close()
            end
        end)
        deleted[index] = milliseconds(function() net:delete() end)
    end
    local all = median(made)
    print(("%-7s %8.1f ms to create it, %.2f ms for each endpoint; %.1f ms to delete it"):format(
        uri, all, all / ENDPOINTS, median(deleted)))
    hcs.close()
end

-- --- guests ----------------------------------------------------------------------

-- A guest is something that is asked by a line and answers.
local function of_hcs(vm)
    local console = vm:console()
    console:expect("hcs-guest: up", 120)
    return function(line)
        console:write(line .. "\n")
        local _, answer = console:expect({ pattern = "hcs%-guest: ([^\r\n]*)\r?\n" }, 300)
        return answer
    end
end

local function by_hand(number)
    local from = assert(io.open(("%s/com%d.out"):format(WORK, number), "r"))
    local to = assert(io.open(("%s/com%d.in"):format(WORK, number), "w"))
    local function answer()
        while true do
            local line = from:read "l" or error("QEMU by hand has ended")
            local text = line:match "hcs%-guest: ([^\r]*)"
            if text then return text end
        end
    end
    assert(answer() == "up")
    return function(line)
        to:write(line, "\n")
        to:flush()
        return answer()
    end
end

-- The arguments that QEMU was started with, as the kernel knows them.
local function write_arguments(vm, number)
    local pipe = assert(io.popen(
        "grep -lza -- '^" .. vm.runtime_id .. "$' /proc/[0-9]*/cmdline 2>&-"))
    for path in pipe:lines() do
        local file = io.open(path, "rb")
        local text = file and file:read "a" or ""
        if file then file:close() end
        if text:match "^[^%z]*qemu" then
            local out = assert(io.open(("%s/arguments%d"):format(WORK, number), "wb"))
            out:write(text)
            out:close()
        end
    end
    pipe:close()
end

local function guest(hcs, net, number)
    local vm = hcs.create {
        id = "bench-" .. number, memory = "256M", if_exists = "replace",
        kernel = os.getenv "HCS_KERNEL", initrd = os.getenv "HCS_INITRD",
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1",
        nics = { { network = net, ip = "10.77.0.1" .. number } },
    }
    vm:start()
    write_arguments(vm, number)
    return vm
end

local function give_addresses(pair)
    for number, ask in ipairs(pair) do
        assert(ask(("net 10.77.0.1%d/16"):format(number)):find "^address")
    end
    assert(pair[2] "receive 5001" == "receive 5001")
end

local function ping(pair)
    local answer = pair[1](("ping 10.77.0.12 %d"):format(PINGS))
    return tonumber(answer:match "([%d.]+) ms") or error(answer)
end

local function send(pair)
    local answer = pair[1](("send 10.77.0.12 5001 %d"):format(BYTES))
    local seconds = tonumber(answer:match "in ([%d.]+) s") or error(answer)
    return BYTES / seconds / 0x100000
end

-- Both pairs in turn; who begins changes from round to round.
local function in_turn(round, measure, ours, theirs)
    if round % 2 == 1 then
        local first = measure(ours)
        return first, measure(theirs)
    end
    local first = measure(theirs)
    return measure(ours), first
end

local function verdict(name, ratios)
    local ratio = median(ratios)
    print(("%-10s ratio %.2f  (aim %.2f)%s"):format(name, ratio, AIM,
        ratio < AIM and "  MISSED" or ""))
end

local function rounds(ours, theirs)
    local list = { speed = {}, trip = {}, our_speed = {}, our_trip = {}, bare_speed = {},
        bare_trip = {} }
    print "\nround    MiB/s  by hand  ratio |  ping ms  by hand  ratio"
    for round = 1, ROUNDS do
        local our_speed, bare_speed = in_turn(round, send, ours, theirs)
        local our_trip, bare_trip = in_turn(round, ping, ours, theirs)
        list.our_speed[round], list.bare_speed[round] = our_speed, bare_speed
        list.our_trip[round], list.bare_trip[round] = our_trip, bare_trip
        list.speed[round], list.trip[round] = our_speed / bare_speed, bare_trip / our_trip
        print(("%5d %8.1f %8.1f   %.2f  | %8.3f %8.3f   %.2f"):format(round, our_speed, bare_speed,
            list.speed[round], our_trip, bare_trip, list.trip[round]))
    end
    print(("\nthroughput %.1f MiB/s through lua-hcs, %.1f by hand"):format(median(list.our_speed),
        median(list.bare_speed)))
    print(("round trip %.3f ms through lua-hcs, %.3f by hand"):format(median(list.our_trip),
        median(list.bare_trip)))
    verdict("throughput", list.speed)
    verdict("round trip", list.trip)
end

local function guests()
    local hcs = of_kind "qemu:"
    local scope <close> = hcs.scope()
    local net = scope:network { name = "bench", subnet = "10.77.0.0/16" }
    local first, second = scope:add(guest(hcs, net, 1)), scope:add(guest(hcs, net, 2))
    local ours = { of_hcs(first), of_hcs(second) }
    os.execute(("unshare -n bash bench/network --by-hand %s &"):format(WORK))
    local theirs = { by_hand(1), by_hand(2) }
    for _, pair in ipairs { ours, theirs } do
        give_addresses(pair)
        ping(pair)
        send(pair)
    end
    rounds(ours, theirs)
end

print(("a network with %d endpoints, median of %d"):format(ENDPOINTS, TIMES))
objects "sim:"
objects "qemu:"
guests()
