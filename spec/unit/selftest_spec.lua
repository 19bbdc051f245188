-- SPDX-License-Identifier: MIT
-- hcs selftest: what its checks make of a host, how they may end, what is shown
-- and what is kept back.
local checks = require "hcs.selftest.checks"
local fake = require "spec.unit.fake_core"
local json = require "hcs.selftest.json"
local literal = require "hcs.selftest.literal"
local machine = require "hcs.selftest.machine"
local platform = require "spec.platform"
local privacy = require "hcs.selftest.privacy"
local process = require "hcs.selftest.process"
local report = require "hcs.selftest.report"
local selftest = require "hcs.selftest"
local worker = require "hcs.selftest.worker"

local core = require "hcs.core"

-- --- the checks, on a host that does what the spec says -----------------------------

-- A fake with what only these checks call.
local function new_host()
    local host = fake.new { Clock = "Virtual", Build = 26100, Driver = "Step" }
    local api = host.api
    local closing = { __close = function(handle) handle.closed = true end }
    host.open = {}
    local function handle(kind)
        local one = setmetatable({ kind = kind, close = closing.__close }, closing)
        table.insert(host.open, one)
        return one
    end
    function api.HcsCreateOperation() return not host.no_operations and handle "op" or nil end
    function api.HcsGetOperationType() return -1 end
    function api.HcsWaitForOperationResult(op)
        return table.unpack(host.answer.HcsWaitForOperationResult or op.result)
    end
    function api.HcsOpenComputeSystem()
        local hresult = host.fail.HcsOpenComputeSystem or 0x8037010E
        return hresult, hresult == 0 and handle "system" or nil
    end
    function api.HcsGetServiceProperties(query)
        local answer = host.answer[query or "none"] or host.answer.properties
        if type(answer) == "string" then return 0, answer end
        return table.unpack(answer or { 0, '{"Properties":[{"SupportedSchemaVersions":'
            .. '[{"Major":1,"Minor":0},{"Major":2,"Minor":7}]}]}' })
    end
    host.core.functions = {}
    local function add(name)
        table.insert(host.core.functions, { name = name, dll = "computecore", build = 17763 })
    end
    for name in pairs(api) do
        if name:match "^Hcs" then add(name) end
    end
    host.core.machine = function()
        return { system = "Windows", version = "10.0.26100", build = 26100, revision = 2314,
            edition = "Professional", architecture = "x86_64", name = "DESKTOP-7XYZ",
            user = "Jane", hypervisor = true, elevated = true }
    end
    return host
end

local function check_named(name, uri)
    for _, check in ipairs(checks.list(uri or "fake:")) do
        if check.name == name then return check end
    end
    error("no check " .. name)
end

-- Carries a check out on a host.
local function try(name, host, uri)
    local context = checks.context(uri or "fake:", host.core)
    local results = worker.attempt(check_named(name, uri), context)
    context.close()
    for _, one in ipairs(host.open) do
        assert.is_true(one.closed, name .. " left something open")
    end
    return results[1], results
end

local ABI = { "the host opens", "its functions", "an operation", "enumerate",
    "enumerate with a query", "a completion by callback", "open what is not there", "Basic",
    "(no query)", "ProcessorTopology", "ProcessorCapabilities" }

describe("the checks of a host", function()
    it("are all well where all is well", function()
        for _, name in ipairs(ABI) do
            local one = try(name, new_host())
            assert.equal("ok", one.status, name .. ": " .. one.text)
        end
    end)

    it("say so when there is none", function()
        local host = new_host()
        host.fail.open, host.open_text = 0x8007007E, "cannot load 'computecore.dll'"
        for _, name in ipairs(ABI) do
            local one = try(name, host)
            assert.equal("failed", one.status)
            assert.equal(0x8007007E, one.hresult)
            assert.equal("cannot load 'computecore.dll'", one.text)
        end
    end)

    it("carry code, symbol and hint of a failure", function()
        local host = new_host()
        host.fail.HcsEnumerateComputeSystems = 0x8037011B
        local one = try("enumerate", host)
        assert.equal("failed", one.status)
        assert.equal(0x8037011B, one.hresult)
        assert.equal("HCS_E_ACCESS_DENIED", one.symbol)
        assert.truthy(one.hint:find("Hyper-V Administrators", 1, true))
    end)

    it("tell a failure through the operation from one in the call", function()
        local host = new_host()
        host.answer.HcsWaitForOperationResult = { 0x80370114,
            '{"ErrorMessage":"the service is off"}' }
        local one = try("enumerate", host)
        assert.equal("the service is off", one.text)
        assert.equal('{"ErrorMessage":"the service is off"}', one.data.document)
        host = new_host()
        host.answer.HcsEnumerateComputeSystems = { 0x80370118 }
        assert.equal("HCS_E_OPERATION_TIMEOUT", try("a completion by callback", host).symbol)
    end)

    it("do without operations, and without completions", function()
        local host = new_host()
        host.no_operations = true
        assert.equal("failed", try("an operation", host).status)
        assert.equal("failed", try("enumerate", host).status)
        host = new_host()
        host.hold.HcsEnumerateComputeSystems = true
        host.core.monotonic = function() return host.time end
        local one = try("a completion by callback", host)
        assert.equal("no completion in 20 s", one.text)
    end)

    it("count systems, and tell nothing else of them", function()
        local host = new_host()
        host.answer.HcsEnumerateComputeSystems = { 0, core.json.encode(core.array {
            { Id = "secret-id", Owner = "Jane", SystemType = "VirtualMachine", State = "Running",
                RuntimeId = "9a0b8ac9-6a5c-4ee5-a1b1-0c3f1d2a5b6c" },
            { Id = "other", SystemType = "Container", State = "Running" },
        }) }
        local one = try("enumerate", host)
        assert.equal("2 systems", one.text)
        assert.same({ form = "list",
            counts = { ["VirtualMachine Running"] = 1, ["Container Running"] = 1 } }, one.data)
    end)

    it("record how no systems are told", function()
        local host = new_host()
        assert.equal("[]", try("enumerate", host).data.form)
        host.answer.HcsEnumerateComputeSystems = { 0 }
        assert.equal("none", try("enumerate", host).data.form)
    end)

    it("want the one code for what is not there", function()
        local host = new_host()
        host.fail.HcsOpenComputeSystem = 0x8037011B
        assert.equal("HCS_E_ACCESS_DENIED", try("open what is not there", host).symbol)
        host.fail.HcsOpenComputeSystem = 0
        assert.equal("failed", try("open what is not there", host).status)
    end)

    it("need Basic; other properties may be unknown", function()
        local host = new_host()
        host.answer.properties = { 0x8037010D }
        assert.equal("failed", try("Basic", host).status)
        local one = try("Memory", host)
        assert.equal("absent", one.status)
        assert.equal("not known here: HCS_E_INVALID_JSON", one.text)
        host.answer.properties = { 0x80070032 }
        assert.equal("absent", try("Memory", host).status)
        host.answer.properties = { 0x80070005 }
        assert.equal("failed", try("Memory", host).status)
        host.answer.properties = "{}"
        assert.equal("it names no schema version", try("Basic", host).text)
        host.answer.properties = "{"
        assert.equal("the answer is not JSON", try("Basic", host).text)
        host.answer.properties = '{"PropertyResponses":{"ProcessorCapabilities":{"Error":{}}}}'
        assert.equal("absent", try("ProcessorCapabilities", host).status)
    end)

    it("keep the shape of an answer, not what it says", function()
        local host = new_host()
        host.answer.properties = '{"Properties":[{"CpuGroups":[{"GroupId":"secret","N":1.5}]}],'
            .. '"Flag":true,"None":[]}'
        local one = try("CpuGroup", host)
        assert.same({ Properties = { ["list of 1"] = { CpuGroups = { ["list of 1"] = {
            GroupId = "string", N = "float" } } } }, Flag = "boolean", None = {} }, one.data.shape)
    end)

    it("name functions that are missing, by what the build should have", function()
        local host = new_host()
        host.api.HcsCreateOperation, host.api.HcsOpenComputeSystem = nil, nil
        local one = try("its functions", host)
        assert.equal("failed", one.status)
        assert.truthy(one.text:find("missing: HcsCreateOperation, HcsOpenComputeSystem", 1, true))
        -- The provider of saved states is no part of Windows.
        host = new_host()
        host.api.dlls = {}
        table.insert(host.core.functions,
            { name = "GetVpCount", dll = "vmsavedstatedumpprovider", build = 17763 })
        assert.equal("ok", try("its functions", host).status)
        host.api.dlls = { vmsavedstatedumpprovider = "p.dll" }
        assert.equal("failed", try("its functions", host).status)
        one = machine.missing({ "New" }, { New = 26100 }, 5, 22621)
        assert.equal("ok", one.status)
        assert.equal("4 of 5 functions; of later builds: New", one.text)
        assert.same({ total = 5, later = { "New" } }, one.data)
        assert.equal("failed", machine.missing({ "New" }, { New = 26100 }, 5, 26100).status)
        assert.equal("failed", machine.missing({ "New" }, { New = 26100 }, 5, nil).status)
    end)

    it("take the doctor's misses for advice", function()
        local host = new_host()
        host.core.platform = "linux"
        local _, all = try("doctor", host)
        assert.truthy(#all > 3)
        for _, one in ipairs(all) do
            assert.is_string(one.name)
            assert.truthy(one.status == "ok" or one.status == "absent")
        end
    end)
end)

-- --- the machine -----------------------------------------------------------------------

-- The checks that Windows alone has, wherever this runs.
local function windows_check(name, host, uri)
    local list = {}
    machine.add(list, true)
    for _, check in ipairs(list) do
        if check.name == name then
            return worker.attempt(check, checks.context(uri or "windows:", host.core))[1]
        end
    end
    error("no check " .. name)
end

describe("the checks of a machine", function()
    it("tell the system without its names", function()
        local one = try("system", new_host())
        assert.equal("Windows 10.0.26100.2314 Professional, x86_64", one.text)
        assert.equal(26100, one.data.build)
        assert.is_true(one.data.elevated)
        for _, name in ipairs { "name", "user", "domain", "home" } do
            assert.is_nil(one.data[name])
        end
    end)

    it("tell Wine from Windows", function()
        local host = new_host()
        host.core.machine = function()
            return { system = "Windows", version = "10.0.1", wine = "8.0", architecture = "x" }
        end
        assert.equal("Wine 8.0, as Windows 10.0.1, x", try("system", host).text)
        host.core.machine = function() return nil, 0x80004005, "no" end
        assert.equal("failed", try("system", host).status)
    end)

    it("name the feature to turn on where computecore.dll is missing", function()
        local host = new_host()
        host.core.module = function() return nil, 0x8007007E, "no such module" end
        local one = windows_check("computecore.dll", host)
        assert.equal("failed", one.status)
        assert.equal(0x8007007E, one.hresult)
        assert.truthy(one.hint:find("VirtualMachinePlatform", 1, true))
        -- What nobody asked for may be missing.
        assert.equal("absent", windows_check("computestorage.dll", host).status)
        assert.equal("absent", windows_check("computecore.dll", host, "sim:").status)
    end)

    it("tell where a library is from, its version, and what it lacks", function()
        local host = new_host()
        host.core.module = function(name, functions)
            assert.equal("computecore.dll", name)
            assert.equal(#host.core.functions, #functions)
            return { path = "C:\\Windows\\System32\\computecore.dll", version = "10.0.1.2",
                missing = {} }
        end
        local one = windows_check("computecore.dll", host)
        assert.equal("ok", one.status)
        assert.truthy(one.text:find("^C:\\Windows\\System32\\computecore.dll, version 10.0.1.2, "))
        assert.equal("10.0.1.2", one.data.version)
        host.core.module = function(_, functions) return { missing = { functions[1] } } end
        one = windows_check("computecore.dll", host)
        assert.equal("failed", one.status)
        assert.truthy(one.text:find("missing: Hcs", 1, true))
    end)

    it("tell services and the hypervisor", function()
        local host = new_host()
        local service
        host.core.service = function() return table.unpack(service) end
        service = { { state = "running", start = "manual" } }
        assert.equal("running, starts: manual", windows_check("service vmcompute", host).text)
        service = { { state = "stopped", start = "disabled" } }
        local one = windows_check("service vmcompute", host)
        assert.equal("absent", one.status)
        assert.truthy(one.hint:find("sc config vmcompute", 1, true))
        service = { nil, 0x80070424, nil }
        one = windows_check("service vmcompute", host)
        assert.truthy(one.hint:find("VirtualMachinePlatform", 1, true))
        assert.equal("ok", windows_check("hypervisor", host).status)
        host.core.machine = function() return { hypervisor = false } end
        assert.truthy(windows_check("hypervisor", host).hint:find("firmware", 1, true))
        host.core.machine = function() return {} end
        assert.equal("absent", windows_check("hypervisor", host).status)
    end)
end)

-- --- processes ----------------------------------------------------------------------------

-- A report of the checks of selftest_checks, in processes.
local function run(settings)
    settings = settings or {}
    settings.module = settings.module or "spec.unit.selftest_checks"
    settings.uri = settings.uri or "fake:?a=b&c=d e'f"
    settings.interpreter = settings.interpreter or platform.lua
    local lines = {}
    settings.show = function(more) for _, line in ipairs(more) do lines[#lines + 1] = line end end
    local found = selftest.run(settings)
    local by_name = {}
    for _, one in ipairs(found.results) do by_name[one.name] = one end
    return found, by_name, lines
end

describe("a self-test in processes", function()
    local getenv = os.getenv
    local found, by_name, lines

    setup(function()
        -- The workers see it too: specs run from the root of the tree.
        found, by_name, lines = run { uri = "fake:?a=b&c=d" }
    end)

    it("gets an answer of every check, in order", function()
        local names = {}
        for _, one in ipairs(found.results) do names[#names + 1] = one.name end
        assert.same({ "fine", "raises", "needs what raised", "hangs in Lua", "hangs in C",
            "ends the process", "crashes", "needs what ended", "tells nothing", "tells nonsense",
            "tells none", "tells several", "two", "makes noise", "tells who you are" }, names)
        assert.equal("ok", by_name.fine.status)
        assert.equal("fake:?a=b&c=d of the context", by_name.fine.text)
    end)

    it("records what is raised, and skips what needed it", function()
        assert.equal("failed", by_name.raises.status)
        assert.truthy(by_name.raises.text:find("^it raised: .*out of$"))
        assert.equal("skipped", by_name["needs what raised"].status)
        assert.equal('needs "raises"', by_name["needs what raised"].text)
    end)

    it("ends what hangs, in Lua and in C", function()
        for _, name in ipairs { "hangs in Lua", "hangs in C" } do
            assert.equal("failed", by_name[name].status)
            assert.equal("no answer in 0.5 s", by_name[name].text)
        end
    end)

    it("goes on after a process that ended, and remembers who relied on it", function()
        assert.equal("the process ended: status 3 (some noise)", by_name["ends the process"].text)
        assert.equal("skipped", by_name["needs what ended"].status)
        assert.equal("failed", by_name.crashes.status)
        assert.truthy(by_name.crashes.text:find(platform.windows and "status 0xC0000005"
            or "signal 11", 1, true), by_name.crashes.text)
    end)

    it("takes only what is a result", function()
        assert.equal("the check told nothing", by_name["tells nothing"].text)
        assert.equal("the check told splendid", by_name["tells nonsense"].text)
        assert.equal("failed", by_name["tells none"].status)
        assert.equal("one", by_name["tells several"].text)
        assert.equal("\"2\"\n\\\0\26", by_name.two.text)
        assert.equal("after the noise", by_name["makes noise"].text)
    end)

    it("sums up", function()
        assert.same({ ok = 3, absent = 1, skipped = 2, failed = 9 }, found.summary)
        assert.is_false(selftest.passed(found))
        assert.truthy(table.concat(lines, "\n"):find("3 ok, 9 failed, 1 not there, 2 skipped"))
    end)

    it("needs an interpreter and checks that can be found", function()
        for _, settings in ipairs { { interpreter = "/no/such/lua" }, { uri = "x",
            module = "spec.unit.selftest_checks", popen = function()
                return { lines = function() return function() end end,
                    close = function() return nil, "exit", 127 end }
            end } } do
            local other = run(settings)
            assert.equal("failed", other.results[1].status)
            assert.truthy(other.results[1].text:find("^no check can be run: "))
            assert.equal("skipped", other.results[2].status)
            assert.equal(14, #other.results)
        end
    end)

    it("goes on without hcs.core, and says what is missing for it", function()
        if platform.windows then return pending "needs a shell that sets variables" end
        local other = run {
            module = "hcs.selftest.checks", uri = "sim:",
            popen = function(command)
                return io.popen((command:gsub("(LUA_CPATH_5_4)='[^']*'", "%1=/nowhere/?.so")), "r")
            end,
        }
        for _, one in ipairs(other.results) do
            if one.name == "hcs.core" then
                assert.equal("failed", one.status)
                assert.truthy(one.text:find("module 'hcs.core' not found", 1, true), one.text)
            elseif one.name ~= "lua" and one.name ~= "cjson" then
                assert.equal("skipped", one.status, one.name .. ": " .. one.text)
            end
        end
        assert.is_false(selftest.passed(other))
    end)

    -- A worker that says what the spec says, and how it ends.
    local function scripted(answers)
        local turn = 0
        return function()
            turn = turn + 1
            local answer = assert(answers[turn], "one process too many")
            local index = 0
            return {
                lines = function()
                    return function()
                        index = index + 1
                        return answer[index]
                    end
                end,
                close = function() return nil, answer.kind or "exit", answer.status or 0 end,
            }
        end
    end

    local function done(number) return
        ('@begin %d\r'):format(number),
        ('@end %d {results={{status="ok",name="n",text="t"}}}\r'):format(number)
    end

    local function all_from(first)
        local told = {}
        for number = first, 14 do
            told[#told + 1], told[#told + 2] = done(number)
        end
        return told
    end

    it("tells a crash by its number, as Windows does too", function()
        local windows = { "@begin 1", status = -1073741819 }
        local other = run { popen = scripted { windows, all_from(2) } }
        assert.equal("the process ended: status 0xC0000005", other.results[1].text)
        assert.equal(14, #other.results)
        other = run { popen = scripted { { "@begin 1", kind = "signal", status = 11 },
            all_from(2) } }
        assert.equal("the process ended: signal 11", other.results[1].text)
    end)

    it("tells a crash between checks and after the last", function()
        local first = { done(1) }
        first.status = 5
        local last = all_from(2)
        last.status = 139
        local other = run { popen = scripted { first, last } }
        assert.equal(16, #other.results)
        assert.equal("after fine", other.results[2].name)
        assert.equal("after tells who you are", other.results[16].name)
        assert.equal("the process ended: status 139", other.results[16].text)
        assert.equal(2, other.summary.failed)
    end)

    it("tells what it cannot read", function()
        local told = { "@begin 1", "@end 1 {", table.unpack(all_from(2)) }
        local other = run { popen = scripted { told } }
        assert.equal("what it told cannot be read", other.results[1].text)
    end)

    it("passes on every character that can be passed on", function()
        local path, cpath = package.path, package.cpath
        package.path, package.cpath = "a'b/?.lua", "c d/?.so"
        local named = process.command("/a b/l'ua", { "x", 'a&b;"$(c)' }, false)
        local variable = process.command(nil, { "x" }, false)
        package.path, package.cpath = path, cpath
        local head = [[exec env LUA_PATH_5_4='a'\''b/?.lua' LUA_CPATH_5_4='c d/?.so' ]]
        assert.equal(head .. [['/a b/l'\''ua' 'x' 'a&b;"$(c)' 2>&1]], named)
        assert.equal(head .. [["$HCS_LUA" 'x' 2>&1]], variable)
        assert.equal([[""%HCS_LUA%" "C:\a (b) & c\x.lua" "sim:?a=b&c=d" 2>&1"]],
            process.command(nil, { [[C:\a (b) & c\x.lua]], "sim:?a=b&c=d" }, true))
        assert.has_error(function() process.command("x", { 'a"b' }, true) end)
    end)

    it("keeps back who you are", function()
        local one = by_name["tells who you are"]
        assert.equal("failed", one.status) -- HCS_SPEC_HOME is nowhere: it raised
        rawset(os, "getenv", function(name)
            if name == "HOME" or name == "USERPROFILE" then return "/home/jane" end
            if name == "COMPUTERNAME" then return "DESKTOP-7XYZ" end
            return getenv(name)
        end)
        local told = {
            '@begin 1', [[@end 1 {results={{status="failed",name="system",text="/home/jane/x on ]]
                .. [[Desktop-7xyz",hint="see /home/jane",data={id=]]
                .. [["9a0b8ac9-6a5c-4ee5-a1b1-0c3f1d2a5b6c",n=1}}}}]],
            table.unpack(all_from(2)) }
        local ok, other = pcall(run, { uri = "fake:/home/jane", popen = scripted { told } })
        rawset(os, "getenv", getenv)
        assert(ok, other)
        assert.equal("<home>/x on <machine>", other.results[1].text)
        assert.equal("see <home>", other.results[1].hint)
        assert.same({ id = "<guid>", n = 1 }, other.results[1].data)
        assert.same(other.results[1].data, other.machine)
        assert.equal("fake:<home>", other.host)
        assert.is_nil(json.write(other):find("jane", 1, true))
        assert.is_nil(report.text(other):lower():find("7xyz", 1, true))
    end)
end)

-- --- parts ------------------------------------------------------------------------------------

describe("what a self-test keeps back", function()
    local clean = privacy.cleaner {
        homes = { "C:\\Users\\Jörg", "/", "C:\\" }, users = { "jane", "root", "Jo", "a.b" },
        machines = { "DESKTOP-7XYZ", "" },
    }

    it("is the home folder, names, ids and accounts", function()
        for text, expected in pairs {
            ["C:\\Users\\Jörg\\x"] = "<home>\\x", ["c:\\USERS\\Jörg"] = "<home>",
            ["Jane's, jane, (JANE)"] = "<user>'s, <user>, (<user>)",
            ["janes and mary-jane"] = "janes and mary-<user>",
            ["\\\\desktop-7xyz\\share"] = "\\\\<machine>\\share",
            ["/home/jo/x \\Jo\\ /jo"] = "/home/<user>/x \\<user>\\ /<user>",
            ["Jo, /jones"] = "Jo, /jones",
            ["a.b but not aXb"] = "<user> but not aXb",
            ["root /root C:\\x"] = "root /root C:\\x",
            ["{9A0B8AC9-6a5c-4ee5-a1b1-0c3f1d2a5b6c}"] = "{<guid>}",
            ["S-1-5-21-1-2-3-1001 may"] = "<sid> may",
        } do
            assert.equal(expected, clean(text))
        end
    end)

    it("is found in tables, which stay as they were", function()
        local given = { "jane", { jane = "x" }, 7, true }
        assert.same({ "<user>", { ["<user>"] = "x" }, 7, true }, clean(given))
        assert.equal("jane", given[1])
    end)
end)

describe("what a worker writes", function()
    it("is read back, whatever it is", function()
        local value = { "a\nb\r\0\26\"\\", { x = 1, [2.5] = true, y = false }, -7, 1/3,
            math.mininteger }
        assert.same(value, literal.read(literal.write(value)))
        assert.is_nil(literal.write(value):find("[\n\r]"))
        assert.equal(nil, literal.read "{")
        assert.equal(nil, literal.read "os.exit()")
    end)
end)

describe("a report", function()
    local function new(results)
        return { hcs = "0.1.0", host = "sim:", time = "2026-01-01T00:00:00Z", results = results,
            seconds = 1.5, format = "lua-hcs selftest", format_version = 1,
            summary = { ok = 1, failed = 1, absent = 0, skipped = 0 } }
    end

    local LONG = ("a very long text of many words "):rep(8) .. ("C:\\folder"):rep(20)
        .. ("ü"):rep(200)

    it("is JSON that others read", function()
        local self = new { { section = "s", name = "n", status = "ok", text = 'a"b\\c\n\1ü\255',
            seconds = 0.25, data = { list = { 1, 2 }, empty = {} } } }
        local read = assert(core.json.decode(json.write(self)))
        assert.equal('a"b\\c\n\1???', read.results[1].text)
        assert.equal(0.25, read.results[1].seconds)
        assert.same({ 1, 2 }, { read.results[1].data.list[1], read.results[1].data.list[2] })
        assert.equal(1, read.format_version)
        assert.equal('"ü\\u007f"\n', json.write "ü\127")
        assert.equal("null\n", json.write(0/0))
        assert.equal("2.0\n", json.write(2.0))
        assert.equal("-3\n", json.write(-3))
    end)

    it("fits 80 columns, whatever is told", function()
        for _, status in ipairs { "ok", "failed", "absent", "skipped" } do
            for _, name in ipairs { "n", ("name "):rep(30), LONG } do
                local self = new { { section = "s", name = name:sub(1, 60), status = status,
                    text = LONG, hint = LONG, seconds = 123.4, hresult = 0x80370114,
                    symbol = "HCS_E_SERVICE_NOT_AVAILABLE" } }
                for line in report.text(self):gmatch("[^\n]*") do
                    assert.truthy((utf8.len(line) or #line) <= 79, line)
                end
            end
        end
    end)

    it("loses no word, says each advice once, and is ASCII as far as it is ours", function()
        local one = { section = "s", name = "n", status = "failed", text = "first second",
            hint = "do this → now · please…", hresult = 0x80370114, symbol = "HCS_E_X" }
        local text = report.text(new { one, one })
        assert.truthy(text:find("FAILED    n  +first second %(0x80370114 HCS_E_X%)"))
        assert.truthy(text:find("-> do this -> now - please...", 1, true))
        local _, count = text:gsub("\n  %* do this", "")
        assert.equal(1, count)
        assert.is_nil(text:find("[\128-\255]"))
        assert.is_nil(report.text(new { { section = "s", name = "n", status = "ok",
            text = "a\27[31mb" } }):find("\27", 1, true))
    end)

    it("is written to two files, or says why not", function()
        local path = platform.temporary() .. ".json"
        local a, b = selftest.save(new {}, path)
        assert.equal(path, a)
        assert.equal((path:gsub("%.json$", ".txt")), b)
        assert.truthy(platform.read(a):find('"format": "lua-hcs selftest"', 1, true))
        assert.truthy(platform.read(b):find("lua-hcs 0.1.0 self-test of sim:", 1, true))
        os.remove(a)
        os.remove(b)
        local nothing, why = selftest.save(new {}, "/no/such/folder/x.json")
        assert.is_nil(nothing)
        assert.truthy(why:find("/no/such/folder", 1, true))
    end)
end)
