-- SPDX-License-Identifier: MIT
-- docs/functions.md is what tools/gen-functions.lua would write.

local platform = require "spec.platform"

describe("docs/functions.md", function()
    it("is fresh", function()
        local text, status = platform.run { platform.lua, "tools/gen-functions.lua", "--check" }
        assert(status == 0, text)
    end)

    it("names every function once", function()
        local file = assert(io.open("docs/functions.md"))
        local page = file:read("a")
        file:close()
        for line in io.lines("src/abi/functions.def") do
            local name = line:match("^HCS_FUNCTION.-(Hc[sn]%w+),%s*%(")
            if name then
                local _, count = page:gsub("| `" .. name .. "` |", "")
                assert.are.equal(1, count, name)
            end
        end
    end)
end)
