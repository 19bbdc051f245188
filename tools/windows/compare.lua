#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Compares the results of the same specs on Linux and on Windows test by test:
--
--     lua5.4 tools/windows/compare.lua LINUX WINDOWS
--
-- Both are files of spec/results.lua. Prints how many passed, how many were left
-- out and why, and each difference; fails when there is one. That a test is
-- pending on one of them is none if its reason begins with "needs ", which is to
-- name what that system lacks.
local here = arg[0]:match("^(.*)[/\\]") or "."
local results = dofile(here .. "/results.lua")

local function read(path)
    if not path then
        io.stderr:write "usage: compare.lua LINUX WINDOWS\n"
        os.exit(2)
    end
    local file, problem = io.open(path, "rb")
    if not file then
        io.stderr:write(problem, "\n")
        os.exit(2)
    end
    local text = file:read "a"
    file:close()
    return results.read(text)
end

local found = results.compare(read(arg[1]), read(arg[2]))
print(table.concat(results.report(found), "\n"))
os.exit(#found.differences == 0)
