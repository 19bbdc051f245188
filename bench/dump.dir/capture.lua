-- SPDX-License-Identifier: MIT
-- A guest that is captured each time a path comes on standard input, for
-- bench/dump: prints how many milliseconds that took. An empty line ends it.
local hcs = require "hcs.strict"
local monotonic = require("hcs.core").monotonic

local vm <close> = hcs.create {
    id = "bench-dump", memory = "256M", if_exists = "replace",
    kernel = os.getenv "HCS_KERNEL", initrd = os.getenv "HCS_INITRD", cmdline = arg[1],
}
vm:start()
vm:console():expect("hcs-guest: up", 120)
io.stdout:setvbuf "line"
print "up"
for path in io.lines() do
    if path == "" then break end
    local began = monotonic()
    vm:capture(path)
    print(("%.2f"):format((monotonic() - began) * 1000))
end
