-- SPDX-License-Identifier: MIT
-- Which files a document's system opens, and access to them: the kernel, the
-- disks, state files, and the folders where dumps and saves are to be made.
local errors = require "hcs.error"
local paths = require "hcs.paths"

local grants = {}

local function text(value)
    return type(value) == "string" and value ~= "" and value or nil
end

local function member(value, ...)
    for index = 1, select("#", ...) do
        if type(value) ~= "table" then return nil end
        value = value[(select(index, ...))]
    end
    return value
end

local function sorted_keys(map)
    local keys = {}
    for key in pairs(type(map) == "table" and map or {}) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    return keys
end

-- [path of members] = whether a file will be made there (its folder counts)
local FILES = {
    { "Chipset", "LinuxKernelDirect", "KernelFilePath" },
    { "Chipset", "LinuxKernelDirect", "InitRdPath" },
    { "GuestState", "GuestStateFilePath" },
    { "GuestState", "RuntimeStateFilePath" },
    { "RestoreState", "SaveStateFilePath", folder = true, file = true },
    { "RestoreState", "RuntimeStateFilePath" },
    { "Devices", "GuestCrashReporting", "WindowsCrashSettings", "DumpFileName", folder = true },
    { "Devices", "GuestCrashReporting", "NixCrashSettings", "DumpFileName", folder = true },
    { "DebugOptions", "BugcheckSavedStateFileName", folder = true },
    { "DebugOptions", "BugcheckNoCrashdumpSavedStateFileName", folder = true },
    { "DebugOptions", "TripleFaultSavedStateFileName", folder = true },
    { "DebugOptions", "FirmwareDumpFileName", folder = true },
    { "DebugOptions", "ShutdownOrResetSavedStateFileName", folder = true },
    { "DebugOptions", "WorkerProcessDumpOnGuestCrash", "DumpFileName", folder = true },
    { "DebugOptions", "LiveDumpOnGuestCrash", "DumpFileName", folder = true },
}

--- The paths to grant for a ComputeSystem document, each once.
function grants.of(document)
    local list, seen = {}, {}
    local function add(path)
        if path and not seen[path] then
            seen[path] = true
            list[#list + 1] = path
        end
    end
    local machine = member(document, "VirtualMachine")
    for _, row in ipairs(FILES) do
        local path = text(member(machine, table.unpack(row)))
        if path and (row.file or not row.folder) then add(path) end
        if path and row.folder then add(paths.folder(path)) end
    end
    local controllers = member(machine, "Devices", "Scsi")
    for _, name in ipairs(sorted_keys(controllers)) do
        local attachments = member(controllers, name, "Attachments")
        for _, lun in ipairs(sorted_keys(attachments)) do
            add(text(member(attachments, lun, "Path")))
        end
    end
    return list
end

-- How many of this world's handles want a system to open a path.
local function counts(world, id)
    world.granted[id] = world.granted[id] or {}
    return world.granted[id]
end

local function count_down(world, id, path)
    local wanted = counts(world, id)
    local left = (wanted[path] or 1) - 1
    wanted[path] = left > 0 and left or nil
    if next(wanted) == nil then world.granted[id] = nil end
    return left
end

--- Lets the system `id` open a path. Returns whether it may, or the HRESULT.
function grants.add(world, id, path)
    local hresult = world.api.HcsGrantVmAccess(id, path)
    if hresult & 0x80000000 ~= 0 then return false, hresult end
    local wanted = counts(world, id)
    wanted[path] = (wanted[path] or 0) + 1
    return true
end

--- Grants `list` to the system `id`. Returns what was granted, for undo; a
--- file that does not exist is left to the host to complain about.
function grants.apply(world, id, list)
    local done = {}
    for _, path in ipairs(list) do
        local granted, hresult = grants.add(world, id, path)
        if granted then
            done[#done + 1] = path
        elseif hresult ~= 0x80070002 and hresult ~= 0x80070003 then
            grants.undo(world, id, done)
            return errors.fail({ op = "grant", target = id, hresult = hresult, file = path },
                world.core)
        end
    end
    return done
end

--- Takes grants back, unless another handle still wants them.
function grants.undo(world, id, list)
    for index = #list, 1, -1 do
        if count_down(world, id, list[index]) <= 0 then
            world.api.HcsRevokeVmAccess(id, list[index])
        end
    end
end

--- Forgets grants without taking them back: they are another's by now.
function grants.leave(world, id, list)
    for _, path in ipairs(list) do count_down(world, id, path) end
end

return grants
