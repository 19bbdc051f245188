-- SPDX-License-Identifier: MIT
-- require "hcs": the compute systems of this machine, or of a simulated one.
-- Failures are returned as nil, err, code; require "hcs.strict" raises them.
local default = require "hcs.default"

return default.plain()
