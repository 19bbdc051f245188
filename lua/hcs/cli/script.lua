-- SPDX-License-Identifier: MIT
-- hcs SCRIPT: a script with its arguments, as lua itself would run it.

local function message_of(err)
    if type(err) ~= "string" then
        local mt = getmetatable(err)
        if type(mt) ~= "table" or not mt.__tostring then
            err = ("(error object is a %s value)"):format(type(err))
        end
        if type(err) == "table" and err.traceback then return err.traceback end
    end
    return debug.traceback(tostring(err), 2)
end

return function(path, list, tools)
    local chunk, why = loadfile(path)
    if not chunk then
        tools.complain("hcs: " .. why .. "\n")
        return 1
    end
    local given = { [0] = path, table.unpack(list) }
    rawset(_G, "arg", given)
    local ok, err = xpcall(chunk, message_of, table.unpack(list))
    if ok then return 0 end
    tools.complain("hcs: " .. tostring(err) .. "\n")
    return 1
end
