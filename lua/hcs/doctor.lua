-- SPDX-License-Identifier: MIT
-- hcs.doctor: what is there and what is missing, one line each.
local world_module = require "hcs.world"

local doctor = {}

---@class hcs.Verdict
---@field name string what was looked at
---@field ok boolean
---@field text string what was found, and what to do where it is missing
local Verdict = {
    __name = "hcs.Verdict",
    __tostring = function(self)
        return ("%s %s: %s"):format(self.ok and "ok  " or "miss", self.name, self.text)
    end,
}

local Report = {
    __name = "hcs.Report",
    __tostring = function(self)
        local lines = {}
        for index, verdict in ipairs(self) do lines[index] = tostring(verdict) end
        return table.concat(lines, "\n")
    end,
}

local function can_open(path)
    local file = io.open(path, "rb")
    if file then file:close() end
    return file ~= nil
end

local function on_path(name)
    for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
        if can_open(folder .. "/" .. name) then return folder .. "/" .. name end
    end
    return nil
end

local function program(name, package_name)
    local path = on_path(name)
    if path then return true, path end
    return false, "not installed: apt install " .. package_name
end

local function first_file(paths)
    for _, path in ipairs(paths) do
        if can_open(path) then return path end
    end
    return nil
end

-- Where real guests keep their state.
local function root_verdict(core)
    local root = os.getenv("HCS_ROOT")
    if root then return true, root end
    if core.user() == "root" then return true, "/run/hcs (root)" end
    local folder = os.getenv("XDG_RUNTIME_DIR")
    if folder then return true, folder .. "/hcs" end
    return false, "no place for state: set HCS_ROOT to a folder of yours"
end

local function number_in(path)
    local file = io.open(path, "r")
    local number = file and file:read("n")
    if file then file:close() end
    return number
end

-- Whether networks of real guests may be had; who is not root needs namespaces.
local function networks_verdict(core)
    if core.user() == "root" then return true, "as root" end
    if number_in("/proc/sys/user/max_user_namespaces") == 0
        or number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0 then
        return false, "networks need root, or user namespaces, which are turned off: "
            .. "sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone"
    end
    return true, "in user namespaces"
end

-- What real guests need on Linux.
local LINUX = {
    { "state", root_verdict },
    { "qemu", function() return program("qemu-system-x86_64", "qemu-system-x86") end },
    { "qemu-img", function() return program("qemu-img", "qemu-utils") end },
    { "ovmf", function()
        local folder = "/usr/share/OVMF/"
        local path = first_file { folder .. "OVMF_CODE_4M.fd", folder .. "OVMF_CODE.fd" }
        return path ~= nil, path or "not installed: apt install ovmf"
    end },
    { "swtpm", function() return program("swtpm", "swtpm") end },
    { "networks", networks_verdict },
    { "dnsmasq", function()
        local path = first_file { "/usr/sbin/dnsmasq", "/sbin/dnsmasq",
            "/usr/local/sbin/dnsmasq", "/usr/bin/dnsmasq" }
        return path ~= nil, path or "not installed, for networks of type ics: "
            .. "apt install dnsmasq-base"
    end },
    { "kvm", function()
        if can_open("/dev/kvm") then
            return true, "/dev/kvm opens; whether it runs guests is found out at the first one"
        end
        return false, "/dev/kvm cannot be opened: guests run emulated (TCG), slower"
    end },
}

local function host_verdict(world)
    local ok, err = world_module.open(world)
    if not ok then return false, tostring(err) end
    local about = world.about
    local text = ("%s, build %s"):format(world.uri, world.build or "?")
    if about.Accelerator then
        text = ("%s, %s%s"):format(text, about.Accelerator,
            about.AcceleratorReason and " (" .. about.AcceleratorReason .. ")" or "")
    end
    return true, text
end

local FIRST_BUILD = 17763 -- the first whose computecore.dll has this interface

local function windows_verdict(core)
    local machine = core.machine()
    local text = ("%s, build %s"):format(machine.edition or "unknown edition", machine.build or "?")
    if machine.wine then text = ("%s, by Wine %s"):format(text, machine.wine) end
    if (machine.build or 0) >= FIRST_BUILD then return true, text end
    return false, ("%s: Windows 10 1809 (build %d) or later is needed"):format(text, FIRST_BUILD)
end

-- A service that a feature of Windows brings with it.
local function service(name, feature)
    return function(core)
        local found = core.service(name)
        if not found then
            return false, ("not installed: dism /online /enable-feature /all /featurename:%s")
                :format(feature)
        elseif found.start == "disabled" then
            return false, ("disabled: sc config %s start= demand"):format(name)
        end
        return true, ("the service %s is %s"):format(name, found.state)
    end
end

local function library(name)
    return function(core)
        local found, hresult, why = core.module(name, core.array {})
        if found then return true, found.path or name end
        return false, ("%s does not load: %s"):format(name, why or core.text(hresult)
            or ("0x%08X"):format(hresult))
    end
end

local function rights_verdict(core)
    local machine = core.machine()
    if machine.elevated then return true, "elevated" end
    if machine.hyperv_administrator then return true, "a member of Hyper-V Administrators" end
    return false, "run elevated, or join Hyper-V Administrators and log on again"
end

-- What real guests need on Windows. Nothing is asked that needs rights or
-- starts anything.
local WINDOWS = {
    { "windows", windows_verdict },
    { "virtual machine platform", service("vmcompute", "VirtualMachinePlatform") },
    { "hyper-v", service("vmms", "Microsoft-Hyper-V") },
    { "computecore", library "computecore.dll" },
    { "computenetwork", library "computenetwork.dll" },
    { "rights", rights_verdict },
}

--- Looks, and returns a list of verdicts that prints as lines.
function doctor.examine(world)
    local report = setmetatable({}, Report)
    local function add(name, ok, text)
        report[#report + 1] = setmetatable({ name = name, ok = ok, text = text }, Verdict)
    end
    add("lua", true, ("%s, hcs %s, hcs.core %s"):format(_VERSION, world_module.VERSION,
        world.core.version or "?"))
    add("host", host_verdict(world))
    for _, check in ipairs(world.core.platform == "windows" and WINDOWS or LINUX) do
        add(check[1], check[2](world.core))
    end
    return report
end

return doctor
