-- SPDX-License-Identifier: MIT
-- What to do about a failure: for a code, or a code in a phase, a sentence or
-- a function of the error that gives one. Data for hcs.error.
local hints = {}

local function quoted(text) return ("%q"):format(text or "id") end

local function grant(err)
    if err.file then
        return ("hcs.file.grant(%s, %s)"):format(quoted(err.target), quoted(err.file))
    end
    return ("hcs.file.grant(%s, path), also for parents of disks and folders of new files")
        :format(quoted(err.target))
end

-- Whether a failure is one of the network service's.
local function of_networks(err)
    return (err.op or ""):match("^network[.:]") or (err.op or ""):match("^endpoint[.:]")
        or (err.op or ""):match("^namespace[.:]")
end

-- A host of ours says where the fault is and what it is; Windows often does not.
local function unless_told(hint)
    return function(err) return not (err.message or ""):find("$", 1, true) and hint or nil end
end

local function scarce(err)
    if of_networks(err) or err.op == "host" then return nil end
    return "ask for less memory, or free some on the host"
end

local function denied(err)
    if err.op == "host" or err.op == "grant" then return nil end
    if not of_networks(err) then return grant(err) end
    return "run elevated (for networks 'Hyper-V Administrators' is not enough on Windows 11 22H2)"
end

local function existing(err)
    return ("hcs.network.open{ name = %s }, or if_exists = \"open\" or \"replace\"")
        :format(quoted(err.target))
end

local function shared(err)
    if of_networks(err) then
        return "another process of the host has this port; netstat or ss tells which"
    end
    return "whoever has it open must close it; a system that just ended takes a moment"
end

local function prefix_taken(err)
    if not (err.op or ""):match("^network") then return nil end
    return "another network has the prefix (builds before 2019 have one NAT network): "
        .. "hcs.network.list() tells"
end

local function invalid(err)
    local parent = err.path and err.path:match("^%$%.(.+)%.[^.]*$")
    if parent then return ("hcs.explain %s lists what may stand there"):format(quoted(parent)) end
    return not err.path and "hcs.validate(document) names the member" or nil
end

--- Where the compute service comes from.
hints.FEATURE = "turn on 'Virtual Machine Platform' and restart; as administrator: "
    .. "dism /online /enable-feature /all /featurename:VirtualMachinePlatform"

-- [code] = hint, or [code] = { [op or phase] = hint, default }
hints.table = {
    ["0x8037011B"] = "run elevated or join 'Hyper-V Administrators' (and log on again)",
    ["0x80370102"] = "enable the Virtual Machine Platform and virtualization in the firmware; "
        .. "hcs.doctor() shows what is missing",
    ["0x80370114"] = function(err)
        if of_networks(err) then return nil end
        return "enable the Virtual Machine Platform and start the service 'vmcompute'"
    end,
    ["0x8007007E"] = {
        host = function(err)
            if not (err.target or ""):match("^windows:") then return nil end
            return hints.FEATURE
        end,
    },
    ["0x80070422"] = "sc config vmcompute start= demand",
    ["0x80070005"] = denied,
    ["0x8037010D"] = invalid,
    ["0x8007000D"] = { create = invalid, modify = invalid }, -- later it is a file's content
    ["0x8037010F"] = function(err)
        return ("hcs.open(%s), or hcs.create{ if_exists = \"open\" or \"replace\" }")
            :format(quoted(err.target))
    end,
    ["0x8037010E"] = {
        open = "a system vanishes when it exits; an open handle still tells how it ended",
    },
    ["0x80370110"] = "the exit event tells how: vm:wait(\"exited\")",
    ["0x80370105"] = {
        save = "vm:pause() before vm:save()",
        save_template = "vm:pause{ reason = \"template\" } first",
        start = "vm:resume() if it is paused",
        resume = "only a paused system can be resumed; vm:state() tells",
        pause = "only a running system can be paused; vm:state() tells",
        crash = "only a running system can be crashed; vm:state() tells",
        shutdown = "only a running system can be shut down; vm:terminate() always works",
    },
    ["0x80070032"] = {
        shutdown = "create it with services = { shutdown = true }, or use vm:terminate()",
        save = "a system with shares or GPU partitions cannot be saved",
    },
    ["0x80070490"] = {
        ["dump:log"] = "what the guest printed last is in the crash event: crash.log",
        attach_disk = "create it with disks = {…}: a system without disks has no controller",
    },
    ["0x80070034"] = prefix_taken,
    ["0x800700B7"] = prefix_taken,
    ["0x803B0006"] = "an external network needs an adapter that is up and in no other switch: "
        .. "name it in a NetAdapterName policy; binding it interrupts the host for seconds",
    ["0x803B0010"] = existing,
    ["0x803B0011"] = "the adapter has an external switch already; use that network, or remove it",
    ["0x803B0018"] = "the adapter's switch was not made by the network service; remove it there",
    ["0x803B0013"] = "another endpoint has this port: hcs.endpoint.list() tells; "
        .. "external port 0 lets the host choose",
    ["0x803B0016"] = "port mappings need a network of type \"nat\"",
    ["0x803B000A"] = unless_told("a prefix has no bits beyond its length: 192.168.100.0/24, "
        .. "and other types than nat and ics want a subnet"),
    ["0x803B000D"] = unless_told("addresses are IPs or prefixes, none meaning any; "
        .. "a prefix has no host bits"),
    ["0x803B000E"] = "policies of networks and of endpoints are of different types",
    ["0x803B001E"] = "the address must be in a subnet of the network; "
        .. "without one the host chooses",
    ["0x803B002F"] = unless_told("not the first, the last or the gateway's address; "
        .. "or the subnet is full"),
    ["0x803B0014"] = "take it from its system first: vm:remove_nic()",
    ["0x803B002B"] = "ep:detach() first",
    ["0x803B0034"] = "ep:attach(namespace), or the nics of a system",
    ["0x803B002A"] = "turn on the service 'SharedAccess'",
    ["0x803B0020"] = "start the service 'hns' again",
    ["0x800706BA"] = "what was opened before the service stopped must be opened again; "
        .. "on Windows the service is 'hns'",
    ["0x800706BE"] = "open the objects again: their handles went with the service",
    ["0x800707DE"] = "store the file uncompressed, unencrypted and not sparse",
    ["0x80370501"] = "dump:ranges() tells what memory there is",
    ["0x80370505"] = "another CPU's page tables may know it: the last argument is the CPU",
    ["0x80370506"] = "dump:read_physical() needs no page tables",
    ["0x80070570"] = {
        ["dump.open"] = "docs/dumps.md lists what can be read",
        create = "the file is no saved state or disk image, or a truncated one",
        start = "the file is no saved state or disk image, or a truncated one",
    },
    ["0x80070020"] = shared,
    ["0x80370118"] = {
        create = "an existing .vmgs of other secure boot or TPM settings can cause this",
    },
    ["0x80370109"] = "leave out GuestConnection unless the guest runs the guest compute service",
    ["0x80070569"] = "a group policy took 'Log on as a service' from NT VIRTUAL MACHINE accounts",
    ["0x800705AA"] = scarce,
    ["0x800705AF"] = scarce,
    ["0x8037011E"] = "close this handle and hcs.open() the system again",
    ["0x80070006"] = "handles belong to the process that opened them, until they are closed",
    ["0x80070002"] = {
        create = "paths in documents must be absolute and exist",
        start = "the file must exist when the system starts",
        host = function(err)
            if not (err.target or ""):match("^qemu:") then return nil end
            return "apt install qemu-system-x86, or choose the simulated host: HCS_HOST=sim:"
        end,
    },
    would_block = "wait inside hcs.spawn(function() … end), and call hcs.step(dt)",
}

--- The hint for an error, or nil.
function hints.of(err)
    local key = err.hresult and ("0x%08X"):format(err.hresult) or err.code
    local hint = hints.table[key]
    if type(hint) == "table" then hint = hint[err.op] or hint[err.phase or ""] end
    if type(hint) == "function" then hint = hint(err) end
    return hint
end

return hints
