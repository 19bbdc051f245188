-- SPDX-License-Identifier: MIT
-- An object of HCN's from options, by its type in the tables: each member is an
-- option of its name in snake_case, and takes what people write.

local address = require "hcs.doc.address"
local enum = require "hcs.doc.enum"
local options = require "hcs.options"
local schema = require "hcs.schema.hcn"
local snake_case = require "hcs.doc.snake"
local units = require "hcs.units"

local M = {}

-- Where Microsoft's name would make a clumsy option.
local NAMES = { MaximumOutgoingBandwidthInBytes = "bandwidth" }

-- Text in which Windows wants items with commas between them.
local COMMAS = { Protocols = true, LocalAddresses = true, RemoteAddresses = true,
    LocalPorts = true, RemotePorts = true, Values = true }

local build

--- The option for a member.
---@param member string "ExternalPort"
---@return string option "external_port"
function M.option(member)
    return NAMES[member] or snake_case(member)
end

local function as_list(value)
    if type(value) == "table" then
        return value
    end
    return { value }
end

-- "tcp" -> 6; numbers and texts of numbers are as good.
local function protocol(what, value)
    local number = math.tointeger(tonumber(value))
    if number then
        return number
    end
    options.argument(what, "the protocol", value, "string|integer")
    return schema.types.ProtocolType.values[enum(what, "ProtocolType", value)].value
end

local function text_of(what, value)
    if math.type(value) == "integer" then
        return tostring(value)
    end
    return options.argument(what, "the value", value, "string")
end

local function joined(what, name, value)
    local items = {}
    for i, item in ipairs(as_list(value)) do
        local is_name = name == "Protocols" and type(item) == "string" and item:find("^%a")
        items[i] = is_name and tostring(protocol(what, item)) or text_of(what, item)
    end
    return table.concat(items, ",")
end

--- The number for flags: one name, or a list of names, or the number itself.
---@param what string the option
---@param type_name string "NatFlags"
---@param value string|string[]|integer
---@return integer
function M.flags(what, type_name, value)
    if math.type(value) == "integer" then
        return value
    end
    options.argument(what, "the flags", value, "string|table")
    local sum = 0
    for _, name in ipairs(as_list(value)) do
        options.argument(what, "a flag", name, "string")
        sum = sum | schema.types[type_name].values[enum(what, type_name, name)].value
    end
    return sum
end

local function bandwidth(what, value)
    local bytes, problem = units.bytes(value)
    if not bytes then
        options.misuse("%s: %s", what, problem)
    end
    return bytes
end

local function is_mac(name, t)
    return name:find("MacAddress$") ~= nil
        or name == "Address" and t.name == "DrMacAddressNetworkPolicySetting"
end

local function scalar(what, t, name, kind, value)
    if NAMES[name] == "bandwidth" then
        return bandwidth(what, value)
    elseif COMMAS[name] then
        return joined(what, name, value)
    elseif kind == "string" and is_mac(name, t) then
        return address.mac(what, value)
    elseif kind == "string" or kind == "guid" or kind == "bytes" then
        return text_of(what, value)
    elseif kind == "any" then
        return value
    end
    return options.argument(what, "the value", value, kind == "bool" and "boolean" or "integer")
end

local function item(what, t, name, m, value)
    if m.type == "ProtocolType" then
        return protocol(what, value)
    elseif not m.of then
        return scalar(what, t, name, m.type, value)
    elseif m.of.kind == "object" then
        return build(what, m.of, value)
    elseif m.of.flags then
        return M.flags(what, m.type, value)
    elseif math.type(value) == "integer" then
        return value
    end
    options.argument(what, "the value", value, "string")
    local text = enum(what, m.type, value)
    return m.of.number and m.of.values[text].value or text
end

local function items(what, t, name, m, value)
    local list = {}
    local given = type(value) == "table" and (value[1] ~= nil or next(value) == nil)
        and value or { value }
    for i, one in ipairs(given) do
        list[i] = item(("%s[%d]"):format(what, i), t, name, m, one)
    end
    return list
end

-- Settings that the member beside them tells the type of.
local function chosen(what, m, object, value)
    local t = m.cases[object[m.by] or ""]
    if not t then
        options.misuse("%s: %s says no type that has settings", what, M.option(m.by))
    end
    return build(what, t, value)
end

--- An object of the type `t` from options.
---@param what string what the options are of, for messages
---@param t table an object type of the tables
---@param given table
---@return table
function build(what, t, given)
    local known = {}
    for _, name in ipairs(t.order) do
        known[M.option(name)] = "any"
    end
    options.check(what, given, known)
    local object = {}
    for _, name in ipairs(t.order) do
        local m, value = t.members[name], given[M.option(name)]
        local at = ("%s: %s"):format(what, M.option(name))
        if value ~= nil and m.by then
            object[name] = chosen(at, m, object, value)
        elseif value ~= nil then
            object[name] = (m.array and items or item)(at, t, name, m, value)
        end
    end
    return object
end

M.build = build

return M
