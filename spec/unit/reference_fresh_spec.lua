-- SPDX-License-Identifier: MIT
-- docs/reference.md is what tools/gen-reference.lua would write, and tells all
-- of the public surface.
local fake = require "spec.unit.fake_core"
local host = require "hcs.host"
local network_events = require "hcs.hcn.events"
local platform = require "spec.platform"
local reference = require "hcs.reference"

require "hcs.facade"

local CLASSES = {
    System = require("hcs.system").methods, Console = require("hcs.console").methods,
    Operation = require("hcs.operation").methods, Task = require("hcs.task").methods,
    Scope = require("hcs.scope").methods, Error = require("hcs.error").methods,
    Network = require("hcs.network").methods, Endpoint = require("hcs.endpoint").methods,
    Namespace = require("hcs.namespace").methods,
}

local function slurp(path)
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    return text
end

local page = slurp("docs/reference.md")

-- The entries of the page: text from a heading to the next, by name.
local function entries_of_page()
    local entries, name = {}, nil
    for line in page:gmatch("([^\n]*)\n") do
        local heading = line:match("^#### `([%w_.:]+)%(")
        if heading then
            assert.is_nil(entries[heading], heading .. " is there twice")
            name, entries[heading] = heading, ""
        elseif line:match("^##") then
            name = nil
        elseif name then
            entries[name] = entries[name] .. line .. "\n"
        end
    end
    return entries
end

local function public_functions()
    local hcs = fake.hcs(nil, false, "sim:")
    local tables = { ["hcs."] = hcs, ["hcs.file."] = hcs.file, ["hcs.host."] = hcs.host,
        ["hcs.sim."] = hcs.sim, ["hcs.doc."] = hcs.doc, ["hcs.network."] = hcs.network,
        ["hcs.endpoint."] = hcs.endpoint, ["hcs.namespace."] = hcs.namespace }
    for name, methods in pairs(CLASSES) do tables[name .. ":"] = methods end
    local names = {}
    for owner, functions in pairs(tables) do
        for name, fn in pairs(functions) do
            if type(fn) == "function" and name:sub(1, 1) ~= "_" then names[owner .. name] = name end
        end
    end
    return names
end

-- The names in a table of names to types in a source file: "local KNOWN = {…}".
local function option_names(path, variable)
    local body = slurp(path):match("\nlocal " .. variable .. " = (%b{})")
    assert(body, path .. " has no " .. variable)
    local names = {}
    for name in body:gsub("%-%-[^\n]*", ""):gmatch("([%w_]+) =") do names[#names + 1] = name end
    assert.truthy(#names > 1)
    return names
end

describe("docs/reference.md", function()
    it("is fresh", function()
        local text, status = platform.run { platform.lua, "tools/gen-reference.lua", "--check" }
        assert(status == 0, text)
    end)

    it("has every public verb, and its asynchronous face where there is one", function()
        local entries = entries_of_page()
        local names = public_functions()
        local count = 0
        for full, name in pairs(names) do
            local base = full:match("^(.*)_async$")
            if base then
                assert.truthy(entries[base], base)
                assert.truthy(entries[base]:find("* also `" .. name .. "`", 1, true), full)
            else
                assert.truthy(entries[full], full .. " is missing")
                local twin = entries[full]:match("also `([%w_]+)`")
                assert.equal(names[full .. "_async"], twin, full)
                count = count + 1
            end
        end
        assert.truthy(count > 80)
    end)

    it("has every function of a simulated guest's program", function()
        local entries = entries_of_page()
        for full in pairs(reference.all()) do
            if full:match("^g%.") then assert.truthy(entries[full], full) end
        end
    end)

    it("tells every argument", function()
        for full, text in pairs(entries_of_page()) do
            local entry = assert(reference.all()[full], full)
            for name in entry.arguments:gmatch("[%w_]+") do
                assert.truthy(text:find("`" .. name .. "` `", 1, true), full .. ": " .. name)
            end
        end
    end)

    it("has every option of hcs.create", function()
        local section = page:match("\n### Options of create\n(.-)\n###? ")
        for _, name in ipairs(option_names("lua/hcs/doc/vm.lua", "KNOWN")) do
            assert.truthy(section:find("\n| `" .. name .. "` |", 1, true), name)
        end
        for _, list in ipairs { "DISK", "NIC", "CONSOLE", "SHARE" } do
            for _, name in ipairs(option_names("lua/hcs/doc/devices.lua", list)) do
                assert.truthy(section:find(name, 1, true), name)
            end
        end
    end)

    it("has every option of networks, endpoints and namespaces", function()
        local entries = entries_of_page()
        for _, noun in ipairs { "network", "endpoint", "namespace" } do
            local text = entries["hcs.doc." .. noun] .. entries["hcs." .. noun .. ".create"]
            for _, name in ipairs(option_names(("lua/hcs/doc/%s.lua"):format(noun), "KNOWN")) do
                assert.truthy(text:find(name, 1, true), noun .. ": " .. name)
            end
        end
    end)

    it("has every event of networks", function()
        for _, names in pairs(network_events.TYPES) do
            assert.truthy(page:find("| `" .. names[1] .. "` | " .. names[2] .. " |", 1, true))
        end
    end)

    it("has every field of hcs.host", function()
        for _, name in ipairs(host.fields()) do
            assert.truthy(page:find("`." .. name .. "`", 1, true), name)
        end
    end)
end)
