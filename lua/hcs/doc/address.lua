-- SPDX-License-Identifier: MIT
-- Addresses in options: of networks, of adapters. A mistake is raised with the
-- option's name before it.

local options = require "hcs.options"

local M = {}

local SIZE = { v4 = 4, v6 = 16 }

--- "00:15:5d:01:02:03" in either notation and case -> Microsoft's.
---@param what string the option
---@param text string
---@return string
function M.mac(what, text)
    local digits = type(text) == "string" and text:gsub("[:-]", "") or ""
    if not digits:find("^%x+$") or #digits ~= 12 then
        options.misuse("%s: %q is not an address like \"00-15-5D-01-02-03\"", what,
            tostring(text))
    end
    return (digits:upper():gsub("%x%x", "%0-"):sub(1, -2))
end

local function parse_v4(text)
    local bytes = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
    for i, byte in ipairs(bytes) do
        bytes[i] = #byte <= 3 and tonumber(byte) or 256
        if bytes[i] > 255 then
            return nil
        end
    end
    return bytes[4] and bytes
end

-- The groups of "a:b:c", or nil.
local function groups_of(text)
    local groups = {}
    for group in (text == "" and "" or text .. ":"):gmatch("([^:]*):") do
        if not group:find("^%x%x?%x?%x?$") then
            return nil
        end
        groups[#groups + 1] = tonumber(group, 16)
    end
    return groups
end

local function parse_v6(text)
    local head, tail = text:match("^(.-)::(.*)$")
    local before, after = groups_of(head or text), groups_of(tail or "")
    local missing = before and after and 8 - #before - #after
    if not missing or missing < (head and 1 or 0) or not head and missing ~= 0 then
        return nil
    end
    local bytes = {}
    local groups = table.move(after, 1, #after, #before + missing + 1, before)
    for i = 1, 8 do
        local group = groups[i] or 0
        bytes[#bytes + 1], bytes[#bytes + 2] = group >> 8, group & 0xff
    end
    return bytes
end

--- The bytes of an address, and "v4" or "v6"; nil for text that is none.
---@param text string
---@return integer[]? bytes, string? family
function M.parse(text)
    if type(text) ~= "string" then
        return nil
    end
    local bytes = parse_v4(text)
    if bytes then
        return bytes, "v4"
    end
    bytes = parse_v6(text)
    return bytes, bytes and "v6"
end

local function shortened(groups)
    local best, length = 0, 1
    local first = 1
    for i = 1, 9 do
        if groups[i] ~= 0 then
            if i - first > length then
                best, length = first, i - first
            end
            first = i + 1
        end
    end
    local words = {}
    for i, group in ipairs(groups) do
        words[i] = ("%x"):format(group)
    end
    if best == 0 then
        return table.concat(words, ":")
    end
    return table.concat(words, ":", 1, best - 1) .. "::"
        .. table.concat(words, ":", best + length, 8)
end

--- The text of an address' bytes.
---@param bytes integer[]
---@return string
function M.format(bytes)
    if #bytes == SIZE.v4 then
        return table.concat(bytes, ".")
    end
    local groups = {}
    for i = 1, 8 do
        groups[i] = bytes[2 * i - 1] << 8 | bytes[2 * i]
    end
    return shortened(groups)
end

local function masked(bytes, length)
    local result = {}
    for i, byte in ipairs(bytes) do
        local bits = math.max(0, math.min(8, length - 8 * (i - 1)))
        result[i] = byte & 0xff << 8 - bits & 0xff
    end
    return result
end

--- An address, or "address/length": its text, and the length or nil.
---@param what string the option
---@param text string
---@return string address, integer? length, integer[] bytes, string family
function M.interface(what, text)
    local address, length = tostring(text):match("^([^/]+)/?(%d*)$")
    local bytes, family = M.parse(address or "")
    local bits = tonumber(length)
    if type(text) ~= "string" or not bytes or bits and bits > 8 * #bytes
        or not bits and text:find("/", 1, true) then
        options.misuse("%s: %q is not an address like \"192.168.100.5\" or \"192.168.100.5/24\"",
            what, tostring(text))
    end
    return address, bits, bytes, family
end

--- Checks a prefix: "192.168.100.0/24".
---@param what string the option
---@param text string
---@return string text, integer[] bytes, integer length, string family
function M.prefix(what, text)
    local address = type(text) == "string" and text:match("^[^/]+/%d+$")
    if not address then
        options.misuse("%s: %q is not a prefix like \"192.168.100.0/24\"", what, tostring(text))
    end
    local _, length, bytes, family = M.interface(what, text)
    local network = masked(bytes, length)
    for i, byte in ipairs(network) do
        if byte ~= bytes[i] then
            options.misuse("%s: %q has host bits, did you mean \"%s/%d\"?", what, text,
                M.format(network), length)
        end
    end
    return text, bytes, length, family
end

--- The first address of a prefix that a host may have; nil when there is none.
---@param bytes integer[]
---@param length integer
---@return string?
function M.first_host(bytes, length)
    if length > 8 * #bytes - 2 then
        return nil
    end
    local first = table.move(bytes, 1, #bytes, 1, {})
    first[#first] = first[#first] + 1
    return M.format(first)
end

--- The prefix of all addresses of a family.
---@param family string "v4" or "v6"
---@return string
function M.everything(family)
    return family == "v4" and "0.0.0.0/0" or "::/0"
end

return M
