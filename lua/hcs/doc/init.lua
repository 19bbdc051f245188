-- SPDX-License-Identifier: MIT
-- Documents: made from options, merged, compared, written and read. They are
-- plain tables with Microsoft's spelling.
local core = require "hcs.core"
local endpoint = require "hcs.doc.endpoint"
local errors = require "hcs.error"
local merge = require "hcs.doc.merge"
local namespace = require "hcs.doc.namespace"
local network = require "hcs.doc.network"
local options = require "hcs.options"
local policy = require "hcs.doc.policy"
local sets = require "hcs.schema.sets"
local vm = require "hcs.doc.vm"

local doc = { merge = merge.merge, diff = merge.diff, policy = policy.builders }

--- The ComputeSystem document of a virtual machine, for the options of
--- hcs.create; relative paths stay as they are unless env.cwd is given.
---@param given table
---@param env? {cwd: string?, build: integer?}
---@return table document
function doc.vm(given, env)
    options.argument("vm", "the table of options", given, "table")
    return vm(given, env)
end

--- The HostComputeNetwork document of a network: { name, id, type (default
--- "nat"), subnet or subnets, gateway, vlan, vsid, dhcp, dns, mac_pool, adapter,
--- policies, flags, owner, document }. A subnet is a prefix or { prefix, gateway,
--- routes, vlan, vsid, policies, ip_subnets, flags }; where the host is the
--- gateway it has the subnet's first address, unless gateway is false.
---@param given table
---@return table document
function doc.network(given)
    options.argument("network", "the table of options", given, "table")
    return network(given)
end

--- The HostComputeEndpoint document of an endpoint: { name, id, network,
--- namespace, ip or ips, mac, dns, gateway, routes, forward, bandwidth, policies,
--- flags, owner, document }. An address may have a length ("10.0.0.5/24"); forward
--- is { ["tcp/8080"] = 80 }: a port of the host's to one of the endpoint's.
---@param given table
---@return table document
function doc.endpoint(given)
    options.argument("endpoint", "the table of options", given, "table")
    return endpoint(given)
end

--- The HostComputeNamespace document of a namespace: { id, name, type (default
--- "host"), number, compartment, owner, document }.
---@param given? table
---@return table document
function doc.namespace(given)
    options.argument("namespace", "the table of options", given, "table|nil")
    return namespace(given)
end

local function encode(document, type_name)
    local t, set = sets.find(type_name or "ComputeSystem")
    if type(t) ~= "table" then
        options.misuse("canonical: there is no document type %q", tostring(type_name))
    end
    return core.json.encode(document, t.name, set)
end

--- A document's one text: compact, members in the order in which Windows
--- writes them. Equal documents have equal texts.
---@param document table
---@param type_name? string default "ComputeSystem"; HCN's are known too
---@return string? text, hcs.Error? err, string? code
function doc.canonical(document, type_name)
    options.argument("canonical", "the document", document, "table")
    options.argument("canonical", "the type", type_name, "string|nil")
    local text, fault = encode(document, type_name)
    if text then return text end
    return errors.fail({ op = "canonical", target = type_name or "ComputeSystem",
        hresult = fault.code, path = fault.path, message = fault.message }, core)
end

local function file_error(op, path, hresult, message)
    return errors.fail({ op = op, target = path, hresult = hresult, file = path,
        message = message }, core)
end

--- Reads a document from a file of JSON.
---@param path string
---@return table? document, hcs.Error? err, string? code
function doc.load(path)
    options.argument("load", "the path", path, "string")
    local text, hresult, message = core.read_file(path)
    if not text then return file_error("load", path, hresult, message) end
    local document, fault = core.json.decode(text)
    if document ~= nil then return document end
    return errors.fail({ op = "load", target = path, hresult = fault.code, path = fault.path,
        message = fault.message, file = path }, core)
end

--- Writes a document's canonical text to a file, with a newline at its end.
---@param document table
---@param path string
---@param type_name? string default "ComputeSystem"
---@return true? ok, hcs.Error? err, string? code
function doc.save(document, path, type_name)
    options.argument("save", "the document", document, "table")
    options.argument("save", "the path", path, "string")
    local text, err, code = doc.canonical(document, type_name)
    if not text then return nil, err, code end
    local ok, hresult, message = core.write_file(path, text .. "\n")
    if ok then return true end
    return file_error("save", path, hresult, message)
end

return doc
