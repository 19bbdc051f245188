-- SPDX-License-Identifier: MIT
local arguments = require "hcs.cli.arguments"
local worlds = require "hcs.world"

local version = { usage = "version", summary = "the versions of what is at work" }

function version.run(list, tools)
    if not arguments.of("version", list, {}, tools) then return 2 end
    local found, core = pcall(require, "hcs.core")
    tools.write(("lua-hcs %s, hcs.core %s, %s\n"):format(worlds.VERSION,
        found and core.version or "does not load", _VERSION))
    return found and 0 or 1
end

return version
