-- SPDX-License-Identifier: MIT
-- How the results of two platforms are compared.
local results = require "tools.windows.results"

local HEAD = "a_spec.lua\ta thing "

-- A run's text from { name, status, reason } of each test.
local function run(tests, cut)
    local lines = {}
    for _, test in ipairs(tests) do
        lines[#lines + 1] = "begin\t" .. HEAD .. test[1]
        lines[#lines + 1] = test[2] and ("%s\t%s%s\t%s"):format(test[2], HEAD, test[1],
            test[3] or "")
    end
    if not cut then lines[#lines + 1] = "end" end
    return results.read(table.concat(lines, "\n") .. "\n")
end

local function differences(linux, windows)
    return results.compare(linux, windows).differences
end

local PASSED = run { { "works", "passed" } }

describe("results of two platforms", function()
    it("that are the same do not differ", function()
        local tests = { { "works", "passed" }, { "waits", "pending", "needs a kernel" } }
        local found = results.compare(run(tests), run(tests))
        assert.same({}, found.differences)
        assert.equal(1, found.passed)
        assert.same({ ["needs a kernel"] = 1 }, found.left_out.both)
    end)

    it("differ where one failed", function()
        for _, other in ipairs { "passed", "pending" } do
            local list = differences(run { { "works", other, "needs fork" } },
                run { { "works", "failed", "line one\\nline two" } })
            assert.equal(1, #list)
            assert.truthy(list[1]:find("a_spec.lua: a thing works", 1, true))
            assert.truthy(list[1]:find("on Windows: failed (line one)", 1, true))
        end
        assert.equal(1, #differences(run { { "works", "failed" } }, PASSED))
    end)

    it("tell of what failed on both, which is no difference", function()
        local failed = run { { "works", "failed" } }
        local found = results.compare(failed, failed)
        assert.same({}, found.differences)
        assert.equal(1, found.failed)
    end)

    it("may leave a test out for what is needed, and for nothing else", function()
        local found = results.compare(PASSED, run { { "works", "pending", "needs fork" } })
        assert.same({}, found.differences)
        assert.same({ ["needs fork"] = 1 }, found.left_out.windows)
        found = results.compare(run { { "works", "pending", "needs Windows" } }, PASSED)
        assert.same({}, found.differences)
        assert.same({ ["needs Windows"] = 1 }, found.left_out.linux)
        for _, reason in ipairs { "", "later", "needs", "needs ", "it needs fork" } do
            local windows = run { { "works", "pending", reason } }
            assert.equal(1, #differences(PASSED, windows), reason)
            assert.equal(1, #differences(windows, PASSED), reason)
        end
    end)

    it("differ where a test is not there", function()
        local two = run { { "works", "passed" }, { "shines", "passed" } }
        assert.truthy(differences(two, PASSED)[1]:find("on Windows: not there", 1, true))
        assert.truthy(differences(PASSED, two)[1]:find("on Linux: not there", 1, true))
    end)

    it("keep tests of one name apart", function()
        local two = run { { "works", "passed" }, { "works", "passed" } }
        assert.equal(2, results.compare(two, two).passed)
        local list = differences(two, PASSED)
        assert.equal(1, #list)
        assert.truthy(list[1]:find("a thing works (2)", 1, true))
    end)

    it("say in which test a run went down", function()
        local cut = run({ { "works", "passed" }, { "crashes" } }, true)
        local whole = run { { "works", "passed" }, { "crashes", "passed" }, { "x", "passed" } }
        local list = differences(whole, cut)
        assert.equal(1, #list)
        assert.equal("the run on Windows went down in a_spec.lua: a thing crashes", list[1])
        assert.equal(1, #differences(cut, whole))
        assert.equal("the run on Windows went down between two tests",
            differences(PASSED, results.read(""))[1])
    end)

    it("give texts back as they were", function()
        local odd = results.read "failed\tf\tn\ta\\\\n\\tb\\nc\nend\n"
        assert.equal("a\\n\tb\nc", odd.tests["f: n"].text)
    end)

    it("are reported with the most frequent reason first", function()
        local windows = run { { "a", "pending", "needs fork" }, { "b", "pending", "needs x" },
            { "c", "pending", "needs x" }, { "d", "passed" } }
        local linux = run { { "a", "passed" }, { "b", "passed" }, { "c", "passed" },
            { "d", "failed", "why" } }
        assert.same({
            "0 passed on both",
            "3 left out on Windows:",
            "     2  needs x",
            "     1  needs fork",
            "differs: a_spec.lua: a thing d\n  on Linux: failed (why)\n  on Windows: passed",
        }, results.report(results.compare(linux, windows)))
    end)
end)
