-- SPDX-License-Identifier: MIT
-- Microsoft's names as options spell them.

--- "VirtualDisk" -> "virtual_disk", "KDump" -> "k_dump", "L2Bridge" ->
--- "l2_bridge", "EnableIPv6" -> "enable_ipv6".
---@param name string
---@return string
return function(name)
    name = name:gsub("(%u)(%u*)v(%d)", function(first, others, number)
        return first .. others:lower() .. "v" .. number
    end)
    return (name:gsub("([%l%d])(%u)", "%1_%2")
        :gsub("(%u)(%u%l)", "%1_%2"):lower())
end
