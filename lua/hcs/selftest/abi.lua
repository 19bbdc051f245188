-- SPDX-License-Identifier: MIT
-- Checks of a host through the ABI itself: what asks, and changes nothing.
local machine = require "hcs.selftest.machine"
local result = require "hcs.selftest.result"

local abi = {}

local WAIT = 20000               -- milliseconds
local GENERIC_ALL = 0x10000000
local NOT_FOUND = 0x8037010E
local NOBODY = "lua-hcs-selftest-nobody"

local refused, is_failure = result.refused, result.is_failure

local function open_check(context)
    local api = context.api()
    return result.ok(api.library, { library = api.library })
end

-- Comes with an SDK and is no part of Windows: it need not be there.
local PROVIDER = "vmsavedstatedumpprovider"

local function functions_check(context)
    local core, api = context.core(), context.api()
    local missing, since, total = {}, {}, 0
    for _, fn in ipairs(core.functions) do
        since[fn.name] = fn.build
        if fn.dll ~= PROVIDER or not api.dlls or api.dlls[PROVIDER] then
            total = total + 1
            if not api[fn.name] then missing[#missing + 1] = fn.name end
        end
    end
    return machine.missing(missing, since, total, context.build())
end

-- An operation that is closed whatever happens.
local function operation(api, callback)
    local op = api.HcsCreateOperation(nil, callback)
    if not op then return nil, result.failed "HcsCreateOperation gives none" end
    return op
end

local function operation_check(context)
    local core, api = context.core(), context.api()
    local op <close>, failure = operation(api, false)
    if not op then return failure end
    local data = { type = api.HcsGetOperationType(op) }
    -- It was never started: what these say is for the record.
    data.result = core.symbol((api.HcsGetOperationResult(op)))
    data.cancel = core.symbol((api.HcsCancelOperation(op)))
    return result.ok("made and closed", data)
end

local function count_of(systems)
    local counts = {}
    for _, system in ipairs(systems) do
        local key = ("%s %s"):format(system.SystemType or "?", system.State or "?")
        counts[key] = (counts[key] or 0) + 1
    end
    return counts
end

-- What is there is counted; whose it is, is nobody's business.
local function enumeration(core, json)
    local systems = json and core.json.decode(json) or {}
    local data = { form = json == nil and "none" or #systems == 0 and json or "list" }
    data.counts = count_of(systems)
    return result.ok(("%d system%s"):format(#systems, #systems == 1 and "" or "s"), data)
end

local function enumerate(query)
    return function(context)
        local core, api = context.core(), context.api()
        local op <close>, failure = operation(api, false)
        if not op then return failure end
        local hresult = api.HcsEnumerateComputeSystems(query, op)
        local json
        if not is_failure(hresult) then hresult, json = api.HcsWaitForOperationResult(op, WAIT) end
        if is_failure(hresult) then return refused(core, "enumerate", hresult, json) end
        return enumeration(core, json)
    end
end

-- Whether a completion comes through our queue, from whatever thread.
local function callback_check(context)
    local core, api = context.core(), context.api()
    local op <close>, failure = operation(api, true)
    if not op then return failure end
    local hresult = api.HcsEnumerateComputeSystems(nil, op)
    if is_failure(hresult) then return refused(core, "enumerate", hresult) end
    local deadline = core.monotonic() + WAIT / 1000
    repeat
        local kind, what = api.next()
        if kind == "operation" and what == op then
            hresult = api.HcsGetOperationResult(op)
            if is_failure(hresult) then return refused(core, "enumerate", hresult) end
            return result.ok "the completion arrived"
        end
        if not kind then api.pump(1) end
    until core.monotonic() > deadline
    return result.failed(("no completion in %d s"):format(WAIT // 1000))
end

-- Opening what does not exist asks the service, and tells about our rights.
local function open_nobody_check(context)
    local core, api = context.core(), context.api()
    local hresult, system = api.HcsOpenComputeSystem(NOBODY, GENERIC_ALL)
    if system then system:close() end
    if hresult == NOT_FOUND then return result.ok(core.symbol(hresult)) end
    if is_failure(hresult) then return refused(core, "open", hresult) end
    return result.failed("there is a system of the name " .. NOBODY)
end

-- --- service properties ---------------------------------------------------------

-- The shape of a document: names and types, without what it says.
local function shape_of(core, value)
    if type(value) ~= "table" then return math.type(value) or type(value) end
    if core.is_array(value) then
        return { ["list of " .. #value] = #value > 0 and shape_of(core, value[1]) or nil }
    end
    local shape = {}
    for name, item in pairs(value) do shape[name] = shape_of(core, item) end
    return shape
end

local function asked(core, api, query)
    local hresult, json = api.HcsGetServiceProperties(query)
    if is_failure(hresult) then
        if result.is_unknown(hresult) then
            return nil, result.absent("not known here: " .. result.code_text(hresult))
        end
        return nil, refused(core, "properties", hresult, json)
    end
    local document = json and core.json.decode(json)
    if json and not document then return nil, result.failed "the answer is not JSON" end
    return document or {}
end

local function property_query(core, name)
    return core.json.encode { PropertyTypes = core.array { name } }
end

local function versions_of(document)
    local texts = {}
    for _, version in ipairs(document.SupportedSchemaVersions or {}) do
        texts[#texts + 1] = ("%s.%s"):format(version.Major, version.Minor)
    end
    return texts
end

local function basic_check(context)
    local core, api = context.core(), context.api()
    local document, problem = asked(core, api, property_query(core, "Basic"))
    if not document then
        problem.status = "failed"
        return problem
    end
    local versions = versions_of((document.Properties or {})[1] or {})
    if #versions == 0 then return result.failed "it names no schema version" end
    return result.ok("schema versions " .. table.concat(versions, ", "), { versions = versions })
end

local function property_check(name)
    return function(context)
        local core, api = context.core(), context.api()
        local document, problem = asked(core, api, property_query(core, name))
        if not document then return problem end
        return result.ok("answered", { shape = shape_of(core, document) })
    end
end

local function no_query_check(context)
    local core = context.core()
    local document, problem = asked(core, context.api(), nil)
    if not document then return problem end
    return result.ok("answered", { shape = shape_of(core, document) })
end

local function capabilities_check(context)
    local core = context.core()
    local document, problem = asked(core, context.api(),
        '{"PropertyQueries":{"ProcessorCapabilities":{}}}')
    if not document then return problem end
    local answer = (document.PropertyResponses or {}).ProcessorCapabilities or {}
    if answer.Error then
        return result.absent(answer.Error.ErrorMessage or "answered with an error")
    end
    return result.ok("answered", { shape = shape_of(core, document) })
end

local PROPERTIES = {
    "ProcessorTopology", "CpuGroup", "QoSCapabilities", "ContainerCredentialGuard", "Memory",
    "Processor", "CacheAllocation", "CacheMonitoring", "MemoryBwAllocation",
}

--- The checks of the host, appended to `list`.
function abi.add(list, uri)
    local section = "The host " .. uri
    local function add(name, run, needs)
        list[#list + 1] = { section = section, name = name, run = run,
            needs = needs or "the host opens" }
    end
    add("the host opens", open_check, "hcs.core")
    add("its functions", functions_check)
    add("an operation", operation_check)
    add("enumerate", enumerate(nil))
    add("enumerate with a query", enumerate '{"Types":["VirtualMachine"]}')
    add("a completion by callback", callback_check)
    add("open what is not there", open_nobody_check)
    section = "Properties of its service"
    add("Basic", basic_check)
    add("(no query)", no_query_check)
    for _, name in ipairs(PROPERTIES) do add(name, property_check(name)) end
    add("ProcessorCapabilities", capabilities_check)
end

return abi
