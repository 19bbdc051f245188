-- SPDX-License-Identifier: MIT
-- Changes to a system that exists: memory, disks, any modify request; and its
-- consoles.
local address = require "hcs.hcn.address"
local console = require "hcs.console"
local errors = require "hcs.error"
local grants = require "hcs.grants"
local loop = require "hcs.loop"
local nics = require "hcs.hcn.nics"
local operation = require "hcs.operation"
local options = require "hcs.options"
local paths = require "hcs.paths"
local pipe = require "hcs.doc.pipe"
local system = require "hcs.system"
local units = require "hcs.units"

local methods = system.methods
local MIB = 1024 * 1024

local MODIFY = { document = "table" }

local function modify(self, op, document)
    system.live(self)
    local json = self._world.encode(document, "ModifySettingRequest")
    return system.submit(self, op, "HcsModifyComputeSystem", json)
end

--- Sends a modify request; see modify.
---@param given {document: table}
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.modify_async(self, given)
    if type(given) == "table" and given.ResourcePath then
        options.misuse("modify: a request goes in document = { ResourcePath = … }")
    end
    options.check("modify", given, MODIFY)
    if not given or not given.document then options.misuse("modify: document is missing") end
    return modify(self, "modify", given.document)
end

--- Sends a modify request: document = { ResourcePath =, RequestType =, Settings = }.
--- Fails with `invalid_document`, `not_found` or `unsupported` where the path is
--- nothing that can change.
---@param given {document: table}
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.modify(self, given, timeout)
    return system.face(self, "modify", timeout, methods.modify_async, given)
end

local function megabytes(memory)
    local bytes, problem = units.bytes(memory)
    if not bytes then options.misuse("set_memory: %s", problem) end
    if bytes < MIB then options.misuse("set_memory: %s is too little", memory) end
    local size = bytes // MIB
    if size % 2 ~= 0 then size = size + 1 end -- the platform deals in 2 MiB
    return size
end

--- Changes the memory; see set_memory.
---@param memory string|integer "512M"
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.set_memory_async(self, memory)
    return modify(self, "set_memory", {
        ResourcePath = "VirtualMachine/ComputeTopology/Memory/SizeInMB",
        RequestType = "Update", Settings = megabytes(memory),
    })
end

--- Changes the memory of a running system, rounded up to 2 MiB. Fails with
--- `unsupported` where the host cannot give more than it started with.
---@param memory string|integer "512M"; bytes, at least 1 MiB
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.set_memory(self, memory, timeout)
    return system.face(self, "set_memory", timeout, methods.set_memory_async, memory)
end

-- --- disks -----------------------------------------------------------------------

local DISK = {
    path = "string", type = "string", controller = "string|integer", lun = "string|integer",
    read_only = "boolean", document = "table",
}
local DISK_TYPES = { virtual_disk = "VirtualDisk", iso = "Iso", pass_thru = "PassThru" }

local function attachments(self, controller)
    local machine = self._document and self._document.VirtualMachine
    local scsi = machine and machine.Devices and machine.Devices.Scsi
    local one = scsi and scsi[controller]
    return one and one.Attachments or {}
end

local function first_controller(self)
    local machine = self._document and self._document.VirtualMachine
    local scsi = machine and machine.Devices and machine.Devices.Scsi
    local first
    for name in pairs(scsi or {}) do
        if not first or name < first then first = name end
    end
    return first or "0"
end

local function free_lun(self, controller)
    local used = attachments(self, controller)
    local lun = 0
    while used[tostring(lun)] or self._disks and self._disks[controller .. "/" .. lun] do
        lun = lun + 1
    end
    return tostring(lun)
end

local function disk_of(self, given)
    options.argument("attach_disk", "the disk", given, "string|table")
    if type(given) == "string" then given = { path = given } end
    options.check("attach_disk", given, DISK)
    if not given.path then options.misuse("attach_disk: path is missing") end
    local kind = given.type or (given.path:lower():match("%.iso$") and "iso" or "virtual_disk")
    if not DISK_TYPES[kind] then
        options.one_of("attach_disk", "type", kind, { "iso", "pass_thru", "virtual_disk" })
    end
    local controller = tostring(given.controller or first_controller(self))
    local lun = tostring(given.lun or free_lun(self, controller))
    return {
        path = paths.absolute(given.path, self._world.core.cwd()),
        controller = controller, lun = lun, type = kind, read_only = given.read_only or false,
    }, given.document
end

local function resource_of(disk)
    return ("VirtualMachine/Devices/Scsi/%s/Attachments/%s"):format(disk.controller, disk.lun)
end

local function attach_within(self, disk, extra)
    local world = self._world
    if self._grant ~= false then
        local granted, err, code = grants.apply(world, self.id, { disk.path })
        if not granted then return nil, err, code end
        for _, path in ipairs(granted) do table.insert(self._grants, path) end
    end
    local settings = {
        Type = DISK_TYPES[disk.type], Path = disk.path,
        ReadOnly = disk.read_only or nil,
    }
    for key, value in pairs(extra or {}) do settings[key] = value end
    local op, err, code = modify(self, "attach_disk", {
        ResourcePath = resource_of(disk), RequestType = "Add", Settings = settings,
    })
    if not op then return nil, err, code end
    local ok
    ok, err, code = operation.await(op)
    if not ok then return nil, err, code end
    self._disks = self._disks or {}
    self._disks[disk.controller .. "/" .. disk.lun] = disk
    return disk
end

--- Attaches a disk; see attach_disk.
---@param given string|table
---@return hcs.Operation op
function methods.attach_disk_async(self, given)
    local fields = { op = "attach_disk", target = system.live(self).id, strict = self._strict }
    local disk, extra = disk_of(self, given)
    return operation.compose(self._world, fields, attach_within, self, disk, extra)
end

--- Attaches a disk to a SCSI controller: a path, or { path, type =
--- "virtual_disk|iso|pass_thru", controller, lun, read_only, document }. Unless
--- they are given, the first controller and its first free place are taken, and
--- the type is told by the name. Access to the file is granted. Returns what
--- detach_disk takes. Fails with `not_found` without a controller (created with
--- no disks), with `exists` where the place is taken.
---@param given string|table
---@param timeout? number|string seconds, default 240
---@return table? disk, hcs.Error? err, string? code
function methods.attach_disk(self, given, timeout)
    return system.face(self, "attach_disk", timeout, methods.attach_disk_async, given)
end

local function detach_within(self, disk)
    local op, err, code = modify(self, "detach_disk", {
        ResourcePath = resource_of(disk), RequestType = "Remove",
    })
    if not op then return nil, err, code end
    local ok
    ok, err, code = operation.await(op)
    if not ok then return nil, err, code end
    local key = disk.controller .. "/" .. disk.lun
    if self._disks then self._disks[key] = nil end
    return true
end

--- Detaches a disk; see detach_disk.
---@param disk {controller: string, lun: string}
---@return hcs.Operation op
function methods.detach_disk_async(self, disk)
    local fields = { op = "detach_disk", target = system.live(self).id, strict = self._strict }
    options.argument("detach_disk", "the disk", disk, "table")
    if not (disk.controller and disk.lun) then
        options.misuse("detach_disk: what attach_disk returned expected")
    end
    return operation.compose(self._world, fields, detach_within, self, disk)
end

--- Takes away a disk that attach_disk returned, or { controller, lun }. Fails with
--- `not_found` where there is none.
---@param disk {controller: string, lun: string}
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.detach_disk(self, disk, timeout)
    return system.face(self, "detach_disk", timeout, methods.detach_disk_async, disk)
end

-- --- network adapters ---------------------------------------------------------------

local ADAPTERS = "VirtualMachine/Devices/NetworkAdapters/"

local function send(self, op, document)
    local sent, err, code = modify(self, op, document)
    if not sent then return nil, err, code end
    return operation.await(sent)
end

-- A text that adapters of a system can be told by, which no path can have in it.
local function check_name(name)
    if name:find("/", 1, true) then
        options.misuse("add_nic: %q: no / in an adapter's name", name)
    end
end

local function add_nic_within(self, wanted)
    local made = { wanted }
    if wanted.network then
        local list, err, code = nics.make(self._world, self.id, made, #self._nics + 1)
        if not list then return nil, err, code end
        made = list
    end
    local nic = made[1]
    nic.name = nic.name or nic.endpoint
    local ok, err, code = send(self, "add_nic", { ResourcePath = ADAPTERS .. nic.name,
        RequestType = "Add", Settings = nics.settings(nic) })
    if ok then
        table.insert(self._nics, nic)
        return nic
    end
    nics.release(self._world, made)
    return nil, err, code
end

--- Adds a network adapter; see add_nic.
---@param given table
---@return hcs.Operation op
function methods.add_nic_async(self, given)
    local fields = { op = "add_nic", target = system.live(self).id, strict = self._strict }
    local wanted = nics.one(given)
    if wanted.name then check_name(wanted.name) end
    return operation.compose(self._world, fields, add_nic_within, self, wanted)
end

--- Adds a network adapter: { network (an object, its id or { name = }), forward =
--- { ["tcp/8080"] = 80 }, policies, mac, name }, whose endpoint is made, and goes
--- with the system, or { endpoint (an object or its id), mac, name }. Returns what
--- remove_nic takes: {name, endpoint, mac}. Fails with `not_found` without the
--- network, with `exists` for a port or name that is taken.
---@param given table
---@param timeout? number|string seconds, default 240
---@return table? nic, hcs.Error? err, string? code
function methods.add_nic(self, given, timeout)
    return system.face(self, "add_nic", timeout, methods.add_nic_async, given)
end

-- Takes the adapter of a name out of those that were added.
local function take_nic(self, name)
    for index, nic in ipairs(self._nics) do
        if nic.name == name then return table.remove(self._nics, index) end
    end
    return nil
end

local function remove_nic_within(self, name)
    local ok, err, code = send(self, "remove_nic",
        { ResourcePath = ADAPTERS .. name, RequestType = "Remove" })
    if not ok then return nil, err, code end
    local nic = take_nic(self, name)
    if nic then nics.release(self._world, { nic }) end
    return true
end

--- Removes a network adapter; see remove_nic.
---@param nic string|table
---@return hcs.Operation op
function methods.remove_nic_async(self, nic)
    local fields = { op = "remove_nic", target = system.live(self).id, strict = self._strict }
    options.argument("remove_nic", "the adapter", nic, "string|table")
    local name = type(nic) == "table" and nic.name or nic
    if type(name) ~= "string" then
        options.misuse("remove_nic: what add_nic returned, or a name, expected")
    end
    return operation.compose(self._world, fields, remove_nic_within, self, name)
end

--- Removes a network adapter (what add_nic returned, or its name), and the endpoint
--- if it was made for it. Fails with `not_found` where there is none.
---@param nic string|table
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.remove_nic(self, nic, timeout)
    return system.face(self, "remove_nic", timeout, methods.remove_nic_async, nic)
end

--- Waits until it has an address; see address.
---@return hcs.Operation op
function methods.address_async(self)
    local world = system.live(self)._world
    return operation.compose(world, { op = "address", target = self.id, strict = self._strict },
        address, self, loop.deadline(world))
end

--- The address that its endpoint has on its network, as a text: the first of
--- IPv4, or else of IPv6. It waits for one that is still to come; the guest may
--- yet have to be told of it. Fails with `not_found` where no adapter has an
--- endpoint, with `timeout` on a network that leaves addresses to others, with
--- `stopped` when the system exits.
---@param timeout? number|string seconds, default 240
---@return string? address, hcs.Error? err, string? code
function methods.address(self, timeout)
    local world = system.live(self)._world
    return address(self, loop.deadline(world, timeout))
end

-- --- consoles ---------------------------------------------------------------------

local function pipe_of(self, name)
    if name:match("^\\\\") then return name end
    local number = math.tointeger(tonumber(name:match("^com(%d+)$")))
    if not number then
        options.misuse('console: "com1", "com2" or a pipe expected, got %q', name)
    end
    local machine = self._document and self._document.VirtualMachine
    local ports = machine and machine.Devices and machine.Devices.ComPorts
    local port = ports and ports[tostring(number - 1)]
    if port and port.NamedPipe then return port.NamedPipe end
    if self._document then return nil end
    return pipe(self.id, name)
end

--- The console of a COM port (default "com1"), or of a named pipe. It connects
--- at its first use, once the system has started. Fails with `not_found` where
--- the system was created without one.
---@param name? string "com1", "com2" or a pipe's path
---@return hcs.Console? console, hcs.Error? err, string? code
function methods.console(self, name)
    system.live(self)
    options.argument("console", "the name", name or "com1", "string")
    local path = pipe_of(self, name or "com1")
    if not path then
        return errors.fail({ op = "console", target = self.id, hresult = 0x80070490,
            message = ("the system has no pipe on %s"):format(name or "com1"),
            hint = "create it with consoles = { \"com1\" }" }, self._world.core)
    end
    local one = self._consoles[path]
    if not one or one._closed then
        one = console.new(self, path, self._strict)
        self._consoles[path] = one
    end
    return one
end

return methods
