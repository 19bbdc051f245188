-- SPDX-License-Identifier: MIT
local core = require "hcs.core"
local codes = require "hcs.codes"
local errors = require "hcs.error"

local function json(document) return core.json.encode(document) end

describe("the error object", function()
    it("speaks in one line, with what to do", function()
        local err = errors.new({ op = "start", target = "web", hresult = 0x80070005,
            file = "disk.vhdx" })
        assert.equal('start "web": access denied → hcs.file.grant("web", "disk.vhdx")',
            tostring(err))
        assert.equal("access_denied", err.code)
        assert.equal("ERROR_ACCESS_DENIED", err.symbol)
        assert.equal("x: " .. tostring(err), "x: " .. err)
        assert.equal(tostring(err) .. "!", err .. "!")
    end)

    it("knows an HRESULT in every dress", function()
        for _, number in ipairs { 0x80370110, -2143878896, 0xC0370110, -1070137072 } do
            local err = errors.new { op = "start", hresult = number }
            assert.equal(0x80370110, err.hresult)
            assert.equal("HCS_E_SYSTEM_ALREADY_STOPPED", err.symbol)
            assert.equal("system_already_stopped", err.code)
            assert.is_true(err:is("stopped"))
            assert.is_true(err:is("timeout", "stopped"))
            assert.is_true(err:is("system_already_stopped"))
            assert.is_true(err:is("HCS_E_SYSTEM_ALREADY_STOPPED"))
            assert.is_false(err:is("timeout"))
            assert.is_false(err:is())
        end
    end)

    it("gives a number where it has no name", function()
        local err = errors.new({ op = "start", hresult = 0x8ABCDEF1 }, core)
        assert.equal("0x8abcdef1", err.code)
        assert.is_nil(err.symbol)
        assert.equal("start: 0x8abcdef1", tostring(err))
        local ok, raised = pcall(errors.check, nil, err)
        assert.is_false(ok)
        assert.truthy(tostring(raised):find("^[^\n]*error_spec.lua:%d+: start: 0x8abcdef1$"))
    end)

    it("reads the compute service's documents", function()
        local err = errors.new({ op = "create", target = "vm", hresult = 0x8037010D, json = json {
            Error = -1070137075, ErrorMessage = "general",
            ErrorEvents = { { Message = "first" }, { Message = "the\r\n  last", Data = {
                { Type = "String", Value = "0x8007000D" },
                { Type = "String", Value = "Invalid JSON document '$.VirtualMachine.Foo'" },
            } } },
            Attribution = { { OperationFailure = { Detail = "Construct" } } },
        } }, core)
        assert.equal("the last", err.message)
        assert.equal("$.VirtualMachine.Foo", err.path)
        assert.equal("construct", err.phase)
        assert.equal("first", err.events[1].Message)
        assert.equal("general", err.document.ErrorMessage)
        assert.truthy(tostring(err):find("$.VirtualMachine.Foo", 1, true))
        assert.falsy(tostring(err):find("\n"))
    end)

    it("reads the network service's documents", function()
        local err = errors.new({ op = "create", json = json {
            Success = false, Error = "The network was not found.", ErrorCode = 0x803B0001,
        } }, core)
        assert.equal(0x803B0001, err.hresult)
        assert.equal("The network was not found.", err.message)
    end)

    it("finds the file that a device could not open", function()
        local err = errors.new({ op = "start", target = "vm", hresult = 0x80070005, json = json {
            Error = -2147024891, ErrorMessage = "", ErrorEvents = { { Message = "denied", Data = {
                { Type = "String", Value = "vm" }, { Type = "String", Value = "C:\\x.vhdx" },
            } } },
        } }, core)
        assert.equal("C:\\x.vhdx", err.file)
        assert.truthy(err.hint:find("C:\\\\x.vhdx", 1, true))
    end)

    it("survives documents that are not what they should be", function()
        for _, text in ipairs { "", "nonsense", "[]", "null", "7", '{"ErrorEvents":7}',
            '{"ErrorEvents":[7,{"Data":[1,{"Value":2}]}]}', '{"Attribution":"x"}',
            '{"Attribution":[1,{"OperationFailure":3}]}', '{"ErrorMessage":17}' } do
            local err = errors.new({ op = "start", hresult = 0x80370105, json = text }, core)
            assert.equal("invalid_state", err.code, text)
            assert.truthy(#tostring(err) > 0)
        end
    end)

    it("has no hint where the host has told, or where it would not help", function()
        local function of(op, hresult, message)
            return errors.new({ op = op, hresult = hresult, message = message }).hint
        end
        assert.truthy(of("endpoint.create", 0x803B000D, "The policy is not valid."))
        assert.is_nil(of("endpoint.create", 0x803B000D,
            "The policy is not valid. $.Policies[0].Settings: IsolationId is 5000"))
        assert.truthy(of("create", 0x800705AA):find("memory", 1, true))
        assert.is_nil(of("network.create", 0x800705AA))
        assert.is_nil(of("host", 0x80070005))
        assert.is_nil(of("grant", 0x80070005))
        assert.truthy(of("create", 0x80070005):find("grant", 1, true))
    end)

    it("has a hint for the save of a running system, by verb", function()
        assert.truthy(errors.new({ op = "save", hresult = 0x80370105 }).hint:find("pause"))
        assert.is_nil(errors.new({ op = "modify", hresult = 0x80370105 }).hint)
    end)

    it("is raised by check, with its traceback, and only then", function()
        assert.same({ 1, nil, 3 }, { errors.check(1, nil, 3) })
        assert.same({ nil, "text" }, { errors.check(nil, "text") })
        local err = errors.new { op = "start", hresult = 0x80370105 }
        local ok, raised = pcall(errors.check, nil, err, err.code)
        assert.is_false(ok)
        assert.equal(err, raised)
        assert.truthy(raised.traceback:find("traceback"))
    end)
end)

describe("the table of codes", function()
    it("has a family for each entry, from the list", function()
        local families = {}
        for _, family in ipairs(codes.FAMILIES) do families[family] = true end
        for _, name in ipairs(codes.names()) do
            local entry = assert(codes.named(name))
            for _, family in ipairs(entry.families) do assert.truthy(families[family], family) end
            assert.equal(entry.code, codes.short(entry.symbol))
            assert.truthy(#entry.text > 0)
        end
    end)

    it("agrees with hcs.core on every name", function()
        for _, name in ipairs(codes.names()) do
            local entry = codes.named(name)
            local symbol = core.symbol(entry.hresult)
            if symbol and codes.named(symbol) then
                assert.equal(entry.hresult, codes.named(symbol).hresult, symbol)
            end
        end
    end)
end)
