-- SPDX-License-Identifier: MIT
-- Simulated guests run by Lua, and the pipes of their serial ports.
package.path = "spec/core/?.lua;" .. package.path
local core = require "hcs.core"
local platform = require "spec.platform"
local support = require "support"

after_each(support.finish)

-- The number of the guest that boots, and its system's id.
local function booted(api)
    return support.expect(api, function(kind, number, event, text)
        return kind == "guest" and event == "boot" and { number = number, id = text }
    end)
end

local function guest_event(api, number, event)
    return support.expect(api, function(kind, n, e, text)
        return kind == "guest" and n == number and e == event and { text = text }
    end)
end

-- Reads until `enough` says so of what was read.
local function read(api, pipe, enough)
    local text = ""
    local deadline = core.monotonic() + 10
    while not enough(text) and core.monotonic() < deadline do
        local bytes = assert(pipe:read())
        text = text .. bytes
        if bytes == "" then api.pump(0.05, { [pipe:fd()] = "r" }) end
    end
    return text
end

for _, driver in ipairs(support.drivers) do
    describe("a guest's program (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("boots, is woken and hears the button", function()
            assert.is_true(api.guest(nil, true))
            local system, operation = support.started(api, "a", support.document("com"))
            local guest = booted(api)
            assert.are.equal("a", guest.id)
            assert.is_true(api.guest_wake(guest.number, 0.01))
            guest_event(api, guest.number, "wake")
            api.HcsSetComputeSystemCallback(system, 0, nil, true)
            assert.is_true(api.guest_act(guest.number, "poweroff"))
            local exit = support.expect(api, function(kind, s, type, json)
                return kind == "event" and s == system and type == support.EXITED and json
            end)
            assert.are.equal("GracefulExit", core.json.decode(exit).ExitType)
            operation:close()
        end)

        it("prints and is written to", function()
            api.guest("b", true)
            local system = support.started(api, "b", support.document("com-b"))
            local guest = booted(api)
            local pipe = assert(api.pipe_connect "\\\\.\\pipe\\com-b")
            assert.truthy(tostring(pipe):match '^HCS_PIPE ".*com%-b"$')
            assert.is_true(api.guest_print(guest.number, 0, "hello\0there\n"))
            local text = read(api, pipe, function(t) return #t >= 12 end)
            assert.are.equal("hello\0there\n", text)
            assert.are.equal("", pipe:read(10))
            assert.are.equal(5, pipe:write "input")
            assert.are.equal(3, pipe:write("xxabc", 3))
            assert.are.equal(0, pipe:write(""))
            local heard = ""
            while #heard < 8 do heard = heard .. guest_event(api, guest.number, "input").text end
            assert.are.equal("inputabc", heard)
            assert.is_true(system:is_open())
        end)

        it("crashes with its log", function()
            api.guest("c", true)
            local system = support.started(api, "c")
            api.HcsSetComputeSystemCallback(system, 0, nil, true)
            local guest = booted(api)
            assert.is_true(api.guest_act(guest.number, "panic", "it broke"))
            local json = support.expect(api, function(kind, s, type, json)
                return kind == "event" and s == system and type == support.CRASH_REPORT and json
            end)
            assert.truthy(json:find("it broke", 1, true))
        end)

        it("is gone with its machine", function()
            api.guest("d", true)
            local system, operation = support.started(api, "d")
            local guest = booted(api)
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            guest_event(api, guest.number, "off")
            local ok, hr, text = api.guest_print(guest.number, 0, "x")
            assert.is_nil(ok)
            assert.are.equal(0x80070490, hr)
            assert.is_string(text)
            assert.is_nil((api.guest_wake(guest.number, 1)))
            assert.is_nil((api.guest_act(guest.number, "hang")))
        end)

        it("refuses what makes no sense", function()
            assert.has_error(function() api.guest({}, true) end)
            assert.has_error(function() api.guest("\xFF", true) end)
            assert.has_error(function() api.guest_print("x", 0, "y") end)
            assert.has_error(function() api.guest_print(1, -1, "y") end)
            assert.has_error(function() api.guest_print(1, 0) end)
            assert.has_error(function() api.guest_wake(1) end)
            assert.has_error(function() api.guest_wake(1, 0 / 0) end)
            assert.has_error(function() api.guest_act(1, "explode") end)
            assert.has_error(function() api.guest_act(1) end)
        end)
    end)

    describe("a pipe (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("is not there before its guest", function()
            local pipe, hr, text = api.pipe_connect "\\\\.\\pipe\\nobody"
            assert.is_nil(pipe)
            assert.are.equal(0x80070002, hr)
            assert.is_string(text)
            assert.has_error(function() api.pipe_connect() end)
            assert.has_error(function() api.pipe_connect "a\0b" end)
            local path, why = api.pipe_path "\\\\.\\pipe\\nobody"
            if platform.windows then -- a name is no file that could be looked for
                assert.truthy(path:match "^\\\\%.\\pipe\\.*nobody$")
            else
                assert.is_true(path == nil and why >= 0x80000000)
            end
        end)

        it("ends with its machine, and closes once", function()
            local system, operation = support.started(api, "a", support.document("com"))
            local pipe = assert(api.pipe_connect "\\\\.\\pipe\\com")
            assert.is_true(pipe:fd() > 2)
            support.finished(api, operation, api.HcsTerminateComputeSystem(system, operation))
            local ended
            for _ = 1, 200 do
                local bytes = pipe:read()
                if bytes == nil then
                    ended = true
                    break
                end
                if bytes == "" then api.pump(0.02, { [pipe:fd()] = "r" }) end
            end
            assert.is_true(ended)
            local put, hr = pipe:write "x"
            assert.is_true(put == nil and hr >= 0x80000000 or put == 1)
            pipe:close()
            pipe:close()
            assert.is_false(pipe:is_open())
            assert.truthy(tostring(pipe):find("(closed)", 1, true))
            for _, name in ipairs { "read", "write", "fd" } do
                assert.has_error(function() pipe[name](pipe, "x") end)
            end
        end)

        it("refuses what makes no sense", function()
            local system <close> = support.started(api, "a", support.document("com"))
            assert.is_true(system:is_open())
            local pipe <close> = assert(api.pipe_connect "\\\\.\\pipe\\com")
            for _, bad in ipairs { 0, -1, 1 << 40, "x", {} } do
                assert.has_error(function() pipe:read(bad) end)
            end
            assert.has_error(function() pipe:write {} end)
            assert.has_error(function() pipe:write("abc", 0) end)
            assert.has_error(function() pipe:write("abc", 5) end)
            assert.has_error(function() pipe.read {} end)
            assert.has_error(function() pipe.close(io.stdout) end)
        end)

        it("outlives its host and leaks nothing", function()
            support.finish() -- what other specs left, and this one's
            local before = platform.settled(platform.descriptors)
            for _ = 1, 10 do
                local world = core.open(support.uri(driver))
                local system = support.started(world, "a", support.document("com"))
                local pipe = assert(world.pipe_connect "\\\\.\\pipe\\com")
                world.close()
                assert.is_false(system:is_open())
                assert.is_true(pipe:is_open())
                repeat until pipe:read() == nil
            end
            support.finish()
            assert.are.equal(before, platform.settles(platform.descriptors, before))
        end)

        it("takes only what there is room for", function()
            api.guest("a", true)
            local system <close> = support.started(api, "a", support.document("com"))
            assert.is_true(system:is_open())
            booted(api)
            local pipe <close> = assert(api.pipe_connect "\\\\.\\pipe\\com")
            local block = ("x"):rep(1 << 20)
            local sent = 0
            for _ = 1, 12 do
                local put = pipe:write(block)
                assert.is_true(put >= 0 and put <= #block)
                sent = sent + put
                api.pump(0.005)
            end
            local heard, deadline = 0, core.monotonic() + 10
            repeat
                local kind, _, event, text = api.next()
                if kind == "guest" and event == "input" then heard = heard + #text end
                if not kind and api.pump(0.05) == "timeout"
                    and (select(3, api.queue_counts()) > 0 or core.monotonic() > deadline) then
                    break
                end
            until heard >= sent
            local _, _, dropped = api.queue_counts()
            assert.is_true(heard == sent or dropped > 0)
        end)
    end)
end

describe("a host that is not simulated", function()
    it("has no guests to run", function()
        local api = core.open "qemu:?root=/nonexistent/for/a/spec"
        if api then
            assert.is_nil(api.guest)
            api.close()
        end
    end)
end)
