-- SPDX-License-Identifier: MIT
-- An output of busted: what plainTerminal prints, and beside it, in the file
-- that -Xoutput names, what became of each test, line by line as it happens, so
-- that a run which went down says where. tools/windows/results.lua reads it:
--
--     begin    file  name
--     passed   file  name
--     failed   file  name  message      also of what is not a test
--     pending  file  name  reason
--     end
--
-- with tabs between; a tab, a line's end or a backslash in a text is escaped.
local busted = require "busted"
local plain = require "busted.outputHandlers.plainTerminal"

local ESCAPES = { ["\\"] = "\\\\", ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r" }

local function field(value)
    if type(value) ~= "string" then
        value = value == nil and "" or require("pl.pretty").write(value)
    end
    return (value:gsub("[\\\t\n\r]", ESCAPES))
end

-- The file that an element lies in, named as on any system.
local function file_of(element)
    while element do
        if element.descriptor == "file" then
            return (element.name:gsub("\\", "/"):gsub("^%./", ""))
        end
        element = busted.parent(element)
    end
    return ""
end

return function(options)
    local handler = plain(options)
    local path = assert(options.arguments[1], "which file? -Xoutput FILE")
    local out = assert(io.open(path, "wb"))
    local texts = {} -- what is to be said of a test when it ends

    local function line(status, element, text)
        local fields = { status }
        if element then
            fields[2], fields[3] = file_of(element), field(handler.getFullName(element))
            fields[4] = text and field(text)
        end
        assert(out:write(table.concat(fields, "\t"), "\n"))
        assert(out:flush()) -- Windows knows no buffer by lines
    end

    local function on(event, act)
        busted.subscribe(event, function(...)
            act(...)
            return nil, true
        end)
    end

    on({ "test", "start" }, function(element)
        texts[element] = nil
        line("begin", element)
    end)
    -- A reason that was given in the midst of a test says first where.
    on({ "pending" }, function(element, _, message)
        texts[element] = type(message) == "string" and message:gsub("^%a?:?[^:]*:%d+: ", "")
            or message
    end)
    local function problem(element, _, message)
        if element.descriptor == "it" then
            texts[element] = texts[element] or message
        else
            line("failed", element, message)
        end
    end
    on({ "failure" }, problem)
    on({ "error" }, problem)
    on({ "test", "end" }, function(element, _, status)
        if status == "success" then
            line("passed", element)
        else
            line(status == "pending" and status or "failed", element, texts[element])
        end
    end)
    on({ "suite", "end" }, function() line "end" end)
    return handler
end
