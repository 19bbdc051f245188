-- SPDX-License-Identifier: MIT
-- The HostComputeNamespace document of a namespace, from options.

local enum = require "hcs.doc.enum"
local merge = require("hcs.doc.merge").merge
local options = require "hcs.options"
local parts = require "hcs.doc.network_parts"

local KNOWN = {
    id = "string", owner = "string", name = "string", type = "string", number = "integer",
    compartment = "boolean", document = "table",
    -- read by hcs.namespace.create itself
    if_exists = "string", validate = "boolean",
}

--- The document for the options of hcs.doc.namespace.
---@param given table|nil
---@return table document
return function(given)
    local o = options.check("namespace", given, KNOWN)
    return merge({
        ID = o.id,
        Owner = o.owner,
        Name = o.name,
        SchemaVersion = parts.VERSION,
        NamespaceId = o.number,
        Type = enum("namespace: type", "NamespaceType", o.type or "host"),
        CreateWithCompartment = o.compartment,
    }, o.document)
end
