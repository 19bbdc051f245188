-- SPDX-License-Identifier: MIT
-- Documents: made from options, merged, compared, written and read. They are
-- plain tables with Microsoft's spelling.
local core = require "hcs.core"
local errors = require "hcs.error"
local merge = require "hcs.doc.merge"
local schema = require "hcs.schema.hcs"

local doc = {
    vm = require "hcs.doc.vm",
    merge = merge.merge,
    diff = merge.diff,
}

local function encode(document, type_name)
    return core.json.encode(document, type_name or "ComputeSystem", schema)
end

--- A document's one text: compact, members in the order in which Windows
--- writes them. Equal documents have equal texts.
---@param document table
---@param type_name? string default "ComputeSystem"
---@return string? text, hcs.Error? err, string? code
function doc.canonical(document, type_name)
    local text, fault = encode(document, type_name)
    if text then return text end
    return errors.fail({ op = "canonical", target = type_name or "ComputeSystem",
        hresult = fault.code, path = fault.path, message = fault.message }, core)
end

local function file_error(op, path, message)
    return errors.fail({ op = op, target = path, code = "file", file = path,
        message = message }, core)
end

--- Reads a document from a file of JSON.
---@param path string
---@return table? document, hcs.Error? err, string? code
function doc.load(path)
    local file, problem = io.open(path, "rb")
    if not file then return file_error("load", path, problem) end
    local text
    text, problem = file:read("a")
    file:close()
    if not text then return file_error("load", path, problem) end
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
    local text, err, code = doc.canonical(document, type_name)
    if not text then return nil, err, code end
    local file, problem = io.open(path, "wb")
    if not file then return file_error("save", path, problem) end
    local written
    written, problem = file:write(text, "\n")
    local closed, trouble = file:close()
    if not (written and closed) then return file_error("save", path, problem or trouble) end
    return true
end

return doc
