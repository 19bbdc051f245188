-- SPDX-License-Identifier: MIT
-- Not one of the specs: `./test windows` runs it to see that it is ended.
describe("a test", function()
    it("does not come back", function() require("hcs_spec_crash").hang() end)
end)
