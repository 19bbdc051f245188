-- SPDX-License-Identifier: MIT
-- core.open: libraries, hosts and their ends.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local platform = require "spec.platform"
local support = require "support"

after_each(support.finish)

local function functions()
    local list = {}
    for line in io.lines "src/abi/functions.def" do
        local build, name = line:match "^HCS_FUNCTION%(%w+, (%d+), %w+, [^,]+, (%w+),"
        if name then list[name] = tonumber(build) end
    end
    return list
end

describe("the module", function()
    it("says what it is", function()
        assert.are.equal(platform.windows and "windows" or "linux", core.platform)
        assert.is_string(core.version)
        assert.are.same(platform.windows and { "windows", "sim" } or { "qemu", "sim" }, core.kinds)
    end)

    it("names results", function()
        assert.are.equal("HCS_E_SYSTEM_ALREADY_STOPPED", core.symbol(0x80370110))
        assert.are.equal("HCS_E_SYSTEM_ALREADY_STOPPED", core.symbol(0x80370110 - (1 << 32)))
        assert.is_string(core.text(0x80370110))
        assert.is_nil(core.symbol(0x80999999))
        assert.is_nil(core.text(0x80999999))
        assert.has_error(function() core.symbol(1 << 32) end)
        assert.has_error(function() core.symbol "x" end)
    end)

    it("makes Ctrl-C an error, as often as it comes, and leaves no trace", function()
        assert.same({ true, 3, 4 }, { core.interruptible(function(...) return ... end, 3, 4) })
        assert.same({ false, "x" }, { core.interruptible(error, "x") })
        assert.has_error(function() core.interruptible(7) end)
        local text, status = support.child [[
            local core, platform = require "hcs.core", require "spec.platform"
            for _ = 1, 3 do
                print(core.interruptible(function()
                    platform.interrupt(0)
                    local limit = core.monotonic() + 10
                    repeat until core.monotonic() > limit
                end))
                print(debug.gethook())
            end]]
        assert.are.equal(("false\tinterrupted!\nnil\n"):rep(3), (text:gsub("\t[^\t]*: ", "\t")))
        assert.are.equal(0, status)
    end)

    it("knows the machine's clocks and processes", function()
        local before = core.monotonic()
        assert.are.equal("float", math.type(before))
        assert.is_true(core.monotonic() >= before)
        assert.is_true(math.abs(core.wall() - os.time()) < 3)
        assert.is_true(core.alive(core.pid()))
        assert.is_true(core.alive(platform.other()))
        assert.is_false(core.alive(0x7FFFFFFF))
        assert.has_error(function() core.alive(0) end)
        assert.has_error(function() core.alive(-1) end)
        assert.has_error(function() core.alive(1 << 40) end)
        assert.truthy(core.boot_id():match "^%x+%-%x+%-%x+%-%x+%-%x+$")
        assert.are.equal(require("lfs").currentdir(), core.cwd())
        assert.is_boolean(core.isatty(0))
        assert.has_error(function() core.isatty(-1) end)
        local text, status = support.child([[
            print(require("hcs.core").getenv "HCS_SPEC", require("hcs.core").getenv "HCS_NONE")]],
            { HCS_SPEC = "äß € 日本 😀", HCS_NONE = false })
        assert.are.equal("äß € 日本 😀\tnil\n", text)
        assert.are.equal(0, status)
        local stdin = core.standard(0)
        assert.is_true(stdin == nil or math.type(stdin) == "integer")
        assert.has_error(function() core.standard(3) end)
    end)
end)

describe("open", function()
    it("gives the functions that exist, by Microsoft's names", function()
        local api = support.open "sim:"
        for name in pairs(functions()) do assert.is_function(api[name], name) end
        for _, name in ipairs { "next", "pump", "now", "pollfd", "timeout", "step", "describe",
            "inventory", "close", "pipe_connect", "pipe_path", "queue_counts", "guest",
            "guest_print", "guest_wake", "guest_act" } do
            assert.is_function(api[name], name)
        end
        assert.are.equal("sim:", api.uri)
        assert.truthy(api.library:match(platform.windows and "^%u:\\.*\\hcshost%.dll$"
            or "^/.*/libhcshost%.so$"))
    end)

    it("leaves out what the simulated Windows does not have", function()
        local api = support.open "sim:?build=17763"
        for name, build in pairs(functions()) do
            if build > 17763 then
                assert.is_nil(api[name], name)
            else
                assert.is_function(api[name], name)
            end
        end
    end)

    it("describes the host", function()
        local api = support.open "sim:?driver=step&clock=manual&seed=7&build=22621"
        local about = core.json.decode(api.describe())
        assert.are.equal("sim", about.Kind)
        assert.are.equal("manual", about.Clock)
        assert.are.equal("step", about.Driver)
        assert.are.equal(7, about.Seed)
        assert.are.equal(22621, about.Build)
        assert.are.equal(0, core.json.decode(api.inventory()).Systems)
    end)

    it("returns why there is no host", function()
        for _, uri in ipairs { "nothing:", "sim:?bogus=1", "sim:?build=x", "", "sim" } do
            local api, hr, text = core.open(uri)
            assert.is_nil(api)
            assert.are.equal(0x80070057, hr)
            assert.are.equal(0x80070057, core.json.decode(text).Error & 0xFFFFFFFF)
        end
    end)

    it("has Windows' own service on Windows only", function()
        local api, hr, text = core.open "windows:"
        if not platform.windows then
            assert.is_nil(api)
            assert.are.equal(0x80070032, hr)
            assert.truthy(text:find("Windows", 1, true))
        elseif api then
            assert.truthy(api.library:lower():find("\\system32\\computecore.dll", 1, true))
            api.close()
        else
            assert.are.equal(0x8007007E, hr)
            assert.truthy(text:find("computecore", 1, true), text)
        end
    end)

    it("raises for what is no spec", function()
        for _, bad in ipairs { false, {}, "a\0b", "sim:?\xFF" } do
            assert.has_error(function() core.open(bad) end)
        end
        assert.has_error(function() core.open() end)
    end)

    it("takes a library by its absolute path", function()
        local path = support.open("sim:").library
        assert.are.equal(path, support.open("sim:?library=" .. path .. "&seed=3").library)
        local api = support.open("sim:?seed=3&library=" .. path)
        assert.are.equal(3, core.json.decode(api.describe()).Seed)
    end)

    it("says where it looked for a library", function()
        local function fails(path, hresult, words)
            local api, hr, text = core.open("sim:?library=" .. path)
            assert.is_nil(api)
            assert.are.equal(hresult, hr)
            assert.truthy(text:find(words, 1, true), text)
        end
        fails("libhcshost.so", 0x80070057, "absolute")
        local nowhere = platform.path "nowhere/x.so"
        fails(nowhere, 0x80070002, nowhere)
        local none = platform.here "README.md"
        fails(none, platform.windows and 0x800700C1 or 0x80070002, none)
        fails(platform.path(("x"):rep(40000)), 0x80070057, "long")
        fails(platform.foreign(), 0x80070570, "is not a host library")
    end)

    it("heeds HCS_LIBRARY", function()
        local nowhere = platform.path "nowhere/at/all.so"
        local text, status = support.child([[
            local api, hr, text = require "hcs.core".open "sim:"
            print(api, hr, text)]], { HCS_LIBRARY = nowhere })
        assert.are.equal(0, status)
        assert.truthy(text:find("2147942402", 1, true))
        assert.truthy(text:find(nowhere, 1, true))
        assert.truthy(text:find("HCS_LIBRARY", 1, true))
    end)
end)

describe("a closed host", function()
    it("raises from every function, and from nothing else", function()
        local api = support.open "sim:?driver=step"
        local operation = api.HcsCreateOperation()
        api.close()
        api.close()
        for name, call in pairs(api) do
            if type(call) == "function" and name ~= "close" then
                local ok, message = pcall(call, operation, operation, operation)
                assert.is_false(ok, name)
                assert.truthy(message:find("'sim:?driver=step' is closed", 1, true), name)
            end
        end
        operation:close()
        assert.is_false(operation:is_open())
        assert.truthy(tostring(operation):find("(closed)", 1, true))
    end)

    it("took its handles with it", function()
        for _, driver in ipairs(support.drivers) do
            local api = support.open(support.uri(driver))
            local system, operation = support.started(api, "one")
            api.close()
            assert.is_false(system:is_open())
            assert.is_false(operation:is_open())
        end
    end)

    it("closes with its last function", function()
        support.finish() -- what other specs left
        local before = platform.settled(platform.descriptors)
        for _ = 1, 30 do
            local api = core.open(support.uri "thread")
            support.started(api, "one")
        end
        support.finish()
        assert.are.equal(before, platform.settles(platform.descriptors, before))
    end)

    it("stays open while a handle lives", function()
        local api = core.open(support.uri "step")
        local operation = api.HcsCreateOperation()
        local watch = setmetatable({ api.next }, { __mode = "v" })
        api = nil -- luacheck: ignore
        collectgarbage()
        collectgarbage()
        assert.is_nil(watch[1])
        assert.is_true(operation:is_open())
        operation:close()
    end)
end)

describe("two hosts", function()
    it("are worlds apart", function()
        local one, two = support.open(support.uri "step"), support.open(support.uri "thread")
        local system, operation = support.started(one, "same")
        local other, second = support.started(two, "same")
        assert.are_not.equal(system, other)
        for _, call in ipairs {
            function() two.HcsGetOperationType(operation) end,
            function() one.HcsStartComputeSystem(other, operation) end,
            function() one.HcsStartComputeSystem(system, second) end,
        } do
            local ok, message = pcall(call)
            assert.is_false(ok)
            assert.truthy(message:find("another host", 1, true))
        end
        one.close()
        local document = support.finished(two, second, two.HcsEnumerateComputeSystems(nil, second))
        assert.are.equal("same", core.json.decode(document)[1].Id)
    end)

    it("do not mix what has no handle", function()
        local one = support.open "sim:?driver=step&build=17763"
        local two = support.open "sim:?driver=step&build=26100"
        local _, old = one.HcsGetServiceProperties('{"PropertyTypes":["Basic"]}')
        local _, new = two.HcsGetServiceProperties('{"PropertyTypes":["Basic"]}')
        assert.are_not.equal(old, new)
    end)

    it("can be many", function()
        local list, systems = {}, {}
        for i = 1, 50 do
            list[i] = support.open(support.uri(support.drivers[i % 2 + 1]))
            systems[i] = support.create(list[i], "s" .. i)
        end
        for i = 1, 50 do
            assert.are.equal(1, core.json.decode(list[i].inventory()).Systems)
            assert.is_true(systems[i]:is_open())
        end
    end)
end)
