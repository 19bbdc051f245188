-- SPDX-License-Identifier: MIT
-- Checks of the simulated host, which lives in memory: here a system may be
-- made, since nothing of it is left and nothing of the machine is touched.
local result = require "hcs.selftest.result"

local simulated = {}

local WAIT = 60 -- seconds of virtual time

local function life(uri)
    return function()
        local strict = require "hcs.strict"
        local world <close> = strict.connect(uri)
        local vm <close> = world.create { id = "selftest", memory = "64M", firmware = "uefi",
            consoles = { { name = "com1" } } }
        vm:start()
        local console <close> = vm:console()
        console:expect("hcs-guest: up", WAIT)
        vm:pause()
        vm:resume()
        console:write "poweroff\n"
        local exit = vm:wait("exited", WAIT).document.ExitType
        if exit ~= "GracefulExit" then return result.failed("it ended by " .. tostring(exit)) end
        return result.ok "booted, spoke, paused, resumed, switched itself off"
    end
end

--- The checks, appended to `list`.
function simulated.add(list)
    for _, driver in ipairs { "step", "thread" } do
        list[#list + 1] = {
            section = "The simulated host", name = "a system's life, " .. driver,
            run = life("sim:?clock=virtual&driver=" .. driver), needs = "hcs.core",
        }
    end
end

return simulated
