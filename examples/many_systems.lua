-- Fifty systems of one script, booted side by side by as many tasks.
-- host: sim
local hcs = require("hcs.strict").connect(os.getenv "HCS_HOST" or "sim:?clock=virtual")

local COUNT = tonumber(arg[1]) or 50

local scope <close> = hcs.scope()
local up, exits = 0, {}

local function life(i)
    local vm = scope:create {
        id = ("node-%02d"):format(i), memory = "128M", stop_on_reset = true,
        kernel = hcs.host.kernel, initrd = hcs.host.initrd,
        cmdline = "console=ttyS0 quiet",
    }
    vm:start()
    vm:console():expect("hcs-guest: up", 600)
    up = up + 1
    -- Every third switches itself off, every third is switched off, the rest reset.
    if i % 3 == 0 then
        vm:console():write("poweroff\n")
    elseif i % 3 == 1 then
        vm:terminate()
    else
        vm:console():write("reboot\n")
    end
    local exit = vm:wait("exited", 600).document.ExitType
    exits[exit] = (exits[exit] or 0) + 1
end

local tasks = {}
for i = 1, COUNT do
    tasks[i] = hcs.spawn(life, i)
end
hcs.wait_all(tasks)

print("booted", up)
for _, kind in ipairs { "GracefulExit", "ForcedExit", "UnexpectedExit" } do
    print(kind, exits[kind] or 0)
end
print("left", #hcs.list())
