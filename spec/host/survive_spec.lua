-- SPDX-License-Identifier: MIT
-- Scripts, workers and QEMUs that are killed; systems that outlive a script.
-- What must go is gone within two seconds: support.nothing_left.
local core = require "hcs.core"
local hcs = require "hcs.strict"
local support = require "spec.host.support"

describe("a system whose script is killed", function()
    after_each(support.nothing_left)
    after_each(support.forget_scripts)

    -- Runs a script that stops at `moment`, where it is killed.
    local function killed_at(moment, text)
        local pid, out = support.script(([[
            function moment() print "here"; os.execute "sleep 60" end
            %s
            moment()
        ]]):format(text))
        local runtime_id = support.printed(out, "here"):match "%x+%-[%x-]+"
        support.kill(pid)
        return runtime_id, moment
    end

    it("is gone within two seconds", function()
        local runtime_id = killed_at("running", [[
            vm = support.guest("killed")
            print(vm.runtime_id)
        ]])
        assert.is_true(support.eventually(2, function()
            return #support.processes("qemu-system", runtime_id) == 0
        end))
    end)

    local MOMENTS = {
        ["after it was created"] = [[vm = hcs.create(support.options "early")]],
        ["with a creation under way"] = [[hcs.create_async(support.options "early")]],
        ["with its start under way"] = [[
            vm = hcs.create(support.options "early")
            vm:start_async()]],
        ["while it boots"] = [[
            vm = hcs.create(support.options "early")
            vm:start()]],
        ["while it is paused"] = [[
            vm = support.guest "paused"
            vm:pause()]],
        ["while it is saved"] = [[
            vm = support.guest "saved"
            vm:pause()
            vm:save_async("%s.vmrs")]],
        ["while it is dumped"] = [[
            vm = support.guest("dumped", { dump = { path = "%s", type = "kdump" } })
            vm:crash()
            vm:wait("crash_initiated", 30)]],
    }
    for moment, text in pairs(MOMENTS) do
        it("is gone " .. moment, function()
            local file = support.temporary "at"
            killed_at(moment, text:gsub("%%s", file))
            support.nothing_left()
            -- Complete or not there, but for what the worker had no time to take away.
            os.remove(file)
            os.remove(file .. ".vmrs")
            assert.are.equal("", support.output(("ls -d %s* 2>/dev/null"):format(file)))
        end)
    end

    it("is not made when it is killed with several creations under way", function()
        for _, delay in ipairs { 0, 0.005, 0.02, 0.06 } do
            local pid, out = support.script [[
                print "here"
                for i = 1, 3 do hcs.create_async(support.options "burst") end
                hcs.sleep(60)
            ]]
            support.printed(out, "here")
            hcs.sleep(delay)
            support.kill(pid)
            support.nothing_left()
        end
    end)

    it("lives on if it was made to, and another process finds it", function()
        killed_at("kept", [[
            vm = support.guest("kept", { id = "spec-kept", keep = true })
            vm:console():write("echo a word for later\n")
            vm:console():expect("a word for later", 30)
        ]])
        local vm <close> = hcs.open "spec-kept"
        assert.are.equal("Running", vm:state())
        vm:console():expect("a word for later", 20)
        vm:terminate()
        assert.are.equal("ForcedExit", vm:wait("exited", 20).document.ExitType)
    end)

    it("is swept by its owner's tag, once its owner is dead", function()
        local pid, out = support.script [[
            vm = hcs.create(support.options("swept", { id = "spec-swept", keep = true }))
            vm:start()
            print "here"
            hcs.sleep(60)
        ]]
        support.printed(out, "here")
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
    teardown(support.finish)

    -- The processes of a system: its QEMU and its worker.
    local function processes(vm)
        local qemu = support.processes("qemu-system", vm.runtime_id)[1]
        local worker = support.read(("/proc/%d/stat"):format(qemu)):match "%) %a (%d+)"
        return { qemu = qemu, worker = math.tointeger(worker) }
    end

    local function ends(vm, which)
        local pids = processes(vm)
        support.kill(pids[which])
        local start = core.monotonic()
        local exit = vm:wait("exited", 10)
        assert.is_true(core.monotonic() - start < 2)
        assert.are.equal("UnexpectedExit", exit.document.ExitType)
        for _, verb in ipairs { "pause", "resume", "crash" } do
            local ok, err = pcall(vm[verb], vm)
            assert.is_false(ok)
            assert.are.equal(0x80370110, err.hresult)
        end
        assert.is_true(support.eventually(2, function()
            return not support.alive(pids.qemu) and not support.alive(pids.worker)
        end))
    end

    for _, which in ipairs { "qemu", "worker" } do
        it("exits unexpectedly when it is its " .. which, function()
            local vm <close> = support.clone "shot"
            ends(vm, which)
        end)

        it("exits for every handle when it is its " .. which, function()
            local vm <close> = support.clone "shot"
            local other <close> = hcs.open(vm.id)
            support.kill(processes(vm)[which])
            assert.are.equal("UnexpectedExit", vm:wait("exited", 10).document.ExitType)
            assert.are.equal("UnexpectedExit", other:wait("exited", 10).document.ExitType)
        end)

        it("has what was asked of it fail when it is its " .. which, function()
            local vm <close> = support.clone "shot"
            local pids = processes(vm)
            vm:pause()
            local path = support.temporary "never.vmrs"
            support.kill(pids.qemu, "STOP") -- so that the save is under way
            local op = vm:save_async(path)
            hcs.sleep(0.1)
            assert.is_false(op:done())
            support.kill(pids[which])
            local ok, err = pcall(op.wait, op, 10)
            assert.is_false(ok)
            assert.is_true(err:is "stopped" or err.hresult == 0x80370107, tostring(err))
            vm:wait("exited", 10)
            assert.is_nil(support.size(path))
            os.execute(("rm -f %s.*"):format(path)) -- a killed worker's
        end)
    end

    it("gives its id to the next at once", function()
        local first <close> = support.clone("shot", { id = "spec-again" })
        support.kill(processes(first).worker)
        first:wait("exited", 10)
        local second <close> = support.clone("shot", { id = "spec-again" })
        assert.are.equal("Running", second:state())
    end)
end)
