-- SPDX-License-Identifier: MIT
local fake = require "spec.unit.fake_core"

describe("a scope", function()
    it("undoes in reverse, all of it, and raises the first error", function()
        local hcs = fake.hcs()
        local log = {}
        local function note(x) log[#log + 1] = x end
        local scope = hcs.scope()
        scope:defer(note, 1):defer(function() error("one", 0) end):defer(note, 2)
        scope:defer(function() error("two", 0) end)
        local object = { close = function() note "closed" end }
        assert.equal(object, scope:add(object))
        local ok, err = pcall(scope.close, scope)
        assert.is_false(ok)
        assert.equal("two", err)
        assert.same({ "closed", 2, 1 }, log)
        assert.is_true(scope:close())
        assert.has_error(function() scope:defer(note) end)
        assert.has_error(function() hcs.scope():add {} end)
        assert.has_error(function() hcs.scope():add(nil) end)
    end)

    it("closes what it created when it is left", function()
        local hcs, host = fake.hcs()
        do
            local scope <close> = hcs.scope()
            assert(scope:create { id = "a", kernel = "/k" })
            assert(scope:create { id = "b", kernel = "/k" })
            assert.truthy(tostring(scope):find("2 to undo", 1, true))
            host.fail.HcsCreateComputeSystem = 0x8037010F
            local vm, err = scope:create { id = "c", kernel = "/k" }
            assert.is_nil(vm)
            assert.is_true(err:is("exists"))
        end
        assert.is_true(host.systems.a.closed)
        assert.is_true(host.systems.b.closed)
    end)
end)
