-- SPDX-License-Identifier: MIT
-- The rules of the public surface, checked by walking its tables: every verb
-- documented, `_async` beside what crosses the ABI, timeouts last, names in
-- snake_case, nothing that is only a promise.
local fake = require "spec.unit.fake_core"
local platform = require "spec.platform"
local reference = require "hcs.reference"

require "hcs.facade"

local CLASSES = {
    System = require("hcs.system").methods, Console = require("hcs.console").methods,
    Operation = require("hcs.operation").methods, Task = require("hcs.task").methods,
    Scope = require("hcs.scope").methods, Error = require("hcs.error").methods,
    Network = require("hcs.network").methods, Endpoint = require("hcs.endpoint").methods,
    Namespace = require("hcs.namespace").methods, Stream = require("hcs.stream").methods,
}

CLASSES.Dump, CLASSES.Cpu = require("hcs.dump").methods, require("hcs.dump.cpu").methods

-- What crosses the ABI, and so has both faces.
local CROSSING = {
    ["hcs"] = { "create", "open", "list", "sweep" },
    ["hcs.file"] = { "grant", "revoke", "create_guest_state", "create_runtime_state" },
    ["hcs.host"] = { "properties", "inventory", "can" },
    ["hcs.sim"] = { "guest", "service" },
    ["hcs.network"] = { "create", "open", "list", "delete", "plan", "connect" },
    ["hcs.endpoint"] = { "create", "open", "list", "delete" },
    ["hcs.namespace"] = { "create", "open", "list", "delete" },
    ["Network"] = { "properties", "modify", "delete", "add_policy", "remove_policy" },
    ["Endpoint"] = { "properties", "modify", "delete", "add_policy", "remove_policy", "attach",
        "detach", "stats", "addresses" },
    ["Namespace"] = { "properties", "modify", "delete", "endpoints" },
    ["System"] = { "start", "pause", "resume", "shutdown", "terminate", "stop", "crash", "capture",
        "save", "save_template", "set_memory", "attach_disk", "detach_disk", "add_nic",
        "remove_nic", "modify",
        "properties", "state", "can", "address" },
}

local function tables()
    local hcs = fake.hcs(nil, false, "sim:")
    local all = { ["hcs"] = hcs, ["hcs.file"] = hcs.file, ["hcs.host"] = hcs.host,
        ["hcs.sim"] = hcs.sim, ["hcs.doc"] = hcs.doc, ["hcs.dump"] = hcs.dump,
        ["hcs.network"] = hcs.network,
        ["hcs.endpoint"] = hcs.endpoint, ["hcs.namespace"] = hcs.namespace }
    for name, methods in pairs(CLASSES) do all[name] = methods end
    return all
end

local function full_name(owner, name)
    return owner .. (CLASSES[owner] and ":" or ".") .. name
end

local function each_function(visit)
    for owner, functions in pairs(tables()) do
        for name, fn in pairs(functions) do
            if type(fn) == "function" and name:sub(1, 1) ~= "_" then
                visit(owner, name, full_name(owner, name), fn)
            end
        end
    end
end

describe("the surface", function()
    it("is documented, and nothing else is", function()
        local known = reference.all()
        local seen = {}
        each_function(function(_, name, full)
            seen[full] = true
            local entry = known[full] or known[(full:gsub("_async$", ""))]
            assert.truthy(entry, full .. " has no documentation")
            assert.truthy(#entry.text > 10, full .. " is documented in no words")
            assert.truthy(name:match("^[a-z][a-z0-9_]*$"), full .. " is not snake_case")
        end)
        for full in pairs(known) do
            assert.truthy(seen[full] or full:match("^g%."), full .. " does not exist")
        end
    end)

    it("has both faces where it crosses the ABI, and only there", function()
        local all = tables()
        local paired = {}
        for owner, names in pairs(CROSSING) do
            for _, name in ipairs(names) do
                assert.is_function(all[owner][name], full_name(owner, name))
                assert.is_function(all[owner][name .. "_async"], full_name(owner, name .. "_async"))
                paired[full_name(owner, name)] = true
            end
        end
        each_function(function(owner, name, full)
            local base = name:match("^(.*)_async$")
            if base and owner ~= "hcs" then
                assert.truthy(paired[full_name(owner, base)], full)
            elseif base then
                assert.is_function(all.hcs[base], full)
            end
        end)
    end)

    it("takes the timeout last, everywhere", function()
        for full, entry in pairs(reference.all()) do
            local names = {}
            for name in entry.arguments:gmatch("[%w_.]+") do names[#names + 1] = name end
            for index, name in ipairs(names) do
                if name == "timeout" then
                    assert.equal(#names, index, full .. ": timeout is not last")
                end
            end
        end
    end)

    it("says what it returns when it can fail", function()
        for full, entry in pairs(reference.all()) do
            for _, tag in ipairs(entry.tags) do
                if tag:match("^return") and tag:find("hcs.Error?", 1, true) then
                    assert.truthy(tag:find("string? code", 1, true), full .. ": " .. tag)
                end
            end
        end
    end)

    it("does not promise what later work brings", function()
        local hcs = fake.hcs(nil, false, "sim:")
        for _, name in ipairs { "load_balancer", "route", "guest_network_service", "disk",
            "layer", "testing", "farm" } do
            assert.is_nil(hcs[name], "hcs." .. name)
        end
        for _, name in ipairs { "fault", "snapshot", "restore" } do
            assert.is_nil(hcs.sim[name], "hcs.sim." .. name)
        end
        for _, name in ipairs { "exec", "open_process", "add_share", "socket" } do
            assert.is_nil(CLASSES.System[name], "System:" .. name)
        end
        assert.is_nil(fake.hcs(nil, false, "qemu:").sim)
    end)

    it("is the same in the strict face", function()
        local plain, strict = fake.hcs(nil, false, "sim:"), fake.hcs(nil, true, "sim:")
        for name, value in pairs(plain) do assert.equal(type(value), type(strict[name]), name) end
        for name, value in pairs(strict) do assert.equal(type(value), type(plain[name]), name) end
        assert.equal(type(plain.sim.guest), type(strict.sim.guest))
        assert.equal("fake:", fake.hcs(nil, true).host.uri)
        assert.equal(26100, fake.hcs(nil, true).host.build)
    end)

    it("prints without opening a host", function()
        local hcs, host = fake.hcs()
        assert.equal("hcs fake:", tostring(hcs))
        assert.equal("hcs.host fake:", tostring(hcs.host))
        assert.is_nil(host.opened)
        assert.equal(require("hcs.core").version, hcs._VERSION)
    end)
end)

describe("require", function()
    it("has no side effects: no host, no descriptor, no thread, no global", function()
        local before = { platform.descriptors(), platform.threads() }
        local globals = {}
        for name in pairs(_G) do globals[name] = true end
        local saved = {}
        for name, module in pairs(package.loaded) do
            if name:match("^hcs") and name ~= "hcs.core" then
                saved[name] = module
                package.loaded[name] = nil
            end
        end
        local hcs = require "hcs"
        local strict = require "hcs.strict"
        for name in pairs(package.loaded) do
            if name:match("^hcs") and name ~= "hcs.core" then package.loaded[name] = nil end
        end
        for name, module in pairs(saved) do package.loaded[name] = module end
        assert.not_equal(hcs, strict)
        assert.same(before, { platform.descriptors(), platform.threads() })
        for name in pairs(_G) do assert.truthy(globals[name], "global " .. tostring(name)) end
    end)
end)
