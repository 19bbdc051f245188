-- SPDX-License-Identifier: MIT
-- What networks and endpoints have alike: DNS, routes, ids, versions.

local address = require "hcs.doc.address"
local options = require "hcs.options"

local M = {}

--- What a document says its version is, unless `document` says another: what
--- every build of Windows takes. HCN takes later members all the same.
M.VERSION = { Major = 2, Minor = 0 }

--- A list of texts; one text is a list of one.
---@param what string the option
---@param value string|string[]
---@return string[]
function M.texts(what, value)
    options.argument(what, "the value", value, "string|table")
    local list = {}
    for i, text in ipairs(type(value) == "table" and value or { value }) do
        list[i] = options.argument(what, "an entry", text, "string")
    end
    return list
end

local DNS = { servers = "string|table", domain = "string", search = "string|table",
    options = "string|table" }

--- A server, a list of servers, or { servers, domain, search, options }.
---@param value string|table
---@return table
function M.dns(value)
    if type(value) == "string" or value[1] ~= nil then
        value = { servers = value }
    end
    options.check("dns", value, DNS)
    local servers = value.servers and M.texts("dns.servers", value.servers)
    for _, server in ipairs(servers or {}) do
        if not address.parse(server) then
            options.misuse("dns.servers: %q is not an address", server)
        end
    end
    return { Domain = value.domain, ServerList = servers,
        Search = value.search and M.texts("dns.search", value.search),
        Options = value.options and M.texts("dns.options", value.options) }
end

local ROUTE = { to = "string", via = "string", metric = "integer" }

local function gateway_of(what, text)
    local bytes, family = address.parse(text)
    if not bytes then
        options.misuse("%s: %q is not an address like \"192.168.100.1\"", what, tostring(text))
    end
    return text, family
end

--- Routes of { to, via, metric }, before them the way out by `gateway`.
---@param what string the option before their names
---@param given table|nil
---@param gateway string|string[]|nil
---@return table[]? routes nil when there are none
function M.routes(what, given, gateway)
    local routes = {}
    for _, text in ipairs(type(gateway) == "table" and gateway or { gateway }) do
        local via, family = gateway_of(what .. "gateway", text)
        routes[#routes + 1] = { NextHop = via, DestinationPrefix = address.everything(family) }
    end
    for i, route in ipairs(given or {}) do
        local at = ("%sroutes[%d]"):format(what, i)
        options.check(at, route, ROUTE)
        if not route.to or not route.via then
            options.misuse("%s: %s is missing", at, route.to and "via" or "to")
        end
        routes[#routes + 1] = { DestinationPrefix = (address.prefix(at .. ".to", route.to)),
            NextHop = (gateway_of(at .. ".via", route.via)), Metric = route.metric }
    end
    return routes[1] and routes or nil
end

--- The id of an object, or the id itself.
---@param what string the option
---@param value string|table|userdata
---@return string
function M.id(what, value)
    if type(value) == "table" or type(value) == "userdata" then
        value = value.id
    end
    return options.argument(what, "the id", value, "string")
end

return M
