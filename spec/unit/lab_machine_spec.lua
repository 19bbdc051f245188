-- SPDX-License-Identifier: MIT
-- QEMU's argument list (spec/golden/qemu_args_lab.txt, which the C tests hold
-- against the code) is the machine that was measured, but for differences that
-- have a reason.
local lab = dofile "spec/golden/lab_machine.lua"

local function ours()
    local list = {}
    for line in io.lines "spec/golden/qemu_args_lab.txt" do list[#list + 1] = line end
    table.remove(list, 1) -- the program
    return list
end

-- A template's %d are all the numbers 0 to 7, as root ports have.
local function expanded(text)
    if not text:find("%d", 1, true) then return { text } end
    local list = {}
    for i = 0, 7 do
        list[#list + 1] = text:gsub("%%d", tostring(i), 1):gsub("%%d", tostring(i + 1), 1)
    end
    return list
end

local function counts(list)
    local count = {}
    for _, item in ipairs(list) do count[item] = (count[item] or 0) + 1 end
    return count
end

-- The lab's options with the differences applied; a difference that takes away
-- what is not there raises.
local function expected()
    local count = counts(lab.machine)
    for _, difference in ipairs(lab.differences) do
        assert(difference.why and (difference.lab or difference.ours))
        for _, item in ipairs(difference.lab and expanded(difference.lab) or {}) do
            assert(count[item], "the lab has no " .. item)
            count[item] = count[item] > 1 and count[item] - 1 or nil
        end
        for _, item in ipairs(difference.ours and expanded(difference.ours) or {}) do
            count[item] = (count[item] or 0) + 1
        end
    end
    return count
end

describe("QEMU's argument list", function()
    it("is the lab's machine but for the differences that have a reason", function()
        assert.are.same(expected(), counts(ours()))
    end)

    it("is not equal without the differences", function()
        assert.are_not.same(counts(lab.machine), counts(ours()))
    end)
end)
