-- SPDX-License-Identifier: MIT
-- The document that hcs.create's options make.
local validate = require "hcs.validate"
local vm = require "hcs.doc.vm"

local ENV = { cwd = "/home/me", build = 26100 }

local function build(given, env)
    given.id = given.id or "web"
    local document = vm(given, env or ENV)
    local ok, fault = validate.check(document, "ComputeSystem",
        { build = (env or ENV).build })
    assert.is_nil(fault and fault.path .. ": " .. fault.message)
    assert.is_true(ok)
    return document, document.VirtualMachine
end

local function refusal(given)
    given.id = given.id or "web"
    local ok, message = pcall(vm, given, ENV)
    assert.is_false(ok)
    return message
end

describe("hcs.doc.vm", function()
    it("makes a Linux machine", function()
        local document = build { kernel = "vmlinuz", initrd = "/boot/initrd",
            cmdline = "console=ttyS0", memory = "256M", processors = 2 }
        assert.same({
            Owner = "lua-hcs",
            SchemaVersion = { Major = 2, Minor = 2 },
            ShouldTerminateOnLastHandleClosed = true,
            VirtualMachine = {
                Chipset = { LinuxKernelDirect = { KernelFilePath = "/home/me/vmlinuz",
                    InitRdPath = "/boot/initrd", KernelCmdLine = "console=ttyS0" } },
                ComputeTopology = { Memory = { SizeInMB = 256 }, Processor = { Count = 2 } },
                Devices = { ComPorts = { ["0"] = {
                    NamedPipe = "\\\\.\\pipe\\hcs-web-com1" } } },
            },
        }, document)
    end)

    it("makes a UEFI machine that boots from its first disk", function()
        local document, machine = build { disks = { "web.vhdx", "/seed.ISO" }, owner = "me",
            keep = true, stop_on_reset = true }
        assert.equal("me", document.Owner)
        assert.is_false(document.ShouldTerminateOnLastHandleClosed)
        assert.is_true(machine.StopOnReset)
        assert.same({ DevicePath = "0", DiskNumber = 0, DeviceType = "ScsiDrive" },
            machine.Chipset.Uefi.BootThis)
        assert.same({ ["0"] = { Attachments = {
            ["0"] = { Type = "VirtualDisk", Path = "/home/me/web.vhdx" },
            ["1"] = { Type = "Iso", Path = "/seed.ISO", ReadOnly = true },
        } } }, machine.Devices.Scsi)
        assert.equal(512, machine.ComputeTopology.Memory.SizeInMB)
        assert.equal(1, machine.ComputeTopology.Processor.Count)
    end)

    it("knows disks in full", function()
        local _, machine = build { disks = { { path = "/a", type = "pass_thru" },
            { path = "/b", type = "vhd", read_only = true, caching = "uncached",
                ignore_flushes = true }, { path = "/c.iso", read_only = false } } }
        assert.same({
            ["0"] = { Type = "PassThru", Path = "/a" },
            ["1"] = { Type = "VirtualDisk", Path = "/b", ReadOnly = true,
                CachingMode = "Uncached", IgnoreFlushes = true },
            ["2"] = { Type = "Iso", Path = "/c.iso" },
        }, machine.Devices.Scsi["0"].Attachments)
    end)

    it("takes one disk without a list, and none", function()
        local _, machine = build { disks = "/a.vhdx" }
        assert.equal("/a.vhdx", machine.Devices.Scsi["0"].Attachments["0"].Path)
        _, machine = build { disks = { path = "/a.vhdx" } }
        assert.equal("/a.vhdx", machine.Devices.Scsi["0"].Attachments["0"].Path)
        _, machine = build { disks = {} }
        assert.is_nil(machine.Devices.Scsi)
        assert.is_nil(machine.Chipset.Uefi.BootThis)
    end)

    it("sets up secure boot and a TPM", function()
        local document, machine = build { firmware = "uefi", secure_boot = "uefi_ca",
            tpm = true }
        assert.equal("Apply", machine.Chipset.Uefi.ApplySecureBootTemplate)
        assert.equal("272e7447-90a4-4563-a4b9-8e4ab00526ce",
            machine.Chipset.Uefi.SecureBootTemplateId)
        assert.is_true(machine.SecuritySettings.EnableTpm)
        assert.equal(4, document.SchemaVersion.Minor)
    end)

    it("makes network adapters", function()
        local id = "01234567-89ab-cdef-0123-456789abcdef"
        local _, machine = build { nics = { {}, { mac = "00:15:5d:0a:0b:0c" },
            { endpoint = id }, { name = "lan" } } }
        assert.same({ ["0"] = {}, ["1"] = { MacAddress = "00-15-5D-0A-0B-0C" },
            [id] = { EndpointId = id }, lan = {} }, machine.Devices.NetworkAdapters)
    end)

    it("names consoles' pipes so that any id may be in them", function()
        local seen = {}
        for _, id in ipairs { "web", "ü€😀", "a/b", "a\\b", "a_b", "a\nb", ("x"):rep(200),
            ("x"):rep(201), ("x"):rep(300), ("€"):rep(100), ("😀"):rep(5000) } do
            local _, machine = build { id = id }
            local name = machine.Devices.ComPorts["0"].NamedPipe
            assert.is_nil(seen[name], name)
            seen[name] = id
            assert.truthy(utf8.len(name), name)
            assert.truthy(#name <= 220, name)
            assert.is_nil(name:sub(10):find("[\\/%c]"), name)
        end
        assert.equal("web", seen["\\\\.\\pipe\\hcs-web-com1"])
        assert.equal("ü€😀", seen["\\\\.\\pipe\\hcs-ü€😀-com1"])
    end)

    it("makes consoles, by name or none", function()
        local _, machine = build { id = "a b", consoles = { "log", { pipe = "\\\\.\\pipe\\x" } } }
        assert.same({ ["0"] = { NamedPipe = "\\\\.\\pipe\\hcs-a b-log" },
            ["1"] = { NamedPipe = "\\\\.\\pipe\\x" } }, machine.Devices.ComPorts)
        for _, none in ipairs { {}, false } do
            _, machine = build { consoles = none }
            assert.is_nil(machine.Devices)
        end
        _, machine = build { consoles = false }
        assert.is_nil(machine.Devices)
    end)

    it("makes shares", function()
        local _, machine = build { shares = {
            { name = "src", path = "src", read_only = true },
            { name = "win", path = "C:\\win", type = "smb" } } }
        assert.same({ { Name = "src", AccessName = "src", Path = "/home/me/src", Port = 564,
            Flags = 1 } }, machine.Devices.Plan9.Shares)
        assert.same({ { Name = "win", Path = "C:\\win" } }, machine.Devices.VirtualSmb.Shares)
    end)

    it("asks for dumps", function()
        local document, machine = build { dump = { path = "web.elf", max = "1G" } }
        assert.same({ NixCrashSettings = { DumpFileName = "/home/me/web.elf",
            MaxDumpSize = 1 << 30, DumpType = "ElfCore" } }, machine.Devices.GuestCrashReporting)
        assert.equal(7, document.SchemaVersion.Minor)
        document = build { dump = { path = "/d", type = "kdump" } }
        local settings = document.VirtualMachine.Devices.GuestCrashReporting
        assert.equal("KDump", settings.NixCrashSettings.DumpType)
        document = build { dump = { path = "/d", type = "windows" } }
        assert.same({ WindowsCrashSettings = { DumpFileName = "/d" } },
            document.VirtualMachine.Devices.GuestCrashReporting)
        document = build { dump = { path = "/d", type = "bitmap_full" } }
        assert.equal("BitmapFull",
            document.VirtualMachine.Devices.GuestCrashReporting.WindowsCrashSettings.DumpType)
    end)

    it("asks for compressed dumps", function()
        for type, compress in pairs { ElfCore = false, KDump = true } do
            local _, machine = build { dump = { path = "/d", compress = compress } }
            assert.equal(type, machine.Devices.GuestCrashReporting.NixCrashSettings.DumpType)
        end
    end)

    it("leaves what documents have no place for to a policy", function()
        local dump = require "hcs.doc.dump"
        assert.is_nil(dump.policy(nil))
        assert.is_nil(dump.policy "/d")
        assert.is_nil(dump.policy { path = "/d", max = "1G" })
        assert.same({ Keep = 3, FreeBytes = 5 << 30 },
            dump.policy { path = "/d", keep = 3, free = "5G" })
        for _, keep in ipairs { 0, 1001 } do
            assert.error_matches(function() dump.policy { path = "/d", keep = keep } end,
                "dump.keep: " .. keep .. " is not from 1 to 1000")
        end
        assert.error_matches(function() dump.policy { path = "/d", free = 7 } end,
            'dump.free: 7 is not a size')
    end)

    it("asks for saved states and services", function()
        local document, machine = build {
            debug = { bugcheck_saved_state = "b.vmrs", triple_fault_saved_state = "/t.vmrs" },
            services = { shutdown = true, timesync = false, kvp = { a = "b" } } }
        assert.same({ BugcheckSavedStateFileName = "/home/me/b.vmrs",
            TripleFaultSavedStateFileName = "/t.vmrs" }, machine.DebugOptions)
        assert.same({ Shutdown = {}, KvpExchange = { EntriesToBeAdded = { a = "b" } } },
            machine.Services)
        assert.equal(5, document.SchemaVersion.Minor)
    end)

    it("restores and clones", function()
        local _, machine = build { restore = "web.vmrs" }
        assert.same({ SaveStateFilePath = "/home/me/web.vmrs" }, machine.RestoreState)
        _, machine = build { template = "base" }
        assert.same({ TemplateSystemId = "base" }, machine.RestoreState)
    end)

    it("knows more of processors", function()
        local _, machine = build { processors = { count = 4, limit = 50000, nested = true } }
        assert.same({ Count = 4, Limit = 50000, ExposeVirtualizationExtensions = true },
            machine.ComputeTopology.Processor)
    end)

    it("lays the given document over all, last", function()
        local extra = { SchemaVersion = { Major = 2, Minor = 1 }, VirtualMachine = {
            Devices = { ComPorts = require("cjson").null, Keyboard = {} },
            ComputeTopology = { Memory = { SizeInMB = 64 } } } }
        local document, machine = build { document = extra }
        assert.same({ Keyboard = {} }, machine.Devices)
        assert.equal(64, machine.ComputeTopology.Memory.SizeInMB)
        assert.equal(1, document.SchemaVersion.Minor)
        machine.Devices.Keyboard.x = 1
        assert.is_nil(extra.VirtualMachine.Devices.Keyboard.x)
    end)

    it("takes the version from what the given document uses too", function()
        local document = build { document = { VirtualMachine = {
            Chipset = { EnableHibernation = true } } } }
        assert.equal(5, document.SchemaVersion.Minor)
        document = build { document = { VirtualMachine = { Devices = { VirtualSmb = { Shares = {
            { Name = "a", Path = "/a", PrefetchFiles = { "x" } } } } } } } }
        assert.equal(4, document.SchemaVersion.Minor)
    end)

    it("declares no version that the build lacks, so that the member is named", function()
        local document = vm({ id = "web", services = { shutdown = true } }, { build = 19041 })
        assert.equal(3, document.SchemaVersion.Minor)
        local _, fault = validate.check(document, nil, { build = 19041 })
        assert.equal("$.VirtualMachine.Services", fault.path)
    end)

    local REFUSED = {
        { { memory = 512 }, 'memory: 512 is not a size: did you mean "512M"?' },
        { { memory = "513M" }, "memory: 513M is not a multiple of 2M" },
        { { memory = "0" }, "memory: 0 is too little, the least is 2M" },
        { { memory = "1M" }, "memory: 1M is too little, the least is 2M" },
        { { kernal = "x" }, '"kernal"' },
        { { kernal = "x" }, 'did you mean "kernel"' },
        { { kernel = 7 }, 'option "kernel" is 7, expected a text' },
        { { processors = 0 }, "processors: 0 is less than 1" },
        { { processors = "many" }, 'create: processors is "many", expected an integer or a table' },
        { { processors = { count = 1.5 } }, 'option "count" is 1.5, expected an integer' },
        { { processors = { cout = 1 } }, 'did you mean "count"' },
        { { kernel = "k", firmware = "uefi" }, "firmware and kernel exclude each other" },
        { { initrd = "i" }, "initrd goes with kernel, which is missing" },
        { { firmware = "bios" }, '"bios"' },
        { { secure_boot = "debian" }, '"debian"' },
        { { disks = 7 }, "disks: a list expected, got a number" },
        { { disks = { { type = "iso" } } }, "disks[1]: path is missing" },
        { { disks = { "a", { path = "x", typ = "iso" } } }, "disks[2]" },
        { { disks = { { path = "x", type = "floppy" } } }, "expected virtual_disk" },
        { { nics = { { mac = "00:15" } } }, "nics[1].mac" },
        { { nics = { { name = "a" }, { name = "a" } } }, 'nics[2]: the name "a" is taken' },
        { { consoles = { "a", "b", "c" } }, "3 are asked for" },
        { { shares = { { path = "/x" } } }, "shares[1]: name is missing" },
        { { shares = { { name = "x", path = "/x", type = "nfs" } } }, '"nfs"' },
        { { dump = { max = "1G" } }, "dump: path is missing" },
        { { dump = { path = "x", max = 5 } }, 'dump.max: 5 is not a size: did you mean "5M"?' },
        { { dump = { path = "x", type = "core" } }, "dump.type" },
        { { dump = { path = "x", type = "elff" } }, '(did you mean "elf"?)' },
        { { dump = { path = "x", compress = true, type = "elf" } },
            'dump.compress goes with type "kdump", not with "elf"' },
        { { dump = { path = "x", compress = false, type = "kdump" } },
            'dump.compress: a dump of type "kdump" is always compressed' },
        { { services = { "shutdown" } }, "options go by name, not in a list: { shutdown = … }" },
        { { services = { shutdwon = true } }, 'did you mean "shutdown"' },
        { { debug = { bugcheck = "x" } }, '"bugcheck"' },
        { { restore = "a", template = "b" }, "restore and template exclude each other" },
        { { id = "" }, "id is missing" },
        { { grant = "yes" }, 'option "grant" is "yes", expected true or false' },
    }
    for _, case in ipairs(REFUSED) do
        it("says: " .. case[2], function()
            local message = refusal(case[1])
            assert.truthy(message:find(case[2], 1, true), message)
            assert.truthy(message:find("doc_vm_spec.lua:", 1, true)
                or message:find("^%[C%]") or message:find(case[2], 1, true))
        end)
    end

    it("raises at the caller's line", function()
        local ok, message = pcall(function()
            return (vm({ id = "web", memory = 512 }, ENV))
        end)
        assert.is_false(ok)
        assert.truthy(message:find("doc_vm_spec.lua:%d+: memory"), message)
    end)
end)
