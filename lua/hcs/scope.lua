-- SPDX-License-Identifier: MIT
-- A scope holds what is to be undone: objects to close, functions to call. It
-- undoes in reverse, all of it, whatever fails on the way.
local class = require "hcs.class"
local errors = require "hcs.error"
local objects = require "hcs.hcn.object"
local options = require "hcs.options"

---@class hcs.Scope
local methods, Scope = class.define "hcs.Scope"
local scope = { class = Scope, methods = methods }

--- Makes a scope; `makers` are what create, network, endpoint and namespace call.
function scope.new(world, strict, makers)
    return Scope.new({ _world = world, _items = {}, _makers = makers }, strict)
end

local function live(self)
    if self._closed then options.misuse("the scope is closed") end
end

--- Has `fn(...)` called when the scope is closed.
---@param fn function
---@return hcs.Scope self
function methods.defer(self, fn, ...)
    live(self)
    options.argument("defer", "the function", fn, "function")
    table.insert(self._items, table.pack(fn, ...))
    return self
end

--- Has `object:close()` called when the scope is closed. Returns the object.
---@generic T
---@param object T
---@return T object
function methods.add(self, object)
    live(self)
    local close = object ~= nil and object.close
    if type(close) ~= "function" then options.misuse("add: an object with close() expected") end
    table.insert(self._items, table.pack(close, object))
    return object
end

--- Like hcs.create; the system is closed with the scope.
---@param ... any what hcs.create takes
---@return hcs.System? system, hcs.Error? err, string? code
function methods.create(self, ...)
    live(self)
    local system, err, code = self._makers.create(...)
    if not system then return nil, err, code end
    return methods.add(self, system)
end

-- Deletes what was made here, unless it is to stay or has been deleted.
local function undo(object, keep)
    if object._closed ~= "deleted" and object._created and not keep then
        local ok, err = objects.undo(object)
        if not ok and not err:is("not_found") then errors.raise(err) end
    end
    object:close()
end

local function make(self, noun, given, ...)
    live(self)
    local object, err, code = self._makers[noun](given, ...)
    if not object then return nil, err, code end
    table.insert(self._items, table.pack(undo, object, given and given.keep))
    return object
end

--- Like hcs.network.create; the network is deleted with the scope, unless it was
--- there before (if_exists = "open") or keep = true was given.
---@param ... any what hcs.network.create takes
---@return hcs.Network? network, hcs.Error? err, string? code
function methods.network(self, ...)
    return make(self, "network", ...)
end

--- Like hcs.endpoint.create; the endpoint is deleted with the scope, as networks
--- are.
---@param ... any what hcs.endpoint.create takes
---@return hcs.Endpoint? endpoint, hcs.Error? err, string? code
function methods.endpoint(self, ...)
    return make(self, "endpoint", ...)
end

--- Like hcs.namespace.create; the namespace is deleted with the scope, as networks
--- are.
---@param ... any what hcs.namespace.create takes
---@return hcs.Namespace? namespace, hcs.Error? err, string? code
function methods.namespace(self, ...)
    return make(self, "namespace", ...)
end

--- Undoes in reverse. The first error that a function raised is raised when
--- all are done. Returns true, also when it was closed.
---@return true
function methods.close(self)
    if self._closed then return true end
    self._closed = true
    local first
    for index = #self._items, 1, -1 do
        local item = self._items[index]
        self._items[index] = nil
        local ok, err = pcall(item[1], table.unpack(item, 2, item.n))
        if not ok and first == nil then first = err end
    end
    if first ~= nil then error(first, 0) end
    return true
end

Scope.meta("__close", function(self) methods.close(self) end)

Scope.meta("__tostring", function(self)
    return ("hcs.Scope (%s)"):format(self._closed and "closed" or #self._items .. " to undo")
end)

return scope
