-- SPDX-License-Identifier: MIT
-- Opens a dump and reads the kernel's log out of it, for bench/dump: with a
-- number of rounds, prints the median of the milliseconds that took; without,
-- the log.
local path, rounds = arg[1], tonumber(arg[2])
local hcs = require "hcs.strict"
local monotonic = require("hcs.core").monotonic

local function log()
    local dump <close> = hcs.dump.open(path)
    local lines = {}
    for line in dump:log() do lines[#lines + 1] = tostring(line) end
    return lines
end

if not rounds then
    print(table.concat(log(), "\n"))
    return
end
local times = {}
for round = 1, rounds do
    local began = monotonic()
    log()
    times[round] = (monotonic() - began) * 1000
end
table.sort(times)
print(("%.2f"):format(times[(rounds + 1) // 2]))
