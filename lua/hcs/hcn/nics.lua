-- SPDX-License-Identifier: MIT
-- Network adapters of systems whose endpoints are made for them, and go with
-- them: nics = { { network = net, forward = { ["tcp/8080"] = 80 } } }.
local call = require "hcs.hcn.call"
local endpoints = require "hcs.endpoint"
local networks = require "hcs.network"
local options = require "hcs.options"

local nics = {}

local NIC = { network = "string|table", endpoint = "string|table", mac = "string",
    name = "string" }

-- An adapter is told by options, also where an object is all there is to tell.
local function check_table(what, nic)
    for name, class in pairs { network = networks.class, endpoint = endpoints.class } do
        if class.is(nic) then
            options.misuse("%s: a table of options expected, { %s = … }, got the %s itself", what,
                name, name)
        end
    end
end

-- An adapter without a network.
local function check(what, nic)
    for _, name in ipairs { "forward", "policies" } do
        if nic[name] then
            options.misuse("%s: %s goes with network, which is missing", what, name)
        end
    end
    options.check(what, nic, NIC)
end

-- What an adapter with a network wants: { network =, name = its own, options = of
-- the endpoint }. A mistake in them is raised here.
local function wanted_of(what, nic)
    if nic.endpoint then options.misuse("%s: network and endpoint exclude each other", what) end
    options.argument(what, "network", nic.network, "string|table")
    options.argument(what, "name", nic.name, "string|nil")
    local given = {}
    for key, value in pairs(nic) do
        if key ~= "network" and key ~= "name" then given[key] = value end
    end
    endpoints.build(given)
    given.network = nic.network
    return { network = nic.network, name = nic.name, options = given }
end

-- An endpoint that somebody else made, as an option of the document's.
local function plain(what, nic)
    check(what, nic)
    local endpoint = nic.endpoint
    if type(endpoint) ~= "table" then return nic end
    if not endpoints.class.is(endpoint) then
        options.misuse("%s: endpoint: an id or an endpoint expected", what)
    end
    return { endpoint = endpoint.id, mac = nic.mac or endpoint.mac, name = nic.name }
end

--- Takes the option nics apart: what the document's builder knows, and a list
--- of what `make` takes.
function nics.split(given)
    if type(given) ~= "table" then return given, {} end
    if given[1] == nil and next(given) ~= nil then given = { given } end -- the only one
    local others, wanted = {}, {}
    for index, nic in ipairs(given) do
        local what = ("nics[%d]"):format(index)
        check_table(what, nic)
        if type(nic) == "table" and nic.network then
            wanted[#wanted + 1] = wanted_of(what, nic)
        else
            others[#others + 1] = type(nic) == "table" and plain(what, nic) or nic
        end
    end
    if #wanted == 0 then return given[1] ~= nil and others or given, wanted end
    return others[1] and others or nil, wanted
end

--- The same for one, as add_nic takes it: { network … } or { endpoint … }.
function nics.one(given)
    options.argument("add_nic", "the adapter", given, "table")
    check_table("add_nic", given)
    if given.network then return wanted_of("add_nic", given) end
    local nic = plain("add_nic", given)
    if not nic.endpoint then options.misuse("add_nic: network or endpoint expected") end
    return nic
end

local function make_one(world, id, nic, number)
    nic.options.name = number == 1 and id or ("%s %d"):format(id, number)
    local endpoint, err, code = endpoints.create(world, false, nic.options)
    if not endpoint then return nil, err, code end
    endpoint:close()
    return { name = nic.name or endpoint.id, endpoint = endpoint.id, mac = endpoint.mac,
        owned = true }
end

--- Makes the endpoints for a system: a list of { name, endpoint, mac, owned }.
--- `number` is that of the first among the system's. All or none.
function nics.make(world, id, wanted, number)
    local made = {}
    for index, nic in ipairs(wanted) do
        local one, err, code = make_one(world, id, nic, (number or 1) + index - 1)
        if not one then
            nics.release(world, made)
            return nil, err, code
        end
        made[#made + 1] = one
    end
    return made
end

--- Deletes the endpoints that were made. One that cannot be deleted bears our
--- tag, and hcs.sweep finds it.
function nics.release(world, made)
    for index = #made, 1, -1 do
        local one = made[index]
        made[index] = nil
        if one.owned and world.api then
            call.make(world, { op = "endpoint.delete", target = one.endpoint },
                "HcnDeleteEndpoint", one.endpoint)
        end
    end
end

--- What an adapter is in a document.
function nics.settings(nic)
    return { EndpointId = nic.endpoint, MacAddress = nic.mac }
end

--- Puts the adapters into a system's document.
function nics.put(document, made)
    local machine = document.VirtualMachine or {}
    document.VirtualMachine = machine
    local devices = machine.Devices or {}
    machine.Devices = devices
    local adapters = devices.NetworkAdapters or {}
    devices.NetworkAdapters = adapters
    for _, nic in ipairs(made) do
        if adapters[nic.name] then options.misuse("nics: the name %q is taken", nic.name) end
        adapters[nic.name] = nics.settings(nic)
    end
end

return nics
