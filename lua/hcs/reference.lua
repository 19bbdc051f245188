-- SPDX-License-Identifier: MIT
-- The documentation of every public function, read from the one place where
-- it is written: the comments above them.
local reference = {}

-- Which file defines the functions of what. `local` table names in the files
-- are of two kinds: methods of a class, functions of a facade.
local SOURCES = {
    { module = "hcs.facade.systems", table = "M", name = "hcs" },
    { module = "hcs.facade.tasks", table = "M", name = "hcs" },
    { module = "hcs.facade.knowledge", table = "M", name = "hcs" },
    { module = "hcs.doc", table = "doc", name = "hcs.doc" },
    { module = "hcs.doc.merge", table = "M", name = "hcs.doc" },
    { module = "hcs.host", table = "M", name = "hcs.host" },
    { module = "hcs.file", table = "M", name = "hcs.file" },
    { module = "hcs.network", table = "M", name = "hcs.network" },
    { module = "hcs.endpoint", table = "M", name = "hcs.endpoint" },
    { module = "hcs.namespace", table = "M", name = "hcs.namespace" },
    { module = "hcs.dump", table = "M", name = "hcs.dump" },
    { module = "hcs.sim", table = "M", name = "hcs.sim" },
    { module = "hcs.sim", table = "g", name = "g" },
    { module = "hcs.system", table = "methods", name = "System" },
    { module = "hcs.lifecycle", table = "methods", name = "System" },
    { module = "hcs.devices", table = "methods", name = "System" },
    { module = "hcs.network", table = "methods", name = "Network" },
    { module = "hcs.endpoint", table = "methods", name = "Endpoint" },
    { module = "hcs.namespace", table = "methods", name = "Namespace" },
    { module = "hcs.console", table = "methods", name = "Console" },
    { module = "hcs.stream", table = "methods", name = "Stream" },
    { module = "hcs.operation", table = "methods", name = "Operation" },
    { module = "hcs.task", table = "methods", name = "Task" },
    { module = "hcs.scope", table = "methods", name = "Scope" },
    { module = "hcs.error", table = "methods", name = "Error" },
    { module = "hcs.dump", table = "methods", name = "Dump" },
    { module = "hcs.dump.cpu", table = "methods", name = "Cpu" },
}

local function lines_of(module)
    local path = package.searchpath(module, package.path)
    local file = path and io.open(path, "r")
    if not file then return {} end
    local lines = {}
    for line in file:lines() do lines[#lines + 1] = line end
    file:close()
    return lines
end

-- The comment block that ends above line `index`.
local function block_above(lines, index)
    local block = {}
    while index > 1 do
        local text = lines[index - 1]:match("^%s*%-%-%-(.*)$")
        if not text then break end
        table.insert(block, 1, text)
        index = index - 1
    end
    return block
end

local function entry_of(source, name, arguments, block)
    local words, tags = {}, {}
    for _, line in ipairs(block) do
        if line:match("^@") then
            tags[#tags + 1] = line:sub(2)
        else
            words[#words + 1] = line:match("^%s*(.-)%s*$")
        end
    end
    local is_method = source.table == "methods"
    if is_method then arguments = arguments:gsub("^[%w_]+,?%s*", "") end
    return {
        name = source.name .. (is_method and ":" or ".") .. name, arguments = arguments,
        text = table.concat(words, " "), tags = tags,
    }
end

local function scan(source, into)
    local lines = lines_of(source.module)
    local pattern = "^%s*function " .. source.table .. "%.([%w_]+)%(([^)]*)%)"
    for index, line in ipairs(lines) do
        local name, arguments = line:match(pattern)
        if name and name:sub(1, 1) ~= "_" then
            local entry = entry_of(source, name, arguments, block_above(lines, index))
            into[entry.name] = entry
        end
    end
    local prefix = source.name .. (source.table == "methods" and ":" or ".")
    for _, line in ipairs(lines) do
        local name = line:match("^%s*" .. source.table .. "%.([%w_]+)_async%s*=")
            or line:match("^%s*function " .. source.table .. "%.([%w_]+)_async%(")
        local entry = name and into[prefix .. name]
        if entry then entry.twin = name .. "_async" end
    end
end

local all

--- All entries by name ("hcs.create", "System:start"): {name, arguments, text,
--- tags, twin}; `twin` is the name of the asynchronous face, where it has one.
function reference.all()
    if not all then
        all = {}
        for _, source in ipairs(SOURCES) do scan(source, all) end
    end
    return all
end

--- The fields of a class as its module's comments have them: a list of tags,
--- without "field".
function reference.fields(module, class)
    local fields, within = {}, false
    for _, line in ipairs(lines_of(module)) do
        local name = line:match("^%-%-%-@class ([%w_.]+)")
        local field = line:match("^%-%-%-@field (.*)$")
        if name then
            within = name == class
        elseif field and within then
            fields[#fields + 1] = field
        end
    end
    return fields
end

--- The entry of a name as people write it: "hcs.create", "create",
--- "System:start", "vm:start", "start". The asynchronous face of a verb may be
--- told by the verb's.
function reference.find(name)
    local entries = reference.all()
    local short = name:match("[%w_]+$")
    if not short then return nil end
    local owner = name:match("^(.-)[:.][%w_]+$")
    local whole = entries[name] or entries["hcs." .. name]
    if whole then return whole end
    local order = { "hcs." .. short, "System:" .. short, "Endpoint:" .. short,
        "Network:" .. short, "Namespace:" .. short, "Console:" .. short, "Stream:" .. short,
        "Operation:" .. short, "Task:" .. short, "hcs.file." .. short, "hcs.host." .. short,
        "hcs.sim." .. short, "hcs.doc." .. short, "Scope:" .. short, "Error:" .. short,
        "g." .. short }
    if owner and owner ~= "hcs" then
        -- "scope:network": as its class is called.
        order[1] = owner:gsub("^%l", string.upper) .. ":" .. short
    end
    for _, one in ipairs { "Dump:", "Cpu:", "hcs.dump." } do order[#order + 1] = one .. short end
    for _, candidate in ipairs(order) do
        if entries[candidate] and (owner ~= "hcs" or candidate:sub(1, 4) == "hcs.") then
            return entries[candidate]
        end
    end
    local base = name:match("^(.*)_async$")
    local entry = base and reference.find(base)
    return entry and entry.twin and entry or nil
end

return reference
