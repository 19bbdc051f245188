-- SPDX-License-Identifier: MIT
local core = require "hcs.core"
local owner = require "hcs.owner"

describe("the owner tag", function()
    it("is read back as it was written", function()
        local text = owner.tag(core, "my [odd] name")
        local tag = owner.parse(text)
        assert.equal("my [odd] name", tag.name)
        assert.equal(core.pid(), tag.pid)
        assert.equal(core.boot_id(), tag.boot)
        assert.truthy(tag.start > 0)
        assert.is_false(owner.is_dead(core, tag))
        assert.equal("my [odd] name", owner.name(text))
        assert.equal("lua-hcs", owner.name(owner.tag(core)))
    end)

    it("names the user by what a tag can hold", function()
        assert.truthy(#core.user() > 0)
        local stranger = setmetatable({ user = function() return "a b]\u{e9}" end },
            { __index = core })
        assert.equal("a_b___", owner.parse(owner.tag(stranger)).user)
    end)

    it("is not seen where there is none", function()
        for _, text in ipairs { "", "WSL", "x [lua-hcs u 1 b]", "x [lua-hcs u 1.2 b] y" } do
            assert.is_nil(owner.parse(text))
            assert.equal(text, owner.name(text))
        end
        assert.is_nil(owner.parse(nil))
    end)

    it("tells the dead: another boot, no such process, its number used again", function()
        local tag = owner.parse(owner.tag(core))
        local function with(key, value)
            local copy = {}
            for name, it in pairs(tag) do copy[name] = it end
            copy[key] = value
            return owner.is_dead(core, copy)
        end
        assert.is_true(with("boot", "another"))
        assert.is_true(with("pid", 0x3ffffff))
        assert.is_true(with("pid", 0))
        assert.is_true(with("start", tag.start + 1))
        assert.is_false(with("start", 0))
    end)
end)
