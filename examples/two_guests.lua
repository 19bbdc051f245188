-- Two Linux guests on a network: they reach each other, and a port of the host one of them.
-- two_guests.lua [--svg FILE]
package.path = arg[0]:gsub("[^/\\]*$", "?.lua") .. ";" .. package.path
local hcs = require "hcs.strict"
local core = require "hcs.core"
local picture = require "two_guests.picture"

local START = core.monotonic()
local PREFIX, PORT, BYTES = "192.168.77.", 8080, 32 * 0x100000
local SVG = arg[1] == "--svg" and assert(arg[2], "--svg FILE") or nil

-- A line of the report: seconds since the start, what it is about, what it says.
local function say(topic, text, ...)
    print(("%7.2f  %-10s %s"):format(core.monotonic() - START, topic, text:format(...)))
end

local function row(name, text)
    print(("%20s%-18s %s"):format("", name, text))
end

local function milliseconds(since)
    return math.floor((core.monotonic() - since) * 1000 + 0.5)
end

local function size(bytes)
    if bytes < 0x100000 then return ("%.1f KiB"):format(bytes / 0x400) end
    return ("%.1f MiB"):format(bytes / 0x100000)
end

-- What a guest answers to a line (docs/guest.md), without "hcs-guest: ".
local function ask(vm, line)
    local console = vm:console()
    console:write(line .. "\n")
    local _, answer = console:expect({ pattern = "hcs%-guest: ([^\r\n]*)\r?\n" }, 120)
    return answer
end

local function options(id, more)
    local given = {
        id = id, memory = "256M", if_exists = "replace",
        kernel = hcs.host.kernel, initrd = hcs.host.initrd,
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1",
    }
    for key, value in pairs(more) do given[key] = value end
    return given
end

local function show_host()
    local host = hcs.host
    say("host", "%s  (as Windows build %d)", host.uri, host.build)
    say("machine", "%s", host.kind == "sim" and "simulated: nothing real boots"
        or ("%s, because %s"):format(host.accelerator, host.accelerator_reason))
end

local function make_network(scope)
    local before = core.monotonic()
    local net = scope:network { name = "lab", type = "nat", subnet = PREFIX .. "0/24",
        if_exists = "replace" }
    local subnet = net:properties().Ipams[1].Subnets[1]
    say("network", "%s in %d ms", net.name, milliseconds(before))
    row("id", net.id)
    row("type", net.type)
    row("subnet", subnet.IpAddressPrefix)
    row("gateway", subnet.Routes[1].NextHop)
    return net, subnet
end

local function start(scope, given, sign)
    local before = core.monotonic()
    local vm = scope:create(given)
    vm:start()
    local console = vm:console()
    if given.template then console:write("echo " .. sign .. "\n") end
    console:expect(sign, 120)
    say(given.template and "cloned" or "booted", "%s in %d ms", vm.id, milliseconds(before))
    return vm
end

-- The first boots; the second is cloned from a template, which boots meanwhile.
local function boot(scope, net)
    local first = hcs.spawn(start, scope, options("web", { nics = { { network = net,
        ip = PREFIX .. "10", forward = { ["tcp/" .. PORT] = 80 } } } }), "hcs-guest: up")
    local template = start(scope, options("template", {}), "hcs-guest: up")
    template:pause { reason = "template" }
    template:save_template()
    local client = start(scope, options("client", { template = "template",
        nics = { { network = net, ip = PREFIX .. "11" } } }), "here I am")
    return first:wait(120), client
end

local function give_addresses(subnet, ...)
    for _, vm in ipairs { ... } do
        local length = subnet.IpAddressPrefix:match "/(%d+)$"
        local answer = ask(vm, ("net %s/%s %s"):format(vm:address(), length,
            subnet.Routes[1].NextHop))
        say(vm == ... and "addresses" or "", "%-8s %s", vm.id, answer)
    end
end

local function ping(from, to)
    local answer = ask(from, ("ping %s 5"):format(to:address()))
    say("ping", "%-8s %s", from.id, answer)
    return answer:match "([%d.]+) ms" or "no answer"
end

-- Asks from outside, as a browser would.
local function fetch(web)
    ask(web, "serve 80 Hello from " .. web.id .. ".")
    local stream <close> = hcs.network.connect(nil, PORT, 30)
    stream:write "GET / HTTP/1.0\r\n\r\n"
    local text = stream:read_all(30)
    say("http", "port %d of the host leads to %s:", PORT, web.id)
    row("status", text:match "^[^\r\n]*")
    row("body", text:match "\r?\n\r?\n([^\r\n]*)")
end

local function throughput(from, to)
    ask(to, "receive 5001")
    local answer = ask(from, ("send %s 5001 %d"):format(to:address(), BYTES))
    local seconds = tonumber(answer:match "in ([%d.]+) s")
    local speed = seconds and size(BYTES / seconds) .. "/s" or answer
    say("throughput", "%s to %s: %s in %.2f s, %s", from.id, to.id, size(BYTES),
        seconds or 0, speed)
    return speed
end

local function guest_of(net, vm)
    local endpoint <close> = hcs.endpoint.open { name = vm.id, network = net }
    local stats = endpoint:stats()
    return {
        name = vm.id,
        lines = {
            tostring(endpoint:addresses()[1]), endpoint.mac,
            ("received %s in %d packets"):format(size(stats.BytesReceived),
                stats.PacketsReceived),
            ("sent %s in %d packets"):format(size(stats.BytesSent), stats.PacketsSent),
            ("dropped %d on their way in, %d out"):format(stats.DroppedPacketsIncoming,
                stats.DroppedPacketsOutgoing),
        },
    }
end

local function show(drawing)
    for _, guest in ipairs(drawing.guests) do
        say("endpoint", "%s", guest.name)
        for index = 3, 5 do row(guest.lines[index]:match "^(%a+) (.*)$") end
    end
    print("\n" .. picture.text(drawing) .. "\n")
    if not SVG then return end
    core.write_file(SVG, picture.svg(drawing))
    say("picture", "%s", SVG)
end

local KINDS = { "systems", "processes", "files", "networks", "endpoints", "namespaces",
    "interfaces", "rules" }

local function count_left()
    local left, parts, sum = hcs.host.inventory(), {}, 0
    for _, kind in ipairs(KINDS) do
        if left[kind] then
            parts[#parts + 1] = ("%d %s"):format(left[kind], kind)
            sum = sum + left[kind]
        end
    end
    return sum, table.concat(parts, ", ")
end

-- Everything goes in reverse order; then nothing may be left.
local function finish(scope)
    local before = core.monotonic()
    scope:close()
    hcs.run_until(function() return count_left() == 0 end, 30)
    say("removed", "in %d ms", milliseconds(before))
    local sum, text = count_left()
    say("end", "%s left", text)
    assert(sum == 0, "something is left")
end

show_host()
local scope <close> = hcs.scope()
local net, subnet = make_network(scope)
local web, client = boot(scope, net)
give_addresses(subnet, web, client)
local there, back = ping(web, client), ping(client, web)
fetch(web)
local speed = throughput(client, web)
show {
    title = net.name, about = ("%s, %s"):format(net.type, subnet.IpAddressPrefix),
    gateway = subnet.Routes[1].NextHop,
    guests = { guest_of(net, web), guest_of(net, client) },
    forward = { from = "tcp/" .. PORT, to = "tcp/80", guest = 1 },
    links = { { from = 1, to = 2, lines = { ("ping there %s ms, back %s ms"):format(there, back),
        ("%s from %s at %s"):format(size(BYTES), client.id, speed) } } },
}
finish(scope)
