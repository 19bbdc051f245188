-- SPDX-License-Identifier: MIT
-- Documents that QEMU cannot make a machine of: each is refused with the member
-- that is to blame, and nothing is left of it.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local GUID = "01234567-89ab-cdef-0123-456789abcdef"

describe("what cannot be made", function()
    after_each(support.nothing_left)

    local function refused(more, family, path)
        more.validate = false
        local options = support.options("refused", more)
        local ok, err = pcall(function()
            local vm <close> = hcs.create(options)
            vm:start()
        end)
        assert.is_false(ok)
        assert.are.equal("hcs.Error", getmetatable(err).__name)
        assert.is_true(err:is(family), tostring(err) .. " is " .. tostring(err.code))
        assert.are.equal(path, err.path)
        assert.is_true(#err.message > 0)
        support.nothing_left()
    end

    local function machine(members) return { document = { VirtualMachine = members } } end

    it("has a kernel, an initrd, a disk that are not there", function()
        refused({ kernel = "/no/such/kernel" }, "not_found",
            "$.VirtualMachine.Chipset.LinuxKernelDirect.KernelFilePath")
        refused({ initrd = "/no/such/initrd" }, "not_found",
            "$.VirtualMachine.Chipset.LinuxKernelDirect.InitRdPath")
        refused({ disks = { "/no/such/disk.vhdx" } }, "not_found",
            "$.VirtualMachine.Devices.Scsi['0'].Attachments['0'].Path")
    end)

    it("has a kernel that is none", function()
        refused({ kernel = "/etc/hostname" }, "invalid_document",
            "$.VirtualMachine.Chipset.LinuxKernelDirect.KernelFilePath")
    end)

    it("has no memory, or more than there is", function()
        local path = "$.VirtualMachine.ComputeTopology.Memory.SizeInMB"
        refused(machine { ComputeTopology = { Memory = { SizeInMB = 0 } } },
            "invalid_document", path)
        refused({ memory = "1T" }, "limit", path)
    end)

    it("has members, values and types that are unknown", function()
        refused(machine { NoSuchMember = true }, "invalid_document",
            "$.VirtualMachine.NoSuchMember")
        refused(machine { StopOnReset = "yes" }, "invalid_document",
            "$.VirtualMachine.StopOnReset")
        refused({ disks = { "/x" }, document = { VirtualMachine = { Devices = { Scsi = {
            ["0"] = { Attachments = { ["0"] = { Type = "Floppy" } } } } } } } },
            "invalid_document", "$.VirtualMachine.Devices.Scsi['0'].Attachments['0'].Type")
    end)

    it("has what QEMU cannot do", function()
        refused(machine { Devices = { Licensing = { ContainerID = GUID } } },
            "unsupported", "$.VirtualMachine.Devices.Licensing")
        refused(machine { SecuritySettings = { EnableTpm = true } }, "unsupported",
            "$.VirtualMachine.SecuritySettings.EnableTpm")
        refused({ nics = { { mac = "00-15-5D-00-00-01" } }, document = { VirtualMachine = {
            Devices = { NetworkAdapters = { ["0"] = { MacAddress = "a b" } } } } } },
            "invalid_document", "$.VirtualMachine.Devices.NetworkAdapters['0'].MacAddress")
    end)

    it("has a saved state that is not there, or none of ours", function()
        refused({ restore = "/no/such/state" }, "not_found",
            "$.VirtualMachine.RestoreState.SaveStateFilePath")
        refused({ template = "no such template" }, "not_found",
            "$.VirtualMachine.RestoreState.TemplateSystemId")
    end)

    it("has files that were not granted", function()
        refused({ grant = false }, "access_denied",
            "$.VirtualMachine.Chipset.LinuxKernelDirect.KernelFilePath")
    end)
end)
