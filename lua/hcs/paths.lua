-- SPDX-License-Identifier: MIT
-- Paths as documents need them: absolute. Windows' and POSIX' are both known
-- everywhere, since the simulated host accepts either.
local paths = {}

--- Whether a path is absolute, in either world.
function paths.is_absolute(path)
    return path:match("^[/\\]") ~= nil or path:match("^%a:[/\\]") ~= nil
end

--- The absolute form of a path, seen from the folder `base`.
function paths.absolute(path, base)
    if paths.is_absolute(path) then return path end
    local separator = base:match("^%a:") and "\\" or "/"
    path = path:gsub("^%.[/\\]", "")
    return (base:gsub("[/\\]$", "")) .. separator .. path
end

--- The folder a file is in.
function paths.folder(path)
    local folder = path:match("^(.*)[/\\][^/\\]*$")
    if folder == "" then return "/" end
    return folder or "."
end

return paths
