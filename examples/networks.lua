-- A network with two endpoints, a namespace, policies and events, and nothing left of it.
-- host: sim
local hcs = require("hcs.strict").connect(arg[1] or "sim:?clock=virtual")
local policy = hcs.doc.policy

for _, name in ipairs { "network_create", "network_delete", "namespace_create",
    "namespace_delete" } do
    hcs.on(name, function(event) print("event:", name, event.id:lower()) end)
end

-- What is there already.
local before = #hcs.network.list() + #hcs.endpoint.list() + #hcs.namespace.list()

local scope = hcs.scope()
local net = scope:network { name = "lab", subnet = "192.168.100.0/24", if_exists = "open" }
local subnet = net:properties().Ipams[1].Subnets[1]
print("network:", net.name, net.type, subnet.IpAddressPrefix, "by " .. subnet.Routes[1].NextHop)

-- One endpoint for a namespace, as containers have it ...
local space = scope:namespace()
local web = scope:endpoint { network = net, name = "web", namespace = space,
    forward = { ["tcp/8080"] = 80 } }
-- ... and one for a system, which makes it and takes it along.
local vm <close> = hcs.create {
    id = "db", memory = "128M", kernel = hcs.host.kernel, initrd = hcs.host.initrd,
    nics = { { network = net, ip = "192.168.100.50", bandwidth = "10M" } },
}
for _, one in ipairs(hcs.endpoint.list { network = net }) do
    print("endpoint:", one.name, one.addresses[1], one.mac,
        one.namespace and "in a namespace" or "of a system")
end

-- Only the web server may reach the database.
local db = scope:add(hcs.endpoint.open { name = "db", network = net })
db:add_policy {
    policy.acl { action = "allow", direction = "in", protocols = "tcp", local_ports = 5432,
        remote_addresses = web:addresses()[1].address, priority = 100 },
    policy.acl { action = "block", direction = "in", priority = 200 },
}
for _, one in ipairs(db:properties().Policies) do
    print("policy:", one.Type, one.Settings.Action or one.Settings.MaximumOutgoingBandwidthInBytes)
end

-- A port of the host leads to one place.
local _, err = pcall(hcs.endpoint.create,
    { network = net, name = "web 2", forward = { ["tcp/8080"] = 80 } })
print("refused:", err.code)

vm:start()
vm:terminate()
vm:wait("exited", 60)
print("after the system:", #hcs.endpoint.list { network = net } .. " endpoint")

scope:close()
hcs.run_until(function() return not hcs.poll(0) end, 5) -- the last events
local left = #hcs.network.list() + #hcs.endpoint.list() + #hcs.namespace.list() - before
print("left over:", left)
assert(left == 0)
