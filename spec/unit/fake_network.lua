-- SPDX-License-Identifier: MIT
-- The network service of a fake core: keeps what it is told, gives it back, and
-- fails as a spec says (host.fail[name] = hr or {hr, record}).
local core = require "hcs.core"

local fake = {}

local Handle = { __name = "fake.Handle" }

local KINDS = {
    Network = { plural = "Networks", missing = 0x803B0001, exists = 0x803B0010 },
    Endpoint = { plural = "Endpoints", missing = 0x803B0002, exists = 0x800700B7 },
    Namespace = { plural = "Namespaces", missing = 0x80070490, exists = 0x800700B7 },
}

-- What filters call the members of documents.
local FILTER = { ID = "ID", Name = "Name", VirtualNetwork = "HostComputeNetwork" }

local function record(hresult, text)
    return core.json.encode { Success = false, Error = text or "it failed", ErrorCode = hresult }
end

local function matches(document, filter)
    for name, value in pairs(filter) do
        local there = document[FILTER[name] or name]
        if type(there) ~= "string" or there:lower() ~= value:lower() then return false end
    end
    return true
end

--- Adds it to a fake of spec.unit.fake_core. Its store is host.network: by kind,
--- by id, the documents. host.change(kind, document) may change what is made;
--- host.linger = n lets deleted objects be there for n more looks.
function fake.add(host)
    local store = { Network = {}, Endpoint = {}, Namespace = {} }
    local lingering, count, open = {}, 0, 0
    host.network, host.handles = store, function() return open end

    local function new_id()
        count = count + 1
        return ("00000000-0000-4000-8000-%012x"):format(count)
    end

    local function handle(kind, id)
        open = open + 1
        return setmetatable({ kind = kind, id = id }, Handle)
    end

    local function fails(name, ...)
        table.insert(host.calls, { name, ... })
        local failure = host.fail[name]
        if type(failure) == "table" then return failure[1], failure[2] end
        return failure, failure and record(failure)
    end

    local function find(kind, id)
        local document = store[kind][id:lower()]
        local left = lingering[id:lower()]
        if not document and left and left > 0 then
            lingering[id:lower()] = left - 1
            return {}
        end
        return document
    end

    for kind, about in pairs(KINDS) do
        local api = host.api

        local function make(id, json, network)
            local document = core.json.decode(json)
            document.ID = (id or new_id()):lower()
            if store[kind][document.ID] then return about.exists, nil, record(about.exists) end
            for _, other in pairs(kind == "Network" and store[kind] or {}) do
                if document.Name and other.Name:lower() == document.Name:lower() then
                    return about.exists, nil, record(about.exists)
                end
            end
            if kind == "Endpoint" then
                document.HostComputeNetwork = network.id
                document.MacAddress = document.MacAddress or "00-15-5D-00-00-01"
            end
            if host.change then host.change(kind, document) end
            store[kind][document.ID] = document
            return 0, handle(kind, document.ID)
        end

        api["HcnEnumerate" .. about.plural] = function(query)
            local failure, text = fails("HcnEnumerate" .. about.plural, query)
            if failure then return failure, nil, text end
            local asked = query and core.json.decode(query) or {}
            local filter = asked.Filter and core.json.decode(asked.Filter) or {}
            local ids = core.array {}
            for id, document in pairs(store[kind]) do
                if matches(document, filter) then ids[#ids + 1] = id:upper() end
            end
            table.sort(ids)
            return 0, core.json.encode(ids)
        end
        api["HcnCreate" .. kind] = function(...)
            local failure, text = fails("HcnCreate" .. kind, ...)
            if failure then return failure, nil, text end
            local network, id, json = ...
            if kind ~= "Endpoint" then
                network, id, json = nil, ...
            end
            return make(id, json, network)
        end
        api["HcnOpen" .. kind] = function(id)
            local failure, text = fails("HcnOpen" .. kind, id)
            if failure then return failure, nil, text end
            if not find(kind, id) then return about.missing, nil, record(about.missing) end
            return 0, handle(kind, id:lower())
        end
        api["HcnModify" .. kind] = function(subject, json)
            local failure, text = fails("HcnModify" .. kind, subject, json)
            if failure then return failure, text end
            assert(not subject.closed)
            local request = core.json.decode(json)
            local endpoint = request.ResourceType == "Endpoint"
                and store.Endpoint[request.Settings.EndpointId]
            if endpoint then
                endpoint.HostComputeNamespace = request.RequestType == "Add" and subject.id or nil
            end
            return 0
        end
        api["HcnQuery" .. kind .. "Properties"] = function(subject, query)
            local failure, text = fails("HcnQuery" .. kind .. "Properties", subject, query)
            if failure then return failure, nil, text end
            assert(not subject.closed)
            local document = find(kind, subject.id)
            if not document then return about.missing, nil, record(about.missing) end
            return 0, core.json.encode(document)
        end
        api["HcnDelete" .. kind] = function(id)
            local failure, text = fails("HcnDelete" .. kind, id)
            if failure then return failure, text end
            if not store[kind][id:lower()] then return about.missing, record(about.missing) end
            store[kind][id:lower()] = nil
            lingering[id:lower()] = host.linger
            return 0
        end
        api["HcnClose" .. kind] = function(subject)
            fails("HcnClose" .. kind, subject)
            assert(not subject.closed, "closed twice")
            subject.closed = true
            open = open - 1
            return 0
        end
    end

    function host.api.HcnQueryEndpointStats(subject)
        local failure, text = fails("HcnQueryEndpointStats", subject)
        if failure then return failure, nil, text end
        return 0, '{"BytesSent":7}'
    end
    function host.api.HcnRegisterServiceCallback(callback)
        local failure = fails("HcnRegisterServiceCallback", callback)
        if failure then return failure end
        return 0, handle("callback")
    end
    function host.api.HcnUnregisterServiceCallback(subject)
        fails("HcnUnregisterServiceCallback", subject)
        subject.closed = true
        open = open - 1
        return 0
    end

    --- Has the host's queue tell of an event.
    function host.notify(number, document, status)
        table.insert(host.queue, { "network", number, status or 0,
            document and core.json.encode(document) })
    end
end

return fake
