-- SPDX-License-Identifier: MIT
-- Who exists when: builds of Windows and SchemaVersions.

local schema = require "hcs.schema.hcs"

local M = {}

local ANY_MINOR = 255

--- Whether a member or a value exists for the context's build and version.
function M.available(ctx, entry)
    return entry.builds & ctx.bit ~= 0 and entry.minor <= ctx.least
end

--- The first build that has a member or a value; nil when none is known to.
---@param set? table default HCS'
function M.first_build(entry, set)
    for i, build in ipairs((set or schema).builds) do
        if entry.builds >> (i - 1) & 1 == 1 then
            return build
        end
    end
    return nil
end

--- The names of those that exist, sorted.
function M.names(ctx, entries)
    local names = {}
    for name, entry in pairs(entries) do
        if M.available(ctx, entry) then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

--- The highest minor version a build supports; -1 before 2.0.
function M.supported_minor(build)
    local minor = -1
    while schema.versions[minor + 1] and schema.versions[minor + 1] <= build do
        minor = minor + 1
    end
    return minor
end

--- The SchemaVersion a build supports at most: major, minor.
function M.version_of_build(build)
    local minor = M.supported_minor(build)
    if minor < 0 then
        return 1, 0
    end
    return 2, minor
end

local function bit_of_build(build)
    local i = 1
    while schema.builds[i + 1] and schema.builds[i + 1] <= build do
        i = i + 1
    end
    return 1 << (i - 1)
end

--- What a check is made for: a build and the declared version, if any.
function M.context(build, major, minor)
    local least = ANY_MINOR
    if major and major <= 2 then
        least = major == 2 and minor or 0
    end
    return { build = build, bit = bit_of_build(build), major = major, minor = minor,
        least = least }
end

return M
