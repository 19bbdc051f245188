#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Writes docs/reference.md: the frame of tools/reference.md.in, filled from the
-- comments of the Lua surface; with --check it writes nothing and fails when
-- the page is not fresh. Lines of the frame that begin with @ are filled:
--
--   @entries OWNER NAME...    the functions of that owner, in that order
--   @fields MODULE CLASS      the fields of a class
--   @codes @families @policies  tables
--   @events [networks]        a table of those of systems, or of networks
--
-- Every documented function has to be named once.

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path

local codes = require "hcs.codes"
local events = require "hcs.events"
local network_events = require "hcs.hcn.events"
local policy = require "hcs.doc.policy"
local reference = require "hcs.reference"

local PAGE = "docs/reference.md"
local FRAME = "tools/reference.md.in"

-- --- comments ----------------------------------------------------------------

local CLOSING = { ["("] = ")", ["{"] = "}", ["<"] = ">" }

-- Takes a type off the head of a text: it ends at a blank or comma outside of
-- brackets, except the blank after the colon of "fun(): type".
local function take_type(text)
    local depth, index = 0, 1
    while index <= #text do
        local c = text:sub(index, index)
        if CLOSING[c] then
            depth = depth + 1
        elseif c:match("[)}>]") then
            depth = depth - 1
        elseif depth == 0 and c:match("[%s,]") and text:sub(index - 1, index - 1) ~= ":" then
            break
        end
        index = index + 1
    end
    return text:sub(1, index - 1), text:sub(index)
end

-- "name? type words" -> name, whether it may be left out, type, words
local function parse_named(tag)
    local name, optional, rest = tag:match("^([%w_.]+)(%??)%s+(.*)$")
    assert(name, "cannot read " .. tag)
    local kind, words = take_type(rest)
    return { name = name, optional = optional == "?", type = kind,
        words = words:match("^%s*(.-)%s*$") }
end

-- "type name, type name words" -> {type, name}..., words
local function parse_returns(tag)
    local list, rest = {}, tag
    repeat
        local kind, name
        kind, rest = take_type(rest:match("^%s*(.*)$"))
        name, rest = rest:match("^%s*([%w_]*)(.*)$")
        list[#list + 1] = { type = kind, name = name }
        local more = rest:match("^,(.*)$")
        rest = more or rest
    until not more
    return list, rest:match("^%s*(.-)%s*$")
end

-- Tables of options are code, and what Markdown would take for a tag is none.
local function plain_text(text)
    return (text:gsub("<", "&lt;"):gsub("([%w_:.]*)(%s?=?%s?)(%b{})", function(word, between, code)
        if between:match("^%s*$") and between ~= "" then
            return word .. between .. "`" .. code .. "`"
        end
        return "`" .. word .. between .. code .. "`"
    end))
end

local function prose(text)
    local out = {}
    for plain, code in (text .. "``"):gmatch("([^`]*)(`[^`]*`)") do
        out[#out + 1] = plain_text(plain)
        out[#out + 1] = code
    end
    return (table.concat(out):gsub("``$", ""))
end

local WIDTH = 80

-- Adds a paragraph; `head` begins its first line, as many blanks the others.
local function add_text(out, text, head)
    local line, indent = head or "", (" "):rep(#(head or ""))
    local empty = true
    for word in text:gmatch("%S+") do
        if not empty and utf8.len(line) + 1 + utf8.len(word) > WIDTH then
            out[#out + 1], line, empty = line, indent, true
        end
        line, empty = line .. (empty and "" or " ") .. word, false
    end
    out[#out + 1] = line
end

local function parts_of(entry)
    local parts = { parameters = {}, returns = {} }
    for _, tag in ipairs(entry.tags) do
        local kind, rest = tag:match("^(%w+)%s*(.*)$")
        if kind == "param" then
            table.insert(parts.parameters, parse_named(rest))
        elseif kind == "return" then
            table.insert(parts.returns, rest)
        end
    end
    return parts
end

-- --- entries -----------------------------------------------------------------

local function signature(entry, parameters)
    local optional = {}
    for _, one in ipairs(parameters) do optional[one.name] = one.optional end
    local names = {}
    for name in entry.arguments:gmatch("[%w_.]+") do
        names[#names + 1] = optional[name] and "[" .. name .. "]" or name
    end
    return ("%s(%s)"):format(entry.name, table.concat(names, ", "))
end

local function parameter_line(one)
    local words = one.words ~= "" and ": " .. prose(one.words) or ""
    return ("`%s` `%s`%s"):format(one.name == "..." and "…" or one.name, one.type, words)
end

-- Whether what is returned may be nil, err, code; that goes without its types.
local function fails(list)
    for _, one in ipairs(list) do
        if one.type:find("hcs.Error", 1, true) or one.name:match("_or_err$") then return true end
    end
    return false
end

local function returned(tag)
    local list, words = parse_returns(tag)
    local can_fail, shown = fails(list), {}
    for _, one in ipairs(list) do
        local only_error = one.type == "hcs.Error?" or can_fail and one.name == "code"
        if not only_error then
            local kind = one.type:gsub("|hcs%.Error", ""):gsub("|nil$", "")
            if can_fail then kind = kind:gsub("%?$", "") end
            if kind == "any" and one.name == "" then
                shown[#shown + 1] = "what it returned"
            else
                shown[#shown + 1] = "`" .. kind .. "`"
            end
        end
    end
    local text = table.concat(shown, ", ")
    if words:match("^%.%.%.") then words = "" end
    if words ~= "" then text = text .. " " .. prose(words) end
    return can_fail and text .. "; `nil, err, code`" or text
end

local function add_entry(out, entry)
    local parts = parts_of(entry)
    local function line(text) out[#out + 1] = text end
    line("#### `" .. signature(entry, parts.parameters) .. "`")
    line("")
    add_text(out, prose(entry.text))
    line("")
    for _, one in ipairs(parts.parameters) do add_text(out, parameter_line(one), "* ") end
    for _, tag in ipairs(parts.returns) do add_text(out, "→ " .. returned(tag), "* ") end
    if entry.twin then line("* also `" .. entry.twin .. "`") end
    if out[#out] ~= "" then line("") end
end

-- --- the frame's lines ---------------------------------------------------------

local fill = {}
local placed = {}

function fill.entries(out, arguments)
    local owner, names = arguments:match("^(%S+)%s+(.*)$")
    local mark = owner:match("^%u") and ":" or "."
    for name in names:gmatch("%S+") do
        local full = owner .. mark .. name
        local entry = assert(reference.all()[full], full .. " is in the frame only")
        assert(not placed[full], full .. " is there twice")
        placed[full] = true
        add_entry(out, entry)
    end
    table.remove(out)
end

function fill.fields(out, arguments)
    local module, class = arguments:match("^(%S+)%s+(%S+)$")
    local fields = reference.fields(module, class)
    assert(#fields > 0, class .. " has no fields")
    for _, tag in ipairs(fields) do
        local one = parse_named(tag)
        local kind = one.type .. (one.optional and "?" or "")
        local words = one.words ~= "" and ": " .. prose(one.words) or ""
        add_text(out, ("`.%s` `%s`%s"):format(one.name, kind, words), "* ")
    end
end

local function families_of(entry)
    local list = {}
    for index, family in ipairs(entry.families) do list[index] = "`" .. family .. "`" end
    return table.concat(list, " ")
end

function fill.codes(out)
    out[#out + 1] = "| code | symbol | HRESULT | meaning | family |"
    out[#out + 1] = "|---|---|---|---|---|"
    for _, entry in ipairs(codes.all()) do
        out[#out + 1] = ("| `%s` | %s | 0x%08X | %s | %s |"):format(entry.code, entry.symbol,
            entry.hresult, entry.text, families_of(entry))
    end
end

function fill.families(out)
    out[#out + 1] = "| family | codes |"
    out[#out + 1] = "|---|---|"
    for _, family in ipairs(codes.FAMILIES) do
        local list, seen = {}, {}
        for _, entry in ipairs(codes.in_family(family)) do
            if not seen[entry.code] then list[#list + 1] = "`" .. entry.code .. "`" end
            seen[entry.code] = true
        end
        if #list == 0 then list[1] = "this library's own" end
        out[#out + 1] = ("| `%s` | %s |"):format(family, table.concat(list, ", "))
    end
end

-- In the order of the platform's numbers.
local function add_events(out, types)
    local numbers = {}
    for number in pairs(types) do numbers[#numbers + 1] = number end
    table.sort(numbers)
    out[#out + 1] = "| event | platform's name | number |"
    out[#out + 1] = "|---|---|---|"
    for _, number in ipairs(numbers) do
        local names = types[number]
        out[#out + 1] = ("| `%s` | %s | 0x%08X |"):format(names[1], names[2], number)
    end
end

function fill.events(out, whose)
    add_events(out, whose == "networks" and network_events.TYPES or events.TYPES)
end

function fill.policies(out)
    out[#out + 1] = "| function | Microsoft's type | of | options |"
    out[#out + 1] = "|---|---|---|---|"
    for _, one in ipairs(policy.types()) do
        local names = {}
        for index, name in ipairs(one.options) do names[index] = "`" .. name .. "`" end
        out[#out + 1] = ("| `%s` | %s | %s | %s |"):format(one.name, one.type,
            table.concat(one.of, ", "), #names > 0 and table.concat(names, " ") or "none")
    end
end

local function page()
    local out = {}
    for line in io.lines(FRAME) do
        local name, arguments = line:match("^@(%w+)%s*(.*)$")
        if name then
            assert(fill[name], FRAME .. ": unknown line " .. line)(out, arguments)
        else
            out[#out + 1] = line
        end
    end
    for name in pairs(reference.all()) do
        local twin = reference.all()[(name:gsub("_async$", ""))]
        assert(placed[name] or name:match("_async$") and twin, name .. " is not in " .. FRAME)
    end
    return table.concat(out, "\n") .. "\n"
end

dofile "tools/publish.lua" (PAGE, page(), "tools/gen-reference.lua")
