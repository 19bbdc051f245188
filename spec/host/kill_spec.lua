-- SPDX-License-Identifier: MIT
-- Scripts and workers that are killed at any point of a life, not only where
-- survive_spec.lua stops them: at moments spread over the whole of it, and at
-- others that are drawn. HCS_SPEC_SEED draws the same once more.
local core = require "hcs.core"
local hcs = require "hcs.strict"
local support = require "spec.host.support"

local SPREAD, DRAWN = 24, 12
local LIMIT = 2 -- seconds until nothing is left of a system

local seed = math.tointeger(os.getenv "HCS_SPEC_SEED") or os.time()
local count = 0

-- A GUID is its own runtime id, so the command lines of its processes hold it; with
-- our process in it, since others may run this, too.
local function next_id()
    count = count + 1
    return ("6b696c6c-0000-4000-8000-%06x%06x"):format(core.pid() & 0xFFFFFF, count)
end

-- The processes of a system, as text.
local function processes(id)
    local list = {}
    for _, name in ipairs { "qemu-system", "hcs-vmwp" } do
        for _, pid in ipairs(support.processes(name, id)) do
            if support.alive(pid) then list[#list + 1] = ("%s %d"):format(name, pid) end
        end
    end
    return table.concat(list, ", ")
end

-- A life; it says when it begins and how long it was. It waits for its end then.
local LIFE = [[
    local core = require "hcs.core"
    local began = core.monotonic()
    os.execute(%q)
    local vm = hcs.create(support.options("life", { id = %q, template = %q,
        dump = { path = %q, type = "elf" } }))
    vm:start()
    vm:console():write "echo a word\n"
    vm:console():expect("a word", 30)
    vm:pause()
    vm:save(%q)
    vm:resume()
    vm:crash()
    vm:wait("crash_report", 30)
    vm:terminate()
    vm:close()
    print("lasted", core.monotonic() - began)
]]

describe("a life", function()
    local directory, lasted, whole

    -- Runs a life; `command` is what the shell does at its beginning.
    local function live(id, command, after)
        local script, out = support.script(LIFE:format(command, id, support.template_id(),
            directory .. "/dump", directory .. "/state") .. (after or ""))
        assert.is_true(support.eventually(60, function() return not support.alive(script) end))
        return out()
    end

    -- What a system left: processes, and files of it that are not whole.
    local function remains(id)
        local names = support.output("ls -A " .. directory):gsub("%f[%w]dump\n", "")
            :gsub("%f[%w]state\n", "")
        -- What lies beside a dump comes after it.
        local dump = support.size(directory .. "/dump")
        if dump then names = names:gsub("%f[%w]dump%.json\n", "") end
        local state = support.read(directory .. "/state")
        local left = processes(id)
        if names ~= "" then left = left .. " files " .. names end
        if state ~= "" and state:match '"StreamBytes":%s*"?(%d+)' ~= tostring(#state - 4096) then
            left = left .. " a part of the state"
        end
        if dump and dump ~= whole then left = left .. " a part of the dump" end
        return left
    end

    local function goes(id, text)
        local left
        local ok = support.eventually(LIMIT, function()
            left = remains(id)
            return left == ""
        end)
        assert(ok, ("%s (seed %d): left: %s"):format(text, seed, left))
        support.nothing_left()
        os.execute(("rm -f %s/*"):format(directory))
    end

    setup(function()
        directory = support.temporary "lives"
        os.execute("mkdir " .. directory)
        local said = live(next_id(), "true")
        lasted = tonumber(said:match "lasted%s+([%d.]+)")
        assert(lasted, said)
        whole = support.size(directory .. "/dump")
        os.execute(("rm -f %s/*"):format(directory))
        support.forget_scripts()
    end)

    teardown(function()
        os.execute("rm -rf " .. directory)
        support.finish()
    end)

    after_each(support.forget_scripts)

    -- Whether the life was not over.
    local function killed_at(moment)
        local id = next_id()
        local said = live(id, ("(sleep %.4f; kill -KILL $PPID) &"):format(moment),
            "hcs.sleep(60)")
        goes(id, ("killed after %.4f s of %.3f"):format(moment, lasted))
        return not said:find("lasted", 1, true)
    end

    it("leaves nothing wherever its script is killed", function()
        local early = 0
        for i = 0, SPREAD - 1 do
            if killed_at(lasted * i / (SPREAD - 1)) then early = early + 1 end
        end
        assert.is_true(early > SPREAD / 2)
    end)

    it("leaves nothing at moments that are drawn", function()
        math.randomseed(seed)
        for _ = 1, DRAWN do killed_at(lasted * math.random()) end
    end)

    it("fails, and leaves nothing, wherever its worker is killed", function()
        math.randomseed(seed)
        for _ = 1, DRAWN do
            local id, moment = next_id(), lasted * math.random()
            local said = live(id, ([[(sleep %.4f; kill -KILL $(pgrep -f -- '--serv[e] .*%s')) &]])
                :format(moment, id))
            local text = ("worker killed after %.4f s of %.3f: %s"):format(moment, lasted, said)
            -- Whole, or an error; not a wait for what never comes.
            assert(said:find("lasted", 1, true) or said:find "script%.lua:%d+: ", text)
            -- Where files cannot be without names it had no time to take them away.
            os.execute(("rm -f %s/*.*"):format(directory))
            goes(id, text)
        end
    end)
end)

describe("what is killed", function()
    after_each(support.nothing_left)
    after_each(support.forget_scripts)

    -- Starts a system that need not come up.
    local function start(stem, more)
        local vm = hcs.create(support.options(stem, more))
        vm:start()
        return vm
    end

    local function on_pipe(name)
        return { consoles = { { name = "com1", pipe = "\\\\.\\pipe\\" .. name } } }
    end

    local function reachable(vm, name)
        local stream <const> = assert(vm._world.api.pipe_connect("\\\\.\\pipe\\" .. name))
        stream:close()
    end

    it("takes a QEMU with it that does not obey", function()
        local id = next_id()
        local pid, out = support.script(([[
            vm = hcs.create(support.options("deaf", { id = %q }))
            vm:start()
            print "here"
            hcs.sleep(60)
        ]]):format(id))
        support.printed(out, "here")
        support.kill(support.processes("qemu-system", id)[1], "STOP")
        support.kill(pid)
        assert.is_true(support.eventually(LIMIT, function() return processes(id) == "" end))
    end)

    it("is gone also before its worker looked, with a child that has its socket", function()
        local id = next_id()
        local vm = start("orphan", { id = id })
        local worker = support.processes("hcs-vmwp", id)[1]
        support.kill(worker, "STOP")
        local _, out = support.script(([[
            local core = require "hcs.core"
            local api = core.open "qemu:"
            local hr, handle = api.HcsOpenComputeSystem(%q, 0x10000000)
            assert(hr == 0 and handle)
            local script = core.pid()
            local child = require("hcs.spec_unix").fork()
            if child ~= 0 then print("these", script, child) end
            os.execute "exec sleep 30"
        ]]):format(id), "exec timeout 60") -- which looks after its child's end at once
        local script, child = support.printed(out, "these"):match "these%s+(%d+)%s+(%d+)"
        support.kill(script)
        assert.is_true(support.eventually(10, function()
            return support.read(("/proc/%d/stat"):format(script)) == ""
        end))
        support.kill(worker, "CONT")
        hcs.sleep(0.2) -- it takes the connection
        vm:close()
        local gone = support.eventually(LIMIT, function() return processes(id) == "" end)
        support.kill(child)
        assert.is_true(gone)
    end)

    it("does not take the pipe of a later system with it", function()
        local pipe = on_pipe "spec-heir"
        local heir <close> = hcs.create(support.options("heir", pipe))
        local id = next_id()
        pipe.id = id
        local dead <close> = start("dead", pipe)
        support.kill(support.processes("hcs-vmwp", id)[1])
        dead:wait("exited", 10)
        heir:start()
        hcs.host.inventory() -- sweeps what is left of the dead one
        reachable(heir, "spec-heir")
    end)

    it("has given up the pipe of a start that failed", function()
        local disk = support.temporary "disk"
        local file = assert(io.open(disk, "w"))
        file:write(("\0"):rep(1 << 20))
        file:close()
        local pipe = on_pipe "spec-given"
        pipe.disks = { disk }
        local owner = start("owner", { disks = { disk } })
        local refused = hcs.create(support.options("refused", pipe))
        assert.is_false(pcall(refused.start, refused))
        pipe.disks = nil
        local heir <close> = start("heir", pipe)
        refused:close()
        owner:close()
        assert.is_true(support.eventually(LIMIT, function()
            return hcs.host.inventory().systems == 1
        end))
        reachable(heir, "spec-given")
        os.remove(disk)
    end)
end)
