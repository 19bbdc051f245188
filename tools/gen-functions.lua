#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Writes docs/functions.md from src/abi/functions.def and hcshost.def; with
-- --check it writes nothing and fails when the page is not fresh.

local PAGE = "docs/functions.md"

local KINDS = {
    SYNC = "at once",
    OPERATION = "through an operation",
    RECORD = "at once, with an error document",
}

local function slurp(path)
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    return text
end

-- The entries of an X-macro list: what stands between its parentheses. Entries
-- may run over several lines, types may hold spaces, parameters parentheses.
local function entries(path, macro)
    local list = {}
    for body in slurp(path):gsub("/%*.-%*/", ""):gmatch("\n" .. macro .. "(%b())") do
        list[#list + 1] = (body:sub(2, -2):gsub("%s+", " "))
    end
    return list
end

local function tidy(text)
    return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

local function functions()
    local list = {}
    for _, entry in ipairs(entries("src/abi/functions.def", "HCS_FUNCTION")) do
        local dll, build, kind, result, name, parameters =
            entry:match("^%s*(%w+)%s*,%s*(%d+)%s*,%s*(%u+)%s*,%s*(.-)%s*,%s*(%w+)%s*,%s*(%b())%s*$")
        assert(name, "functions.def: cannot read " .. entry)
        list[#list + 1] = {
            dll = dll, build = build, kind = assert(KINDS[kind], kind), name = name,
            prototype = result .. " " .. name .. parameters,
        }
    end
    assert(#list > 0, "functions.def is empty")
    return list
end

local function own_functions()
    local list = {}
    for _, entry in ipairs(entries("src/abi/hcshost.def", "HCSHOST_FUNCTION")) do
        local result, name, parameters = entry:match("^%s*(.-)%s*,%s*([%w_]+)%s*,%s*(%b())%s*$")
        assert(name, "hcshost.def: cannot read " .. entry)
        list[#list + 1] = { name = name, prototype = tidy(result) .. " " .. name .. parameters }
    end
    return list
end

local function page()
    local out = {
        "# Functions of the ABI",
        "",
        "Made by tools/gen-functions.lua from src/abi/functions.def; do not edit.",
        "",
        "Microsoft's functions that `hcs.core` binds and the embedded host has, under",
        "Microsoft's names. A host that is told to be an older build (`?build=N`) lacks",
        "what that build lacked. None of this has run against Microsoft's own DLLs yet.",
        "",
        "| function | DLL | since build | answers |",
        "|---|---|---|---|",
    }
    local list = functions()
    for _, f in ipairs(list) do
        out[#out + 1] = ("| `%s` | %s | %s | %s |"):format(f.name, f.dll, f.build, f.kind)
    end
    out[#out + 1] = ""
    out[#out + 1] = "## Prototypes"
    out[#out + 1] = ""
    out[#out + 1] = "```c"
    for _, f in ipairs(list) do
        out[#out + 1] = f.prototype .. ";"
    end
    out[#out + 1] = "```"
    out[#out + 1] = ""
    out[#out + 1] = "## The embedded host's own"
    out[#out + 1] = ""
    out[#out + 1] = "What only the embedded host can do (src/abi/hcshost.h)."
    out[#out + 1] = ""
    out[#out + 1] = "```c"
    for _, f in ipairs(own_functions()) do
        out[#out + 1] = f.prototype .. ";"
    end
    out[#out + 1] = "```"
    return table.concat(out, "\n") .. "\n"
end

dofile "tools/publish.lua" (PAGE, page(), "tools/gen-functions.lua")
