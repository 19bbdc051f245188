-- SPDX-License-Identifier: MIT
-- The tables of src/schema/tables.h.

local part = ...
local model = part "model"

local M = {}

-- Names lie in one text, each once; a table holds their offsets.
local function new_pool()
    local pool = { size = 0, names = {}, at = {} }
    function pool.add(name)
        if not pool.at[name] then
            pool.at[name] = pool.size
            pool.names[#pool.names + 1] = name
            pool.size = pool.size + #name + 1
        end
        return pool.at[name]
    end
    return pool
end

local function type_numbers(set)
    local numbers = {}
    for i, name in ipairs(model.SCALARS) do
        numbers[name] = i - 1
    end
    for i, entry in ipairs(set.types) do
        numbers[entry.name] = #model.SCALARS + i - 1
    end
    return numbers
end

local function flags(...)
    local names = {}
    for i = 1, select("#", ...), 2 do
        local on, name = select(i, ...)
        if on then
            names[#names + 1] = name
        end
    end
    return #names > 0 and table.concat(names, " | ") or "0"
end

-- A choice is its place (from 1) among the set's, 0 for none.
local function add_choice(pool, numbers, rows, choice)
    if not choice then
        return 0
    end
    local first = #rows.cases
    for _, case in ipairs(choice.cases) do
        rows.cases[#rows.cases + 1] = ("    {%d, %d}, /* %s: %s */"):format(
            pool.add(case.value), numbers[case.type], case.value, case.type)
    end
    rows.choices[#rows.choices + 1] = ("    {%d, %d, %d}, /* %s */"):format(
        pool.add(choice.by), first, #choice.cases, choice.by)
    return #rows.choices
end

local function member_row(pool, numbers, rows, member)
    return ("    {%d, %d, 0x%03x, %d, %s, %s, %d}, /* %s */"):format(
        pool.add(member.name), numbers[member.type], member.builds, member.minor,
        member.map and tostring(numbers[member.map]) or "SCHEMA_NO_MAP",
        flags(member.array, "SCHEMA_ARRAY", member.nullable, "SCHEMA_NULLABLE",
            member.always, "SCHEMA_ALWAYS"),
        add_choice(pool, numbers, rows, member.choice), member.name)
end

local function value_row(pool, value)
    return ("    {%d, 0x%03x, %d, %s, %d}, /* %s */"):format(pool.add(value.name),
        value.builds, value.minor, value.value and "true" or "false",
        value.value or 0, value.name)
end

local function type_row(pool, entry, first, count)
    return ("    {%d, %d, %d, %s, %s}, /* %s */"):format(pool.add(entry.name), first,
        count, entry.kind == "enum" and "SCHEMA_ENUM" or "SCHEMA_OBJECT",
        flags(entry.number, "SCHEMA_NUMBER", entry.flags, "SCHEMA_FLAGS",
            entry.lenient, "SCHEMA_LENIENT", entry.empty, "SCHEMA_EMPTY",
            entry.open, "SCHEMA_OPEN"),
        entry.name)
end

-- LIST_SIZE and LIST_VALUES of src/schema/check.h: even the longest names of a
-- type must fit into the message that lists them.
local LIST_SIZE, LIST_VALUES = 512, 8

local function check_list(entry)
    local lengths, sum = {}, 0
    for i, value in ipairs(entry.values or {}) do
        lengths[i] = #value.name + #" or " + (entry.number and #tostring(value.value) + 1 or 0)
    end
    table.sort(lengths, function(a, b) return a > b end)
    for i = 1, math.min(#lengths, LIST_VALUES) do
        sum = sum + lengths[i]
    end
    return sum + #" …" < LIST_SIZE
end

local function collect(set, pool)
    local rows = { types = {}, members = {}, values = {}, order = {}, paths = {},
        choices = {}, cases = {} }
    local numbers = type_numbers(set)
    for _, entry in ipairs(set.types) do
        assert(check_list(entry), entry.name .. ": its values' names are too long to be listed")
        local list = entry.members and rows.members or rows.values
        rows.types[#rows.types + 1] = type_row(pool, entry, #list, #entry.order)
        for _, member in ipairs(entry.members or {}) do
            list[#list + 1] = member_row(pool, numbers, rows, member)
        end
        for _, value in ipairs(entry.values or {}) do
            list[#list + 1] = value_row(pool, value)
        end
        for _, index in ipairs(entry.members and entry.order or {}) do
            rows.order[#rows.order + 1] = tostring(index)
        end
    end
    for i, path in ipairs(set.paths) do
        rows.paths[i] = ('    {"%s", %d},'):format(path.path, numbers[path.type])
    end
    return rows
end

local function wrapped(items)
    local lines, line = {}, "   "
    for _, value in ipairs(items) do
        local item = tostring(value)
        if #line + #item + 2 > 79 then
            lines[#lines + 1] = line
            line = "   "
        end
        line = line .. " " .. item .. ","
    end
    lines[#lines + 1] = line
    return table.concat(lines, "\n")
end

local function names_text(pool)
    local lines = {}
    for i, name in ipairs(pool.names) do
        lines[i] = ('    "%s\\0"'):format(name)
    end
    return table.concat(lines, "\n")
end

local function version_builds(set)
    local items = {}
    for minor = 0, #set.versions do
        items[#items + 1] = tostring(set.versions[minor])
    end
    return items
end

local function array(kind, name, body)
    return ("static const %s %s[] = {\n%s\n};\n"):format(kind, name, body)
end

-- C has no empty arrays: a set has paths or choices where it has any.
local function optional(lists)
    local texts = {}
    for _, list in ipairs(lists) do
        local kind, name, rows = table.unpack(list)
        if rows[1] then
            texts[#texts + 1] = array(kind, name, table.concat(rows, "\n"))
        end
    end
    return table.concat(texts, "\n")
end

local function pointer(rows, name)
    return rows[1] and name or "NULL"
end

--- @return the text of src/schema/<set>_tables.c
function M.write(set)
    local pool = new_pool()
    local rows = collect(set, pool)
    assert(pool.size <= 0xffff and #rows.members <= 0xffff and #rows.choices <= 0xff,
        "the tables' integers are too small")
    local function lines(list)
        return table.concat(list, "\n")
    end
    return table.concat({
        "/* SPDX-License-Identifier: MIT */",
        "/* generated by tools/gen-schema.lua: do not edit */",
        '#include "tables.h"\n',
        "/* clang-format off */",
        ("static const char names[] =\n%s;\n"):format(names_text(pool)),
        array("int32_t", "builds", wrapped(set.builds)),
        array("int32_t", "versions", wrapped(version_builds(set))),
        array("struct schema_type", "types", lines(rows.types)),
        array("struct schema_field", "members", lines(rows.members)),
        array("struct schema_value", "values", lines(rows.values)),
        array("uint8_t", "order", wrapped(rows.order)),
        optional { { "struct schema_path", "paths", rows.paths },
            { "struct schema_choice", "choices", rows.choices },
            { "struct schema_case", "cases", rows.cases } },
        ("const struct schema_set schema_%s = {"):format(set.name),
        "    .names = names,",
        "    .builds = builds,",
        ("    .build_count = %d,"):format(#set.builds),
        "    .versions = versions,",
        ("    .version_count = %d,"):format(#set.versions + 1),
        "    .types = types,",
        ("    .type_count = %d,"):format(#rows.types),
        "    .members = members,",
        "    .values = values,",
        "    .order = order,",
        ("    .paths = %s,"):format(pointer(rows.paths, "paths")),
        ("    .path_count = %d,"):format(#rows.paths),
        ("    .choices = %s,"):format(pointer(rows.choices, "choices")),
        ("    .cases = %s"):format(pointer(rows.cases, "cases")),
        "};",
        "",
    }, "\n")
end

return M
