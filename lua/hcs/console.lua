-- SPDX-License-Identifier: MIT
-- A serial console: the named pipe of a system's COM port as text. It connects
-- when it can (the pipe exists once the system has started) and keeps what it
-- reads, so that nothing is lost between two looks.
local class = require "hcs.class"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local options = require "hcs.options"

---@class hcs.Console
---@field path string the pipe: `\\.\pipe\web-com1`
local methods, Console = class.define "hcs.Console"
local console = { class = Console, methods = methods }

local KEEP = 1024 * 1024 -- bytes that are kept of what was read
local RETRY = 0.05       -- seconds between two tries to connect
local GRACE = 1          -- seconds that an ended system's last words may take
local CHUNK = 65536

--- Makes the console of a system's pipe.
function console.new(system, path, strict)
    return Console.new({
        path = path, _system = system, _world = system._world,
        _text = "", _position = 1, wants = "r",
    }, strict)
end

-- --- the stream ----------------------------------------------------------------

local function disconnect(self)
    if not self._stream then return end
    self._world.descriptors[self._fd] = nil
    self._stream:close()
    self._stream, self._fd = nil, nil
    self._ended = true
end

local function keep(self, bytes)
    self._text = self._text .. bytes
    local excess = #self._text - KEEP
    if excess > 0 then
        self._text = self._text:sub(excess + 1)
        self._position = math.max(self._position - excess, 1)
    end
end

-- Takes in what is there. Called by the loop when the descriptor is ready.
function methods._serve(self)
    self._served = (self._served or 0) + 1
    local stream = self._stream
    while stream do
        local bytes = stream:read(CHUNK)
        if bytes == nil then
            disconnect(self)
            break
        end
        if bytes == "" then break end
        keep(self, bytes)
    end
    loop.wake(self._world, self)
end

-- Tries once; returns whether it is connected, or nil, err for what trying
-- again will not mend.
local function try_connect(self)
    local world = self._world
    local stream, hresult, text = world.api.pipe_connect(self.path)
    if stream then
        self._stream, self._fd, self._ended = stream, stream:fd(), nil
        world.descriptors[self._fd] = self
        self:_serve()
        return true
    end
    if hresult == 0x80070002 then return false end
    return errors.fail({ op = "console", target = self.path, hresult = hresult, message = text },
        world.core)
end

local function system_is_over(self)
    return self._system._closed or self._system._exit or self._system._lost
end

local function failure(self, op, reason, message)
    return loop.failure(self._world, reason, { op = op, target = self.path, message = message })
end

local function over(self, op)
    local code = self._system._exit and 0x80370110 or self._system._lost and 0x8037011E or nil
    return errors.fail({
        op = op, target = self.path, hresult = code, code = not code and "closed" or nil,
    }, self._world.core)
end

-- Connects, trying again until the deadline.
local function connect(self, op, deadline)
    local world = self._world
    while not self._stream do
        if self._closed then return over(self, op) end
        local ok, err, code = try_connect(self)
        if ok then break end
        if ok == nil then return nil, err, code end
        if system_is_over(self) then return over(self, op) end
        local again = loop.now(world) + RETRY
        if deadline and deadline < again then again = deadline end
        local _, reason = loop.wait(world, again, function() return system_is_over(self) end,
            self._system)
        if reason and reason ~= "timeout" then return failure(self, op, reason) end
        if deadline and loop.now(world) >= deadline then
            return failure(self, op, "timeout", "no such pipe: the system has not started")
        end
    end
    return true
end

-- --- reading --------------------------------------------------------------------

local function take(self, last)
    local text = self._text:sub(self._position, last)
    self._position = last + 1
    return text
end

-- Waits until `found()` gives something or nothing more can come.
local function read_until(self, op, timeout, found)
    local world = self._world
    local deadline = loop.deadline(world, timeout)
    local result = found()
    while not result do
        if self._ended and not system_is_over(self) then self._ended = nil end -- it was reset
        if self._ended or self._closed then return over(self, op) end
        local ok, err, code = connect(self, op, deadline)
        if not ok then return nil, err, code end
        local last = system_is_over(self) and loop.now(world) + GRACE
        local limit = last and math.min(last, deadline or last) or deadline
        local reason
        ok, reason = loop.wait(world, limit, function()
            result = found()
            return result or self._closed or not self._stream
                or not last and system_is_over(self)
        end, self, self._system)
        if not ok then
            if last and reason == "timeout" then return over(self, op) end
            return failure(self, op, reason)
        end
        result = result or found()
    end
    return result
end

--- Reads what comes next: at least 1 byte, at most `n`.
---@param n? integer bytes, at least 1; default: all that is there
---@param timeout? number|string seconds, default 240
---@return string? bytes, hcs.Error? err, string? code
function methods.read(self, n, timeout)
    options.argument("read", "the count", n, "integer|nil")
    if n and n < 1 then options.misuse("read: the count is %d, expected at least 1", n) end
    return read_until(self, "read", timeout, function()
        if self._position > #self._text then return nil end
        return take(self, math.min(#self._text, self._position + (n or #self._text) - 1))
    end)
end

local function next_line(self)
    local stop = self._text:find("\n", self._position, true)
    if stop then return (take(self, stop):gsub("\r?\n$", "")) end
    if (self._ended or self._closed) and self._position <= #self._text then
        return take(self, #self._text)
    end
    return nil
end

--- Iterates over lines, without their ends, until the console is gone.
---@return fun(): string?
function methods.lines(self)
    return function()
        local line, err = read_until(self, "lines", math.huge,
            function() return next_line(self) end)
        if line then return line end
        local rest = next_line(self)
        if rest then return rest end
        if self._strict and not err:is("stopped", "closed") then errors.raise(err) end
        return nil
    end
end

-- A list of texts.
local TEXTS = setmetatable({}, {
    __index = function(_, key) return math.type(key) == "integer" and "string" or nil end,
})

-- What to look for: a function of (text, position) that gives the first and
-- the last byte, the index and the captures.
local function matcher(what)
    if type(what) == "string" then what = { what } end
    options.argument("expect", "what to expect", what, "string|table")
    if #what == 0 and next(what) ~= nil then
        options.check("expect", what, { pattern = "string" })
        return function(text, from)
            local found = table.pack(pcall(string.find, text, what.pattern, from))
            if not found[1] then
                options.misuse("expect: the pattern %q: %s", what.pattern, found[2])
            elseif not found[2] then
                return nil
            end
            return found[2], found[3], 1, { table.unpack(found, 4, found.n) }
        end
    end
    options.check("expect", what, TEXTS)
    if #what == 0 then options.misuse("expect: nothing to expect") end
    for _, one in ipairs(what) do
        if one == "" then options.misuse("expect: an empty text is always there") end
    end
    return function(text, from)
        local first, last, index
        for i, one in ipairs(what) do
            local a, b = text:find(one, from, true)
            if a and (not first or a < first) then first, last, index = a, b, i end
        end
        return first, last, index, {}
    end
end

-- What was looked for, and what was seen instead.
local function not_seen(what, text)
    if type(what) == "table" then what = what.pattern or table.concat(what, '" or "') end
    local last = text:match("([^\r\n]+)[\r\n]*$")
    return ('"%s" did not show up in time; %s'):format(what,
        last and ("the last line is %q"):format(last) or "nothing was printed")
end

--- Waits until the console shows one of the texts, or the pattern, after what
--- was read and expected before. Returns what matched, then its index in the
--- list, or the pattern's captures. Fails with `timeout`, and with `stopped` when
--- the system exits instead.
---@param what string|string[]|{pattern: string}
---@param timeout? number|string seconds, default 240
---@return string? text, any index_or_err, string? code
function methods.expect(self, what, timeout)
    local find = matcher(what)
    local captures, index
    local text, err, code = read_until(self, "expect", timeout, function()
        local first, last
        first, last, index, captures = find(self._text, self._position)
        if not first then return nil end
        take(self, last)
        return self._text:sub(first, last)
    end)
    if not text then
        if err:is("timeout") and self._stream then
            err.message = not_seen(what, self._text)
        end
        return nil, err, code
    end
    if #captures > 0 then return text, table.unpack(captures) end
    return text, index
end

--- All that it has shown so far (the last MiB of it).
---@return string
function methods.text(self)
    if self._stream then
        self:_serve()
    elseif not self._closed and not self._ended and self._world.api then
        try_connect(self)
    end
    return self._text
end

-- --- writing --------------------------------------------------------------------

local function write_within(self, text, deadline)
    local ok, err, code = connect(self, "write", deadline)
    while ok and #text > 0 do
        if not self._stream then return over(self, "write") end
        local taken = self._stream:write(text)
        if not taken then
            disconnect(self)
            return over(self, "write")
        end
        text = text:sub(taken + 1)
        if taken == 0 then
            self.wants = "rw"
            local served = self._served
            local reason
            ok, reason = loop.wait(self._world, deadline,
                function() return self._served ~= served or not self._stream end, self)
            self.wants = "r"
            if not ok then return failure(self, "write", reason) end
        end
    end
    if ok then return true end
    return nil, err, code
end

--- Types text on the console.
---@param text string
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.write(self, text, timeout)
    options.argument("write", "the text", text, "string")
    return write_within(self, text, loop.deadline(self._world, timeout))
end

--- Disconnects. What was read stays. Returns true, also when it was closed.
---@return true
function methods.close(self)
    if self._closed then return true end
    self._closed = true
    disconnect(self)
    loop.wake(self._world, self)
    return true
end

Console.meta("__close", function(self) methods.close(self) end)

Console.meta("__tostring", function(self)
    local state = self._closed and "closed" or self._stream and "connected" or "not connected"
    return ("hcs.Console %s (%s)"):format(self.path, state)
end)

return console
