-- SPDX-License-Identifier: MIT
-- The Lua check of documents, over the cases that the C test meets too.
local cjson = require "cjson"
local validate = require "hcs.validate"

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return (file:read("a"))
end

local golden = cjson.decode(read("spec/golden/schema_cases.json"))

describe("hcs.validate", function()
    for _, case in ipairs(golden.cases) do
        if case.only ~= "c" then
            it("answers as the host for " .. case.name, function()
                local document = case.document
                if case.text then
                    document = cjson.decode("[" .. case.text .. "]")[1]
                end
                local ok, fault = validate.check(document, case.type,
                    { build = case.build or 26100, version = case.version, lenient = true })
                if not case.path then
                    assert.is_nil(fault and fault.path .. ": " .. fault.message)
                    assert.is_true(ok)
                else
                    assert.is_nil(ok)
                    assert.equal(case.path, fault.path)
                    assert.equal(case.message or fault.message, fault.message)
                    assert.equal(tonumber(case.code or case.set and "0x803b001b"
                        or "0x8037010d"), fault.code)
                end
            end)
        end
        if case.set and not case.path and case.document then
            it("is strict for " .. case.name, function()
                local _, fault = validate.check(case.document, case.type)
                assert.same(case.strict,
                    fault and { path = fault.path, message = fault.message })
            end)
        end
    end

    it("is for ComputeSystem and the newest build unless told", function()
        assert.is_true(validate.check { VirtualMachine = { LayeredVirtualization = {} } })
        local _, fault = validate.check { VirtualMachin = {} }
        assert.same({ "Container", "HostedSystem", "HostingSystemId", "JobName", "Owner",
            "SchemaVersion", "ShouldTerminateOnLastHandleClosed", "VirtualMachine" },
            fault.expected)
    end)

    it("says since when something exists", function()
        local _, fault = validate.check({ VirtualMachine = { Services = {} },
            SchemaVersion = { Major = 2, Minor = 1 } })
        assert.equal("2.5", fault.since)
        _, fault = validate.check({ NixCrashSettings = {} }, "GuestCrashReporting",
            { build = 22000 })
        assert.equal(25398, fault.since)
    end)

    it("tells lists and objects apart by their mark when they are empty", function()
        local list = setmetatable({}, { __metatable = false })
        assert.is_true(validate.check({ Ids = list }, "SystemQuery"))
        assert.is_true(validate.check({ Ids = {} }, "SystemQuery"))
        local _, fault = validate.check({ Attachments = list }, "Scsi")
        assert.equal("expected an object, found an array", fault.message)
    end)

    it("finds all faults when asked", function()
        local faults = validate.all({ Ownr = "x", VirtualMachine = {
            Chipset = { Uefi = 1 },
            Devices = { Scsi = { ["0"] = { Attachments = { ["0"] = { Typ = "Iso" },
                x = {}, ["1"] = { Type = "Lous", Path = 7 } } } },
                Plan9 = { Shares = { { Name = 1 }, {}, { Name = 2 } } } } } })
        local found = {}
        for i, fault in ipairs(faults) do
            found[i] = fault.path
        end
        assert.same({
            "$.Ownr",
            "$.VirtualMachine.Chipset.Uefi",
            "$.VirtualMachine.Devices.Plan9.Shares[0].Name",
            "$.VirtualMachine.Devices.Plan9.Shares[2].Name",
            "$.VirtualMachine.Devices.Scsi['0'].Attachments['0'].Typ",
            "$.VirtualMachine.Devices.Scsi['0'].Attachments['1'].Path",
            "$.VirtualMachine.Devices.Scsi['0'].Attachments['1'].Type",
            "$.VirtualMachine.Devices.Scsi['0'].Attachments.x",
        }, found)
        assert.equal('unknown member "Typ"; did you mean "Type"?', faults[5].message)
        assert.same({}, validate.all { Owner = "x" })
        assert.equal("$", validate.all({}, "Nothing")[1].path)
    end)

    it("takes linear time", function()
        local function time(count)
            local shares = {}
            for i = 1, count do
                shares[i] = { Name = "share" .. i, Path = "/x", Wrong = 1 }
            end
            local start = os.clock()
            assert.equal(count, #validate.all({ Shares = shares }, "Plan9"))
            return os.clock() - start
        end
        time(100)
        local small, large = time(500), time(5000)
        assert.is_true(large < 40 * small + 0.05, small .. " " .. large)
    end)

    it("refuses keys that are no text", function()
        local _, fault = validate.check({ Attachments = { [0] = {} } }, "Scsi")
        assert.equal("$.Attachments['0']", fault.path)
        assert.equal("the key 0 is a number: write it as text", fault.message)
        _, fault = validate.check({ [1] = 1, Owner = "x" })
        assert.equal("the key 1 is a number: a member's name is text", fault.message)
    end)

    it("refuses what is no value of a document", function()
        local _, fault = validate.check({ Owner = print })
        assert.equal("expected a string, found a Lua function", fault.message)
        _, fault = validate.check(nil)
        assert.equal("expected an object, found a Lua nil", fault.message)
        _, fault = validate.check({ Major = 0 / 0 }, "Version")
        assert.truthy(fault.message:find("found a number with", 1, true))
        _, fault = validate.check({ Major = math.huge }, "Version")
        assert.truthy(fault)
    end)

    it("takes whole floats that are exact and all of 64 bits", function()
        assert.is_true(validate.check({ SizeInMB = 512.0 }, "VirtualMachine_Memory"))
        assert.is_true(validate.check({ SizeInMB = -1 }, "VirtualMachine_Memory"))
        local _, fault = validate.check({ SizeInMB = 2.0 ^ 60 }, "VirtualMachine_Memory")
        assert.equal("$.SizeInMB", fault.path)
    end)

    it("ends in a table that contains itself", function()
        local directory = { name = "a" }
        directory.objdir = { directory }
        local _, fault = validate.check(directory, "ObjectDirectory")
        assert.equal("nested more than 128 deep", fault.message)
    end)

    it("names the nearest type", function()
        local ok, fault = validate.check({}, "ComputSystem")
        assert.is_nil(ok)
        assert.equal('there is no document type "ComputSystem"; did you mean "ComputeSystem"?',
            fault.message)
    end)

    it("describes types in the order in which they are written", function()
        local crash = assert(validate.describe "CrashReport")
        assert.equal("SystemId", crash.members[1].name)
        assert.equal("SystemName", crash.members[2].name)
        assert.equal(26100, crash.members[2].since)
        local disks = assert(validate.describe "AttachmentType")
        assert.equal("VirtualDisk", disks.values[1].name)
        assert.equal(0, disks.values[1].value)
        local nothing, text = validate.describe "Nothing"
        assert.is_nil(nothing)
        assert.equal('there is no document type "Nothing"', text)
    end)

    it("knows what a change's settings are", function()
        assert.equal("Attachment",
            validate.settings_type "VirtualMachine/Devices/Scsi/0/Attachments/1")
        assert.equal("uint64",
            validate.settings_type "VirtualMachine/ComputeTopology/Memory/SizeInMB")
        assert.is_nil(validate.settings_type "VirtualMachine/Devices/Scsi/0")
    end)

    it("knows the versions of builds", function()
        assert.same({ 2, 3 }, { validate.version_of_build(19045) })
        assert.same({ 2, 7 }, { validate.version_of_build(28000) })
        assert.same({ 1, 0 }, { validate.version_of_build(14393) })
    end)

    it("finds all faults of an HCN document", function()
        local faults = validate.all({ Typ = "NAT", Ipams = { { Subnets = {
            { IpAddresPrefix = "10.0.0.0/24", Routes = { {}, { Metric = -1 } } } } } },
            Policies = { { Type = "VLAN" }, { Type = "VxlanPort", Settings = { Prot = 1 } } } },
            "HostComputeNetwork")
        local found = {}
        for i, fault in ipairs(faults) do
            found[i] = ("%s %08x"):format(fault.path, fault.code)
        end
        assert.same({
            "$.Ipams[0].Subnets[0].IpAddresPrefix 803b001b",
            "$.Ipams[0].Subnets[0].Routes[1].Metric 803b001b",
            "$.Policies[0].Type 803b000e",
            "$.Policies[1].Settings.Prot 803b001b",
            "$.Typ 803b001b",
        }, found)
    end)

    it("refuses keys that are no text in an HCN document too", function()
        local _, fault = validate.check({ [1] = 1, Name = "x" }, "HostComputeNetwork",
            { lenient = true })
        assert.equal("the key 1 is a number: a member's name is text", fault.message)
    end)

    it("describes HCN's types, by the set where both have one", function()
        local policy = assert(validate.describe "EndpointPolicy")
        assert.equal("Type", policy.members[2].by)
        assert.equal("AclPolicySetting", policy.members[2].cases.ACL)
        local firewall = assert(validate.describe "FirewallPolicySetting")
        assert.equal("VmType", firewall.members[1].name)
        assert.is_nil(firewall.members[1].since)
        assert.equal("2.16", firewall.members[1].version)
        local request = assert(validate.describe "hcn.ModifySettingRequest")
        assert.equal("ResourceUri", request.members[1].name)
        request = assert(validate.describe "ModifySettingRequest")
        assert.equal("ResourcePath", request.members[1].name)
        assert.is_nil(validate.describe "hcn.ComputeSystem")
        local _, fault = validate.check({}, "HostComputNetwork")
        assert.equal('there is no document type "HostComputNetwork"; '
            .. 'did you mean "HostComputeNetwork"?', fault.message)
    end)
end)
