-- SPDX-License-Identifier: MIT
-- What the README shows is what there is.

local platform = require "spec.platform"


local function slurp(path)
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    return text
end

describe("README", function()
    local readme = slurp "README.md"

    it("shows examples/hello.lua, ten lines", function()
        local shown = readme:match("```lua\n(.-)```")
        local script = slurp("examples/hello.lua"):gsub("^%-%- [^\n]*\n", "")
        assert.are.equal(script, shown)
        assert.are.equal(10, select(2, shown:gsub("\n", "")))
    end)

    it("says what never happened yet", function()
        assert.is_truthy(readme:find("never yet run on real Windows", 1, true))
    end)

    it("leads to files that exist", function()
        local count = 0
        for _, page in ipairs { "README.md", "docs/running.md", "docs/hosts.md" } do
            local folder = page:match("^(.*/)") or ""
            for link in slurp(page):gmatch("%]%(([^)#:]+)%)") do
                assert.is_true(platform.exists(folder .. link), page .. " leads to " .. link)
                count = count + 1
            end
        end
        assert.is_true(count > 5)
    end)

    it("names only examples that exist", function()
        for name in readme:gmatch("examples/[%w_]+%.lua") do
            assert.is_true(platform.exists(name), name)
        end
    end)
end)
