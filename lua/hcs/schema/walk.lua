-- SPDX-License-Identifier: MIT
-- The walk over a document.

local builds = require "hcs.schema.builds"
local enums = require "hcs.schema.enums"
local faults_of = require "hcs.schema.faults"
local nearest = require "hcs.schema.nearest"
local scalar = require "hcs.schema.scalar"
local schema = require "hcs.schema.hcs"

local available, first_build = builds.available, builds.first_build
local available_names, supported_minor = builds.names, builds.supported_minor

local fault, gather, enough = faults_of.fault, faults_of.gather, faults_of.enough
local each, key_text = faults_of.each, faults_of.key_text

local MAX_DEPTH = 128

local check_type

-- Without `what` the sentence begins with the path, when that is known.
local function unavailable(ctx, entry, what)
    local first = first_build(entry)
    local rest, since
    if entry.builds & ctx.bit ~= 0 then
        since = "2." .. entry.minor
        rest = ("needs SchemaVersion >= %s (document says %d.%d)"):format(since,
            ctx.major, ctx.minor)
    elseif ctx.build < first then
        since = first
        rest = ("needs Windows build %d (this is %d)"):format(first, ctx.build)
    else
        rest = ("does not exist in Windows build %d"):format(ctx.build)
    end
    return fault((what and what .. " " or "") .. rest, { since = since, begin = not what })
end

local function check_name(ctx, t, text)
    local entry = t.values[text]
    if text == "" and t.empty then
        return nil
    elseif not entry then
        return enums.unknown(ctx, t, text)
    elseif not available(ctx, entry) then
        return unavailable(ctx, entry, ('"%s" as %s'):format(text, enums.called(t)))
    end
    return nil
end

local function check_enum(ctx, t, value)
    local whole = type(value) == "number" and math.tointeger(value)
    if type(value) == "string" and not t.number then
        return check_name(ctx, t, value)
    elseif whole and (t.number or t.lenient) then
        return enums.number(ctx, t, whole)
    end
    return fault(scalar.mismatch(("a %s (%s)"):format(t.number and "number" or "string",
        t.name), value), { expected = t.name })
end

local function check_array(ctx, m, value, depth)
    local kind = scalar.kind(value)
    if kind ~= "array" and kind ~= "empty" then
        return fault(scalar.mismatch("an array", value), { expected = "array" })
    end
    local faults
    for i = 1, #value do
        local bad = check_type(ctx, m.of or m.type, value[i], depth + 1)
        faults = gather(faults, bad, i - 1)
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

local function check_slot(ctx, m, value, depth)
    if m.array then
        return check_array(ctx, m, value, depth)
    end
    return check_type(ctx, m.of or m.type, value, depth)
end

local function is_object(value)
    local kind = scalar.kind(value)
    return kind == "object" or kind == "empty"
end

local function check_map(ctx, m, value, depth)
    if not is_object(value) then
        return fault(scalar.mismatch("an object", value), { expected = "object" })
    end
    local faults
    for key, item in each(ctx, value) do
        local wrong = scalar.check_key(key, m.map)
        local bad = wrong and fault(wrong, { expected = m.map })
            or check_slot(ctx, m, item, depth + 1)
        faults = bad and gather(faults, bad, key_text(key)) or faults
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

local function null_is_absent(m)
    if m.nullable then
        return true
    elseif m.map or m.array then
        return false
    end
    return m.of ~= nil and m.of.kind == "object"
end

local function unknown_member(ctx, t, key)
    if type(key) ~= "string" then
        return fault(("the key %s is a %s: a member's name is text"):format(tostring(key),
            type(key)))
    end
    local names = available_names(ctx, t.members)
    local near = nearest(key, names)
    return fault(('unknown member "%s"%s'):format(scalar.shown(key),
        near and ('; did you mean "%s"?'):format(near) or ""), { expected = names })
end

local function check_member(ctx, t, key, value, depth)
    local m = t.members[key]
    if not m then
        return unknown_member(ctx, t, key)
    elseif not available(ctx, m) then
        return unavailable(ctx, m)
    elseif type(value) == "userdata" and scalar.kind(value) == "null" and null_is_absent(m) then
        return nil
    elseif m.map then
        return check_map(ctx, m, value, depth)
    end
    return check_slot(ctx, m, value, depth)
end

local function check_object(ctx, t, value, depth)
    if not is_object(value) then
        return fault(scalar.mismatch("an object", value), { expected = t.name })
    elseif depth > MAX_DEPTH then
        return fault(("nested more than %d deep"):format(MAX_DEPTH))
    end
    local faults
    for key, item in each(ctx, value) do
        local bad = check_member(ctx, t, key, item, depth + 1)
        faults = bad and gather(faults, bad, key_text(key)) or faults
        if enough(ctx, faults) then
            return faults
        end
    end
    return faults
end

function check_type(ctx, t, value, depth)
    if type(t) == "string" then
        local wrong = scalar.check(value, t)
        return wrong and fault(wrong, { expected = t }) or nil
    elseif t.kind == "enum" then
        return check_enum(ctx, t, value)
    end
    return check_object(ctx, t, value, depth)
end

local function check_declared(build, major, minor)
    local open = build > schema.versions[#schema.versions]
    if major == 2 and (open or minor <= supported_minor(build)) then
        return nil
    end
    local last = supported_minor(build)
    local message = ("Windows build %d has no SchemaVersion 2.x"):format(build)
    if last >= 0 then
        message = ("SchemaVersion %d.%d is not supported by Windows build %d: "
            .. "expected 2.0 to 2.%d%s"):format(major, minor, build, last,
            open and " or later" or "")
    end
    return gather(nil, fault(message), "SchemaVersion")
end

local function as_version_number(value)
    local whole = type(value) == "number" and math.tointeger(value)
    return whole and whole >= 0 and whole <= 0xffffffff and whole or nil
end

-- The document's own SchemaVersion, if it has one that can be read.
local function read_declared(t, value)
    local members = type(t) == "table" and t.members
    local version = members and members.SchemaVersion and type(value) == "table"
        and value.SchemaVersion
    if type(version) ~= "table" then
        return nil
    end
    local major, minor = as_version_number(version.Major), as_version_number(version.Minor)
    if major and minor then
        return major, minor
    end
    return nil
end

--- The first of the faults in a document, or nil. A fault has a message, which
--- the path has yet to begin where `begin` is set; `at`, the keys from the
--- inside out; `next`, the next one where `all` were asked for.
return function(doc, t, opts, all)
    local build = opts and opts.build or schema.builds[#schema.builds]
    local own_major, own_minor = read_declared(t, doc)
    local given = opts and opts.version or {}
    local ctx = builds.context(build, given[1] or own_major, given[2] or own_minor)
    local undeclared = own_major and check_declared(build, own_major, own_minor)
    if undeclared then
        return undeclared
    end
    ctx.hasty = true
    if not check_type(ctx, t, doc, 0) then
        return nil
    end
    ctx.hasty, ctx.all = false, all
    return check_type(ctx, t, doc, 0)
end
