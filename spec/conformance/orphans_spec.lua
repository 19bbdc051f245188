-- SPDX-License-Identifier: MIT
-- Systems whose script was killed: they go with it, or are found, used and
-- swept by another process. For hosts that keep systems outside the script.
local core = require "hcs.core"
local helper = require "spec.helper"
local platform = require "spec.platform"

-- Runs a script that is killed before it can clean up.
local function killed(uri, id, keep)
    local script = ([[
local hcs = require("hcs.strict").connect(%q)
local helper = require "spec.helper"
local platform = require "spec.platform"
local vm = hcs.create(helper.guest(%q, { keep = %s, owner = "orphanage" }))
vm:start()
vm:console():expect("hcs-guest: up", 120)
require("spec.platform").kill(require("hcs.core").pid())
]]):format(uri, id, tostring(keep))
    local output, status = platform.lua_text(script, { limit = 150 })
    assert.equal(137, status, output)
end

for _, uri in ipairs(helper.hosts()) do
    if helper.outlives(uri) then
        describe("orphans on " .. uri, function()
            local hcs

            before_each(function()
                helper.before()
                hcs = helper.connect(uri)
            end)

            after_each(helper.after)

            it("go with their script within two seconds", function()
                killed(uri, "bound", false)
                local start = core.monotonic()
                assert(hcs.run_until(function() return #assert(hcs.list()) == 0 end, 5))
                assert.truthy(core.monotonic() - start < 2)
            end)

            it("are opened, read and swept by another process when kept", function()
                killed(uri, "kept", true)
                local record = assert(hcs.list { owner = "orphanage" })[1]
                assert.equal("kept", record.id)
                assert.equal("Running", record.state)
                assert.equal(1, #assert(hcs.sweep { dry_run = true }))
                local vm <close> = assert(hcs.open("kept"))
                assert.equal("orphanage", vm.owner)
                assert(vm:console():write("echo still here\n"))
                assert(vm:console():expect("still here", 60))
                assert.equal("kept", assert(hcs.sweep())[1].id)
                assert.equal("ForcedExit", assert(vm:wait("exited", 10)).document.ExitType)
                assert.equal(0, #assert(hcs.list()))
            end)
        end)
    end
end
