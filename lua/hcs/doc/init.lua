-- SPDX-License-Identifier: MIT
-- Documents: made from options, merged, compared, written and read. They are
-- plain tables with Microsoft's spelling.
local core = require "hcs.core"
local errors = require "hcs.error"
local merge = require "hcs.doc.merge"
local options = require "hcs.options"
local sets = require "hcs.schema.sets"
local vm = require "hcs.doc.vm"

local doc = { merge = merge.merge, diff = merge.diff }

--- The ComputeSystem document of a virtual machine, for the options of
--- hcs.create; relative paths stay as they are unless env.cwd is given.
---@param given table
---@param env? {cwd: string?, build: integer?}
---@return table document
function doc.vm(given, env)
    options.argument("vm", "the options", given, "table")
    return vm(given, env)
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
