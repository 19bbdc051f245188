-- SPDX-License-Identifier: MIT
-- What lua is started with to be a worker of hcs selftest.
require("hcs.selftest.worker").main(arg[1], arg[2], arg[3], arg[4])
