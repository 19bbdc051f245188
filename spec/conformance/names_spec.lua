-- SPDX-License-Identifier: MIT
-- Names and texts of any script: ids, files, owners, what is typed and printed.
-- No code page has them all.
local core = require "hcs.core"
local helper = require "spec.helper"
local platform = require "spec.platform"

local NAME = "äß ‽€ Ωжק日本 😀"

for _, uri in ipairs(helper.hosts()) do
    describe("names on " .. uri, function()
        local hcs, files

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
            files = {}
        end)

        after_each(function()
            for _, path in ipairs(files) do
                platform.remove(path)
                platform.remove(path .. ".json") -- what a dump is of
            end
            helper.after()
        end)

        local function file(text)
            local path = platform.temporary(text, NAME)
            files[#files + 1] = path
            return path
        end

        it("are those of ids, owners and what is typed", function()
            local vm <close> = assert(hcs.create(helper.guest(NAME, { owner = NAME .. " & co" })))
            assert.equal(NAME, vm.id)
            assert(vm:start())
            local console = vm:console()
            assert(helper.up(uri, vm))
            assert(console:write(("echo %s\n"):format(NAME)))
            assert(console:expect(NAME, 60))
            local record = assert(hcs.list { id = NAME, owner = NAME .. " & co" })[1]
            assert.equal(NAME, record.id)
            local again <close> = assert(hcs.open(NAME))
            assert.equal(vm.runtime_id, again.runtime_id)
            local other, err = hcs.create(helper.guest(NAME))
            assert.is_nil(other)
            assert.equal(NAME, err.target)
            assert.truthy(tostring(err):find(NAME, 1, true))
            assert(vm:terminate())
        end)

        it("may be long", function()
            local vm <close> = assert(hcs.create(helper.guest(("😀"):rep(100) .. ("x"):rep(200))))
            assert(vm:start())
            assert(helper.up(uri, vm))
            assert(vm:terminate())
        end)

        it("are those of files that a system reads and writes", function()
            local dump, state = file(), file()
            local more = { dump = dump, stop_on_reset = true }
            if hcs.host.kind == "sim" then more.kernel = file "a kernel" end
            local vm <close> = assert(hcs.create(helper.guest("files", more)))
            assert(vm:start())
            assert(helper.up(uri, vm))
            assert(vm:pause { reason = "save" })
            assert(vm:save(state, 60))
            assert.truthy(core.file_size(state) > 0)
            assert(vm:resume())
            assert(vm:crash())
            local written = assert(assert(vm:wait("crash", 120)).dumps[1])
            assert.equal(dump, written.path)
            assert.equal(core.file_size(dump), written.bytes)
            assert.equal("\x7fELF", core.read_file(dump):sub(1, 4))
            assert(vm:wait("exited", 60))
        end)

        it("are those of files that are missing", function()
            local path = platform.path("nowhere/" .. NAME)
            local vm, err = hcs.create(helper.guest("missing", { kernel = path }))
            if vm then
                local ok
                ok, err = vm:start()
                vm:close()
                assert.is_nil(ok)
            end
            assert.truthy(err:is "not_found")
            assert.truthy(tostring(err):find(path, 1, true), tostring(err))
        end)
    end)
end
