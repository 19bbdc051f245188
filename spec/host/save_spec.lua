-- SPDX-License-Identifier: MIT
-- Saving, restoring and cloning real guests; disks.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

describe("a saved real guest", function()
    after_each(support.nothing_left)

    it("goes on where it was", function()
        local path = support.temporary("state.vmrs")
        local options = support.options("save")
        do
            local vm <close> = support.boot(hcs.create(options))
            support.sh(vm, "echo remembered >/tmp/note")
            vm:pause { reason = "save" }
            vm:save(path)
            assert.are.equal("Paused", vm:state())
            vm:terminate()
            vm:wait("exited", 10)
        end
        options.restore = path
        options.if_exists = "replace"
        local again <close> = hcs.create(options)
        again:start()
        assert.is_truthy(support.sh(again, "cat /tmp/note"):find("remembered", 1, true))
        os.remove(path)
    end)

    it("is refused when it is no saved state", function()
        local path = support.temporary("junk.vmrs")
        local file = assert(io.open(path, "w"))
        file:write(("junk"):rep(1000))
        file:close()
        local vm <close> = hcs.create(support.options("junk", { restore = path }))
        assert.is_false((pcall(vm.start, vm)))
        vm:close()
        os.remove(path)
    end)
end)

describe("clones of a template", function()
    after_each(support.nothing_left)

    it("have its past and lives of their own", function()
        local scope <close> = hcs.scope()
        local template = scope:create(support.options("template"))
        support.boot(template)
        support.sh(template, "echo common >/tmp/note")
        template:pause { reason = "template" }
        template:save_template()
        assert.are.equal("SavedAsTemplate", template:state())
        local clones = {}
        for i = 1, 3 do
            clones[i] = scope:create(support.options("clone", { template = template.id }))
            clones[i]:start()
            support.sh(clones[i], "echo mine " .. i .. " >>/tmp/note")
        end
        for i, clone in ipairs(clones) do
            local note = support.sh(clone, "cat /tmp/note")
            assert.is_truthy(note:find("common", 1, true), note)
            assert.is_truthy(note:find("mine " .. i, 1, true), note)
            assert.is_nil(note:find("mine " .. (i % 3 + 1), 1, true), note)
        end
        local ok = pcall(template.resume, template)
        assert.is_false(ok)
    end)
end)

describe("disks of a real guest", function()
    after_each(support.nothing_left)

    local function image(format, name)
        local path = support.temporary(name)
        assert(os.execute(("qemu-img create -q -f %s %s 16M"):format(format, path)))
        return path
    end

    it("are found, written and read in every format", function()
        local paths = { image("vhdx", "a.vhdx"), image("vpc", "b.vhd"), image("raw", "c.img") }
        local vm <close> = support.guest("disks", { disks = paths })
        for _, letter in ipairs { "a", "b", "c" } do
            local text, status = support.sh(vm, ("echo kept on %s >/dev/sd%s; head -c 9 /dev/sd%s")
                :format(letter, letter, letter))
            assert.are.equal(0, status)
            assert.is_truthy(text:find("kept on " .. letter, 1, true), text)
        end
        vm:close()
        for _, path in ipairs(paths) do os.remove(path) end
    end)
end)
