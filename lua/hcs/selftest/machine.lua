-- SPDX-License-Identifier: MIT
-- Checks of the machine: Lua, our own parts, the system and its libraries.
local hints = require "hcs.hints"
local result = require "hcs.selftest.result"

local machine = {}

local function lua_check()
    return result.ok(("%s, %d-bit"):format(_VERSION, math.maxinteger > 2^31 and 64 or 32))
end

local function core_check(context)
    local core = context.core()
    local path = package.searchpath("hcs.core", package.cpath) or "preloaded"
    -- Lua has paths in Windows' code page.
    if not utf8.len(path) then path = path:gsub("[\128-\255]", "?") end
    return result.ok(("%s, %s"):format(core.version, path))
end

local function cjson_check()
    local found, cjson = pcall(require, "cjson")
    if not found then return result.absent("not on Lua's path; hcs works without it") end
    return result.ok(cjson._VERSION and "lua-cjson " .. cjson._VERSION or "lua-cjson")
end

-- Facts for the report; names of people and machines are none.
local PRIVATE = { name = true, user = true, domain = true, home = true }

local function facts_of(found)
    local facts = {}
    for key, value in pairs(found) do
        if not PRIVATE[key] then facts[key] = value end
    end
    return facts
end

local function windows_text(found)
    local version = found.version or "of unknown version"
    if found.revision then version = version .. "." .. found.revision end
    local text = "Windows " .. version
    for _, field in ipairs { "release", "edition", "installation" } do
        if found[field] and found[field] ~= "" then text = text .. " " .. found[field] end
    end
    return text
end

local function system_check(context)
    local found, hresult, why = context.core().machine()
    if not found then return result.failed(("%s (0x%08x)"):format(why, hresult)) end
    local text = found.system == "Windows" and windows_text(found)
        or ("%s %s"):format(found.system, found.version)
    if found.wine then text = ("Wine %s, as %s"):format(found.wine, text) end
    return result.ok(("%s, %s"):format(text, found.architecture), facts_of(found))
end

local FEATURE = hints.FEATURE

local function hypervisor_check(context)
    local found = context.core().machine()
    if not found or found.hypervisor == nil then return result.absent("cannot be told here") end
    if found.hypervisor then return result.ok("one is running") end
    return result.absent("none is running", found.virtualization_in_firmware and FEATURE
        or "turn on virtualization in the firmware, then the feature 'Virtual Machine Platform'")
end

local NO_SERVICE = 0x80070424

local function service_check(name, hint)
    return function(context)
        local found, hresult = context.core().service(name)
        if not found then
            local missing = hresult == NO_SERVICE
            return result.absent(missing and "not installed" or result.code_text(hresult), hint)
        end
        local text = ("%s, starts: %s"):format(found.state, found.start or "unknown")
        if found.start == "disabled" then
            return result.absent(text, ("sc config %s start= demand"):format(name))
        end
        return result.ok(text, found)
    end
end

-- --- libraries ----------------------------------------------------------------

-- What of Windows this library calls or will call.
local LIBRARIES = { "computecore", "computenetwork", "computestorage", "vmcompute" }

local function functions_of(core, dll)
    local names, since = {}, {}
    for _, fn in ipairs(core.functions) do
        if fn.dll == dll then
            names[#names + 1] = fn.name
            since[fn.name] = fn.build
        end
    end
    return names, since
end

--- A result for functions that are not there: a failure where the build should
--- have them. `since`: the first build of each.
function machine.missing(missing, since, total, build)
    local wrong, later = {}, {}
    for _, name in ipairs(missing) do
        table.insert((since[name] or 0) <= (build or math.huge) and wrong or later, name)
    end
    table.sort(wrong)
    table.sort(later)
    local data = { total = total, missing = wrong[1] and wrong, later = later[1] and later }
    local text = ("%d of %d functions"):format(total - #missing, total)
    if #wrong > 0 then
        local one = result.failed(text .. "; missing: " .. table.concat(wrong, ", "),
            "which Windows is this? Please send the report")
        one.data = data
        return one
    end
    if #later > 0 then text = text .. "; of later builds: " .. table.concat(later, ", ") end
    return result.ok(text, data)
end

local NO_MODULE = 0x8007007E

local function is_needed(context, names)
    return context.kind == "windows" and #names > 0
end

local function library_check(dll)
    return function(context)
        local core = context.core()
        local names, since = functions_of(core, dll)
        local found, hresult = core.module(dll .. ".dll", names)
        if not found then
            local missing = hresult == NO_MODULE
            local text = missing and "not in the system's folder" or "does not load"
            if not is_needed(context, names) then return result.absent(text) end
            local one = result.refused(core, "load", hresult)
            one.text, one.hint = text, missing and FEATURE or one.hint
            return one
        end
        local one = machine.missing(found.missing, since, #names, context.build())
        local where = ("%s, version %s"):format(found.path or "?", found.version or "unknown")
        one.text = #names > 0 and where .. ", " .. one.text or where
        one.data.path, one.data.version = found.path, found.version
        return one
    end
end

--- The checks, appended to `list`.
function machine.add(list, windows)
    local function add(section, name, run, needs)
        list[#list + 1] = { section = section, name = name, run = run, needs = needs }
    end
    add("This machine", "lua", lua_check)
    add("This machine", "hcs.core", core_check)
    add("This machine", "cjson", cjson_check)
    add("This machine", "system", system_check, "hcs.core")
    if not windows then return end
    add("This machine", "hypervisor", hypervisor_check, "hcs.core")
    add("This machine", "service vmcompute", service_check("vmcompute", FEATURE), "hcs.core")
    for _, name in ipairs { "vmms", "hns", "hvhost" } do
        add("This machine", "service " .. name, service_check(name), "hcs.core")
    end
    for _, dll in ipairs(LIBRARIES) do
        add("Windows' libraries", dll .. ".dll", library_check(dll), "hcs.core")
    end
end

return machine
