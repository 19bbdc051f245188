-- SPDX-License-Identifier: MIT
-- A scope holds what is to be undone: objects to close, functions to call. It
-- undoes in reverse, all of it, whatever fails on the way.
local class = require "hcs.class"
local options = require "hcs.options"

---@class hcs.Scope
local methods, Scope = class.define "hcs.Scope"
local scope = { class = Scope, methods = methods }

--- Makes a scope; `create` is what scope:create calls.
function scope.new(world, strict, create)
    return Scope.new({ _world = world, _items = {}, _create = create }, strict)
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
    local system, err, code = self._create(...)
    if not system then return nil, err, code end
    return methods.add(self, system)
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
