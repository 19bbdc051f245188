-- SPDX-License-Identifier: MIT
-- Calls per second through Lua beside a C loop on the same library, in the
-- same process. Rounds of both take turns; times are the medians of the rounds,
-- ratios the medians of each round's ratio, which a busy machine moves less.
--
-- The aim, for calls without documents on step, is 1.5 times the C loop. Lua's
-- own part of it, calls of C functions and objects with finalizers that do
-- nothing else, is measured beside it ("Lua alone"): a call that takes less than
-- that cannot reach the aim. Such a row has to hold 1.5 times C and Lua alone
-- together, and the line says that it missed the aim.
local core = require "hcs.core"
local loops = require "hcs.bench_calls"

local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS") or 75
-- Seconds a round takes, about: short, or a busy machine interrupts each.
local SLICE = tonumber(os.getenv "BENCH_SLICE") or 0.004
local AIM = 1.5

local document = core.json.encode {
    Owner = "bench", SchemaVersion = { Major = 2, Minor = 2 },
    ShouldTerminateOnLastHandleClosed = true,
    VirtualMachine = {
        Chipset = { LinuxKernelDirect = { KernelFilePath = "/proc/version" } },
        ComputeTopology = { Memory = { SizeInMB = 64 }, Processor = { Count = 1 } },
    },
}
local query = core.json.encode { PropertyTypes = { "Statistics", "Memory" } }

-- Lua's own loops, against hcs.core. Each returns a function that runs `count`
-- rounds.
local function core_loops(api)
    local operation = api.HcsCreateOperation()
    local function finish(op, hr)
        if hr ~= 0 then error(("%x"):format(hr)) end
        local result, text = api.HcsWaitForOperationResult(op, 10000)
        if result ~= 0 then error(("%x %s"):format(result, text)) end
        return text
    end
    local _, system = api.HcsCreateComputeSystem("bench", document, operation)
    finish(operation, 0)
    finish(operation, api.HcsStartComputeSystem(system, operation))

    local function with_callback(call)
        local op = api.HcsCreateOperation(nil, true)
        if call(system, op) ~= 0 then error "a call failed" end
        local kind = api.pump(10)
        local _, done = api.next()
        if done ~= op or api.HcsGetOperationResult(op) ~= 0 then error(kind) end
        op:close()
    end

    return {
        id = function() api.HcsGetOperationId(operation) end,
        operation = function() api.HcsCreateOperation():close() end,
        pause = function()
            finish(operation, api.HcsPauseComputeSystem(system, operation))
            finish(operation, api.HcsResumeComputeSystem(system, operation))
        end,
        callback = function()
            with_callback(api.HcsPauseComputeSystem)
            with_callback(api.HcsResumeComputeSystem)
        end,
        properties = function()
            finish(operation, api.HcsGetComputeSystemProperties(system, operation, query))
        end,
        decoded = function()
            core.json.decode(finish(operation, api.HcsGetComputeSystemProperties(system,
                operation, core.json.encode { PropertyTypes = { "Statistics", "Memory" } })))
        end,
        cycle = function()
            local op = api.HcsCreateOperation()
            local _, one = api.HcsCreateComputeSystem("cycle", document, op)
            finish(op, 0)
            finish(op, api.HcsStartComputeSystem(one, op))
            finish(op, api.HcsTerminateComputeSystem(one, op))
            one:close()
            op:close()
        end,
    }
end

-- As many calls and handles as the loops above, with nothing behind them.
local function floor_loops()
    local call, handle = loops.call, loops.handle
    local known = handle()
    local function finished()
        call(known)
        call(known)
    end
    local function with_callback()
        local op = handle()
        call(known)
        call(op)
        call(known)
        call(known)
        op:close()
    end
    return {
        id = function() call(known) end,
        operation = function() handle():close() end,
        pause = function()
            finished()
            finished()
        end,
        callback = function()
            with_callback()
            with_callback()
        end,
    }
end

-- The same through the friendly layer, where it is there.
local function hcs_loops(uri)
    local found, hcs = pcall(require, "hcs.strict")
    if not found then return nil end
    local world = hcs.connect(uri)
    local options = { memory = "64M", processors = 1, kernel = "/proc/version", grant = false }
    local function create(id)
        options.id = id
        return world.create(options)
    end
    local vm = create "bench"
    vm:start()
    return {
        callback = function()
            vm:pause()
            vm:resume()
        end,
        decoded = function() vm:properties("Statistics", "Memory") end,
        cycle = function()
            local one = create "cycle"
            one:start()
            one:terminate()
            one:close()
        end,
    }, world
end

local function timed(run, count)
    local before = core.monotonic()
    run(count)
    return (core.monotonic() - before) / count
end

local function repeated(call)
    return call and function(count)
        for _ = 1, count do call() end
    end
end

local function median(list)
    table.sort(list)
    return list[(#list + 1) // 2]
end

-- How many turns of all of `runs` fit into a slice.
local function fitting(runs)
    local count = 1
    while true do
        local slowest = 0
        for _, run in pairs(runs) do slowest = math.max(slowest, timed(run, count) * count) end
        if slowest >= SLICE / 4 then return math.max(1, count * SLICE // slowest) end
        count = count * 4
    end
end

-- For each of `runs`: { time, ratio to the C loop of the same round }.
local function measure(runs)
    local times, ratios = {}, {}
    local count = fitting(runs)
    collectgarbage() -- from here on each pays for its own
    for name in pairs(runs) do times[name], ratios[name] = {}, {} end
    for round = 1, ROUNDS do
        for name, run in pairs(runs) do
            times[name][round] = timed(run, count)
        end
        for name in pairs(runs) do
            ratios[name][round] = times[name][round] / times.c[round]
        end
    end
    local results = {}
    for name in pairs(runs) do results[name] = { median(times[name]), median(ratios[name]) } end
    return results
end

-- The C loop, Lua's, what it is, calls in it.
local ROWS = {
    { "id", "id", "HcsGetOperationId", 1 },
    { "operation", "operation", "create and close an operation", 2 },
    { "pause", "pause", "pause, resume; waiting in the call", 4 },
    { "callback", "callback", "pause, resume; by callback and queue", 8 },
    { "properties", "properties", "properties, as text", 2 },
    { "properties", "decoded", "properties, as tables", 2 },
    { "cycle", "cycle", "create, start, terminate, close", 9 },
}

local function line(driver, row, results, key)
    local time, ratio = table.unpack(results[key])
    print(("%-7s %-42s %9.2f %11.2f %11.0f %7.2f"):format(driver,
        row[3] .. (key == "hcs" and " (hcs)" or ""), results.c[1] * 1e6, time * 1e6,
        row[4] / time, ratio))
end

-- What a row says of the aim; false when it is beyond what Lua allows, too.
local function verdict(row, results)
    local time, ratio = table.unpack(results.core)
    local least = results.c[1] + results.floor[1]
    local word = ratio <= AIM and "holds"
        or ("missed: Lua alone %.2f us"):format(results.floor[1] * 1e6)
    local ok = ratio <= AIM or time <= AIM * least
    return ok, ("  %-42s %7.2f  %-28s %5.2f of C and Lua alone%s"):format(row[3], ratio, word,
        time / least, ok and "" or ", TOO MUCH")
end

local ok, verdicts = true, {}
local floor = floor_loops()
print(("%-7s %-42s %9s %11s %11s %7s"):format("driver", "what", "C, us", "Lua, us",
    "calls/s", "Lua/C"))
for _, driver in ipairs { "step", "thread" } do
    local uri = "sim:?access=open&driver=" .. driver
    local api = assert(core.open(uri))
    local bench = loops.open(api.library, uri, document, query, driver == "step")
    local mine = core_loops(api)
    local friendly, world = hcs_loops(uri)
    for _, row in ipairs(ROWS) do
        local results = measure {
            c = function(count) bench:run(row[1], count) end,
            core = repeated(mine[row[2]]),
            hcs = repeated(friendly and friendly[row[2]]),
            floor = repeated(driver == "step" and floor[row[2]] or nil),
        }
        line(driver, row, results, "core")
        if results.hcs then line(driver, row, results, "hcs") end
        if results.floor then
            local fine, text = verdict(row, results)
            ok = ok and fine
            verdicts[#verdicts + 1] = text
        end
    end
    bench:close()
    api.close()
    if world then world.close() end
end
print(("\nLua/C on step, without documents (aim: %.1f)"):format(AIM))
print(table.concat(verdicts, "\n"))
os.exit(ok, true)
