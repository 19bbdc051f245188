-- SPDX-License-Identifier: MIT
-- The address of a system: that of an endpoint which one of its adapters is.
local endpoints = require "hcs.endpoint"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local object = require "hcs.hcn.object"
local system = require "hcs.system"

local INTERVAL = 0.1 -- seconds between two looks

-- The endpoints that its document and what was added since name, in order.
local function named(self)
    local machine = self._document and self._document.VirtualMachine
    local adapters = machine and machine.Devices and machine.Devices.NetworkAdapters or {}
    local names, ids = {}, {}
    for name in pairs(adapters) do names[#names + 1] = name end
    table.sort(names)
    for _, nic in ipairs(self._nics) do ids[#ids + 1] = nic.endpoint end
    for _, name in ipairs(names) do ids[#ids + 1] = adapters[name].EndpointId end
    return ids
end

-- Visits the endpoints: those that are named, or, of a system that somebody else
-- made, those whose ports are its adapters.
local function each(self, fields, visit)
    local world, ids = self._world, named(self)
    if #ids == 0 then
        return object.each(world, endpoints.kind, fields,
            { VirtualMachine = self.runtime_id }, visit)
    end
    for _, id in ipairs(ids) do
        local ok, err, code = object.each(world, endpoints.kind, fields, { ID = id }, visit)
        if not ok then return nil, err, code end
    end
    return true
end

local function is_ipv6(text)
    return text:find(":", 1, true) ~= nil
end

-- The first address, of IPv4 if there is one; false where none has any yet. And
-- how many endpoints there are.
local function look(self, fields)
    local found, count = false, 0
    local ok, err, code = each(self, fields, function(properties)
        count = count + 1
        for _, one in ipairs(properties.IpConfigurations or {}) do
            local text = one.IpAddress
            if text ~= "" and (not found or is_ipv6(found) and not is_ipv6(text)) then
                found = text
            end
        end
    end)
    if not ok then return nil, err, code end
    return found, count
end

local function none(self)
    return errors.fail({ op = "address", target = self.id, hresult = 0x80070490,
        message = "the system has no adapter with an endpoint",
        hint = "nics = { { network = … } }" }, self._world.core)
end

--- Waits until a system has an address. Returns its text, or nil, err, code.
return function(self, deadline)
    local world = self._world
    local fields = { op = "address", target = self.id }
    while true do
        local found, count, code = look(self, fields)
        if found == nil then return nil, count, code end
        if found then return found end
        if count == 0 then return none(self) end
        local until_time = math.min(loop.now(world) + INTERVAL, deadline or math.huge)
        local ok, reason = loop.wait(world, until_time,
            function() return self._closed or self._exit or self._lost end, self)
        if ok then return system.ended(self, "address") end
        if reason ~= "timeout" or loop.now(world) >= (deadline or math.huge) then
            return loop.failure(world, reason, { op = "address", target = self.id,
                message = reason == "timeout"
                    and "its endpoint has no address: ask the guest" or nil })
        end
    end
end
