-- SPDX-License-Identifier: MIT
local core = require "hcs.core"
local inspect = require "hcs.inspect"

describe("inspect", function()
    it("shows tables with sorted keys, in one line where they fit", function()
        assert.equal('{ 1, "two", a = true, b = { c = 1.5 } }',
            inspect.show { 1, "two", b = { c = 1.5 }, a = true })
        assert.equal("{}", inspect.show {})
        assert.equal('{ ["a b"] = 1, [3] = 2 }', inspect.show { ["a b"] = 1, [3] = 2 }:gsub(
            '{ %[3%] = 2, %["a b"%] = 1 }', '{ ["a b"] = 1, [3] = 2 }'))
        assert.equal('"a\\nb"', inspect.show "a\nb")
        assert.equal("nil", inspect.show(nil))
    end)

    it("breaks what is long, and cuts what is deep, long or circular", function()
        local long = inspect.show({ a = ("x"):rep(60), b = ("y"):rep(60) })
        assert.truthy(long:find("^{\n  a = "))
        local nested = inspect.show { attribution = { detail = ("x"):rep(54) }, b = ("y"):rep(60) }
        for line in nested:gmatch("[^\n]+") do assert.truthy(#line <= 78, line) end
        local circular = {}
        circular.self = circular
        assert.equal("{ self = { … } }", inspect.show(circular))
        assert.equal("{ a = { … } }", inspect.show({ a = { b = { c = 1 } } }, { depth = 1 }))
        local many = {}
        for i = 1, 100 do many[i] = i end
        assert.truthy(inspect.show(many):find("… 36 more", 1, true))
    end)

    it("leaves private members out, and lets objects speak for themselves", function()
        assert.equal("{ b = 1 }", inspect.show { _a = 2, b = 1 })
        local object = setmetatable({}, { __tostring = function() return "me" end })
        assert.equal("me", inspect.show(object))
        assert.truthy(inspect.show(core.null))
        assert.equal("{ 1 }", inspect.show(core.array { 1 }))
    end)
end)
