-- SPDX-License-Identifier: MIT
-- hcs.explain: what an HRESULT, a document type or member, a function or an
-- event means.
local builds = require "hcs.schema.builds"
local codes = require "hcs.codes"
local errors = require "hcs.error"
local events = require "hcs.events"
local hints = require "hcs.hints"
local network_events = require "hcs.hcn.events"
local options = require "hcs.options"
local reference = require "hcs.reference"
local schema = require "hcs.schema.hcs"
local sets = require "hcs.schema.sets"
local validate = require "hcs.validate"

local explain = {}

---@class hcs.Explanation
---@field kind string "hresult", "type", "member", "function", "event", "family", "build"
---@field name string
---@field text string
local mt = { __name = "hcs.Explanation", __tostring = function(self) return self.text end }

local function explanation(fields)
    return setmetatable(fields, mt)
end

-- Any spelling of a number: 0x80370110, -2143878896, "0xC0370110".
local function number_of(value)
    if math.type(value) == "float" then value = math.tointeger(value) end
    if type(value) == "string" then
        if value:match("^[8cC]%x%x%x%x%x%x%x$") then value = "0x" .. value end
        value = math.tointeger(tonumber(value))
    end
    return math.type(value) == "integer" and value or nil
end

-- A number of Windows' own is no HRESULT: 5 for 0x80070005.
local function as_hresult(number, core)
    local wrapped = number | 0x80070000
    if number > 0 and number <= 0xFFFF and (codes.of(wrapped) or core.symbol(wrapped)) then
        return wrapped
    end
    return codes.normalize(number)
end

local function of_hresult(value, core)
    local hresult = as_hresult(value, core)
    local entry = codes.of(hresult)
    local symbol = entry and entry.symbol or core.symbol(hresult)
    if not symbol then
        return explanation {
            kind = "hresult", name = ("0x%08X"):format(hresult), hresult = hresult,
            text = ("0x%08X: no code that this library knows"):format(hresult),
        }
    end
    local text = ("0x%08X %s: %s"):format(hresult, symbol, entry and entry.text or "")
    local families = entry and table.concat(entry.families, ", ") or ""
    if families ~= "" then
        text = text .. ("\nerr.code %q, err:is(%q)"):format(entry.code, families)
    end
    local hint = hints.of { hresult = hresult, code = entry and entry.code }
    if hint then text = text .. "\n→ " .. hint end
    return explanation {
        kind = "hresult", name = symbol, hresult = hresult, code = entry and entry.code or nil,
        hint = hint, text = text,
    }
end

local function member_line(member)
    local kind = member.type and (type(member.type) == "table" and member.type.name or member.type)
        or member.value and tostring(member.value) or ""
    if member.by then kind = "what " .. member.by .. " says" end
    if member.array then kind = kind .. "[]" end
    if member.map then kind = "{" .. tostring(member.map) .. ": " .. kind .. "}" end
    return ("  %s%s%s"):format(member.name, kind ~= "" and ": " .. kind or "",
        member.since and (" (since %s)"):format(member.since) or "")
end

local function of_type(name)
    local described = validate.describe(name)
    if not described then return nil end
    local lines = { ("%s (%s)"):format(described.name, described.kind) }
    for _, member in ipairs(described.members or described.values or {}) do
        lines[#lines + 1] = member_line(member)
    end
    return explanation {
        kind = "type", name = name, type = described, text = table.concat(lines, "\n"),
    }
end

local function find_member(type_name, name)
    local described = validate.describe(type_name)
    for _, member in ipairs(described and described.members or {}) do
        if member.name == name then return member end
    end
    return nil
end

-- "VirtualMachine.Chipset.Uefi", from the document's root or any type.
local function of_path(path)
    local names = {}
    for name in path:gsub("^%$%.?", ""):gmatch("[%w_]+") do names[#names + 1] = name end
    local type_name = "ComputeSystem"
    if validate.describe(names[1] or "") then type_name = table.remove(names, 1) end
    local member
    for _, name in ipairs(names) do
        local next_member = find_member(type_name, name)
        if next_member then
            member = next_member
            type_name = type(member.type) == "table" and member.type.name or member.type
        elseif not (member and member.map) then
            return nil
        end
    end
    if not member then return nil end
    local below = of_type(type_name)
    return explanation {
        kind = "member", name = path, member = member,
        text = member_line(member):sub(3) .. (below and "\n" .. below.text or ""),
    }
end

-- What err:is(name) stands for.
local function of_family(name)
    local own = codes.own[name]
    local lines = { own and ("%s: %s"):format(name, own.text) or nil }
    for _, entry in ipairs(codes.in_family(name)) do
        lines[#lines + 1] = ("  %s: %s"):format(entry.symbol, entry.text)
    end
    if #lines == 0 then return nil end
    table.insert(lines, 1, ("err:is(%q)"):format(name))
    local hint = own and hints.of { code = name }
    if hint then lines[#lines + 1] = "→ " .. hint end
    return explanation { kind = "family", name = name, text = table.concat(lines, "\n") }
end

local LAST_BUILD = 30000 -- beyond: no build, but a number of something else

-- A build of Windows; other numbers of that size are none.
local function of_build(number)
    if number < schema.versions[0] or number > LAST_BUILD then return nil end
    local major, minor = builds.version_of_build(number)
    return explanation {
        kind = "build", name = tostring(number), build = number,
        text = ("Windows build %d: documents up to SchemaVersion %d.%d; to be it: %q")
            :format(number, major, minor, "sim:?build=" .. number),
    }
end

local function of_event_in(types, whose, name)
    for number, names in pairs(types) do
        if name == names[1] or name == names[2] or name == "System" .. names[2] then
            return explanation {
                kind = "event", name = names[1], number = number,
                text = ("event %q: %s's %s (0x%08X)"):format(names[1], whose, names[2], number),
            }
        end
    end
    return nil
end

local function of_event(name)
    name = name:gsub("^HcsEvent", "")
    local network = name:gsub("^HcnNotification", "")
    local found = name == network and of_event_in(events.TYPES, "the platform", name)
        or of_event_in(network_events.TYPES, "the network service", network)
    if found then return found end
    if name ~= "crash" then return nil end
    return explanation {
        kind = "event", name = "crash",
        text = "event \"crash\": composed of a crash's reports, once they are complete: "
            .. ".log .parameters .dumps[{path,format,bytes,seconds}]",
    }
end

local function of_function(name)
    local entry = reference.find(name)
    if not entry then return nil end
    local lines = { ("%s(%s)"):format(entry.name, entry.arguments), entry.text }
    for _, tag in ipairs(entry.tags) do lines[#lines + 1] = "  " .. tag end
    if entry.twin then lines[#lines + 1] = "  also " .. entry.twin end
    return explanation {
        kind = "function", name = entry.name, text = table.concat(lines, "\n"),
    }
end

local function of_text(text, core)
    local entry = codes.named(text)
    if entry then return of_hresult(entry.hresult, core) end
    return of_event(text) or of_function(text) or of_type(text) or of_path(text)
        or of_family(text)
end

-- All that may have been meant.
local function known_names()
    local names = codes.names()
    table.move(events.NAMES, 1, #events.NAMES, #names + 1, names)
    table.move(network_events.NAMES, 1, #network_events.NAMES, #names + 1, names)
    for name in pairs(reference.all()) do names[#names + 1] = name:match("[%w_]+$") end
    local types = sets.names()
    return table.move(types, 1, #types, #names + 1, names)
end

--- Explains `what`; nil and an error when it is nothing known.
function explain.explain(what, core)
    if errors.is_error(what) then
        if what.hresult then return of_hresult(what.hresult, core) end
        return explanation { kind = "error", name = what.code, text = tostring(what) }
    end
    local number = number_of(what)
    if number then return of_build(number) or of_hresult(number, core) end
    options.argument("explain", "what to explain", what, "string")
    local found = of_text(what, core)
    if found then return found end
    local near = what ~= "" and options.nearest(what, known_names()) or nil
    return errors.fail({ op = "explain", target = what, hresult = 0x80070490,
        message = "nothing known by this name",
        hint = near and ('did you mean "%s"?'):format(near) or nil }, core)
end

return explain
