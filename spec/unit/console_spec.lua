-- SPDX-License-Identifier: MIT
-- Consoles on a fake host whose pipe says what a spec wants it to.
local fake = require "spec.unit.fake_core"

describe("a console", function()
    local hcs, host, vm, pipe

    -- A stream as hcs.core gives one: pieces to read, what was written, room.
    local function new_pipe()
        local made = { pieces = {}, written = "", room = math.huge, opened = 0 }
        local stream = {}
        function stream:read()
            local piece = table.remove(self.pipe.pieces, 1)
            if piece == false then return nil end
            return piece or ""
        end
        function stream:write(text)
            if self.pipe.gone then return nil end
            local taken = math.min(#text, self.pipe.room)
            self.pipe.written = self.pipe.written .. text:sub(1, taken)
            return taken
        end
        function stream:fd() return self.pipe.fd end
        function stream:close() self.pipe.closed = true end
        stream.pipe = made
        made.stream, made.fd = stream, 33
        return made
    end

    before_each(function()
        hcs, host = fake.hcs()
        pipe = new_pipe()
        host.api.pipe_connect = function(path)
            pipe.path = path
            pipe.opened = pipe.opened + 1
            if host.time < (pipe.from or 0) then return nil, pipe.refusal or 0x80070002 end
            return pipe.stream
        end
        local pump = host.api.pump
        -- What is to be read counts as a ready descriptor.
        host.api.pump = function(timeout, fds)
            local due = pipe.later and pipe.later[1]
            if due and host.time >= due[1] then
                table.insert(pipe.pieces, (table.remove(pipe.later, 1)[2]))
            end
            if fds and fds[33] and (pipe.pieces[1] ~= nil or fds[33] == "rw") then
                if fds[33] == "rw" then pipe.room = 4 end
                return "fd", { [33] = fds[33] }
            end
            if due and host.time < due[1] then timeout = math.min(timeout, due[1] - host.time) end
            return pump(timeout)
        end
        vm = assert(hcs.create { id = "c", kernel = "/k" })
    end)

    local function later(...) pipe.later = { ... } end

    it("connects at first use, trying again until the pipe is there", function()
        pipe.from = 0.3
        local console = assert(vm:console())
        assert.equal("\\\\.\\pipe\\hcs-c-com1", console.path)
        assert.equal(0, pipe.opened)
        assert.truthy(tostring(console):find("not connected", 1, true))
        later({ 0.3, "hello\n" })
        assert.equal("hello", console:expect("hello", 5))
        assert.truthy(pipe.opened > 2)
        assert.truthy(tostring(console):find("(connected)", 1, true))
        assert.equal(console, vm:console())
    end)

    it("gives up in time, or at once where trying is no use", function()
        pipe.from = 100
        local text, err, code = vm:console():expect("x", 1)
        assert.is_nil(text)
        assert.truthy(err.message:find("no such pipe", 1, true))
        assert.equal("timeout", code)
        pipe.refusal = 0x80070032
        text, err = vm:console():read(1, 5)
        assert.is_nil(text)
        assert.is_true(err:is("unsupported"))
        assert.equal("com2 has none", (vm:console("com2") and "") or "com2 has none")
    end)

    it("finds what is split over pieces, the first of several, and patterns", function()
        pipe.pieces = { "boo", "t: re", "ady\nlog", "in: " }
        local console = vm:console()
        assert.equal("ready", console:expect("ready", 5))
        assert.same({ "login", 2 }, { console:expect({ "panic", "login" }, 5) })
        pipe.pieces = { "tick 12\n" }
        assert.same({ "tick 12", "12" }, { console:expect({ pattern = "tick (%d+)" }, 5) })
        pipe.pieces = { "abc" }
        assert.same({ "abc", 1 }, { console:expect({ pattern = "%a+" }, 5) })
        assert.equal("boot: ready\nlogin: tick 12\nabc", console:text())
    end)

    it("says what it saw last when it does not see what it should", function()
        pipe.pieces = { "one\r\ntwo\r\n" }
        local text, err = vm:console():expect("three", 2)
        assert.is_nil(text)
        assert.truthy(err.message:find('the last line is "two"', 1, true))
        assert.equal(2, host.time)
    end)

    it("connects also when only asked for its text", function()
        pipe.pieces = { "booting\r\n" }
        assert.equal("booting\r\n", vm:console():text())
    end)

    it("reads bytes and lines", function()
        pipe.pieces = { "abcdef" }
        local console = vm:console()
        assert.equal("ab", console:read(2, 1))
        assert.equal("cdef", console:read(nil, 1))
        local none, err = console:read(1, 1)
        assert.is_nil(none)
        assert.is_true(err:is("timeout"))
        pipe.pieces = { "first\r\nsec", "ond\nrest", false }
        host.at(2, "event", host.systems.c, 1)
        local lines = {}
        for line in console:lines() do lines[#lines + 1] = line end
        assert.same({ "first", "second", "rest" }, lines)
    end)

    it("ends with its system", function()
        host.at(1, "event", host.systems.c, 1)
        local text, err = vm:console():expect("never", 10)
        assert.is_nil(text)
        assert.is_true(err:is("stopped"))
        vm:close()
        assert.is_true(pipe.closed)
        assert.same({}, host.world.descriptors)
    end)

    it("comes back after a reset that took the pipe away", function()
        pipe.pieces = { "one\n", false }
        local console = vm:console()
        assert.equal("one", console:expect("one", 1))
        later({ 0.5, "two\n" })
        assert.equal("two", console:expect("two", 5))
        assert.equal(2, pipe.opened)
    end)

    it("writes all, however slow the other side is", function()
        pipe.room = 3
        assert.is_true(vm:console():write("hello world", 5))
        assert.equal("hello world", pipe.written)
        pipe.gone = true
        local ok, err = vm:console():write("x", 1)
        assert.is_nil(ok)
        assert.truthy(err:is("closed", "stopped"))
    end)

    it("keeps the last of what it read, and its place in it", function()
        local console = vm:console()
        pipe.pieces = { "start " }
        assert(console:expect("start", 1))
        for i = 1, 40 do pipe.pieces[i] = ("%05d"):format(i):rep(13107) .. "\n" end
        table.insert(pipe.pieces, "the end")
        assert.equal("the end", console:expect("the end", 5))
        assert.equal(1024 * 1024, #console:text())
    end)

    it("refuses what is no count, no pattern and nothing to expect", function()
        local console = vm:console()
        pipe.pieces = { "some text" }
        for _, case in ipairs {
            { "the count is 0", function() console:read(0) end },
            { "empty text", function() console:expect "" end },
            { 'did you mean "pattern"', function() console:expect { patern = "x" } end },
            { 'the pattern "(x": unfinished', function() console:expect { pattern = "(x" } end },
            { '"2" is 5', function() console:expect { "x", 5 } end },
        } do
            local ok, err = pcall(case[2])
            assert.is_false(ok)
            assert.truthy(err:find(case[1], 1, true), err)
            assert.truthy(err:find("console_spec.lua:", 1, true), err)
        end
    end)

    it("refuses what makes no sense", function()
        local console = vm:console()
        for _, mistake in ipairs {
            function() console:expect(7) end, function() console:expect {} end,
            function() console:expect { 7 } end, function() console:write(7) end,
            function() console:expect { pattern = "x", patern = "y" } end,
            function() console:read("all") end, function() console:read(1, "soon") end,
        } do
            pipe.pieces = { "x" }
            assert.has_error(mistake)
        end
        console:close()
        assert.is_true(console:close())
    end)
end)
