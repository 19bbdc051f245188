-- SPDX-License-Identifier: MIT
-- What hcs.doctor looks at, and what it says of it.
local fake = require "spec.unit.fake_core"

describe("doctor", function()
    it("gives verdicts that print as lines", function()
        local hcs, host = fake.hcs()
        local report = hcs.doctor()
        assert.truthy(#report >= 3)
        for _, verdict in ipairs(report) do
            assert.is_boolean(verdict.ok)
            assert.truthy(#verdict.text > 0)
        end
        assert.truthy(tostring(report):find("ok   host: fake:, build 26100", 1, true))
        hcs.close()
        host.fail.open = 0x80070002
        assert.truthy(tostring(hcs.doctor()):find("miss host:", 1, true))
    end)

    -- A machine with Windows, by what its registry holds.
    local function windows(values, rights)
        local hcs, host = fake.hcs()
        host.core.platform = "windows"
        host.core.elevated = function() return rights == "elevated" end
        host.core.member_of = function(sid) return sid == rights end
        host.core.registry = function(key, name)
            return values[key:match("[^\\]*$") .. "." .. name]
        end
        return tostring(hcs.doctor())
    end

    it("knows what Windows needs", function()
        local text = windows({
            ["CurrentVersion.EditionID"] = "Professional",
            ["CurrentVersion.CurrentBuildNumber"] = "22631",
            ["vmcompute.Start"] = 3, ["vmms.Start"] = 2,
        }, "elevated")
        assert.truthy(text:find("ok   windows: Professional, build 22631", 1, true), text)
        assert.truthy(text:find("ok   virtual machine platform:", 1, true), text)
        assert.truthy(text:find("ok   hyper-v:", 1, true), text)
        assert.truthy(text:find("ok   rights: elevated", 1, true), text)
        assert.is_nil(text:find("qemu", 1, true))
    end)

    it("says what to do where Windows lacks it", function()
        local text = windows({
            ["CurrentVersion.CurrentBuildNumber"] = "17134", ["vmcompute.Start"] = 4,
        }, "nobody")
        assert.truthy(text:find("miss windows: unknown edition, build 17134", 1, true), text)
        assert.truthy(text:find("miss virtual machine platform: disabled", 1, true), text)
        assert.truthy(text:find("/featurename:Microsoft-Hyper-V", 1, true), text)
        assert.truthy(text:find("miss rights: run elevated", 1, true), text)
        assert.truthy(windows({}, "S-1-5-32-578"):find("ok   rights: a member", 1, true))
        assert.truthy(windows({}, ""):find("miss windows:", 1, true))
    end)
end)
