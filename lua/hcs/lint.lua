-- SPDX-License-Identifier: MIT
-- What a document may say and yet is known to end badly. Each rule looks at a
-- ComputeSystem and gives a sentence, or nil; create puts the sentences into
-- system.warnings.
local lint = {}

-- The value below `value` by member names, or nil.
local function at(value, ...)
    for _, name in ipairs { ... } do
        if type(value) ~= "table" then return nil end
        value = value[name]
    end
    return value
end

local function input_without_screen(machine)
    local devices = at(machine, "Devices") or {}
    for _, name in ipairs { "Keyboard", "Mouse" } do
        if devices[name] and not devices.VideoMonitor then
            return ("VirtualMachine.Devices.%s without VideoMonitor: on Windows the system "
                .. "dies when its guest reboots"):format(name)
        end
    end
end

local STATE_FILES = {
    { "GuestState", "GuestStateFilePath" }, { "GuestState", "RuntimeStateFilePath" },
    { "RestoreState", "SaveStateFilePath" }, { "RestoreState", "RuntimeStateFilePath" },
}

local function state_at_drive_root(machine)
    for _, where in ipairs(STATE_FILES) do
        local path = at(machine, where[1], where[2])
        if type(path) == "string" and path:match "^%a:[\\/][^\\/]+$" then
            return ("VirtualMachine.%s.%s is %q: Windows lets no system write at the root of "
                .. "a drive, use a folder"):format(where[1], where[2], path)
        end
    end
end

local function windows_dump_of_linux(machine)
    if at(machine, "Chipset", "LinuxKernelDirect")
        and at(machine, "Devices", "GuestCrashReporting", "WindowsCrashSettings") then
        return "VirtualMachine.Devices.GuestCrashReporting.WindowsCrashSettings: a Linux guest "
            .. "writes no such dump, NixCrashSettings does"
    end
end

local function dump_without_panic(machine)
    local settings = at(machine, "Devices", "GuestCrashReporting", "NixCrashSettings")
    local kernel = at(machine, "Chipset", "LinuxKernelDirect")
    local line = at(kernel, "KernelCmdLine") or ""
    if settings and kernel and not (" " .. line .. " "):find(" unknown_nmi_panic ", 1, true) then
        return "VirtualMachine.Chipset.LinuxKernelDirect.KernelCmdLine lacks unknown_nmi_panic: "
            .. "crash() will not bring this guest down, so it will write no dump"
    end
end

local RULES = {
    input_without_screen, state_at_drive_root, windows_dump_of_linux, dump_without_panic,
}

--- What is doubtful in a ComputeSystem document.
---@param document table
---@return string[] sentences each begins with the member's path
function lint.warnings(document)
    local found = {}
    local machine = at(document, "VirtualMachine")
    for _, rule in ipairs(machine and RULES or {}) do
        found[#found + 1] = rule(machine)
    end
    return found
end

return lint
