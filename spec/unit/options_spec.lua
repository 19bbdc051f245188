-- SPDX-License-Identifier: MIT
local fake = require "spec.unit.fake_core"
local options = require "hcs.options"

describe("options", function()
    it("name the unknown one, the nearest, and the caller's line", function()
        local hcs = fake.hcs()
        local ok, err = pcall(function()
            hcs.create { id = "x", memroy = "1G" }
        end)
        assert.is_false(ok)
        assert.truthy(err:find('options_spec.lua:9: create: unknown option "memroy"', 1, true), err)
        assert.truthy(err:find('did you mean "memory"?', 1, true))
    end)

    it("are at the caller's line through every face", function()
        for _, strict in ipairs { false, true } do
            local hcs = fake.hcs(nil, strict)
            for _, call in ipairs {
                function() hcs.list { stat = "x" } end,
                function() hcs.list_async { stat = "x" } end,
                function() hcs.sweep { dryrun = true } end,
                function() hcs.create_async { id = "a", kernel = 1 } end,
                function() hcs.run(function() hcs.list { stat = "x" } end) end,
                function() hcs.spawn() end,
                function() hcs.on("exitted", print) end,
                function() hcs.sleep("5 parsecs") end,
                function() hcs.sleep(-1) end,
                function() hcs.file.grant("x") end,
                function() hcs.file.grant_async(1, 2) end,
                function() hcs.hex("x") end,
                function() hcs.explain {} end,
            } do
                local ok, err = pcall(call)
                assert.is_false(ok)
                assert.truthy(tostring(err):find("options_spec.lua:", 1, true), tostring(err))
            end
        end
    end)

    it("are checked for their types", function()
        local ok, err = pcall(options.check, "call", { a = 1 }, { a = "string|boolean" })
        assert.is_false(ok)
        assert.truthy(err:find('option "a" is 1, expected a text or true or false', 1, true))
        assert.same({}, options.check("call", nil, {}))
        assert.has_error(function() options.check("call", 7, {}) end)
        assert.has_error(function() options.check("call", { "x" }, {}) end)
        assert.same({ n = 1 }, options.check("call", { n = 1 }, { n = "integer" }))
        assert.has_error(function() options.check("call", { n = 1.5 }, { n = "integer" }) end)
    end)

    it("find the nearest name, or none", function()
        assert.equal("memory", options.nearest("memroy", { "memory", "owner" }))
        assert.equal("memory", options.nearest("Memory", { memory = 1 }))
        assert.is_nil(options.nearest("xyz", { "memory", "owner" }))
        assert.is_nil(options.nearest("x", {}))
    end)

    it("choose from a list", function()
        assert.equal("a", options.one_of("call", "what", "a", { "a", "b" }))
        local ok, err = pcall(options.one_of, "call", "what", "aa", { "a", "b" })
        assert.is_false(ok)
        assert.truthy(err:find('expected "a", "b"', 1, true))
        assert.has_error(function() options.one_of("call", "what", {}, { "a" }) end)
    end)
end)
