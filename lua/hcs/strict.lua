-- SPDX-License-Identifier: MIT
-- require "hcs.strict": the same world as require "hcs", with failures raised.
-- For scripts, prompts and tests.
local default = require "hcs.default"

return default.strict()
