-- SPDX-License-Identifier: MIT
-- What networks, endpoints and namespaces have in common: an id, a handle, a
-- document of properties, and the verbs create, open, list, delete.
local call = require "hcs.hcn.call"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local operation = require "hcs.operation"
local options = require "hcs.options"
local owner = require "hcs.owner"

local object = {}

local GONE = 10    -- seconds that a deleted object may still be there
local LOOK = 0.01  -- seconds between two looks
local SLACK = 1e-6 -- seconds: below this a time has come

-- A kind is a table: noun ("network"), name ("Network": what its functions are
-- called by), plural, type (of its document), named (whether it has a name),
-- class, read(self, properties) and record(record, properties), which fill in
-- the fields of an object and of a record.

local function function_name(kind, verb)
    if verb == "Enumerate" then return "HcnEnumerate" .. kind.plural end
    if verb == "Query" then return "HcnQuery" .. kind.name .. "Properties" end
    return "Hcn" .. verb .. kind.name
end

--- Makes a call of a kind: object.call(world, fields, kind, "Open", id).
function object.call(world, fields, kind, verb, ...)
    return call.make(world, fields, function_name(kind, verb), ...)
end

--- The fields of an error of a verb of that kind.
function object.fields(kind, verb, target)
    return { op = kind.noun .. "." .. verb, target = target }
end

-- --- handles -------------------------------------------------------------------

local function close_handle(world, kind, handle)
    if handle and world.api then world.api["HcnClose" .. kind.name](handle) end
end

--- Closes a handle when its block is left, unless `handle` was set to nil.
function object.guard_of(world, kind, handle)
    local guard = { handle = handle }
    return setmetatable(guard, {
        __close = function() close_handle(world, kind, guard.handle) end,
    })
end

--- The properties by a handle; `asked` is a query's text.
function object.query(world, kind, handle, fields, asked)
    local ok, json, code = object.call(world, fields, kind, "Query", handle,
        asked or call.query(world))
    if not ok then return nil, json, code end
    return world.decode(json) or {}
end

--- Raises when the object was closed, or is none: net.delete() for net:delete().
function object.live(self, kind)
    if not kind.class.is(self) then
        options.misuse("%s %s expected, got %s: methods go with a colon",
            kind.noun:find("^[aeiou]") and "an" or "a", kind.noun,
            self == nil and "nothing" or "a " .. type(self))
    end
    if self._closed then
        options.misuse('%s "%s" is %s', kind.noun, self.name or self.id, self._closed)
    end
    return self
end

--- Calls `fn(handle, id)` with a handle of `what`: an object of that kind, or an
--- id. Returns what it does.
function object.with(world, kind, what, fields, fn)
    if type(what) == "table" then
        if object.live(what, kind)._world ~= world then
            options.misuse('%s "%s" is of another world', kind.noun, what.name or what.id)
        end
        return fn(what._handle, what.id)
    end
    local ok, handle, code = object.call(world, fields, kind, "Open", what)
    if not ok then return nil, handle, code end
    local guard <close> = object.guard_of(world, kind, handle)
    return fn(guard.handle, what)
end

--- Takes over a handle and what the host tells of it.
function object.adopt(world, strict, kind, handle, properties, more)
    local self = {
        id = properties.ID, name = kind.named and properties.Name or nil,
        owner = owner.name(properties.Owner or ""),
        warnings = {}, _world = world, _handle = handle, _kind = kind,
    }
    for key, value in pairs(more or {}) do self[key] = value end
    kind.read(self, properties)
    world.objects[self] = true
    return kind.class.new(self, strict)
end

-- --- asking ----------------------------------------------------------------------

--- The properties of an object; `verb` is what they are asked for.
function object.properties(self, kind, given, verb)
    options.argument("properties", "the query", given, "table|nil")
    local world = object.live(self, kind)._world
    local fields = object.fields(kind, verb or "properties", self.name or self.id)
    return object.query(world, kind, self._handle, fields,
        given and world.encode(given, "HostComputeQuery"))
end

--- Sends a modify request.
function object.modify(self, kind, verb, document)
    local world = object.live(self, kind)._world
    local json = world.encode(document, ("Modify%sSettingRequest"):format(kind.name))
    local ok, err, code = object.call(world, object.fields(kind, verb, self.name or self.id), kind,
        "Modify", self._handle, json)
    if not ok then return nil, err, code end
    return true
end

local function enumerate(world, kind, fields, filter)
    local ok, json, code = object.call(world, fields, kind, "Enumerate", call.query(world, filter))
    if not ok then return nil, json, code end
    return world.decode(json) or {}
end

-- The properties of the object `id`; nil without an error when it has gone.
local function look(world, kind, fields, id)
    local properties, err, code = object.with(world, kind, id, fields, function(handle)
        return object.query(world, kind, handle, fields)
    end)
    if not properties and not err:is("not_found") then return nil, err, code end
    return properties
end

--- Calls `visit(properties)` for each object of a kind that fits the filter (in
--- the service's own names). Returns true, or nil, err, code.
function object.each(world, kind, fields, filter, visit)
    local ids, err, code = enumerate(world, kind, fields, filter)
    if not ids then return nil, err, code end
    for _, id in ipairs(ids) do
        local properties
        properties, err, code = look(world, kind, fields, id)
        if err then return nil, err, code end
        if properties then visit(properties) end
    end
    return true
end

local Record = {
    __name = "hcs.Record",
    __tostring = function(record)
        return ('%s "%s" (%s)'):format(record.kind, record.name or record.id, record.owner)
    end,
}

local function record_of(kind, properties)
    local record = {
        kind = kind.noun, id = properties.ID, name = kind.named and properties.Name or nil,
        owner = owner.name(properties.Owner or ""), tag = owner.parse(properties.Owner),
        document = properties,
    }
    kind.record(record, properties)
    return setmetatable(record, Record)
end

--- The records of the objects for which `fits(record)` holds.
function object.list(world, kind, filter, fits)
    local records = {}
    local ok, err, code = object.each(world, kind, object.fields(kind, "list"), filter,
        function(properties)
            local record = record_of(kind, properties)
            if not fits or fits(record) then records[#records + 1] = record end
        end)
    if not ok then return nil, err, code end
    return records
end

-- --- finding ---------------------------------------------------------------------

--- The id of the one object that has a name (and `fits(properties)`). Fails
--- where there are several; nil, without an error, where there is none.
function object.named(world, kind, fields, name, filter, fits)
    local found, count = nil, 0
    local wanted = { Name = name }
    for key, value in pairs(filter or {}) do wanted[key] = value end
    local ok, err, code = object.each(world, kind, fields, wanted, function(properties)
        if call.same(properties.Name, name) and (not fits or fits(properties)) then
            found, count = properties.ID, count + 1
        end
    end)
    if not ok then return nil, err, code end
    if count < 2 then return found end
    return errors.fail({ op = fields.op, target = fields.target, hresult = 0x80070034,
        message = ("%d %s have this name"):format(count, kind.plural:lower()),
        hint = filter and "say the id" or "say the id, or the network too" }, world.core)
end

--- Opens the object `id`.
function object.open(world, strict, kind, fields, id)
    local ok, handle, code = object.call(world, fields, kind, "Open", id)
    if not ok then return nil, handle, code end
    local guard <close> = object.guard_of(world, kind, handle)
    local properties, err
    properties, err, code = object.query(world, kind, handle, fields)
    if not properties then return nil, err, code end
    guard.handle = nil
    return object.adopt(world, strict, kind, handle, properties)
end

-- --- deleting ----------------------------------------------------------------------

--- Whether there is an object `id`; nil, err, code where it cannot be told.
function object.is_there(world, kind, fields, id)
    local ok, handle, code = object.call(world, fields, kind, "Open", id)
    if ok then
        close_handle(world, kind, handle)
        return true
    end
    if handle:is("not_found") then return false end
    return nil, handle, code
end

-- The service may still be at it when a deletion returns.
local function wait_until_gone(world, kind, fields, id, deadline)
    local limit = math.min(deadline or math.huge, loop.now(world) + GONE)
    while true do
        local there, err, code = object.is_there(world, kind, fields, id)
        if there == nil then return nil, err, code end
        if not there then return true end
        local _, reason = loop.wait(world, math.min(loop.now(world) + LOOK, limit),
            function() return false end)
        if reason == "timeout" and loop.now(world) + SLACK >= limit then
            return loop.failure(world, "timeout", { op = fields.op, target = fields.target,
                message = ("the %s was deleted and is still there"):format(kind.noun) })
        elseif reason ~= "timeout" then
            return loop.failure(world, reason, { op = fields.op, target = fields.target })
        end
    end
end

--- Deletes the object `id` and waits until it is gone.
function object.delete(world, kind, fields, id, deadline)
    local ok, err, code = object.call(world, fields, kind, "Delete", id)
    if not ok then return nil, err, code end
    return wait_until_gone(world, kind, fields, id, deadline)
end

--- The method: deletes what the object stands for, and closes it.
function object.delete_method(self, kind, timeout)
    local world = object.live(self, kind)._world
    local deadline = loop.deadline(world, timeout)
    local fields = object.fields(kind, "delete", self.name or self.id)
    local ok, err, code = object.delete(world, kind, fields, self.id, deadline)
    if not ok then return nil, err, code end
    object.close(self, "deleted")
    return true
end

--- Deletes the object that a scope made, also where its handle was closed.
function object.undo(self)
    local world = self._world
    local fields = object.fields(self._kind, "delete", self.name or self.id)
    return object.delete(world, self._kind, fields, self.id)
end

--- Closes the handle. `why` is told to whoever uses the object again.
function object.close(self, why)
    if self._closed then return true end
    self._closed = why or "closed"
    local world = self._world
    world.objects[self] = nil
    close_handle(world, self._kind, self._handle)
    self._handle = nil
    return true
end

--- Closes the handles of all objects of a world.
function object.close_all(world)
    local list = {}
    for one in pairs(world.objects) do list[#list + 1] = one end
    for _, one in ipairs(list) do object.close(one) end
end

-- --- the two faces ------------------------------------------------------------------

--- The asynchronous face of a method.
function object.async(self, kind, verb, fn, ...)
    object.live(self, kind)
    return operation.compose(self._world, { op = kind.noun .. "." .. verb,
        target = self.name or self.id, strict = self._strict }, fn, self, ...)
end

--- What all classes of objects have besides methods.
function object.finish(kind)
    kind.class.meta("__close", function(self) object.close(self) end)
    kind.class.meta("__tostring", function(self)
        return ('%s "%s" (%s)'):format(kind.class.name, self.name or self.id,
            self._closed or "open")
    end)
    return kind
end

return object
