-- SPDX-License-Identifier: MIT
-- Events of the network service. A world listens while it has handlers of them.
local call = require "hcs.hcn.call"
local errors = require "hcs.error"
local events = require "hcs.events"

local network = {}

-- The platform's numbers, without those that no handle of ours can hear.
network.TYPES = {
    [0x00000001] = { "network_pre_create", "NetworkPreCreate" },
    [0x00000002] = { "network_create", "NetworkCreate" },
    [0x00000003] = { "network_pre_delete", "NetworkPreDelete" },
    [0x00000004] = { "network_delete", "NetworkDelete" },
    [0x00000005] = { "namespace_create", "NamespaceCreate" },
    [0x00000006] = { "namespace_delete", "NamespaceDelete" },
    [0x01000000] = { "network_service_disconnect", "ServiceDisconnect" },
}

local DISCONNECT = 0x01000000

network.NAMES = {}
for _, names in pairs(network.TYPES) do network.NAMES[#network.NAMES + 1] = names[1] end
table.sort(network.NAMES)

local is_name = {}
for _, name in ipairs(network.NAMES) do is_name[name] = true end

--- Whether an event of that name comes from the network service.
function network.is_name(name)
    return is_name[name] or false
end

--- Has the network service tell the world what happens. Returns true, or nil,
--- err, code.
function network.listen(world)
    if world.network_callback then return true end
    local ok, handle, code = call.make(world, { op = "on" }, "HcnRegisterServiceCallback",
        true)
    if not ok then return nil, handle, code end
    world.network_callback = handle
    return true
end

--- Ends that.
function network.stop(world)
    local handle = world.network_callback
    world.network_callback = nil
    if handle and world.api then world.api.HcnUnregisterServiceCallback(handle) end
end

--- Ends that, unless somebody still wants to hear.
function network.rest(world)
    for _, handler in ipairs(world.handlers) do
        if is_name[handler.name] then return end
    end
    network.stop(world)
end

--- Takes an item off the host's queue.
function network.arrived(world, number, status, json)
    local names = network.TYPES[number]
    if not names then return end
    -- What is registered is dead by then; the next handler registers anew.
    if number == DISCONNECT then network.stop(world) end
    local document = world.decode(json)
    local event = events.new(world, names, {
        document = document, json = json, id = document and document.ID,
    })
    if status & 0x80000000 ~= 0 then
        event.err = errors.new({ op = names[1], target = event.id, hresult = status }, world.core)
    end
    events.announce(world, event)
end

return network
