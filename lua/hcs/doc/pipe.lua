-- SPDX-License-Identifier: MIT
-- The names of the pipes that the builder gives to serial ports, so that a
-- system opened by its id alone has consoles too.

--- "\\.\pipe\hcs-web-com1" for the system "web" and the console "com1". Ids are
--- any text: what a pipe's name may not hold becomes "_".
---@param id string
---@param console string
---@return string
return function(id, console)
    return ("\\\\.\\pipe\\hcs-%s-%s"):format((id:gsub("[\\/%c]", "_")), console)
end
