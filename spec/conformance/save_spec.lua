-- SPDX-License-Identifier: MIT
-- Saved states, templates and clones: traces 5, 6 and 7.
local helper = require "spec.helper"
local lfs = require "lfs"
local platform = require "spec.platform"

for _, uri in ipairs(helper.hosts()) do
    describe("saving on " .. uri, function()
        local hcs, file

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
            file = platform.temporary()
        end)

        after_each(function()
            os.remove(file)
            helper.after()
        end)

        local TICK = { pattern = "hcs%-guest: tick (%d+)" }
        local TICKING = { cmdline = "console=ttyS0 quiet hcs.tick=50" }

        local function ticking(id, more)
            local given = helper.guest(id, TICKING)
            for key, value in pairs(more or {}) do given[key] = value end
            local vm = assert(hcs.create(given))
            assert(vm:start())
            return vm
        end

        it("saves what is paused, and continues from the file", function()
            local vm <close> = ticking("saved")
            local _, reached = assert(vm:console():expect(TICK, 120))
            local ok, err = vm:save(file)
            assert.is_nil(ok)
            assert.equal(0x80370105, err.hresult)
            assert.truthy(err.hint:find("pause", 1, true))
            assert(vm:pause { reason = "save" })
            assert(vm:save(file, 60))
            assert.equal("Paused", vm:state())
            assert(io.open(file, "rb")):close()
            assert(vm:terminate())
            assert.equal("ForcedExit", assert(vm:wait("exited", 60)).document.ExitType)
            vm:close()
            local next_vm <close> = assert(hcs.create(helper.guest("saved",
                { restore = file, cmdline = TICKING.cmdline })))
            assert.equal("Created", next_vm:state())
            assert(next_vm:start())
            assert.equal("Running", next_vm:state())
            local _, number = assert(next_vm:console():expect(TICK, 60))
            assert.truthy(tonumber(number) > tonumber(reached), number)
            assert(next_vm:terminate())
        end)

        -- Of a link itself, where there are some; without a name it fails on Windows.
        local look = platform.windows and lfs.attributes or lfs.symlinkattributes

        -- What is no file at `file` stays as it is when vm's method would write there.
        local function refuses(vm, method)
            local target = platform.temporary("as it was")
            local places = { [lfs.mkdir] = lfs.rmdir }
            if not platform.windows then
                places[function(path) return lfs.link(target, path, true) end] = os.remove
            end
            for make, remove in pairs(places) do
                assert(make(file))
                local before = look(file)
                local ok, err = vm[method](vm, file)
                assert.is_nil(ok)
                assert.truthy(tostring(err):find(file, 1, true), tostring(err))
                assert.same(before, look(file))
                assert(remove(file))
            end
            assert.equal("as it was", platform.read(target))
            platform.remove(target)
        end

        it("and capturing write in the place of a file only", function()
            local vm <close> = ticking("place")
            refuses(vm, "capture")
            assert(vm:pause())
            refuses(vm, "save")
            assert(vm:save(file, 60))
            assert(vm:terminate())
        end)

        it("resumes after a save", function()
            local vm <close> = ticking("resumed")
            assert(vm:pause())
            assert(vm:save(file, 60))
            assert(vm:resume())
            assert.equal("Running", vm:state())
            assert(vm:terminate())
        end)

        it("refuses a file that is missing or no saved state", function()
            local function fails(id, path)
                local vm, err = hcs.create(helper.guest(id, { restore = path }))
                if not vm then return err end
                local ok
                ok, err = vm:start()
                vm:close()
                assert.is_nil(ok)
                return err
            end
            assert.equal(0x80070002, fails("missing", "/nowhere/x.vmrs").hresult)
            local junk = assert(io.open(file, "w"))
            junk:write("this is no saved state\n")
            junk:close()
            assert.equal(0x80070570, fails("junk", file).hresult)
        end)

        it("makes a template and clones it", function()
            local vm <close> = ticking("template")
            assert(vm:console():expect(TICK, 120))
            assert(vm:pause { reason = "template" })
            assert(vm:save_template(60))
            assert.equal("SavedAsTemplate", vm:state())
            assert.is_true(assert(vm:properties()).IsRuntimeTemplate)
            local ok, err = vm:resume()
            assert.is_nil(ok)
            assert.truthy(err:is("invalid_state"))
            local clone <close> = assert(hcs.create(helper.guest("clone",
                { template = "template", cmdline = TICKING.cmdline })))
            assert(clone:start())
            assert.equal(vm.runtime_id, assert(clone:properties()).RuntimeTemplateId)
            assert(clone:console():expect(TICK, 60))
            ok, err = vm:terminate()
            assert.is_nil(ok)
            assert.truthy(err:is("invalid_state"))
            assert(clone:terminate())
            assert(clone:wait("exited", 10))
            clone:close()
            assert(vm:terminate())
        end)
    end)
end
