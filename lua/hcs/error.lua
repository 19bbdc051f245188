-- SPDX-License-Identifier: MIT
-- The one error object of this library. A call that fails returns
-- nil, err, err.code; the strict faces raise err.
local codes = require "hcs.codes"
local hints = require "hcs.hints"
local options = require "hcs.options"

---@class hcs.Error
---@field op string what was tried: "start"
---@field target? string on what: the system's id, a path
---@field code string short text: "invalid_state"
---@field hresult? integer positive: 0x80370105
---@field symbol? string "HCS_E_INVALID_STATE"
---@field message string a sentence
---@field path? string the JSON path at fault: "$.VirtualMachine.Devices"
---@field file? string the file at fault
---@field hint? string what to do about it
---@field phase? string where the host was: "start", "construct"
---@field events? table[] ErrorEvents of the error document
---@field attribution? table[] Attribution of the error document
---@field document? table the error document
---@field json? string its text
---@field where? string "file:line" it was raised at (strict): its text begins with it
---@field traceback? string (strict)
local methods = {}
local mt = { __name = "hcs.Error", __index = methods }
local M = { mt = mt, methods = methods }

--- Whether `value` is an error object.
function M.is_error(value)
    return getmetatable(value) == mt
end

local function one_line(text)
    return (text:gsub("%s*[\r\n]+%s*", " "):gsub("^%s+", ""):gsub("%s+$", ""))
end

local function non_empty(text)
    return type(text) == "string" and text ~= "" and text or nil
end

local function member(value, name)
    return type(value) == "table" and value[name] or nil
end

local function list(value)
    return type(value) == "table" and value or {}
end

-- Messages are for people only: nothing here looks into them.
local function message_of(document)
    local events = list(document.ErrorEvents)
    for index = #events, 1, -1 do
        local text = non_empty(member(events[index], "Message"))
        if text then return text end
    end
    return non_empty(document.ErrorMessage) or non_empty(document.Error)
end

local function phase_of(attribution)
    for _, record in ipairs(list(attribution)) do
        local detail = member(member(record, "OperationFailure"), "Detail")
        if type(detail) == "string" then return detail:lower() end
    end
    return nil
end

-- The texts in the events' data.
local function texts_of(events)
    local texts = {}
    for _, event in ipairs(list(events)) do
        for _, datum in ipairs(list(member(event, "Data"))) do
            local text = member(datum, "Value")
            if type(text) == "string" then texts[#texts + 1] = text end
        end
    end
    return texts
end

local function is_file(text)
    return text:match("^/") or text:match("^%a:[/\\]") or text:match("^\\\\")
end

-- The places an error document names in its events' data: a JSON path in
-- quotes (the platform's own form), a file's path.
local function places_of(events)
    local path, file
    for _, value in ipairs(texts_of(events)) do
        path = path or value:match("'(%$.*)'") or value:match("^%$.*")
        file = file or (is_file(value) and value)
    end
    return path, file or nil
end

local function read_document(err, document)
    err.document = document
    err.events = document.ErrorEvents
    err.attribution = document.Attribution
    err.phase = phase_of(err.attribution)
    local path, file = places_of(err.events)
    err.path, err.file = err.path or path, err.file or file
    if not err.hresult then
        local number = document.ErrorCode or document.Error
        err.hresult = codes.normalize(math.tointeger(number))
    end
    return message_of(document)
end

local function name_it(err, symbol)
    local entry = err.hresult and codes.of(err.hresult)
    err.symbol = entry and entry.symbol or err.hresult and symbol and symbol(err.hresult) or nil
    err.code = err.code or entry and entry.code or err.symbol and codes.short(err.symbol)
        or err.hresult and ("0x%08x"):format(err.hresult) or "failed"
    local own = codes.own[err.code]
    return entry and entry.text or own and own.text
end

--- Makes an error. `fields`: op, target, hresult, code, message, path, hint
--- (default: what hcs.hints has; false: none), json (an error document's text);
--- `core` decodes it and knows more symbols.
---@param fields table
---@param core? table hcs.core
---@return hcs.Error
function M.new(fields, core)
    local err = {}
    for key, value in pairs(fields) do err[key] = value end
    err.hresult = codes.normalize(err.hresult)
    local told
    if err.json == "" then err.json = nil end
    if err.json and core then
        local document = core.json.decode(err.json)
        if type(document) == "table" then told = read_document(err, document) end
    end
    local text = name_it(err, core and core.symbol)
    err.message = one_line(err.message or told or text or err.symbol or err.code)
    setmetatable(err, mt)
    if err.hint == nil then err.hint = hints.of(err) end
    err.hint = err.hint or nil
    return err
end

local function has(entry, family)
    for _, one in ipairs(entry and entry.families or {}) do
        if one == family then return true end
    end
    return false
end

--- Whether the error is of one of the families (or has one of the codes).
---@param ... string
---@return boolean
function methods.is(err, ...)
    local entry = err.hresult and codes.of(err.hresult)
    local own = codes.own[err.code]
    for index = 1, select("#", ...) do
        local name = select(index, ...)
        if name == err.code or name == err.symbol then return true end
        if has(entry, name) or has(own, name) then return true end
    end
    return false
end

function mt.__tostring(err)
    local text = err.op or "hcs"
    if err.target then text = ('%s "%s"'):format(text, err.target) end
    text = text .. ": " .. err.message
    local place = err.path or not err.hint and err.file
    if place and not err.message:find(place, 1, true) then
        text = text .. " (" .. place .. ")"
    end
    if err.hint then text = text .. " → " .. err.hint end
    if err.where then text = err.where .. ": " .. text end
    return one_line(text)
end

function mt.__concat(a, b)
    return tostring(a) .. tostring(b)
end

--- What a failing call returns.
---@return nil, hcs.Error, string
function M.fail(fields, core)
    local err = M.is_error(fields) and fields or M.new(fields, core)
    return nil, err, err.code
end

--- Raises an error object, with where it happened and the traceback in it.
function M.raise(err)
    if not err.traceback then
        err.where = options.caller()
        err.traceback = debug.traceback(tostring(err), 2)
    end
    error(err, 0)
end

--- Passes results through, but raises nil, err.
function M.check(...)
    local first, second = ...
    if first == nil and M.is_error(second) then M.raise(second) end
    return ...
end

return M
