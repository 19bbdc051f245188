-- SPDX-License-Identifier: MIT
-- What a check found. A check returns one result or a list of them.
local codes = require "hcs.codes"
local errors = require "hcs.error"

local result = {}

---@class hcs.selftest.Result
---@field status string "ok", "failed", "absent" (not there, and need not be) or "skipped"
---@field text string what was found
---@field name? string when it is not the check's own
---@field hresult? integer positive
---@field symbol? string of the HRESULT
---@field hint? string what to do about it
---@field data? table for the report: what the text is too short for

result.STATUSES = { "ok", "failed", "absent", "skipped" }

function result.ok(text, data)
    return { status = "ok", text = text or "", data = data }
end

function result.absent(text, hint)
    return { status = "absent", text = text, hint = hint }
end

function result.skipped(text)
    return { status = "skipped", text = text }
end

--- A failure: a sentence, or an error object, and what to do about it.
function result.failed(what, hint)
    if not errors.is_error(what) then
        return { status = "failed", text = tostring(what), hint = hint }
    end
    return {
        status = "failed", text = what.message, hint = hint or what.hint,
        hresult = what.hresult, symbol = what.symbol,
        data = what.json and { document = what.json } or nil,
    }
end

--- A failure with an HRESULT, and the error document where there is one.
function result.refused(core, op, hresult, json)
    return result.failed(errors.new({ op = op, hresult = hresult, json = json }, core))
end

--- An HRESULT's symbol, or its digits.
function result.code_text(hresult)
    local entry = codes.of(hresult)
    return entry and entry.symbol or ("0x%08X"):format(hresult)
end

function result.is_failure(hresult)
    return hresult & 0x80000000 ~= 0
end

--- Whether an HRESULT means that this Windows does not know what was asked for.
function result.is_unknown(hresult)
    local entry = codes.of(hresult)
    for _, family in ipairs(entry and entry.families or {}) do
        if family == "unsupported" or family == "invalid_document" then return true end
    end
    return false
end

return result
