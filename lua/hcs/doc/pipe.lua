-- SPDX-License-Identifier: MIT
-- The names of the pipes that the builder gives to serial ports, so that a
-- system opened by its id alone has consoles too.

-- Windows takes names of 256 units in all. This leaves room for what else is in
-- one, and for what a simulated host puts before it.
local MOST = 200 -- bytes of an id

-- FNV-1a: a number for a text, 64 bits.
local function hash(text)
    local value = 0xCBF29CE484222325
    for index = 1, #text do value = (value ~ text:byte(index)) * 0x100000001B3 end
    return value
end

-- A text's first `most` bytes, without a part of a character at the end.
local function cut(text, most)
    while most > 0 and text:byte(most + 1) & 0xC0 == 0x80 do most = most - 1 end
    return text:sub(1, most)
end

--- "\\.\pipe\hcs-web-com1" for the system "web" and the console "com1". Ids are
--- any text: what a pipe's name may not hold becomes "_", and what is too long is
--- cut; a number made of the whole id then keeps it apart from others.
---@param id string
---@param console string
---@return string
return function(id, console)
    local name = id:gsub("[\\/%c]", "_")
    if #name > MOST then name = cut(name, MOST - 17) end
    if name ~= id then name = ("%s-%016x"):format(name, hash(id)) end
    return ("\\\\.\\pipe\\hcs-%s-%s"):format(name, console)
end
