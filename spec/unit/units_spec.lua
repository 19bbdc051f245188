-- SPDX-License-Identifier: MIT
local units = require "hcs.units"

describe("sizes", function()
    local good = {
        { "512M", 512 << 20 }, { "2G", 2 << 30 }, { "1.5G", 3 << 29 }, { "64k", 64 << 10 },
        { "1T", 1 << 40 }, { " 2 GiB ", 2 << 30 }, { "100B", 100 }, { "0", 0 },
        { 536870912, 536870912 }, { 536870912.0, 536870912 }, { "2GB", 2 << 30 },
    }
    for _, case in ipairs(good) do
        it("reads " .. tostring(case[1]), function()
            assert.equal(case[2], assert(units.bytes(case[1])))
            assert.equal("integer", math.type(units.bytes(case[1])))
        end)
    end

    local bad = {
        { 512, '512 is not a size: did you mean "512M"?' },
        { "512", '512 is not a size: did you mean "512M"?' },
        { 512.5, '512.5 is not a size: did you mean "512.5M"?' },
        { -1, '-1 is not a size: write text with a unit, like "512M"' },
        { "12X", '"12X" is not a size: write a number and K, M, G or T, like "512M"' },
        { "lots", '"lots" is not a size: write a number and K, M, G or T, like "512M"' },
        { "-1G", '"-1G" is not a size: write a number and K, M, G or T, like "512M"' },
        { "", '"" is not a size: write a number and K, M, G or T, like "512M"' },
        { 1000000, '1000000 is not a size: did you mean "1000000M"?' },
        { "9999999999T", '"9999999999T" is more than 2^63 bytes' },
        { true, 'a size like "512M" expected, got a boolean' },
    }
    for _, case in ipairs(bad) do
        it("refuses " .. tostring(case[1]), function()
            local bytes, problem = units.bytes(case[1])
            assert.is_nil(bytes)
            assert.equal(case[2], problem)
        end)
    end

    it("refuse numbers that are none", function()
        assert.is_nil((units.bytes(0 / 0)))
        assert.is_nil((units.bytes(math.huge)))
    end)

    it("are written with the greatest unit that is exact", function()
        assert.equal("512M", units.size_text(512 << 20))
        assert.equal("1536M", units.size_text(3 << 29))
        assert.equal("1000", units.size_text(1000))
        assert.equal("0", units.size_text(0))
    end)
end)

describe("times", function()
    local good = { { "250ms", 0.25 }, { "1.5s", 1.5 }, { "2m", 120 }, { "2min", 120 },
        { "1h", 3600 }, { "1d", 86400 }, { "500us", 0.0005 }, { 3, 3 }, { 0.5, 0.5 }, { 0, 0 },
        { ".5s", 0.5 } }
    for _, case in ipairs(good) do
        it("reads " .. tostring(case[1]), function()
            assert.is_true(math.abs(case[2] - assert(units.seconds(case[1]))) < 1e-12)
        end)
    end

    local bad = {
        { -1, "-1 is not a time: seconds expected, 0 or more" },
        { "5", '"5" is not a time: did you mean "5s"?' },
        { "5 weeks", '"5 weeks" is not a time: write a number and us, ms, s, m, h or d, '
            .. 'like "250ms"' },
        { "", '"" is not a time: write a number and us, ms, s, m, h or d, like "250ms"' },
        { {}, 'seconds or a time like "250ms" expected, got a table' },
    }
    for _, case in ipairs(bad) do
        local name = type(case[1]) == "table" and "a table" or tostring(case[1])
        it("refuses " .. name, function()
            local seconds, problem = units.seconds(case[1])
            assert.is_nil(seconds)
            assert.equal(case[2], problem)
        end)
    end

    it("refuse what is no number", function()
        assert.is_nil((units.seconds(0 / 0)))
    end)
end)
