-- SPDX-License-Identifier: MIT
-- hcs selftest: finds out what of this library works on this machine, and
-- changes nothing. docs/selftest.md says what is asked and what is told.
local checks = require "hcs.selftest.checks"
local json = require "hcs.selftest.json"
local privacy = require "hcs.selftest.privacy"
local process = require "hcs.selftest.process"
local report = require "hcs.selftest.report"
local result = require "hcs.selftest.result"
local worlds = require "hcs.world"

local selftest = {}

local FORMAT, FORMAT_VERSION = "lua-hcs selftest", 1

local function new_report(uri, clean)
    local self = {
        format = FORMAT, format_version = FORMAT_VERSION, hcs = worlds.VERSION,
        lua = _VERSION, host = clean(uri), time = os.date("!%Y-%m-%dT%H:%M:%SZ"),
        results = {}, summary = {}, seconds = 0,
    }
    for _, status in ipairs(result.STATUSES) do self.summary[status] = 0 end
    return self
end

-- What a result is in the report.
local function entry_of(check, one, seconds)
    return {
        section = check.section, name = one.name or check.name, status = one.status,
        text = one.text, hint = one.hint, data = one.data, seconds = seconds,
        hresult = one.hresult and one.hresult & 0xFFFFFFFF, symbol = one.symbol,
    }
end

--- Runs the checks. `settings`: uri (the host), interpreter (default: the
--- variable HCS_LUA), show(lines) for lines as they come, module (of the
--- checks), limit (seconds), popen.
---@return table report see docs/selftest.md
function selftest.run(settings)
    local module = settings.module or "hcs.selftest.checks"
    local uri = settings.uri or worlds.default_uri()
    local clean = privacy.cleaner(privacy.of_environment())
    local self = new_report(uri, clean)
    local show = settings.show or function() end
    local view = report.view(show)
    show(report.head(self))

    local function take(check, results, seconds)
        self.seconds = self.seconds + (seconds or 0)
        for index, one in ipairs(results) do
            local entry = clean(entry_of(check, one, index == 1 and seconds or nil))
            table.insert(self.results, entry)
            self.summary[entry.status] = self.summary[entry.status] + 1
            if entry.name == "system" then self.machine = entry.data end
            view.add(entry)
        end
    end

    process.run(require(module).list(uri), {
        module = module, uri = uri, take = take, interpreter = settings.interpreter,
        limit = settings.limit or checks.LIMIT, popen = settings.popen,
    })
    view.finish()
    show(report.foot(self))
    return self
end

--- Whether all that should work works.
function selftest.passed(self)
    return self.summary.failed == 0 and self.summary.ok > 0
end

local function write(path, text)
    local file, why = io.open(path, "w")
    if not file then return nil, why end
    local ok
    ok, why = file:write(text)
    local closed, reason = file:close()
    if ok and closed then return true end
    return nil, why or reason
end

--- Writes the report: JSON at `path`, the text beside it. Returns the paths, or
--- nil and why.
function selftest.save(self, path)
    local beside = path:gsub("%.json$", "") .. ".txt"
    local ok, why = write(path, json.write(self))
    if ok then ok, why = write(beside, report.text(self)) end
    if not ok then return nil, why end
    return path, beside
end

return selftest
