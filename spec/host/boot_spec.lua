-- SPDX-License-Identifier: MIT
-- Firmware: a disk that UEFI boots from, and the file where it keeps its
-- variables.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

-- The first line makes a variable that is not lost when the power is.
local STARTUP = "set spec kept\r\nfs0:\\vmlinuz.efi initrd=\\initrd "
    .. "console=ttyS0 quiet cryptomgr.notests=1 unknown_nmi_panic panic=-1\r\n"

describe("a real guest with UEFI", function()
    local directory

    setup(function()
        directory = support.temporary "uefi"
        assert(os.execute("mkdir -p " .. directory .. "/fat"))
    end)

    teardown(function()
        support.nothing_left()
        os.execute("rm -r " .. directory)
    end)

    -- A FAT volume with the kernel, which is an EFI program, and a script that
    -- the firmware's shell runs. qemu-img makes a volume of a directory.
    local function disk()
        local function run(...) assert(os.execute(string.format(...))) end
        run("cp %s %s/fat/vmlinuz.efi", os.getenv "HCS_KERNEL", directory)
        run("cp %s %s/fat/initrd", os.getenv "HCS_INITRD", directory)
        local file = assert(io.open(directory .. "/fat/startup.nsh", "wb"))
        file:write(STARTUP)
        file:close()
        run("cd %s && qemu-img convert -O vhdx fat:fat disk.vhdx", directory)
        return directory .. "/disk.vhdx"
    end

    it("boots from a VHDX and keeps its variables", function()
        local state = directory .. "/state.vmgs"
        hcs.file.create_guest_state(state)
        local vm <close> = hcs.create {
            id = support.id "uefi", memory = "256M", firmware = "uefi", disks = { disk() },
            stop_on_reset = true,
            document = { VirtualMachine = { GuestState = { GuestStateFilePath = state } } },
        }
        vm:start()
        local console = vm:console()
        console:expect("any other key to continue", 120)
        console:write "\r"
        console:expect(support.UP, 120)
        local text = support.sh(vm, "ls -d /sys/firmware/efi; dmesg | grep -c 'EFI v'")
        assert.is_truthy(text:find("/sys/firmware/efi\n1", 1, true), text)
        vm:console():write "poweroff\n"
        assert.are.equal("GracefulExit", vm:wait("exited", 30).document.ExitType)
        assert.is_truthy(support.read(state):find("s\0p\0e\0c\0\0\0k\0e\0p\0t\0", 1, true))
    end)

    it("is refused with a guest state that is none", function()
        local junk = directory .. "/junk.vmgs"
        local file = assert(io.open(junk, "wb"))
        file:write(("junk"):rep(1000))
        file:close()
        local vm <close> = hcs.create {
            id = support.id "junk", memory = "128M", firmware = "uefi",
            document = { VirtualMachine = { GuestState = { GuestStateFilePath = junk } } },
        }
        local ok, err = pcall(vm.start, vm)
        assert.is_false(ok)
        assert.are.equal(0x80070570, err.hresult)
        assert.are.equal(4000, support.size(junk))
    end)
end)
