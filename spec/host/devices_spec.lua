-- SPDX-License-Identifier: MIT
-- What a real guest is given besides processors and memory: disks of every
-- format, a network, two serial ports, memory that comes and goes.
local support = require "spec.host.support"

local MIB = 1 << 20

local function shell(command, ...)
    assert(os.execute(command:format(...)))
end

describe("devices of a real guest", function()
    local directory, vm

    local function path(name) return directory .. "/" .. name end

    -- Random bytes as an image; a CD's sectors are 2 KiB.
    local function image(format, name)
        shell("head -c 1M /dev/urandom >%s", path "raw")
        shell("qemu-img convert -f raw -O %s %s %s", format, path "raw", path(name))
        return path(name)
    end

    -- The name of the disk at a place; Linux gives names in no order.
    local function device(lun)
        return support.sh(vm, ("ls /sys/bus/scsi/devices/*:%d/block"):format(lun)):match "^(%w+)\n"
    end

    -- The digest of the first MiB, as the guest and as the host see them.
    local function guest_digest(lun)
        local text = support.sh(vm, ("head -c 1048576 /dev/%s | sha1sum"):format(device(lun)))
        return (text:match "^%x+")
    end

    local function host_digest(format, name)
        return support.output(("qemu-img convert -U -f %s -O raw %s %s && head -c 1M %s | sha1sum")
            :format(format, path(name), path "back", path "back")):match "^%x+"
    end

    setup(function()
        directory = support.temporary "devices"
        shell("mkdir %s", directory)
        vm = support.guest("devices", {
            disks = { image("vhdx", "a.vhdx"), image("vpc", "b.vhd"), image("raw", "c.img"),
                { path = image("raw", "d.img"), read_only = true }, image("raw", "e.iso") },
            nics = { { mac = "00-15-5D-01-02-03" } },
            consoles = { "com1", "com2" },
        })
    end)

    teardown(function()
        vm:close()
        support.nothing_left()
        shell("rm -r %s", directory)
    end)

    local FORMATS = { "vhdx", "vpc", "raw", "raw", "raw" }
    local NAMES = { "a.vhdx", "b.vhd", "c.img", "d.img", "e.iso" }

    it("are disks that hold what was put there", function()
        for i, name in ipairs(NAMES) do
            assert.are.equal(host_digest(FORMATS[i], name), guest_digest(i - 1), name)
        end
    end)

    it("come and go while it runs", function()
        image("vhdx", "late.vhdx")
        for _ = 1, 2 do
            local disk = vm:attach_disk(path "late.vhdx")
            assert.are.equal("5", disk.lun)
            assert.is_true(support.eventually(10, function() return device(5) end))
            assert.are.equal(host_digest("vhdx", "late.vhdx"), guest_digest(5))
            vm:detach_disk(disk)
            assert.is_true(support.eventually(10, function() return not device(5) end))
        end
        local ok, err = pcall(vm.attach_disk, vm, path "no such.vhdx")
        assert.is_false(ok)
        assert.is_true(err:is "not_found")
        ok, err = pcall(vm.attach_disk, vm, { path = path "late.vhdx", lun = 0 })
        assert.is_false(ok)
        assert.is_true(err:is "exists", tostring(err))
        ok, err = pcall(vm.detach_disk, vm, { controller = "0", lun = "40" })
        assert.is_false(ok)
        assert.is_true(err:is "not_found")
    end)

    it("are a network card with its address, behind which nobody is", function()
        local text, status = support.sh(vm, "cat /sys/class/net/eth0/address"
            .. " && ifconfig eth0 10.0.2.15 && ! ping -c 1 -W 1 10.0.2.2")
        assert.are.equal(0, status, text)
        assert.is_truthy(text:find("00:15:5d:01:02:03", 1, true), text)
    end)

    it("are two serial ports", function()
        local second = vm:console "com2"
        local ended = support.begin(vm, "stty -F /dev/ttyS1 raw -echo;"
            .. " (echo ready >&0; head -n 1 >&0) <>/dev/ttyS1 2>/dev/null")
        second:expect("ready", 20)
        second:write "to the second and back\n"
        second:expect("to the second and back", 20)
        assert.are.equal(0, select(2, ended()))
        assert.is_nil(vm:console():text():find("to the second and back", 1, true))
    end)

    it("are memory that it gives back", function()
        local function free()
            return tonumber(support.sh(vm, "grep MemTotal /proc/meminfo"):match "(%d+) kB") << 10
        end
        local before = free()
        vm:set_memory "96M"
        assert.is_true(support.eventually(10, function() return before - free() >= 30 * MIB end))
        assert.are.equal(96 * 256,
            vm:properties "memory".Memory.VirtualMachineMemory.AssignedMemory)
        vm:set_memory "128M"
        assert.is_true(support.eventually(10, function() return free() >= before - MIB end))
        local ok, err = pcall(vm.set_memory, vm, "256M")
        assert.is_false(ok)
        assert.is_true(err:is "unsupported")
    end)

    it("keep a machine with an image from being saved, which is said", function()
        vm:pause()
        local ok, err = pcall(vm.save, vm, path "state.vmrs")
        vm:resume()
        assert.is_false(ok)
        assert.is_true(err:is "unsupported", tostring(err))
        assert.is_nil(support.size(path "state.vmrs"))
    end)

    it("are disks that keep what is written, unless they are read-only", function()
        local before, after = {}, {}
        for i, name in ipairs(NAMES) do
            before[i] = guest_digest(i - 1)
            local text, status = support.sh(vm,
                ("dd if=/dev/urandom of=/dev/%s bs=64k count=4 conv=notrunc,fsync")
                :format(device(i - 1)))
            assert.are.equal(name:find "^[de]" and 1 or 0, status, text)
            after[i] = guest_digest(i - 1)
        end
        vm:close()
        support.nothing_left()
        for i, name in ipairs(NAMES) do
            assert.are.equal(after[i], host_digest(FORMATS[i], name), name)
            assert.are.equal(name:find "^[de]" ~= nil, before[i] == after[i], name)
        end
    end)
end)
