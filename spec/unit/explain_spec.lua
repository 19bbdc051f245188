-- SPDX-License-Identifier: MIT
local errors = require "hcs.error"
local fake = require "spec.unit.fake_core"

describe("explain", function()
    local hcs = fake.hcs()

    it("knows an HRESULT in any spelling", function()
        for _, spelling in ipairs { 0x80370110, -2143878896, -2143878896.0, 0xC0370110,
            "0x80370110", "0XC0370110", "-2143878896", "2151088400", "HCS_E_SYSTEM_ALREADY_STOPPED",
            "system_already_stopped", errors.new { op = "x", hresult = 0x80370110 } } do
            local told = assert(hcs.explain(spelling))
            assert.equal("hresult", told.kind)
            assert.equal("HCS_E_SYSTEM_ALREADY_STOPPED", told.name)
            assert.truthy(tostring(told):find("0x80370110", 1, true))
        end
        assert.equal(0x8037011B, hcs.explain("access_denied").hresult)
        assert.equal(0x80070005, hcs.explain("E_ACCESSDENIED").hresult)
        assert.equal("HCS_E_SYSTEM_ALREADY_STOPPED", hcs.explain("80370110").name)
        assert.equal(0x80070005, hcs.explain(5).hresult)
        assert.truthy(hcs.explain(0x8ABCDEF0).text:find("no code", 1, true))
    end)

    it("knows types, members, events and functions", function()
        assert.equal("type", hcs.explain("ComputeSystem").kind)
        assert.truthy(hcs.explain("EndpointPolicy").text:find("Settings: what Type says", 1, true))
        assert.truthy(hcs.explain("NotificationType").text:find("GracefulExit", 1, true))
        local member = hcs.explain("VirtualMachine.Devices.Scsi.0.Attachments.0.Path")
        assert.equal("member", member.kind)
        local chipset = hcs.explain("$.VirtualMachine.Chipset")
        assert.truthy(chipset.text:find("LinuxKernelDirect", 1, true))
        assert.equal("event", hcs.explain("exited").kind)
        assert.equal("exited", hcs.explain("SystemExited").name)
        assert.equal("event", hcs.explain("crash").kind)
        for _, name in ipairs { "vm:start", "System:start", "start", "hcs.create", "create",
            "hcs.file.grant", "console:expect", "start_async", "hcs.list_async" } do
            assert.equal("function", assert(hcs.explain(name)).kind, name)
        end
        for name, full in pairs { ["network.create"] = "hcs.network.create",
            ["endpoint:attach"] = "Endpoint:attach", ["scope:network"] = "Scope:network",
            ["vm:add_nic"] = "System:add_nic", ["hcs.namespace.list"] = "hcs.namespace.list" } do
            assert.equal(full, assert(hcs.explain(name)).name)
        end
        for _, name in ipairs { "network_create", "NetworkCreate",
            "HcnNotificationNetworkCreate" } do
            local told = assert(hcs.explain(name))
            assert.same({ "event", "network_create" }, { told.kind, told.name })
        end
        assert.equal("service_disconnect", hcs.explain("ServiceDisconnect").name)
        assert.equal("network_service_disconnect",
            hcs.explain("HcnNotificationServiceDisconnect").name)
        assert.equal("port_already_exists", hcs.explain("0x803B0013").code)
        assert.equal(0x803B0001, hcs.explain("HCN_E_NETWORK_NOT_FOUND").hresult)
        assert.truthy(hcs.explain("hcs.list").text:find("also list_async", 1, true))
        assert.is_nil((hcs.explain("hcs.sleep_async")))
    end)

    it("knows families of errors and builds", function()
        local family = assert(hcs.explain("stopped"))
        assert.equal("family", family.kind)
        assert.truthy(family.text:find("HCS_E_SYSTEM_ALREADY_STOPPED", 1, true))
        assert.truthy(hcs.explain("would_block").text:find("hcs.spawn", 1, true))
        local build = assert(hcs.explain(22621))
        assert.equal("build", build.kind)
        assert.truthy(build.text:find("SchemaVersion 2.7", 1, true))
        assert.equal("hresult", hcs.explain(65535).kind)
    end)

    it("says so where it knows nothing, with the nearest name", function()
        local told, err, code = hcs.explain("invalid_stat")
        assert.is_nil(told)
        assert.equal("not_found", code)
        assert.truthy(err.hint:find("invalid_state", 1, true))
        assert.is_nil((hcs.explain("VirtualMachine.Nope.Never")))
    end)
end)
