-- SPDX-License-Identifier: MIT
-- The checks of hcs selftest, in their order, and what they share. None changes
-- anything on the machine.
local abi = require "hcs.selftest.abi"
local machine = require "hcs.selftest.machine"
local result = require "hcs.selftest.result"
local simulated = require "hcs.selftest.simulated"

local checks = {}

checks.LIMIT = 30 -- seconds that a check may take

---@class hcs.selftest.Check
---@field section string
---@field name string
---@field run fun(context: table): table a result or a list of them; raising is a failure
---@field needs? string the check without which this one is skipped
---@field limit? number seconds

-- The doctor's verdicts, a result each. What it misses is advice: whether it
-- matters is told by the checks of the host.
local function doctor_check(context)
    local results = {}
    for _, verdict in ipairs(require("hcs.doctor").examine(context.world())) do
        local one = verdict.ok and result.ok(verdict.text) or result.absent(verdict.text)
        one.name = verdict.name
        results[#results + 1] = one
    end
    return results
end

--- The list for a host.
---@return hcs.selftest.Check[]
function checks.list(uri)
    local list = {}
    local windows = package.config:sub(1, 1) == "\\"
    machine.add(list, windows)
    abi.add(list, uri)
    simulated.add(list)
    list[#list + 1] = { section = "What hcs.doctor says", name = "doctor", run = doctor_check,
        needs = "hcs.core" }
    return list
end

--- What checks share: what they need is opened by the first that asks. `core`
--- stands in for hcs.core.
function checks.context(uri, core)
    local context = { uri = uri, kind = uri:match("^(%w+):") or uri }
    local world

    function context.core()
        core = core or require "hcs.core"
        return core
    end

    function context.world()
        world = world or require("hcs.world").new(uri, context.core())
        return world
    end

    -- The functions of the host; raises the error that there is none.
    function context.api()
        local ok, err = require("hcs.world").open(context.world())
        if not ok then error(err, 0) end
        return world.api
    end

    -- The Windows build that the host is of, as far as that can be told.
    function context.build()
        if context.kind ~= "windows" then
            context.api()
            return world.build
        end
        return (context.core().machine() or {}).build
    end

    function context.close()
        if world then require("hcs.world").close(world) end
    end

    return context
end

return checks
