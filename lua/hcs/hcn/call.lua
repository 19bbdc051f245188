-- SPDX-License-Identifier: MIT
-- Calls of the network service. They answer at once: a result, or an error
-- record that becomes an error object.
local errors = require "hcs.error"
local options = require "hcs.options"

local call = {}

--- Stands for none in documents.
call.NO_ID = "00000000-0000-0000-0000-000000000000"

local VERSION = { Major = 2, Minor = 0 }

local function copy(fields, more)
    local result = {}
    for key, value in pairs(fields) do result[key] = value end
    for key, value in pairs(more) do result[key] = value end
    return result
end

--- Makes a call. `fields` (op, target) are an error's. Returns true and what
--- the call gave besides its HRESULT, or nil, err, code.
function call.make(world, fields, name, ...)
    local api = world.api
    if not api then return errors.fail(copy(fields, { code = "closed" }), world.core) end
    if not api[name] then
        return errors.fail(copy(fields, { hresult = 0x8007007F,
            message = ("build %s has no %s"):format(world.build or "?", name) }), world.core)
    end
    local hresult, result, record = api[name](...)
    if hresult & 0x80000000 == 0 then return true, result end
    if type(record) ~= "string" then record = type(result) == "string" and result or nil end
    return errors.fail(copy(fields, { hresult = hresult, json = record }), world.core)
end

--- A query for documents of version 2, with a filter or without.
function call.query(world, filter, detailed)
    return world.encode {
        SchemaVersion = VERSION, Flags = detailed and 1 or nil,
        Filter = filter and world.encode(filter) or nil,
    }
end

--- The GUID in a text: without braces; nil where there is none.
function call.guid(text)
    if type(text) ~= "string" then return nil end
    local bare = text:match("^{(.*)}$") or text
    if #bare ~= 36 then return nil end
    return bare:match("^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$")
end

--- An id that a caller gave. `alone`: where a name would not do.
function call.id(what, text, alone)
    options.argument(what, "the id", text, "string")
    local id = call.guid(text)
    if id then return id end
    options.misuse("%s: %q is no id, a GUID expected%s", what, text,
        alone and "" or ("; by name it is { name = %q }"):format(text))
end

--- Whether two texts are one id, or one name, to the service.
function call.same(a, b)
    return type(a) == "string" and type(b) == "string" and a:lower() == b:lower()
end

return call
