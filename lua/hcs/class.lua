-- SPDX-License-Identifier: MIT
-- Objects in two flavours. A plain object's methods return nil, err, code; a
-- strict one's raise err. Both are the same methods: a strict object differs
-- by its metatable only, and what it returns is made in its flavour.
local errors = require "hcs.error"

local class = {}

-- Has `view` keep up with `methods`, where each method is defined once. A plain
-- table, because the fields that an object does not have are looked for in it.
local function keep_strict(view, methods)
    return setmetatable(methods, {
        __newindex = function(_, name, method)
            rawset(methods, name, method)
            view[name] = function(...) return errors.check(method(...)) end
        end,
    })
end

--- Defines a class. Returns its table of methods and the class itself, with
--- `new(object, strict)` and `meta(name, function)` for metamethods.
function class.define(name)
    local raising = {}
    local methods = keep_strict(raising, {})
    local plain = { __name = name, __index = methods }
    local strict = { __name = name, __index = raising }
    local self = { name = name, methods = methods, plain = plain, strict = strict }

    function self.new(object, is_strict)
        object._strict = is_strict or nil
        return setmetatable(object, is_strict and strict or plain)
    end

    function self.meta(event, fn)
        plain[event], strict[event] = fn, fn
    end

    function self.is(value)
        local mt = getmetatable(value)
        return mt == plain or mt == strict
    end

    return methods, self
end

--- A table whose functions raise where those of `facade` return nil, err.
--- Tables in it are treated alike.
function class.strict_table(facade)
    local view = {}
    for key, value in pairs(facade) do
        if type(value) == "function" then
            view[key] = function(...) return errors.check(value(...)) end
        elseif type(value) == "table" and getmetatable(value) == nil then
            view[key] = class.strict_table(value)
        else
            view[key] = value
        end
    end
    return view
end

return class
