-- SPDX-License-Identifier: MIT
-- The verbs of a system's life: start, pause, save, crash, stop …
local errors = require "hcs.error"
local grants = require "hcs.grants"
local loop = require "hcs.loop"
local operation = require "hcs.operation"
local options = require "hcs.options"
local paths = require "hcs.paths"
local system = require "hcs.system"

local methods = system.methods
local lifecycle = {}

local ASK = 30          -- seconds that stop gives a guest to shut down
local OPTIONS_BUILD = 20348 -- the first build with ShutdownOptions

-- (options, timeout) of a call in which either may be left out.
local function arguments(given, timeout)
    if given ~= nil and type(given) ~= "table" then return nil, given end
    return given, timeout
end

local function encode(self, document, type_name)
    return document and system.live(self)._world.encode(document, type_name)
end

-- "integration_service" -> "IntegrationService"
local function platform_name(text)
    return (("_" .. text):gsub("_(%l)", string.upper))
end

local function merge(document, extra)
    for key, value in pairs(extra or {}) do document[key] = value end
    return document
end

-- What a verb finishes with: the system has come to a state.
local function come_to(state)
    return function(op)
        op._system._last_state = state
        loop.wake(op._world, op._system)
        return true
    end
end

local come_to_running, come_to_paused = come_to "Running", come_to "Paused"
local come_to_template = come_to "SavedAsTemplate"

--- Starts it; see start.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.start_async(self)
    return system.submit(self, "start", "HcsStartComputeSystem", nil, come_to_running)
end

--- Powers the system on, or lets a restored one go on. Fails with
--- `invalid_state` where it was started before, with `not_found` or
--- `access_denied` (err.file) where a file is missing or was not granted.
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.start(self, timeout)
    return system.face(self, "start", timeout, methods.start_async)
end

local PAUSE = { reason = "string", suspension_level = "string", document = "table" }
local REASONS = { "none", "save", "template" }

local function pause_document(given)
    if given == nil then return nil end
    options.check("pause", given, PAUSE)
    if next(given) == nil then return nil end
    local document = {}
    if given.suspension_level then
        document.SuspensionLevel = platform_name(given.suspension_level)
    end
    if given.reason then
        options.one_of("pause", "reason", given.reason, REASONS)
        document.SuspensionLevel = document.SuspensionLevel or "Suspend"
        document.HostedNotification = { Reason = platform_name(given.reason) }
    end
    return merge(document, given.document)
end

--- Pauses it; see pause.
---@param given? {reason: string, suspension_level: string, document: table}
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.pause_async(self, given)
    local json = encode(self, pause_document(given), "PauseOptions")
    return system.submit(self, "pause", "HcsPauseComputeSystem", json, come_to_paused)
end

--- Holds the system still: { reason = "none|save|template", suspension_level,
--- document }; `reason` says what it is for. Fails with `invalid_state` unless it
--- is running.
---@param given? {reason: string, suspension_level: string, document: table}
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.pause(self, given, timeout)
    given, timeout = arguments(given, timeout)
    return system.face(self, "pause", timeout, methods.pause_async, given)
end

--- Resumes it; see resume.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.resume_async(self)
    return system.submit(self, "resume", "HcsResumeComputeSystem", nil, come_to_running)
end

--- Lets a paused system go on. Fails with `invalid_state` unless it is paused.
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.resume(self, timeout)
    return system.face(self, "resume", timeout, methods.resume_async)
end

local SHUTDOWN = {
    type = "string", mechanism = "string", force = "boolean", reason = "string",
    document = "table",
}

local function shutdown_document(self, given)
    given = options.check("shutdown", given, SHUTDOWN)
    if (self._world.build or OPTIONS_BUILD) < OPTIONS_BUILD then return given.document end
    if given.type then
        options.one_of("shutdown", "type", given.type, { "shutdown", "hibernate", "reboot" })
    end
    return merge({
        Mechanism = platform_name(given.mechanism or "integration_service"),
        Type = platform_name(given.type or "shutdown"),
        Force = given.force, Reason = given.reason,
    }, given.document)
end

--- Asks the guest to shut down; see shutdown.
---@param given? {type: string, mechanism: string, force: boolean, reason: string, document: table}
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.shutdown_async(self, given)
    local json = encode(system.live(self), shutdown_document(self, given), "ShutdownOptions")
    return system.submit(self, "shutdown", "HcsShutDownComputeSystem", json)
end

--- Asks the guest to shut down: { type = "shutdown|hibernate|reboot", mechanism =
--- "integration_service|guest_connection", force, reason, document }. Success
--- means that it was asked: wait for "exited", or use stop. Fails with
--- `unsupported` unless it was created with services = { shutdown = true }, and
--- for a type that the host cannot ask for.
---@param given? {type: string, mechanism: string, force: boolean, reason: string, document: table}
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.shutdown(self, given, timeout)
    given, timeout = arguments(given, timeout)
    return system.face(self, "shutdown", timeout, methods.shutdown_async, given)
end

-- That it had stopped is what was wanted.
local function stopped_is_fine(ok, err, code)
    if ok or errors.is_error(err) and err.hresult == 0x80370110 then return true end
    return nil, err, code
end

local function terminate_within(self, deadline)
    local submitted, err, code = system.submit(self, "terminate", "HcsTerminateComputeSystem")
    if not submitted then return stopped_is_fine(nil, err, code) end
    return stopped_is_fine(operation.await(submitted, deadline))
end

--- Cuts the power; see terminate.
---@return hcs.Operation op
function methods.terminate_async(self)
    local fields = { op = "terminate", target = system.live(self).id, strict = self._strict }
    return operation.compose(self._world, fields, terminate_within, self)
end

--- Cuts the power. Success also when the system had stopped.
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.terminate(self, timeout)
    local world = system.live(self)._world
    local refused = operation.refusal(world, "terminate", self.id)
    if refused then return errors.fail(refused) end
    return terminate_within(self, loop.deadline(world, timeout))
end

local function stop_within(self, ask)
    local world = self._world
    if self._exit then return true end
    local asked = system.face(self, "shutdown", ask, methods.shutdown_async)
    if asked then
        local event, err = system.wait_event(self, "exited", loop.deadline(world, ask))
        if event then return true end
        if not err:is("timeout") then return nil, err, err.code end
    end
    local ok, err, code = terminate_within(self, loop.deadline(world))
    if not ok then return nil, err, code end
    local event
    event, err, code = system.wait_event(self, "exited", loop.deadline(world))
    if not event then return nil, err, code end
    return true
end

--- Stops it; see stop.
---@param timeout? number|string seconds
---@return hcs.Operation op
function methods.stop_async(self, timeout)
    local fields = { op = "stop", target = system.live(self).id, strict = self._strict }
    return operation.compose(self._world, fields, stop_within, self, loop.timeout(timeout, ASK))
end

--- Asks the guest to shut down, waits for the exit, and after `timeout`
--- (default 30 seconds), or where it cannot be asked, cuts the power. The
--- system has exited when it returns. stop_async takes the timeout too.
---@param timeout? number|string seconds, default 30
---@return true? ok, hcs.Error? err, string? code
function methods.stop(self, timeout)
    local world = system.live(self)._world
    if not self._exit and loop.would_block(world) then
        return loop.failure(world, "would_block", { op = "stop", target = self.id })
    end
    return stop_within(self, loop.timeout(timeout, ASK))
end

--- Injects an NMI; see crash.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.crash_async(self)
    local json = encode(system.live(self), { Type = "CrashGuest" }, "CrashOptions")
    return system.submit(self, "crash", "HcsCrashComputeSystem", json)
end

--- Crashes the guest by an NMI. Success means that it was injected: wait for
--- "crash", which comes when its reports and dumps are complete. What an NMI
--- does is the guest's choice. Fails with `invalid_state` unless it is running,
--- with `unsupported` on builds that lack it.
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.crash(self, timeout)
    return system.face(self, "crash", timeout, methods.crash_async)
end

-- A path to write to: absolute, and open to the system.
local function writable(self, what, path)
    options.argument(what, "the path", path, "string")
    path = paths.absolute(path, self._world.core.cwd())
    if self._grant ~= false then
        local folder = paths.folder(path)
        if grants.add(self._world, self.id, folder) then table.insert(self._grants, folder) end
    end
    return path
end

--- Writes the guest's state to a file; see capture.
---@param path string
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.capture_async(self, path)
    system.live(self)
    local json = encode(self, {
        Type = "CaptureGuestDebugState", GuestDebugStateFile = writable(self, "capture", path),
    }, "CrashOptions")
    return system.submit(self, "capture", "HcsCrashComputeSystem", json)
end

--- Writes the guest's memory and registers to a file without harm to the guest,
--- and beside it, in PATH.json, of what machine it is. On Windows that is a saved
--- state (.vmrs) whatever its name; on our hosts the name tells what it becomes:
--- ".vmrs", ".kdump", ".raw", else an ELF core. A guest that is paused stays so;
--- Windows, and a strict host, fail with `invalid_state` then. hcs.dump.open
--- reads them all.
---@param path string relative to the current directory, or absolute
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.capture(self, path, timeout)
    return system.face(self, "capture", timeout, methods.capture_async, path)
end

--- Saves a paused system; see save.
---@param path string
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.save_async(self, path)
    system.live(self)
    local json = encode(self, {
        SaveType = "ToFile", SaveStateFilePath = writable(self, "save", path),
    }, "SaveOptions")
    return system.submit(self, "save", "HcsSaveComputeSystem", json)
end

--- Saves a paused system to a file that create{ restore = path } continues
--- from. It stays paused. Fails with `invalid_state` unless it is paused, with
--- `unsupported` where it has what cannot be saved.
---@param path string relative to the current directory, or absolute
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.save(self, path, timeout)
    return system.face(self, "save", timeout, methods.save_async, path)
end

--- Saves it as a template; see save_template.
---@return hcs.Operation? op, hcs.Error? err, string? code
function methods.save_template_async(self)
    local json = encode(system.live(self), { SaveType = "AsTemplate" }, "SaveOptions")
    return system.submit(self, "save_template", "HcsSaveComputeSystem", json,
        come_to_template)
end

--- Turns a paused system (pause{ reason = "template" }) into a template for
--- create{ template = id }. It never runs again; keep it open while clones live.
---@param timeout? number|string seconds, default 240
---@return true? ok, hcs.Error? err, string? code
function methods.save_template(self, timeout)
    return system.face(self, "save_template", timeout, methods.save_template_async)
end

-- --- what is possible now -----------------------------------------------------

local STATES_OF = {
    start = { Created = true }, pause = { Running = true }, resume = { Paused = true },
    save = { Paused = true }, save_template = { Paused = true }, shutdown = { Running = true },
    crash = { Running = true }, capture = { Running = true },
    modify = { Created = true, Running = true },
    terminate = { Created = true, Running = true, Paused = true, SavedAsTemplate = true },
}
STATES_OF.stop = STATES_OF.terminate

local FUNCTIONS = { crash = "HcsCrashComputeSystem", capture = "HcsCrashComputeSystem" }

lifecycle.VERBS = {}
for verb in pairs(STATES_OF) do table.insert(lifecycle.VERBS, verb) end
table.sort(lifecycle.VERBS)

local function can_within(self, what, deadline)
    local world = self._world
    if FUNCTIONS[what] and not world.api[FUNCTIONS[what]] then
        return false, ("build %s has no %s"):format(world.build, FUNCTIONS[what])
    end
    local document = self._document and self._document.VirtualMachine
    if what == "shutdown" and document and not document.GuestConnection
        and not (document.Services and document.Services.Shutdown) then
        return false, "it was created without services = { shutdown = true }"
    end
    local asked, err, code = methods.state_async(self)
    if not asked then return nil, err, code end
    local state
    state, err, code = operation.await(asked, deadline)
    if not state then return nil, err, code end
    if STATES_OF[what][state] then return true end
    return false, "it is " .. state:lower()
end

--- Asks whether a verb is possible now; see can.
---@param what string
---@return hcs.Operation op
function methods.can_async(self, what)
    local fields = { op = "can", target = system.live(self).id, strict = self._strict }
    options.one_of("can", "the verb", what, lifecycle.VERBS)
    return operation.compose(self._world, fields, can_within, self, what)
end

--- Whether a verb is possible now: true, or false and why.
---@param what string "start", "pause", "save", "shutdown", "modify" …
---@param timeout? number|string seconds, default 240
---@return boolean? possible, string|hcs.Error? reason, string? code
function methods.can(self, what, timeout)
    local world = system.live(self)._world
    options.one_of("can", "the verb", what, lifecycle.VERBS)
    local refused = operation.refusal(world, "can", self.id)
    if refused then return errors.fail(refused) end
    return can_within(self, what, loop.deadline(world, timeout))
end

return lifecycle
