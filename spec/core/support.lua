-- SPDX-License-Identifier: MIT
-- What the specs of hcs.core share.
local core = require "hcs.core"
local platform = require "spec.platform"

local support = {}

support.S_OK, support.S_FALSE = 0, 1
support.INFINITE = 0xFFFFFFFF
support.EXITED, support.CRASH_INITIATED, support.CRASH_REPORT = 1, 2, 3
support.OPERATION_CALLBACK = 0x01000000

--- Both ways to drive a host, with every file open to every system.
support.drivers = { "step", "thread" }

function support.uri(driver, options)
    return ("sim:?driver=%s&access=open%s"):format(driver, options and "&" .. options or "")
end

local opened = {}

--- Opens a host that `finish` closes.
function support.open(uri)
    local api, hr, text = core.open(uri)
    assert(api, ("%s: %x %s"):format(uri, hr or 0, text or ""))
    opened[#opened + 1] = api
    return api
end

--- Closes what a test opened and lets Lua collect the rest.
function support.finish()
    for index = #opened, 1, -1 do
        opened[index].close()
        opened[index] = nil
    end
    collectgarbage()
    collectgarbage()
end

local kernel = platform.here "LICENSE" -- any file: it is not read

--- A ComputeSystem with one serial port, as JSON.
function support.document(pipe, extra)
    local machine = {
        Chipset = { LinuxKernelDirect = { KernelFilePath = kernel } },
        ComputeTopology = { Memory = { SizeInMB = 64 }, Processor = { Count = 1 } },
        Devices = pipe and { ComPorts = { ["0"] = { NamedPipe = "\\\\.\\pipe\\" .. pipe } } },
    }
    for name, value in pairs(extra or {}) do machine[name] = value end
    return assert(core.json.encode {
        Owner = "spec", SchemaVersion = { Major = 2, Minor = 2 },
        ShouldTerminateOnLastHandleClosed = true, VirtualMachine = machine,
    })
end

--- Waits for an operation; returns its document, or raises with its result.
function support.finished(api, operation, hr)
    assert(hr == 0, ("the call returned %x"):format(hr))
    local result, document = api.HcsWaitForOperationResult(operation, 10000)
    assert(result == 0, ("%x %s"):format(result, document or ""))
    return document
end

--- A created system and the operation that made it.
function support.create(api, id, document)
    local operation = assert(api.HcsCreateOperation())
    local hr, system = api.HcsCreateComputeSystem(id, document or support.document(), operation)
    support.finished(api, operation, hr)
    return system, operation
end

function support.started(api, id, document)
    local system, operation = support.create(api, id, document)
    support.finished(api, operation, api.HcsStartComputeSystem(system, operation))
    return system, operation
end

--- Pumps until `seen` returns a value for an item of the queue.
function support.expect(api, seen, seconds)
    local deadline = core.monotonic() + (seconds or 10)
    repeat
        local function look(kind, ...)
            if not kind then return false end
            return true, seen(kind, ...)
        end
        local some, found
        repeat
            some, found = look(api.next())
        until not some or found
        if found then return found end
        api.pump(0.2)
    until core.monotonic() > deadline
    error "nothing like that came"
end

--- Pumps until nothing comes and `count` of the inventory is `wanted`, which may take
--- a moment; what it came to.
function support.becomes(api, count, wanted)
    local deadline = core.monotonic() + 10
    local now
    repeat
        repeat until not api.next()
        now = core.json.decode(api.inventory())[count]
        if now == wanted then return now end
    until api.pump(0.02) == "timeout" and core.monotonic() > deadline
    return now
end

--- The interpreter that the build made, which knows failalloc.
support.hcs_lua = package.searchpath("hcs.core", package.cpath)
    :gsub("[^/\\]*[/\\][^/\\]*$", platform.program "hcs-lua")

--- Runs Lua text in a process of its own, for whose Ctrl-C see platform.run: its
--- output, and its exit code.
function support.child(text, environment, interpreter)
    return platform.lua_text(text,
        { environment = environment, interpreter = interpreter, alone = true })
end

return support
