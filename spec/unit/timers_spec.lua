-- SPDX-License-Identifier: MIT
local timers = require "hcs.timers"

describe("timers", function()
    it("fall due in order of time, then of setting", function()
        local heap, log = timers.new(), {}
        for i, at in ipairs { 5, 1, 3, 1, 5, 0 } do
            heap:set(at, function(x) log[#log + 1] = x end, i)
        end
        assert.equal(0, heap:next())
        assert.is_false(heap:expire(-1))
        assert.is_true(heap:expire(1))
        assert.same({ 6, 2, 4 }, log)
        heap:expire(100)
        assert.same({ 6, 2, 4, 3, 1, 5 }, log)
        assert.is_nil(heap:next())
        assert.equal(0, heap.count)
    end)

    it("are taken back wherever they stand", function()
        math.randomseed(11)
        for _ = 1, 50 do
            local heap, log, set = timers.new(), {}, {}
            for i = 1, 40 do
                set[i] = heap:set(math.random(20), function(x) log[#log + 1] = x end, i)
            end
            local left = 40
            for i = 1, 40, 3 do
                heap:cancel(set[i])
                heap:cancel(set[i])
                left = left - 1
            end
            assert.equal(left, heap.count)
            heap:expire(100)
            assert.equal(left, #log)
            for i = 2, #log do
                local a, b = set[log[i - 1]], set[log[i]]
                assert.truthy(a.at < b.at or (a.at == b.at and log[i - 1] < log[i]))
            end
        end
    end)

    it("may set others while they run", function()
        local heap, log = timers.new(), {}
        heap:set(1, function()
            log[#log + 1] = 1
            heap:set(1, function() log[#log + 1] = 2 end)
        end)
        heap:expire(1)
        assert.same({ 1, 2 }, log)
    end)
end)
