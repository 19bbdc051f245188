-- SPDX-License-Identifier: MIT
-- hcs.host: which host this world has, and what it offers.
local call = require "hcs.hcn.call"
local class = require "hcs.class"
local errors = require "hcs.error"
local operation = require "hcs.operation"
local options = require "hcs.options"
local world_module = require "hcs.world"

local host = {}

local function variable(world, name)
    local value = world.core.getenv(name)
    return value ~= "" and value or nil
end

-- A simulated guest reads no kernel, but its document names one that exists:
-- this file stands in.
local function kernel(world)
    local path = variable(world, "HCS_KERNEL")
        or world.kind == "sim" and package.searchpath("hcs.host", package.path)
    if path then return path end
    local _, err = errors.fail({
        op = "host", target = world.uri, hresult = 0x80070002,
        message = "HCS_KERNEL names no kernel",
        hint = "set it to a Linux kernel's file (./run does), or say kernel = path",
    }, world.core)
    errors.raise(err)
end

-- Fields that need no open host, and those of the host's own description.
local PLAIN = {
    uri = function(world) return world.uri end,
    kind = function(world) return world.kind end,
    kernel = kernel,
    initrd = function(world) return variable(world, "HCS_INITRD") end,
}

local FIELDS = {
    build = function(world) return world.build end,
    clock = function(world) return world.clock end,
    driver = function(world) return world.driver end,
    seed = function(world) return world.about.Seed end,
    root = function(world) return world.about.Root end,
    accelerator = function(world) return world.about.Accelerator end,
    accelerator_reason = function(world) return world.about.AcceleratorReason end,
    allow_host_change = function(world) return world.about.AllowHostChange end,
    library = function(world) return world.api.library end,
}

local EXPORTS = {
    crash = "HcsCrashComputeSystem", wait_exit = "HcsWaitForComputeSystemExit",
    grant_group = "HcsGrantVmGroupAccess",
}

-- The functions may be there on a host without networks.
local function can_networks(world)
    local ok, err = call.make(world, { op = "can" }, "HcnEnumerateNetworks", nil)
    if ok then return true end
    return false, err.message
end

local function query_of(world, given)
    if given == nil then return nil end
    if type(given) == "string" then
        given = { PropertyTypes = world.core.array { given } }
    end
    options.argument("properties", "the query", given, "table")
    return world.encode(given, "Service_PropertyQuery")
end

--- The table hcs.host of a world; `ready` opens the host.
function host.functions(world, strict, ready)
    local M = {}

    --- Asks the compute service: a property type ("Basic") or a query document.
    ---@param query? string|table default: what the platform answers to no query
    ---@return table? document, hcs.Error? err, string? code
    function M.properties(query)
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local json = query_of(world, query)
        local hresult, result = world.api.HcsGetServiceProperties(json)
        if hresult & 0x80000000 ~= 0 then
            return errors.fail({ op = "properties", target = world.uri, hresult = hresult,
                json = result }, world.core)
        end
        return world.decode(result) or {}
    end

    M.properties_async = operation.async(world, strict, "properties", M.properties, ready)

    --- What is alive on the host: {systems, networks, endpoints, namespaces, handles,
    --- operations, processes, files, threads}, numbers; on qemu: also {interfaces,
    --- rules} of its networks.
    ---@return table<string, integer>? counts, hcs.Error? err, string? code
    function M.inventory()
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        local document = world.api.inventory and world.decode(world.api.inventory())
        if not document then
            return errors.fail({ op = "inventory", target = world.uri, hresult = 0x80070032 },
                world.core)
        end
        local counts = {}
        for name, value in pairs(document) do counts[name:lower()] = value end
        return counts
    end

    M.inventory_async = operation.async(world, strict, "inventory", M.inventory, ready)

    --- Whether the host can do something: an export by name or one of "crash",
    --- "wait_exit", "grant_group", "networks", "sim". Returns true, or false and why.
    ---@param what string
    ---@return boolean? possible, string|hcs.Error? reason, string? code
    function M.can(what)
        options.argument("can", "what", what, "string")
        local ok, err, code = ready()
        if not ok then return nil, err, code end
        if what == "sim" then
            if world.kind == "sim" then return true end
            return false, "the host is " .. world.kind .. ":"
        elseif what == "networks" then
            return can_networks(world)
        end
        local export = EXPORTS[what] or what
        if not export:match("^Hc[sn]") then
            local known = { "networks", "sim" }
            for name in pairs(EXPORTS) do known[#known + 1] = name end
            table.sort(known)
            options.one_of("can", "what", what, known)
        end
        if world.api[export] then return true end
        return false, ("build %s has no %s"):format(world.build or "?", export)
    end

    M.can_async = operation.async(world, strict, "can", M.can, ready)

    return setmetatable(M, {
        __name = "hcs.host",
        __index = function(_, key)
            if PLAIN[key] then return PLAIN[key](world) end
            local field = FIELDS[key]
            if not field then return nil end
            local ok, err = world_module.open(world)
            if not ok then errors.raise(err) end
            return field(world)
        end,
        __tostring = function() return "hcs.host " .. world.uri end,
    })
end

--- The same table with failures raised.
function host.strict(about)
    local view = class.strict_table(about)
    return setmetatable(view, getmetatable(about))
end

--- The names of hcs.host's fields.
function host.fields()
    local names = {}
    for _, fields in ipairs { PLAIN, FIELDS } do
        for name in pairs(fields) do names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

return host
