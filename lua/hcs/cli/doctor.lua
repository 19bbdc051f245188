-- SPDX-License-Identifier: MIT
local arguments = require "hcs.cli.arguments"
local doctor = require "hcs.doctor"
local worlds = require "hcs.world"

local command = {
    usage = "doctor [--host URI]",
    summary = "what is installed and usable, and what is missing",
}

function command.run(list, tools)
    local given = arguments.of("doctor", list, { host = "text" }, tools)
    if not given then return 2 end
    local world = worlds.new(given.host, tools.core)
    local report = doctor.examine(world)
    worlds.close(world)
    tools.write(tostring(report) .. "\n")
    for _, verdict in ipairs(report) do
        if verdict.name == "host" and not verdict.ok then return 1 end
    end
    return 0
end

return command
