-- SPDX-License-Identifier: MIT
-- Documents a host must refuse, each with an error object that says where, and
-- with nothing left behind: trace 11.
local core = require "hcs.core"
local helper = require "spec.helper"

for _, uri in ipairs(helper.hosts()) do
    describe("bad documents on " .. uri, function()
        local hcs

        before_each(function()
            helper.before()
            hcs = helper.connect(uri)
        end)

        after_each(helper.after)

        local function refused(more)
            local given = helper.guest("bad", { validate = false })
            for key, value in pairs(more) do given[key] = value end
            local vm, err, code = hcs.create(given)
            if vm then
                local ok
                ok, err, code = vm:start()
                vm:terminate()
                vm:close()
                assert.is_nil(ok, "the system started")
            end
            assert.equal(err.code, code)
            assert.truthy(err.hresult)
            assert.truthy(#err.message > 0)
            assert.falsy(tostring(err):find("\n"))
            return err
        end

        it("names an unknown member", function()
            local err = refused { document = { VirtualMachine = { Chipsett = {} } } }
            assert.equal(0x8037010D, err.hresult)
            assert.equal("$.VirtualMachine.Chipsett", err.path)
            assert.truthy(err:is("invalid_document"))
        end)

        it("names a member of the wrong type", function()
            local err = refused { document = { VirtualMachine = { StopOnReset = "yes" } } }
            assert.equal("$.VirtualMachine.StopOnReset", err.path)
        end)

        it("names an unknown enum value", function()
            local disks = { ["0"] = { Attachments = { ["0"] = { Type = "Floppy", Path = "/x" } } } }
            local err = refused { document = { VirtualMachine = { Devices = { Scsi = disks } } } }
            assert.equal("$.VirtualMachine.Devices.Scsi['0'].Attachments['0'].Type", err.path)
        end)

        it("refuses a missing kernel, no memory, too much memory", function()
            assert.truthy(refused { kernel = "/nowhere/vmlinuz" }:is("not_found"))
            refused { document = { VirtualMachine = { ComputeTopology = {
                Memory = { SizeInMB = 0 } } } } }
            refused { document = { VirtualMachine = { ComputeTopology = {
                Memory = { SizeInMB = 1 << 30 } } } } }
        end)

        it("is checked before the host sees it, by the same rules", function()
            local vm, err = hcs.create(helper.guest("bad", {
                document = { VirtualMachine = { Chipsett = {} } },
            }))
            assert.is_nil(vm)
            assert.equal("create", err.op)
            assert.equal("bad", err.target)
            assert.equal("$.VirtualMachine.Chipsett", err.path)
            assert.truthy(tostring(err):find("Chipset", 1, true))
            assert.is_nil((hcs.validate({ Foo = 1 })))
            assert.is_true(hcs.validate({ Owner = "x" }))
            assert.is_true(hcs.validate({ Name = "x" }, "HostComputeNetwork"))
            assert.is_true(hcs.validate({ Nmae = "x" }, "HostComputeNetwork", { lenient = true }))
            local _, fault = hcs.validate({ Nmae = "x" }, "HostComputeNetwork")
            assert.equal(0x803B001B, fault.hresult)
            assert.truthy(fault.message:find('did you mean "Name"?', 1, true))
            _, fault = hcs.validate({ Type = "x" }, "HostComputeNetwork")
            assert.equal("HCN_E_INVALID_NETWORK_TYPE", fault.symbol)
        end)

        it("gives raw text no mercy either, through the operation", function()
            local api = assert(core.open(uri))
            local texts = {
                "", "{", "[]", "nonsense", '{"Owner":"a","Owner":"b"}',
                ("["):rep(10000), '{"VirtualMachine":' .. ("{"):rep(200),
                '{"Owner":"\\ud800"}',
            }
            for _, text in ipairs(texts) do
                local op = api.HcsCreateOperation(nil, false)
                local hr, system = api.HcsCreateComputeSystem("raw", text, op, nil)
                local document
                if hr == 0 then hr, document = api.HcsWaitForOperationResult(op, 10000) end
                assert.truthy(hr & 0x80000000 ~= 0, text:sub(1, 40))
                assert.truthy(hr == 0x8037010D or hr == 0x8007000D or hr == 0x80070057,
                    ("%s: 0x%08X"):format(text:sub(1, 40), hr))
                if document then
                    local told = assert(core.json.decode(document))
                    assert.equal(hr & 0xFFFF, told.Error & 0xFFFF)
                end
                if system then api.HcsCloseComputeSystem(system) end
                api.HcsCloseOperation(op)
            end
            api.close()
        end)
    end)
end
