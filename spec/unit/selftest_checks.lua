-- SPDX-License-Identifier: MIT
-- Checks that end in every way that a check can end, for selftest_spec.
local result = require "hcs.selftest.result"

local checks = {}

-- In seconds: of what hangs, and of what ends, which a debugger may slow down.
local SHORT, LONG = 0.5, 30

-- A search in C that does not come back in this century.
local function hang_in_c()
    local length = 40
    return (("a"):rep(length)):find(("a?"):rep(length) .. ("a"):rep(length) .. "b")
end

local function crash()
    local found, module = pcall(require, "hcs_spec_crash") -- where there are no signals
    if found then module.crash() end
    os.execute("kill -SEGV " .. require("hcs.core").pid())
end

local function check(name, run, needs)
    return { section = name:match("^%a+"), name = name, run = run, needs = needs,
        limit = name:find "^hangs" and SHORT or LONG }
end

function checks.list(uri)
    return {
        check("fine", function(context) return result.ok(uri .. " " .. context.word) end),
        check("raises", function() error("out of\nthe blue") end),
        check("needs what raised", function() error "is not run" end, "raises"),
        check("hangs in Lua", function() while true do math.random() end end),
        check("hangs in C", hang_in_c),
        check("ends the process", function()
            print "some noise"
            os.exit(3)
        end),
        check("crashes", crash),
        check("needs what ended", function() error "is not run" end, "ends the process"),
        check("tells nothing", function() end),
        check("tells nonsense", function() return { status = "splendid", text = "?" } end),
        check("tells none", function() return {} end),
        check("tells several", function()
            return { result.ok "one", { name = "two", status = "absent", text = "\"2\"\n\\\0\26" } }
        end),
        check("makes noise", function()
            print "@end 99 nonsense"
            print "@@@"
            return result.ok "after the noise"
        end),
        check("tells who you are", function()
            return result.ok("I am in " .. os.getenv "HCS_SPEC_HOME" .. "/secret")
        end),
    }
end

function checks.context()
    return { word = "of the context", close = function() end }
end

return checks
