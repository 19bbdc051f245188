-- SPDX-License-Identifier: MIT
-- One boot through lua-hcs, for bench/boot: prints, in milliseconds, what
-- create, start and the guest's way to userspace took, and writes QEMU's
-- arguments, as the kernel knows them, to the file named.
local hcs = require "hcs.strict"
local monotonic = require("hcs.core").monotonic

local ARGUMENTS, COMMAND_LINE = arg[1], arg[2]

local function milliseconds(from, to)
    return ("%.2f"):format((to - from) * 1000)
end

local function arguments_of(runtime_id)
    local pipe = assert(io.popen("grep -lza -- '^" .. runtime_id .. "$' /proc/[0-9]*/cmdline 2>&-"))
    for path in pipe:lines() do
        local file = io.open(path, "rb")
        local text = file and file:read("a") or ""
        if file then file:close() end
        if text:match("^[^%z]*qemu") then
            pipe:close()
            return text
        end
    end
    error("no QEMU has the uuid " .. runtime_id)
end

local _ = hcs.host.build -- opens the host; once per script, not per boot

local began = monotonic()
local vm <close> = hcs.create {
    id = "bench", memory = "256M", if_exists = "replace",
    kernel = os.getenv "HCS_KERNEL", initrd = os.getenv "HCS_INITRD", cmdline = COMMAND_LINE,
}
local created = monotonic()
vm:start()
local started = monotonic()
vm:console():expect("hcs-guest: up", 120)
local up = monotonic()

local file = assert(io.open(ARGUMENTS, "wb"))
assert(file:write(arguments_of(vm.runtime_id)))
assert(file:close())
print(milliseconds(began, created), milliseconds(created, started), milliseconds(began, up))
