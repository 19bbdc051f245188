-- SPDX-License-Identifier: MIT
-- The walk over a document of HCN, by the rules of the host's own check
-- (src/schema/schema.h). Windows passes over members that it does not know; in
-- strict walks they are faults, as are flags without a name.

local enums = require "hcs.schema.enums"
local faults_of = require "hcs.schema.faults"
local nearest = require "hcs.schema.nearest"
local scalar = require "hcs.schema.scalar"

local fault, gather, enough = faults_of.fault, faults_of.gather, faults_of.enough
local each, key_text = faults_of.each, faults_of.key_text

local E_INVALIDARG, GUID_CONVERSION = 0x80070057, 0x803B0019
local UNKNOWN = { NetworkMode = 0x803B000B, EndpointPolicyType = 0x803B000E,
    NetworkPolicyType = 0x803B000E, SubnetPolicyType = 0x803B000E }

local check_type

-- Names by their lower case, for each list of entries.
local folded = setmetatable({}, { __mode = "k" })

local function find(entries, name)
    if entries[name] then
        return name
    end
    local names = folded[entries]
    if not names then
        names = {}
        for known in pairs(entries) do
            names[known:lower()] = known
        end
        folded[entries] = names
    end
    return names[name:lower()]
end

local function is_absent(value)
    local kind = scalar.kind(value)
    return kind == "null" or kind == "empty"
end

local function with_code(bad, code)
    if bad then
        bad.code = code
    end
    return bad
end

local function check_guid(value)
    if value == "" then
        return nil
    end
    local bare = type(value) == "string" and value:match("^{(.*)}$") or value
    local wrong = scalar.check(bare, "guid")
    return wrong and fault(wrong, { expected = "guid",
        code = type(value) == "string" and GUID_CONVERSION or nil })
end

local function check_scalar(value, name)
    if name == "guid" then
        return check_guid(value)
    end
    local wrong = scalar.check(value, name)
    return wrong and fault(wrong, { expected = name })
end

local function check_flags(ctx, t, value)
    local bad = check_scalar(value, "uint32")
    if bad or not ctx.strict then
        return bad
    end
    return with_code(enums.number(ctx, t, math.tointeger(value)), E_INVALIDARG)
end

local function check_enum(ctx, t, value)
    local number = type(value) == "number" and math.tointeger(value)
    local code = UNKNOWN[t.name] or E_INVALIDARG
    if t.flags then
        return check_flags(ctx, t, value)
    elseif value == "" then
        return nil
    elseif type(value) == "string" then
        return not find(t.values, value) and with_code(enums.unknown(ctx, t, value), code)
            or nil
    elseif not number then
        return fault(scalar.mismatch("a whole number or a string", value),
            { expected = t.name })
    end
    return not t.open and with_code(enums.number(ctx, t, number), code)
        or t.open and check_scalar(number, "uint32") or nil
end

local function check_array(ctx, t, value)
    local kind = scalar.kind(value)
    if kind ~= "array" and kind ~= "empty" then
        return fault(scalar.mismatch("an array", value), { expected = "array" })
    end
    local faults
    for i = 1, #value do
        faults = gather(faults, check_type(ctx, t, value[i]), i - 1)
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

local function sorted_names(entries)
    local names = {}
    for name in pairs(entries) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

local function unknown_member(ctx, t, key)
    if type(key) ~= "string" then
        return fault(("the key %s is a %s: a member's name is text"):format(tostring(key),
            type(key)))
    elseif not ctx.strict then
        return nil
    end
    local names = sorted_names(t.members)
    local near = nearest(key, names)
    return fault(('unknown member "%s", which Windows would pass over%s'):format(
        scalar.shown(key), near and ('; did you mean "%s"?'):format(near) or ""),
        { expected = names })
end

local function member_value(object, name)
    if object[name] ~= nil then
        return object[name]
    end
    for key, value in pairs(object) do
        if type(key) == "string" and key:lower() == name:lower() then
            return value
        end
    end
    return nil
end

-- The name of the value that the member `by` has in an object, or nil.
local function chosen(t, object, by)
    local value, values = member_value(object, by), t.members[by].of.values
    if type(value) == "string" then
        return find(values, value)
    end
    local number = type(value) == "number" and math.tointeger(value)
    for text, entry in pairs(number and values or {}) do
        if entry.value == number then
            return text
        end
    end
    return nil
end

local function type_of(t, m, object)
    if not m.by then
        return m.of or m.type
    end
    return m.cases[chosen(t, object, m.by) or ""] or "any"
end

local function check_member(ctx, t, key, object)
    local name = type(key) == "string" and find(t.members, key)
    local value = object[key]
    if not name then
        return unknown_member(ctx, t, key)
    elseif is_absent(value) then
        return nil
    end
    local m = t.members[name]
    if m.array then
        return check_array(ctx, m.of or m.type, value)
    end
    return check_type(ctx, type_of(t, m, object), value)
end

local function check_object(ctx, t, value)
    local kind = scalar.kind(value)
    if kind ~= "object" and kind ~= "empty" then
        return fault(scalar.mismatch("an object", value), { expected = t.name })
    end
    local faults
    for key in each(ctx, value) do
        local bad = check_member(ctx, t, key, value)
        faults = bad and gather(faults, bad, key_text(key)) or faults
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

function check_type(ctx, t, value)
    if type(t) == "string" then
        return check_scalar(value, t)
    elseif t.kind == "enum" then
        return check_enum(ctx, t, value)
    elseif scalar.kind(value) == "null" then
        return nil
    end
    return check_object(ctx, t, value)
end

--- The first of the faults in a document, or nil; as the other walk's, and
--- `code`, the HRESULT of what is not merely of the wrong shape.
---@param opts? {lenient: boolean?}
return function(doc, t, opts, all)
    local ctx = { bit = -1, least = math.maxinteger, all = false, hasty = true,
        strict = not (opts and opts.lenient) }
    if not check_type(ctx, t, doc) then
        return nil
    end
    ctx.hasty, ctx.all = false, all
    return check_type(ctx, t, doc)
end
