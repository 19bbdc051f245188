-- SPDX-License-Identifier: MIT
-- hcs.file: access to files for systems, and the empty files that some need.
local errors = require "hcs.error"
local operation = require "hcs.operation"
local options = require "hcs.options"
local paths = require "hcs.paths"

local file = {}

-- Calls an export that answers at once.
local function call(world, fields, name, ...)
    local api = world.api
    if not api[name] then
        fields.hresult = 0x8007007F
        return errors.fail(fields, world.core)
    end
    fields.hresult = api[name](...)
    if fields.hresult & 0x80000000 == 0 then return true end
    return errors.fail(fields, world.core)
end

local function path_argument(world, what, path)
    return paths.absolute(options.argument(what, "the path", path, "string"), world.core.cwd())
end

local function access(world, op, export, group, id, path)
    options.argument(op, "the system's id", id, "string")
    path = path_argument(world, op, path)
    local fields = { op = op, target = id, file = path }
    if id == "*" then return call(world, fields, group, path) end
    return call(world, fields, export, id, path)
end

--- The functions of hcs.file for a world.
function file.functions(world, strict, ready)
    local M = {}

    --- Lets the system `id` ("*": every system) open a file. hcs.create does it for
    --- the files it is given. Fails with `not_found` where there is none.
    ---@param id string
    ---@param path string
    ---@return true? ok, hcs.Error? err, string? code
    function M.grant(id, path)
        local _, err, code = ready()
        if err then return nil, err, code end
        return access(world, "grant", "HcsGrantVmAccess", "HcsGrantVmGroupAccess", id, path)
    end

    --- Takes back what grant gave.
    ---@param id string
    ---@param path string
    ---@return true? ok, hcs.Error? err, string? code
    function M.revoke(id, path)
        local _, err, code = ready()
        if err then return nil, err, code end
        return access(world, "revoke", "HcsRevokeVmAccess", "HcsRevokeVmGroupAccess", id, path)
    end

    --- Makes an empty guest state file (.vmgs). Fails with `exists`, `not_found`.
    ---@param path string
    ---@return true? ok, hcs.Error? err, string? code
    function M.create_guest_state(path)
        local _, err, code = ready()
        if err then return nil, err, code end
        path = path_argument(world, "create_guest_state", path)
        return call(world, { op = "create_guest_state", target = path },
            "HcsCreateEmptyGuestStateFile", path)
    end

    --- Makes an empty runtime state file (.vmrs). Fails with `exists`, `not_found`.
    ---@param path string
    ---@return true? ok, hcs.Error? err, string? code
    function M.create_runtime_state(path)
        local _, err, code = ready()
        if err then return nil, err, code end
        path = path_argument(world, "create_runtime_state", path)
        return call(world, { op = "create_runtime_state", target = path },
            "HcsCreateEmptyRuntimeStateFile", path)
    end

    M.grant_async = operation.async(world, strict, "grant", M.grant, ready)
    M.revoke_async = operation.async(world, strict, "revoke", M.revoke, ready)
    M.create_guest_state_async = operation.async(world, strict, "create_guest_state",
        M.create_guest_state, ready)
    M.create_runtime_state_async = operation.async(world, strict, "create_runtime_state",
        M.create_runtime_state, ready)
    return M
end

return file
