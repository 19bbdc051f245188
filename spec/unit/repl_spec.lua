-- SPDX-License-Identifier: MIT
local errors = require "hcs.error"
local platform = require "spec.platform"
local fake = require "spec.unit.fake_core"
local repl = require "hcs.repl"

describe("the prompt", function()
    local hcs, output, session

    before_each(function()
        hcs = fake.hcs()
        output = {}
        session = repl.session(hcs, {
            write = function(text) output[#output + 1] = text end,
            flush = function() end,
        })
    end)

    local function shown()
        local text = table.concat(output)
        output = {}
        return text
    end

    local function feed(line)
        return repl.feed(session, line), shown()
    end

    it("shows expressions, keeps the last in _", function()
        assert.same({ nil, "3\n" }, { feed "1 + 2" })
        assert.equal(3, session.env._)
        assert.same({ nil, '"a"  nil  { b = 1 }\n' }, { feed '"a", nil, { b = 1 }' })
        assert.same({ nil, "7\n" }, { feed "= 7" })
        assert.same({ nil, "" }, { feed "" })
        assert.same({ nil, "" }, { feed "x = 5" })
        assert.same({ nil, "5\n" }, { feed "x" })
        assert.is_nil(rawget(_G, "x"))
        assert.equal(hcs, session.env.hcs)
    end)

    it("continues what is not complete", function()
        assert.equal("more", (feed "for i = 1, 2 do"))
        assert.equal("more", (feed "  y = i"))
        assert.is_nil((feed "end"))
        assert.same({ nil, "2\n" }, { feed "y" })
        assert.equal("more", (feed "f("))
        local more, text = feed "]"
        assert.is_nil(more)
        assert.truthy(text:find("^error: "))
        assert.is_nil(session.pending)
    end)

    it("shows errors as one line, and keeps them in _err", function()
        local _, text = feed "error('first\\nsecond')"
        assert.truthy(text:find("^error: .*first\n$"), text)
        assert.truthy(session.env._err:find("second", 1, true))
        _, text = feed "("
        assert.equal("", text)
        session.pending = nil
        session.env.failing = function()
            return errors.fail { op = "start", target = "web", hresult = 0x80370110 }
        end
        _, text = feed "failing()"
        assert.truthy(text:find('^error: start "web": the system has stopped'))
        assert.equal("system_already_stopped", session.env._err.code)
        _, text = feed "local x ="
        assert.equal("", text)
    end)

    it("reads to the end, with prompts", function()
        local lines = { "1 +", "1", "_ * 2" }
        session.input = {
            ready = function() return true end,
            line = function() return table.remove(lines, 1) end,
        }
        session.env._PROMPT = "? "
        repl.loop(session)
        assert.equal("? >> 2\n? 4\n? \n", shown())
    end)

    it("says nothing of a place that is the line itself", function()
        local _, text = feed "hcs.create{ id = 'x', memry = 1 }"
        assert.equal('error: create: unknown option "memry" (did you mean "memory"?)\n',
            (text:gsub("%S*repl_spec.lua:%d+: ", "")))
        assert.same({ nil, "error: boom\n" }, { feed "error 'boom'" })
    end)

    it("survives an interruption", function()
        local count = 0
        session.input = {
            ready = function()
                count = count + 1
                if count == 1 then error("interrupted!", 0) end
                return true
            end,
            line = function() return nil end,
        }
        repl.loop(session)
        assert.equal("> \n> \n", shown())
    end)
end)

describe("a prompt on a pipe", function()
    local function run(uri, text)
        local input = platform.temporary(text)
        local output, status = platform.lua_text(
            'require("hcs.repl").run(require "hcs.strict")',
            { environment = { HCS_HOST = uri }, input = input, limit = 20 })
        os.remove(input)
        assert.equal(0, status, output)
        return output
    end

    it("runs, shows events, and leaves with a summary", function()
        local output = run("sim:?clock=virtual", [[
vm = hcs.create{ id = "p", kernel = "LICENSE" }
vm:start()
vm:state()
vm:terminate()
vm:wait("exited")
vm:start()
vm
]])
        assert.truthy(output:find('"Running"', 1, true), output)
        assert.truthy(output:find('[exited] "p" ForcedExit', 1, true), output)
        assert.truthy(output:find('error: start "p"', 1, true), output)
        assert.truthy(output:find('hcs.System "p" (stopped)', 1, true), output)
        assert.truthy(output:find("0 open", 1, true), output)
    end)

    it("runs on the real clock, and where no host is", function()
        assert.truthy(run("sim:", "1 + 1\n"):find("2", 1, true))
        local output = run("nonsense:", "1 + 1\nhcs.list()\n")
        assert.truthy(output:find("error: host", 1, true), output)
        assert.truthy(output:find("2\n", 1, true), output)
    end)
end)

describe("a prompt on Windows' console", function()
    it("lets the world go on until a line is typed", function()
        if not platform.windows then pending "needs Windows" end
        local output, status = platform.lua_text([[
            local hcs, system = require "hcs.strict", require "hcs.spec_windows"
            system.use_console()
            local vm = hcs.create { id = "p", kernel = "LICENSE" }
            vm:start()
            hcs.spawn(function()
                hcs.sleep(0.2)
                vm:terminate()
                hcs.sleep(0.2)
                system.type "20 + 3\r"
                hcs.sleep(0.2)
                system.type "\x1a\r" -- the end
            end)
            require("hcs.repl").run(hcs)]],
            { environment = { HCS_HOST = "sim:" }, alone = true, limit = 20 })
        assert.equal(0, status, output)
        assert.truthy(output:find('[exited] "p" ForcedExit\n> 23\n> \n0 open', 1, true), output)
    end)
end)
