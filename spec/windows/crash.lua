-- SPDX-License-Identifier: MIT
-- Not one of the specs: `./test windows` runs it to see that a crash is told.
describe("a null pointer", function()
    it("is left alone", function() end)

    it("is written to", function() require("hcs_spec_crash").crash() end)

    it("is forgotten", function() end)
end)
