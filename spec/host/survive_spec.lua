-- SPDX-License-Identifier: MIT
-- Scripts, workers and QEMUs that are killed; systems that outlive a script.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local function alive(pid)
    local status = support.read(("/proc/%d/stat"):format(pid))
    return status ~= "" and not status:find("%) Z")
end

describe("a system whose script is killed", function()
    after_each(support.nothing_left)

    it("is gone within two seconds", function()
        local pid, out = support.script [[
            local vm = support.guest("killed", { id = "spec-killed" })
            print(vm.runtime_id)
            io.stdout:flush()
            hcs.sleep(600)
        ]]
        assert(support.eventually(120, function() return #support.read(out) > 30 end),
            support.read(out))
        local runtime_id = support.read(out):match("%x+%-[%x-]+")
        assert.are.equal(1, #support.processes("qemu-system", runtime_id))
        support.kill(pid)
        assert.is_true(support.eventually(2, function()
            return #support.processes("qemu-system", runtime_id) == 0
        end))
    end)

    it("lives on if it was made to, and another process finds it", function()
        local pid, out = support.script [[
            local vm = support.guest("kept", { id = "spec-kept", keep = true })
            vm:console():write("echo a word for later\n")
            vm:console():expect("a word for later", 30)
            print "ready"
            io.stdout:flush()
            hcs.sleep(600)
        ]]
        assert(support.eventually(120, function() return support.read(out):find("ready") end),
            support.read(out))
        support.kill(pid)
        hcs.sleep(0.5)
        local vm <close> = hcs.open "spec-kept"
        assert.are.equal("Running", vm:state())
        vm:console():expect("a word for later", 20)
        vm:terminate()
        assert.are.equal("ForcedExit", vm:wait("exited", 20).document.ExitType)
    end)

    it("is swept by its owner's tag", function()
        local pid, out = support.script [[
            support.guest("swept", { id = "spec-swept", keep = true })
            print "ready"
            io.stdout:flush()
            hcs.sleep(600)
        ]]
        assert(support.eventually(120, function() return support.read(out):find("ready") end),
            support.read(out))
        assert.are.equal(0, #hcs.sweep())
        support.kill(pid)
        local swept
        assert.is_true(support.eventually(5, function()
            swept = hcs.sweep()
            return #swept > 0
        end))
        assert.are.equal(1, #swept)
        assert.are.equal("spec-swept", swept[1].id)
    end)
end)

describe("a system whose machine is killed", function()
    after_each(support.nothing_left)

    local function exit_after_kill(program)
        local vm <close> = support.guest("shot")
        local qemu = support.processes("qemu-system", vm.runtime_id)[1]
        local target = program == "qemu" and qemu
            or math.tointeger(support.read(("/proc/%d/stat"):format(qemu)):match("%) %a (%d+)"))
        support.kill(target)
        local exit = vm:wait("exited", 10)
        assert.are.equal("UnexpectedExit", exit.document.ExitType)
        local ok, err = pcall(vm.pause, vm)
        assert.is_false(ok)
        assert.are.equal(0x80370110, err.hresult)
        assert.is_true(support.eventually(2, function() return not alive(qemu) end))
    end

    it("exits unexpectedly when QEMU dies", function()
        exit_after_kill "qemu"
    end)

    it("exits unexpectedly when its worker dies, and QEMU with it", function()
        exit_after_kill "worker"
    end)
end)

describe("what cannot be made", function()
    after_each(support.nothing_left)

    local function refused(more, family)
        local options = support.options("refused", more)
        local ok, err = pcall(function()
            local vm <close> = hcs.create(options)
            vm:start()
        end)
        assert.is_false(ok)
        assert.are.equal("hcs.Error", getmetatable(err).__name)
        assert.is_true(err:is(family), tostring(err) .. " is " .. tostring(err.code))
        return err
    end

    it("leaves nothing behind", function()
        refused({ kernel = "/no/such/kernel" }, "not_found")
        refused({ memory = "1T" }, "limit")
        refused({ document = { VirtualMachine = { NoSuchMember = true } } }, "invalid_document")
        local none = { ComputeTopology = { Memory = { SizeInMB = 0 } } }
        refused({ document = { VirtualMachine = none } },
            "invalid_document")
    end)
end)
