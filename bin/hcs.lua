#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- The command hcs; lua/hcs/cli says what it can do.
os.exit(require("hcs.cli").main(arg), true)
