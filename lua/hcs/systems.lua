-- SPDX-License-Identifier: MIT
-- Making, opening and listing systems.
local dump = require "hcs.doc.dump"
local ending = require "hcs.ending"
local errors = require "hcs.error"
local grants = require "hcs.grants"
local lint = require "hcs.lint"
local loop = require "hcs.loop"
local nics = require "hcs.hcn.nics"
local operation = require "hcs.operation"
local options = require "hcs.options"
local owner = require "hcs.owner"
local sweep_networks = require "hcs.hcn.sweep"
local system = require "hcs.system"
local validate = require "hcs.validate"
local vm = require "hcs.doc.vm"

local systems = {}

local POLICIES = { "fail", "open", "replace" }

-- --- requests ----------------------------------------------------------------------

local function query_document(given)
    local query = {}
    if given.id then query.Ids = { given.id } end
    if given.type then query.Types = { given.type } end
    return next(query) and query or nil
end

local function decoded(op, json)
    return op._world.decode(json) or {}
end

local function enumerate(world, deadline, query)
    local json = query and world.encode(query, "SystemQuery")
    local op, err, code = operation.submit({ name = "list", _world = world, _finish = decoded },
        false, function(_, handle) return world.api.HcsEnumerateComputeSystems(json, handle) end)
    if not op then return nil, err, code end
    return operation.await(op, deadline)
end

local function read_back(self, deadline)
    local op, err, code = system.submit(self, "properties", "HcsGetComputeSystemProperties", nil,
        decoded)
    if not op then return nil, err, code end
    local properties
    properties, err, code = operation.await(op, deadline)
    if not properties then return nil, err, code end
    system.describe(self, properties)
    return self
end

local function listen(world, handle, fields)
    fields.hresult = world.api.HcsSetComputeSystemCallback(handle, 0, nil, true)
    if fields.hresult & 0x80000000 == 0 then return true end
    return errors.fail(fields, world.core)
end

-- --- create --------------------------------------------------------------------------

local function invalid(world, id, fault)
    return errors.fail({
        op = "create", target = id, hresult = 0x8037010D, path = fault.path,
        message = fault.message,
    }, world.core)
end

-- What the options come to: {id, document, keep, if_exists, grant, validate}.
local function plan_of(world, given)
    local options_of_document = {}
    for key, value in pairs(given) do options_of_document[key] = value end
    options.argument("create", 'option "owner"', given.owner, "string|nil")
    options_of_document.owner = owner.tag(world.core, given.owner)
    local wanted
    options_of_document.nics, wanted = nics.split(given.nics)
    local document = vm(options_of_document,
        { cwd = world.core.cwd(), build = world.build })
    options.one_of("create", "if_exists", given.if_exists or "fail", POLICIES)
    return {
        id = given.id, document = document, keep = given.keep, if_exists = given.if_exists,
        grant = given.grant, validate = given.validate, nics = wanted,
        dumps = dump.policy(given.dump),
        json = world.encode(document, "ComputeSystem"),
    }
end

local function submit_create(world, plan)
    local handle
    local fields = { name = "create", target = plan.id, _world = world }
    local op, err, code = operation.submit(fields, false, function(id, tracker, json)
        local hresult
        hresult, handle = world.api.HcsCreateComputeSystem(id, json, tracker, nil)
        return hresult
    end, plan.id, plan.json)
    return op, handle, err, code
end

local function discard(world, handle)
    if not handle or not world.api then return end
    system.forget(world, handle)
    world.api.HcsCloseComputeSystem(handle)
end

local function adopt(world, strict, plan, handle, granted)
    return system.new(world, strict, {
        id = plan.id, handle = handle, document = plan.document, grants = granted,
        keep = plan.keep, grant = plan.grant, created = true, nics = plan.made,
        warnings = lint.warnings(plan.document),
    })
end

-- A handle of a creation that failed is closed at once; so is one whose
-- waiting was ended from outside.
local function guard_of(world, handle)
    local guard = { handle = handle }
    return setmetatable(guard, {
        __close = function() discard(world, guard.handle) end,
    })
end

local WINDOWS_KEEPS_ONE = "dump.keep and dump.free are not known to Windows: it writes over "
    .. "the dump that is there, and fills the disk"

-- What the document has no place for is a resource of our own hosts.
local function set_dumps(self, plan, deadline)
    if not plan.dumps then return true end
    if self._world.kind == "windows" then
        table.insert(self.warnings, WINDOWS_KEEPS_ONE)
        return true
    end
    local json = self._world.encode({
        ResourcePath = "LuaHcs/Dumps", RequestType = "Update", Settings = plan.dumps,
    }, "ModifySettingRequest")
    local op, err, code = system.submit(self, "create", "HcsModifyComputeSystem", json)
    if not op then return nil, err, code end
    return operation.await(op, deadline)
end

local function create_once(world, strict, plan, granted, deadline)
    local op, handle, err, code = submit_create(world, plan)
    if not op then
        discard(world, handle)
        return nil, err, code
    end
    local guard <close> = guard_of(world, handle)
    local self = adopt(world, strict, plan, handle, granted)
    local ok
    ok, err, code = listen(world, handle, { op = "create", target = plan.id })
    if ok then ok, err, code = operation.await(op, deadline) end
    if ok then ok, err, code = set_dumps(self, plan, deadline) end
    if ok then ok, err, code = read_back(self, deadline) end
    if ok then
        guard.handle = nil
        return self
    end
    return nil, err, code
end

local function grant_files(world, plan)
    if plan.grant == false then return {} end
    return grants.apply(world, plan.id, grants.of(plan.document))
end

local LOOK = 0.01 -- seconds between two looks

local function wait_until_gone(world, id, deadline)
    local limit = math.min(deadline or math.huge, loop.now(world) + ending.GONE)
    while true do
        local list, err, code = enumerate(world, deadline, { Ids = { id } })
        if not list then return nil, err, code end
        if #list == 0 then return true end
        loop.settle(world)
        local _, reason = loop.wait(world, math.min(loop.now(world) + LOOK, limit),
            function() return false end)
        if reason ~= "timeout" then
            return loop.failure(world, reason, { op = "create", target = id })
        elseif loop.now(world) >= limit then
            return errors.fail({ op = "create", target = id, hresult = 0x8037010F }, world.core)
        end
    end
end

local function remove_existing(world, id, deadline)
    local self, err, code = systems.open(world, false, id, deadline)
    if not self then
        if err:is("not_found") then return true end
        return nil, err, code
    end
    local ok
    ok, err, code = system.methods.terminate(self)
    system.methods.close(self)
    if not ok then return nil, err, code end
    return wait_until_gone(world, id, deadline)
end

local function create_with_policy(world, strict, plan, granted, deadline)
    local self, err, code = create_once(world, strict, plan, granted, deadline)
    if not self and err:is("exists") and ending.expected(world, plan.id) then
        local gone
        gone, err, code = wait_until_gone(world, plan.id, deadline)
        if not gone then return nil, err, code end
        self, err, code = create_once(world, strict, plan, granted, deadline)
    end
    if self then return self end
    if not err:is("exists") then return nil, err, code end
    if plan.if_exists == "open" then
        return systems.open(world, strict, plan.id, deadline)
    elseif plan.if_exists == "replace" then
        local ok
        ok, err, code = remove_existing(world, plan.id, deadline)
        if ok then return create_once(world, strict, plan, granted, deadline) end
    end
    return nil, err, code
end

-- Endpoints of a system that came to nothing go when their block is left.
local function keep_of_nics(world, made)
    local keep = { made = made }
    return setmetatable(keep, {
        __close = function() nics.release(world, keep.made) end,
    })
end

-- Makes the endpoints that the system's adapters want, and names them in the
-- document.
local function make_nics(world, plan)
    local made, err, code = nics.make(world, plan.id, plan.nics)
    if not made then return nil, err, code end
    plan.made = made
    if #made > 0 then
        nics.put(plan.document, made)
        plan.json = world.encode(plan.document, "ComputeSystem")
    end
    return made
end

--- Makes a system of a plan; see hcs.create.
function systems.create_planned(world, strict, plan, deadline)
    if plan.validate ~= false then
        local ok, fault = validate.check(plan.document, "ComputeSystem", { build = world.build })
        if not ok then return invalid(world, plan.id, fault) end
    end
    local made, err, code = make_nics(world, plan)
    if not made then return nil, err, code end
    local keep <close> = keep_of_nics(world, made)
    local granted
    granted, err, code = grant_files(world, plan)
    if not granted then return nil, err, code end
    local self
    self, err, code = create_with_policy(world, strict, plan, granted, deadline)
    if self and self._created then
        keep.made = {}
        ending.forget(world, plan.id)
        return self
    end
    -- Where the id is another's, so are the grants: it may need them.
    local give_up = (self or err:is("exists")) and grants.leave or grants.undo
    give_up(world, plan.id, granted)
    if self then return self end
    return nil, err, code
end

--- Checks the options of hcs.create and makes the plan.
function systems.plan(world, given)
    options.argument("create", "the table of options", given, "table")
    if type(given.create) == "function" then
        options.misuse("create: a dot, not a colon: hcs.create{ … }")
    end
    return plan_of(world, given)
end

-- --- open, list, sweep ------------------------------------------------------------------

--- Opens a system by its id.
function systems.open(world, strict, id, deadline)
    local hresult, handle = world.api.HcsOpenComputeSystem(id, 0x10000000)
    local fields = { op = "open", target = id, hresult = hresult }
    if hresult & 0x80000000 ~= 0 then return errors.fail(fields, world.core) end
    local guard <close> = guard_of(world, handle)
    local self = system.new(world, strict, { id = id, handle = handle, keep = true })
    local ok, err, code = listen(world, handle, { op = "open", target = id })
    if ok then ok, err, code = read_back(self, deadline) end
    if ok then
        guard.handle = nil
        return self
    end
    return nil, err, code
end

local Record = {
    __name = "hcs.Record",
    __tostring = function(record)
        return ('"%s" (%s, %s)'):format(record.id, record.state, record.owner)
    end,
}

-- An entry of the enumeration as a record of ours.
local function record_of(entry)
    return setmetatable({
        id = entry.Id, name = entry.Name, owner = owner.name(entry.Owner or ""),
        type = entry.SystemType, state = entry.State or "Created",
        runtime_id = entry.RuntimeId, tag = owner.parse(entry.Owner), document = entry,
    }, Record)
end

local LIST = { owner = "string", state = "string", type = "string", id = "string" }

local function lower_name(text)
    return text and text:lower():gsub("_", "")
end

local TYPES = { "VirtualMachine", "Container" }

-- Checks a name that may be written as "VirtualMachine" or "virtual_machine".
local function one_of_names(option, name, names)
    for _, one in ipairs(names) do
        if lower_name(one) == lower_name(name) then return end
    end
    options.one_of("list", option, name, names)
end

--- The records of the systems that exist, by id.
function systems.list(world, given, deadline)
    given = options.check("list", given, LIST)
    if given.state then one_of_names("state", given.state, system.STATES) end
    if given.type then one_of_names("type", given.type, TYPES) end
    local list, err, code = enumerate(world, deadline, query_document({ id = given.id }))
    if not list then return nil, err, code end
    local records = {}
    for _, entry in ipairs(list) do
        local record = record_of(entry)
        if (not given.owner or record.owner == given.owner)
            and (not given.state or lower_name(record.state) == lower_name(given.state))
            and (not given.type or lower_name(record.type) == lower_name(given.type)) then
            records[#records + 1] = record
        end
    end
    table.sort(records, function(a, b) return a.id < b.id end)
    return records
end

local SWEEP = { owner = "string", dry_run = "boolean" }

local function end_system(world, id, deadline)
    local self, err, code = systems.open(world, false, id, deadline)
    if not self then
        if err:is("not_found", "stopped") then return true end
        return nil, err, code
    end
    local ok
    ok, err, code = system.methods.terminate(self)
    if ok then ok, err, code = system.wait_event(self, "exited", deadline) end
    system.methods.close(self)
    if not ok then return nil, err, code end
    return true
end

--- Terminates the systems whose owning process is dead, and deletes the networks
--- and what belongs to them likewise. Returns their records.
function systems.sweep(world, given, deadline)
    given = options.check("sweep", given, SWEEP)
    local records, err, code = systems.list(world, { owner = given.owner }, deadline)
    if not records then return nil, err, code end
    local swept = {}
    for _, record in ipairs(records) do
        if record.tag and owner.is_dead(world.core, record.tag) then
            if not given.dry_run then
                local ok
                ok, err, code = end_system(world, record.id, deadline)
                if not ok then return nil, err, code end
            end
            swept[#swept + 1] = record
        end
    end
    local ok
    ok, err, code = sweep_networks(world, given, swept, deadline)
    if not ok then return nil, err, code end
    return swept
end

return systems
