-- SPDX-License-Identifier: MIT
-- Takes out of a report what names a person or a machine: home folder, names
-- of user and machine, and the ids of whatever is there.
local privacy = {}

-- Names that tell nothing, and that are words of ours.
local COMMON = {
    root = true, administrator = true, system = true, user = true, guest = true, admin = true,
    hcs = true, lua = true, windows = true, localhost = true, workgroup = true, vm = true,
}

local SHORT = 3 -- shorter names are words too often: only where a path has them

local GUID = ("%x"):rep(8) .. "%-" .. ("%x%x%x%x%-"):rep(3) .. ("%x"):rep(12)

-- A pattern of a text whatever the case of its ASCII letters.
local function anycase(text)
    text = text:gsub("%p", "%%%0"):gsub("%a", function(letter)
        return "[" .. letter:lower() .. letter:upper() .. "]"
    end)
    return text
end

local function add_folder(rules, folder, mark)
    if #folder < 2 or folder:match("^%a:[/\\]?$") then return end
    table.insert(rules, { anycase(folder:gsub("[/\\]+$", "")), mark })
end

-- A name stands by itself: the letters of longer words around it are no name.
local function add_name(rules, name, mark)
    if name == "" or COMMON[name:lower()] then return end
    local inside = "[%w_\128-\255]"
    if #name < SHORT then
        table.insert(rules, { "([/\\])" .. anycase(name) .. "%f[/\\\0]", "%1" .. mark })
    else
        table.insert(rules, {
            "%f" .. inside .. anycase(name) .. "%f" .. inside:gsub("%[", "[^"), mark })
    end
end

--- What the environment says of who and where we are, for rules().
function privacy.of_environment()
    local function variables(...)
        local values = {}
        for index = 1, select("#", ...) do
            values[#values + 1] = os.getenv((select(index, ...)))
        end
        return values
    end
    return {
        homes = variables("USERPROFILE", "HOME"),
        users = variables("USERNAME", "USER", "LOGNAME"),
        machines = variables("COMPUTERNAME", "HOSTNAME", "USERDOMAIN"),
    }
end

--- A function that cleans a text, or every text in a table (a copy).
--- `names`: lists of homes, users and machines.
function privacy.cleaner(names)
    local rules = {}
    for _, folder in ipairs(names.homes or {}) do add_folder(rules, folder, "<home>") end
    for _, name in ipairs(names.users or {}) do add_name(rules, name, "<user>") end
    for _, name in ipairs(names.machines or {}) do add_name(rules, name, "<machine>") end
    table.insert(rules, { GUID, "<guid>" })
    table.insert(rules, { "S%-1%-[%d%-]+", "<sid>" })

    local function clean(value)
        if type(value) == "string" then
            for _, rule in ipairs(rules) do value = value:gsub(rule[1], rule[2]) end
            return value
        elseif type(value) ~= "table" then
            return value
        end
        local copy = {}
        for key, item in pairs(value) do copy[clean(key)] = clean(item) end
        return copy
    end
    return clean
end

return privacy
