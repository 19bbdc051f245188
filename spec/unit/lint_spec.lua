-- SPDX-License-Identifier: MIT
-- What create warns of.
local lint = require "hcs.lint"

local function warnings(machine) return lint.warnings { VirtualMachine = machine } end

describe("the warnings of a document", function()
    it("are none for one that is in order", function()
        assert.same({}, warnings {
            Chipset = { LinuxKernelDirect = { KernelCmdLine = "quiet unknown_nmi_panic" } },
            Devices = { Keyboard = {}, VideoMonitor = {},
                GuestCrashReporting = { NixCrashSettings = { DumpType = "ElfCore" } } },
            GuestState = { GuestStateFilePath = "C:\\states\\a.vmgs" },
        })
        assert.same({}, lint.warnings {})
    end)

    it("name a keyboard or a mouse without a screen", function()
        for _, name in ipairs { "Keyboard", "Mouse" } do
            local found = warnings { Devices = { [name] = {} } }
            assert.equal(1, #found)
            assert.truthy(found[1]:find("Devices." .. name, 1, true))
        end
    end)

    it("name a state file at the root of a drive", function()
        local found = warnings { RestoreState = { SaveStateFilePath = "d:\\x.vmrs" } }
        assert.equal(1, #found)
        assert.truthy(found[1]:find("RestoreState.SaveStateFilePath", 1, true))
        assert.same({}, warnings { RestoreState = { SaveStateFilePath = "/x.vmrs" } })
    end)

    it("name a dump that this guest will not write", function()
        local kernel = { LinuxKernelDirect = { KernelCmdLine = "no_unknown_nmi_panic" } }
        local found = warnings { Chipset = kernel,
            Devices = { GuestCrashReporting = { NixCrashSettings = {} } } }
        assert.truthy(found[1]:find("unknown_nmi_panic", 1, true))
        found = warnings { Chipset = kernel,
            Devices = { GuestCrashReporting = { WindowsCrashSettings = {} } } }
        assert.equal(1, #found)
        assert.truthy(found[1]:find("NixCrashSettings", 1, true))
    end)
end)
