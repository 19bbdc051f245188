-- SPDX-License-Identifier: MIT
-- Paths as documents need them: absolute. Windows' and POSIX' are both known
-- everywhere, since the simulated host accepts either; which of them a path is
-- that could be either, the folder tells from which it is seen.
local paths = {}

local function is_windows(base) return base:match "^%a:" ~= nil or base:match "^\\\\" ~= nil end

-- Whether a path is absolute, in either world.
local function is_absolute(path)
    return path:match("^[/\\]") ~= nil or path:match("^%a:[/\\]") ~= nil
end

-- Seen from a folder of Windows, where "\x" is on the folder's drive (or share),
-- and "c:x" in the current folder of drive C:, which is only known to be `base`
-- where that is on it: on others it is the root.
local function on_windows(path, base)
    path = path:gsub("/", "\\")
    if path:match "^%a:\\" or path:match "^\\\\" then return path end
    if path:match "^\\" then
        return (base:match "^%a:" or base:match "^\\\\[^\\]+\\[^\\]+" or "") .. path
    end
    local drive, rest = path:match "^(%a:)(.*)$"
    if drive and drive:upper() ~= base:sub(1, 2):upper() then return drive .. "\\" .. rest end
    return (base:gsub("\\$", "")) .. "\\" .. (rest or path):gsub("^%.\\", "")
end

--- The absolute form of a path, seen from the folder `base`.
function paths.absolute(path, base)
    if is_windows(base) then return on_windows(path, base) end
    if is_absolute(path) then return path end
    return (base:gsub("/$", "")) .. "/" .. path:gsub("^%./", "")
end

--- The folder a file is in.
function paths.folder(path)
    local pattern = path:match "^/" and "^(.*)(/)[^/]*$" or "^(.*)([/\\])[^/\\]*$"
    local folder, separator = path:match(pattern)
    if not folder then return "." end
    if folder == "" or folder:match "^%a:$" then return folder .. separator end
    return folder
end

return paths
