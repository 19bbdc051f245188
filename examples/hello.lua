-- Boots a guest, hears it speak, holds it still, and switches it off.
local hcs = require "hcs.strict"
local vm <close> = hcs.create { id = "hello", memory = "256M", services = { shutdown = true },
    kernel = hcs.host.kernel, initrd = hcs.host.initrd, cmdline = "quiet" }
vm:on("exited", function(event) print("exited:", event.document.ExitType) end)
vm:start()
print("guest says:", (vm:console():expect("hcs-guest: up", 60)))
vm:pause()
print("now it is:", vm:state())
vm:resume()
vm:stop()
