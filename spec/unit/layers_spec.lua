-- SPDX-License-Identifier: MIT
-- Who may include, and require, whom: the table of docs/architecture.md.

-- Longest names first: a file belongs to the first room that its path begins
-- with. What a room may include are rooms or single files.
local ROOMS = {
    { "host/state/", "host/state/", "backend/backend.h", "schema/", "base/", "abi/" },
    { "backend/sim/", "backend/sim/", "backend/backend.h", "backend/plane.h", "base/", "abi/",
        "host/state/console.h", "dump/export.h", "dump/keep.h" },
    { "host/net/", "host/net/", "backend/plane.h", "backend/adapter.h", "schema/", "base/",
        "abi/" },
    { "backend/qemu/", "backend/qemu/", "backend/backend.h", "backend/adapter.h", "base/",
        "abi/", "host/state/console.h", "dump/export.h", "dump/keep.h" },
    { "backend/linux/", "backend/linux/", "backend/plane.h", "base/", "abi/" },
    { "backend/", "backend/adapter.h", "abi/", "base/" },
    { "host/", "host/", "backend/backend.h", "backend/plane.h", "schema/", "base/", "abi/",
        "vmwp/protocol.h", "hostd/protocol.h", "hostd/channel.h", "hostd/client.h",
        "dump/dump.h", "dump/export.h" },
    { "hostd/", "hostd/", "host/net/net.h", "backend/plane.h", "backend/linux/linux.h",
        "vmwp/protocol.h", "base/", "abi/" },
    { "vmwp/", "vmwp/", "host/state/", "backend/", "schema/", "base/", "abi/",
        "hostd/protocol.h", "hostd/channel.h", "hostd/client.h" },
    { "binding/", "binding/", "provider/protocol.h", "abi/", "base/buf.h", "base/error.h",
        "base/json.h", "base/utf.h", "base/clock.h", "base/thread.h", "base/list.h",
        "base/compiler.h", "base/hresult.h", "base/os.h", "base/stream.h", "base/file.h",
        "base/guid.h" },
    { "schema/", "schema/", "base/", "abi/" },
    { "provider/", "provider/", "abi/" },
    { "dump/", "dump/", "base/", "abi/" },
    { "base/", "base/", "abi/" },
    { "forward/", "forward/", "abi/" },
    { "abi/", "abi/" },
}

local platform = require "spec.platform"

local function slurp(path)
    local file = io.open(path)
    if not file then
        return nil
    end
    local text = file:read("a")
    file:close()
    return text
end

-- "host/state/../../base/x.h" -> "base/x.h"
local function normal(path)
    local count
    repeat
        path, count = path:gsub("[^/]+/%.%./", "", 1)
    until count == 0
    return path
end

-- Where an include leads, as a path below src, or nil when not into src.
local function target(from, name)
    local beside = normal(from:match("^(.*/)") .. name)
    if slurp("src/" .. beside) then
        return beside
    end
    return slurp("src/" .. name) and normal(name) or nil
end

local function starts_with(text, start)
    return text:sub(1, #start) == start
end

local function room_of(path)
    for _, room in ipairs(ROOMS) do
        if starts_with(path, room[1]) then
            return room
        end
    end
    return nil
end

local function allowed(room, path)
    for i = 2, #room do
        if starts_with(path, room[i]) then
            return true
        end
    end
    return false
end

local function breaches(path, text)
    local room = room_of(path)
    if not room then
        return { path .. " is in no room" }
    end
    local found = {}
    for name in text:gmatch('#%s*include%s*"([^"]+)"') do
        local leads_to = target(path, name)
        if leads_to and not allowed(room, leads_to) then
            found[#found + 1] = path .. " includes " .. leads_to
        end
    end
    return found
end

describe("the layers of src", function()
    local files = platform.files("src", "%.[ch]$")
    for index, path in ipairs(files) do files[index] = path:sub(#"src/" + 1) end

    it("are many files", function()
        assert.is_true(#files > 50)
    end)

    it("include only what lies below", function()
        local found = {}
        for _, path in ipairs(files) do
            for _, breach in ipairs(breaches(path, slurp("src/" .. path))) do
                found[#found + 1] = breach
            end
        end
        assert.are.same({}, found)
    end)

    it("would be told apart", function()
        assert.are.same({ "base/x.c includes host/host.h" },
            breaches("base/x.c", '#include "../host/host.h"'))
        assert.are.same({ "binding/x.c includes host/store.h" },
            breaches("binding/x.c", '#include "../host/store.h"\n#include "lua.h"'))
        assert.are.same({}, breaches("host/x.c", '# include "state/vm.h"'))
        assert.are.same({ "new/x.c is in no room" }, breaches("new/x.c", ""))
    end)
end)

-- --- Lua ----------------------------------------------------------------------

-- Modules that are there on some machines only, each required under pcall.
local OPTIONAL = { cjson = true, ["cjson.safe"] = true, linenoise = true }

local function module_of(path)
    return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function required(text)
    local list = {}
    -- At the left margin: what is required while the module loads.
    for line in ("\n" .. text):gmatch("\n(%w[^\n]*)") do
        for name in line:gmatch("require%s*%(?%s*[\"']([%w_.]+)[\"']") do
            list[#list + 1] = name
        end
    end
    return list
end

-- The modules of a cycle through `name`, or nil.
local function cycle(graph, name, on_path, done)
    if done[name] then
        return nil
    elseif on_path[name] then
        return name
    end
    on_path[name] = true
    for _, below in ipairs(graph[name] or {}) do
        local found = cycle(graph, below, on_path, done)
        if found then
            return name .. " -> " .. found
        end
    end
    on_path[name] = nil
    done[name] = true
    return nil
end

describe("the modules of lua/hcs", function()
    local graph = {}
    for _, path in ipairs(platform.files("lua", "%.lua$")) do
        graph[module_of(path)] = required(slurp(path))
    end

    it("require only each other and hcs.core", function()
        local found = {}
        for name, list in pairs(graph) do
            for _, wanted in ipairs(list) do
                if wanted ~= "hcs.core" and not graph[wanted] and not OPTIONAL[wanted] then
                    found[#found + 1] = name .. " requires " .. wanted
                end
            end
        end
        table.sort(found)
        assert.are.same({}, found)
    end)

    it("stand above each other, in no circle", function()
        local done = {}
        for name in pairs(graph) do
            assert.is_nil(cycle(graph, name, {}, done))
        end
        assert.are.equal("a -> b -> a", cycle({ a = { "b" }, b = { "a" } }, "a", {}, {}))
    end)
end)
