-- Boots one guest, makes it a template, and clones it in a fraction of a boot.
local hcs = require "hcs.strict"
local monotonic = require("hcs.core").monotonic

local CLONES = tonumber(arg[1]) or 3

local function options(id, more)
    local given = {
        id = id, memory = "256M",
        kernel = hcs.host.kernel, initrd = hcs.host.initrd,
        cmdline = "console=ttyS0 quiet cryptomgr.notests=1",
    }
    for key, value in pairs(more or {}) do
        given[key] = value
    end
    return given
end

local function took(since)
    return ("%7.0f ms"):format((monotonic() - since) * 1000)
end

local scope <close> = hcs.scope()

local start = monotonic()
local template = scope:create(options "template")
template:start()
template:console():expect("hcs-guest: up", 120)
print("boot      " .. took(start))

start = monotonic()
template:pause { reason = "template" }
template:save_template()
print("template  " .. took(start) .. "   " .. template:state())

for i = 1, CLONES do
    start = monotonic()
    local clone = scope:create(options("clone-" .. i, { template = "template" }))
    clone:start()
    local console = clone:console()
    console:write("echo clone " .. i .. " answers\n")
    local answer = console:expect("clone " .. i .. " answers", 60)
    print(("clone %-3d "):format(i) .. took(start) .. "   " .. answer)
end
