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

    it("says whether there can be networks of real guests", function()
        local hcs, host = fake.hcs()
        host.core.platform = "linux"
        host.core.user = function() return "root" end
        assert.truthy(tostring(hcs.doctor()):find("ok   networks: as root", 1, true))
        host.core.user = function() return "somebody" end
        local text = tostring(hcs.doctor())
        assert.truthy(text:find("ok   networks: in user namespaces", 1, true)
            or text:find("miss networks: networks need root", 1, true), text)
        assert.truthy(text:find("dnsmasq: ", 1, true), text)
    end)

    -- A machine with Windows.
    local function windows(machine, services, modules)
        local hcs, host = fake.hcs()
        host.core.platform = "windows"
        host.core.machine = function() return machine end
        host.core.service = function(name) return services[name] end
        host.core.module = function(name)
            if modules[name] then return { path = modules[name], missing = {} } end
            return nil, 0x8007007E, "not found"
        end
        return tostring(hcs.doctor())
    end

    it("knows what Windows needs", function()
        local text = windows({ edition = "Professional", build = 22631, elevated = true },
            { vmcompute = { state = "running", start = "manual" }, vmms = { state = "stopped" } },
            { ["computecore.dll"] = "C:\\x\\computecore.dll" })
        assert.truthy(text:find("ok   windows: Professional, build 22631\n", 1, true), text)
        assert.truthy(text:find("ok   virtual machine platform: the service vmcompute is running",
            1, true), text)
        assert.truthy(text:find("ok   hyper-v: the service vmms is stopped", 1, true), text)
        assert.truthy(text:find("ok   computecore: C:\\x\\computecore.dll", 1, true), text)
        assert.truthy(text:find("miss computenetwork: computenetwork.dll does not load: not found",
            1, true), text)
        assert.truthy(text:find("ok   rights: elevated", 1, true), text)
        assert.is_nil(text:find("qemu", 1, true))
    end)

    it("says what to do where Windows lacks it", function()
        local text = windows({ build = 17134, wine = "8.0" },
            { vmcompute = { state = "stopped", start = "disabled" } }, {})
        assert.truthy(text:find("miss windows: unknown edition, build 17134, by Wine 8.0: ",
            1, true), text)
        assert.truthy(text:find("miss virtual machine platform: disabled", 1, true), text)
        assert.truthy(text:find("/featurename:Microsoft-Hyper-V", 1, true), text)
        assert.truthy(text:find("miss rights: run elevated", 1, true), text)
        text = windows({ hyperv_administrator = true }, {}, {})
        assert.truthy(text:find("ok   rights: a member", 1, true), text)
        assert.truthy(text:find("miss windows:", 1, true), text)
    end)
end)
