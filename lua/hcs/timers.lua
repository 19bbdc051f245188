-- SPDX-License-Identifier: MIT
-- Timers in host time: a binary heap, earliest first, equal ones in the order
-- they were set.
local timers = {}
local mt = { __index = {} }
local methods = mt.__index

function timers.new()
    return setmetatable({ count = 0, sequence = 0 }, mt)
end

local function before(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.sequence < b.sequence
end

local function put(heap, index, timer)
    heap[index] = timer
    timer.index = index
end

local function up(heap, index)
    local timer = heap[index]
    while index > 1 do
        local parent = index // 2
        if not before(timer, heap[parent]) then break end
        put(heap, index, heap[parent])
        index = parent
    end
    put(heap, index, timer)
end

local function down(heap, index)
    local timer = heap[index]
    while true do
        local child = index * 2
        if child > heap.count then break end
        if child < heap.count and before(heap[child + 1], heap[child]) then child = child + 1 end
        if not before(heap[child], timer) then break end
        put(heap, index, heap[child])
        index = child
    end
    put(heap, index, timer)
end

--- Sets a timer: `fn(argument)` at host time `at` (seconds). Returns it.
function methods.set(heap, at, fn, argument)
    heap.sequence = heap.sequence + 1
    heap.count = heap.count + 1
    local timer = { at = at, fn = fn, argument = argument, sequence = heap.sequence }
    heap[heap.count] = timer
    up(heap, heap.count)
    return timer
end

--- Takes a timer back; one that is gone is fine.
function methods.cancel(heap, timer)
    local index = timer.index
    if not index then return end
    local last = heap[heap.count]
    heap[heap.count] = nil
    heap.count = heap.count - 1
    timer.index = nil
    if last == timer then return end
    put(heap, index, last)
    down(heap, index)
    up(heap, last.index)
end

--- When the next one is due, or nil.
function methods.next(heap)
    return heap[1] and heap[1].at
end

--- Runs what is due at `now`; returns whether anything was.
function methods.expire(heap, now)
    local any = false
    while heap[1] and heap[1].at <= now do
        local timer = heap[1]
        heap:cancel(timer)
        timer.fn(timer.argument)
        any = true
    end
    return any
end

return timers
