-- SPDX-License-Identifier: MIT
-- What other event loops poll for a host: api.pollfd, api.pollsocket, pipe:fd.
package.path = "spec/core/?.lua;" .. package.path
local platform = require "spec.platform"
local support = require "support"

local readable, socket_readable = platform.pipes.readable, platform.socket_readable

local systems = {} -- to keep

after_each(function()
    systems = {}
    support.finish()
end)

local function console(api, name)
    systems[#systems + 1] = support.started(api, name, support.document(name))
    return assert(api.pipe_connect("\\\\.\\pipe\\" .. name))
end

-- Pumps until there is nothing to do any more.
local function calm(api)
    repeat
        repeat until not api.next()
    until api.pump(0.02) == "timeout"
end

for _, driver in ipairs(support.drivers) do
    describe("an event loop of somebody else's (" .. driver .. ")", function()
        local api
        before_each(function() api = support.open(support.uri(driver)) end)

        it("may have a socket", function()
            local socket = api.pollsocket()
            assert.are.equal(socket, api.pollsocket())
            for _ = 1, 20 do
                assert.are.equal(0, socket_readable(socket, 0))
                local operation = api.HcsCreateOperation(nil, true)
                assert.are.equal(0, api.HcsEnumerateComputeSystems(nil, operation))
                if driver == "step" then repeat api.step(0) until api.queue_counts() > 0 end
                assert.are.equal(1, socket_readable(socket, 2000))
                assert.are.same({ "operation", operation }, { api.next() })
            end
            assert.are.equal(0, socket_readable(socket, 0))
        end)

        it("may have both, whose answers are one", function()
            local fd, socket = api.pollfd(), api.pollsocket()
            local operation = api.HcsCreateOperation(nil, true)
            api.HcsEnumerateComputeSystems(nil, operation)
            if driver == "step" then repeat api.step(0) until api.queue_counts() > 0 end
            assert.are.equal(1, readable(fd, 2000))
            assert.are.equal(1, socket_readable(socket, 2000))
            api.next()
            assert.are.equal(0, readable(fd, 0))
            assert.are.equal(0, socket_readable(socket, 0))
        end)

        it("may hand the descriptor to a pump", function()
            local fd = api.pollfd()
            assert.are.equal("timeout", (api.pump(0.01, { [fd] = "r" })))
            local other = support.open(support.uri(driver))
            local operation = api.HcsCreateOperation(nil, true)
            api.HcsEnumerateComputeSystems(nil, operation)
            if driver == "step" then repeat api.step(0) until api.queue_counts() > 0 end
            local kind, set = other.pump(5, { [fd] = "r" })
            assert.are.equal("fd", kind)
            assert.are.same({ [fd] = "r" }, set)
        end)

        it("hears of what is sent to a guest", function()
            local pipe <close> = console(api, "com")
            local fd, socket = api.pollfd(), api.pollsocket()
            api.guest(nil, true)
            calm(api)
            if driver == "step" then
                for _ = 1, 3 do
                    assert.are.equal(0, readable(fd, 0))
                    assert.are.equal(0, socket_readable(socket, 0))
                    pipe:write "x\n"
                    assert.are.equal(1, readable(fd, 2000))
                    assert.are.equal(1, socket_readable(socket, 2000))
                    calm(api)
                end
            end
            assert.are.equal(0, readable(fd, 0))
        end)

        it("hears of what a pipe has to read", function()
            api.guest(nil, true)
            local pipe <close> = console(api, "com")
            local guest = support.expect(api, function(kind, number, event)
                return kind == "guest" and event == "boot" and number
            end)
            local fd = pipe:fd()
            for _ = 1, 3 do
                assert.are.equal("", pipe:read())
                assert.are.equal(0, readable(fd, 0))
                assert.is_true(api.guest_print(guest, 0, "hello"))
                api.pump(0)
                assert.are.equal(1, readable(fd, 2000))
                assert.are.equal("hello", pipe:read())
            end
        end)

        it("may close its descriptors with the host", function()
            local before = platform.settled(platform.descriptors)
            for _ = 1, 5 do
                local host = support.open(support.uri(driver))
                assert.is_true(host.pollfd() > 0)
                assert.is_true(host.pollsocket() > 0)
                console(host, "com"):close()
                support.finish()
            end
            -- Winsock, loaded by the first, keeps some of its own.
            assert.is_true(platform.settled(platform.descriptors) <= before + 4)
        end)
    end)
end

describe("a pump", function()
    it("watches more pipes than any wait of the system takes", function()
        local api = support.open(support.uri "step")
        api.guest(nil, true)
        local pipes, set = {}, {}
        for i = 1, 70 do
            pipes[i] = console(api, "com" .. i)
            set[pipes[i]:fd()] = "r"
        end
        local guests = {}
        for _ = 1, 70 do
            support.expect(api, function(kind, number, event, id)
                if kind == "guest" and event == "boot" then guests[id] = number end
                return kind == "guest" and event == "boot"
            end)
        end
        for _, pipe in ipairs(pipes) do assert.are.equal("", pipe:read()) end
        assert.are.equal("timeout", (api.pump(0.02, set)))
        for _, i in ipairs { 1, 35, 69, 70 } do
            assert.is_true(api.guest_print(guests["com" .. i], 0, "hello"))
            local kind, ready = api.pump(5, set)
            assert.are.equal("fd", kind)
            assert.are.same({ [pipes[i]:fd()] = "r" }, ready)
            assert.are.equal("hello", pipes[i]:read())
            assert.are.equal("timeout", (api.pump(0.01, set)))
        end
        for _, pipe in ipairs(pipes) do pipe:close() end
    end)

    it("watches for room to write", function()
        local api = support.open(support.uri "step")
        local pipe <close> = console(api, "com")
        local fd = pipe:fd()
        local kind, ready = api.pump(1, { [fd] = "w" })
        assert.are.equal("fd", kind)
        assert.are.same({ [fd] = "w" }, ready)
    end)
end)
