-- SPDX-License-Identifier: MIT
-- The shapes of documents as code.
--
--   lua5.4 tools/gen-schema.lua              writes the C and Lua tables
--   lua5.4 tools/gen-schema.lua import DIR   takes schema/*.json from the full
--                                            data set in DIR
--
-- What is written is committed; a spec makes it again and compares. HCS' data
-- has documents' roots in a file of its own, HCN's the types that settings are
-- of beside the member that says which.

local here = debug.getinfo(1, "S").source:match("^@(.*)gen%-schema%.lua$")

local function part(name)
    return assert(loadfile(here .. "gen-schema/" .. name .. ".lua"))(part)
end

local SETS = {
    { name = "hcs", roots = "roots" },
    { name = "hcn" },
}

local M = {}

local function read_file(path)
    local file <close> = assert(io.open(path, "rb"))
    return (file:read("a"))
end

--- What the generated files have to hold.
-- @param root  the project's directory, with its final slash
-- @return      path below `root` -> text
function M.generate(root)
    local model, c, lua = part "model", part "write_c", part "write_lua"
    local files = {}
    for _, set in ipairs(SETS) do
        local shapes = model.build(set.name,
            read_file(root .. "schema/" .. set.name .. ".json"),
            set.roots and read_file(root .. "schema/" .. set.roots .. ".json"),
            read_file(root .. "schema/" .. set.name .. "-order.json"))
        files["src/schema/" .. set.name .. "_tables.c"] = c.write(shapes)
        files["lua/hcs/schema/" .. set.name .. ".lua"] = lua.write(shapes)
    end
    return files
end

--- The reduced data from the full data set in `dir`.
function M.import(dir)
    local files = {}
    files["schema/hcs.json"], files["schema/roots.json"] = part "import".reduce(
        read_file(dir .. "/hcs.json"), read_file(dir .. "/roots.json"))
    files["schema/hcn.json"], files["schema/hcn-order.json"] = part "import_hcn".reduce(
        read_file(dir .. "/hcn.json"))
    return files
end

local function write(root, files)
    local paths = {}
    for path in pairs(files) do
        paths[#paths + 1] = path
    end
    table.sort(paths)
    for _, path in ipairs(paths) do
        local file <close> = assert(io.open(root .. path, "wb"))
        assert(file:write(files[path]))
        print(("%8d bytes  %s"):format(#files[path], path))
    end
end

if arg and arg[0] and arg[0]:match("gen%-schema%.lua$") then
    local root = here .. "../"
    if arg[1] == "import" and arg[2] and not arg[3] then
        write(root, M.import(arg[2]))
    elseif arg[1] == nil then
        write(root, M.generate(root))
    else
        io.stderr:write("usage: gen-schema.lua [import DIR]\n")
        os.exit(2)
    end
end

return M
