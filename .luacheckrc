-- SPDX-License-Identifier: MIT
std = "lua54"
max_line_length = 100
cache = false
exclude_files = { "build/" }

files["spec"] = { std = "lua54+busted" }
files["lua/hcs/schema/*.lua"] = { max_line_length = false }
