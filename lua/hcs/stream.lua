-- SPDX-License-Identifier: MIT
-- Connections: what hcs.network.connect gives. Bytes are taken in as they come,
-- up to a limit, so that a peer that sends without end has to wait for us.
local class = require "hcs.class"
local errors = require "hcs.error"
local loop = require "hcs.loop"
local options = require "hcs.options"

---@class hcs.Stream
---@field address string? as given to connect
---@field port integer
local methods, Stream = class.define "hcs.Stream"
local stream = { class = Stream, methods = methods }

local CHUNK = 65536
local FULL = 1024 * 1024 -- bytes taken in that nobody has read

-- --- the connection ------------------------------------------------------------

local function unwatch(self)
    if self._watched then self._world.descriptors[self._fd] = nil end
    self._watched = false
end

local function watch(self)
    if self._watched or not self._stream then return end
    self._world.descriptors[self._fd] = self
    self._watched = true
end

local function disconnect(self)
    if not self._stream then return end
    unwatch(self)
    self._stream:close()
    self._stream, self._fd = nil, nil
end

-- Called by the loop when the descriptor is ready.
function methods._serve(self)
    self._served = self._served + 1
    while self._stream and #self._text < FULL do
        local bytes, hresult, text = self._stream:read(CHUNK)
        if bytes == nil then
            self._failure = hresult and { hresult = hresult, message = text } or nil
            disconnect(self)
        elseif bytes == "" then
            break
        else
            self._text = self._text .. bytes
        end
    end
    if #self._text >= FULL then unwatch(self) end
    loop.wake(self._world, self)
end

local function failure(self, op, reason)
    return loop.failure(self._world, reason, { op = op, target = self._target })
end

-- Why there is nothing more; an end that nothing went wrong at is none.
local function over(self, op)
    local why = self._closed and { code = "closed" } or self._failure
    if not why then return nil end
    return errors.new({ op = op, target = self._target, code = why.code, hresult = why.hresult,
        message = why.message }, self._world.core)
end

local function fail_over(self, op)
    return errors.fail(over(self, op) or { op = op, target = self._target, code = "closed" },
        self._world.core)
end

--- Waits until a connection that `native` is making is there.
function stream.new(world, strict, native, fields, deadline)
    local self = Stream.new({
        address = fields.address, port = fields.port, wants = "r", _world = world,
        _target = fields.target, _stream = native, _fd = native:fd(), _text = "", _served = 0,
    }, strict)
    local there, hresult, text
    local ok, reason = loop.poll_until(world, deadline, function()
        there, hresult, text = native:connected()
        return there ~= false
    end)
    if there then
        watch(self)
        return self
    end
    disconnect(self)
    if not ok then return failure(self, fields.op, reason) end
    self._failure = { hresult = hresult, message = text }
    return fail_over(self, fields.op)
end

-- --- reading --------------------------------------------------------------------

local function take(self, n)
    local bytes = self._text:sub(1, n)
    self._text = self._text:sub(n + 1)
    if #self._text < FULL then watch(self) end
    return bytes
end

-- Waits until something is there, or the end.
local function fill(self, op, deadline)
    local ok, reason = loop.wait(self._world, deadline,
        function() return #self._text > 0 or not self._stream end, self)
    if not ok then return failure(self, op, reason) end
    return true
end

--- Reads what comes next: at least 1 byte, at most `n`; "" at the end.
---@param n? integer bytes, at least 1; default: all that is there
---@param timeout? number|string seconds, default 240
---@return string? bytes, hcs.Error? err, string? code
function methods.read(self, n, timeout)
    options.argument("read", "the count", n, "integer|nil")
    if n and n < 1 then options.misuse("read: the count is %d, expected at least 1", n) end
    local ok, err, code = fill(self, "read", loop.deadline(self._world, timeout))
    if not ok then return nil, err, code end
    if #self._text == 0 and over(self, "read") then return fail_over(self, "read") end
    return take(self, n or #self._text)
end

--- Reads all that comes until the end.
---@param timeout? number|string seconds, default 240
---@return string? bytes, hcs.Error? err, string? code
function methods.read_all(self, timeout)
    local deadline = loop.deadline(self._world, timeout)
    local parts = {}
    repeat
        local ok, err, code = fill(self, "read_all", deadline)
        if not ok then
            self._text = table.concat(parts) .. self._text
            return nil, err, code
        end
        parts[#parts + 1] = take(self, #self._text)
    until parts[#parts] == ""
    if over(self, "read_all") then return fail_over(self, "read_all") end
    return table.concat(parts)
end

-- --- writing --------------------------------------------------------------------

-- Waits until the other side has taken something, or is gone.
local function wait_for_room(self, deadline)
    local served = self._served
    self.wants = "rw"
    watch(self)
    local ok, reason = loop.wait(self._world, deadline,
        function() return self._served ~= served or not self._stream end, self)
    self.wants = "r"
    return ok, reason
end

--- Sends bytes. Fails with `closed` where the other side has ended.
---@param text string
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.write(self, text, timeout)
    options.argument("write", "the text", text, "string")
    local deadline = loop.deadline(self._world, timeout)
    local first = 1
    while first <= #text do
        if not self._stream then return fail_over(self, "write") end
        local taken, hresult, message = self._stream:write(text, first)
        if not taken then
            self._failure = { hresult = hresult, message = message }
            disconnect(self)
            return fail_over(self, "write")
        end
        first = first + taken
        if taken == 0 then
            local ok, reason = wait_for_room(self, deadline)
            if not ok then return failure(self, "write", reason) end
        end
    end
    return true
end

--- Ends the connection. Returns true, also when it was closed.
---@return true
function methods.close(self)
    if self._closed then return true end
    self._closed = true
    disconnect(self)
    loop.wake(self._world, self)
    return true
end

Stream.meta("__close", function(self) methods.close(self) end)

Stream.meta("__tostring", function(self)
    local state = self._closed and "closed" or self._stream and "connected" or "ended"
    return ("hcs.Stream %s (%s)"):format(self._target, state)
end)

return stream
