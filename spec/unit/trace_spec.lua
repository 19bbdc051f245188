-- SPDX-License-Identifier: MIT
local core = require "hcs.core"
local platform = require "spec.platform"
local fake = require "spec.unit.fake_core"

describe("the trace", function()
    it("has a line of JSON for each call, completion and event", function()
        local path = platform.temporary()
        local hcs, host = fake.hcs()
        assert.is_true(hcs.trace(path))
        local vm = assert(hcs.create { id = "t", kernel = "/k" })
        host.event(host.systems.t, 1, { ExitType = "ForcedExit" })
        assert(vm:wait("exited"))
        assert.is_true(hcs.trace(nil))
        assert(vm:state())
        local calls, items = {}, {}
        for line in io.lines(path) do
            local record = assert(core.json.decode(line))
            assert.is_number(record.time)
            if record.call then
                calls[record.call] = record
            else
                items[record.item] = record
            end
        end
        os.remove(path)
        assert.equal("t", calls.HcsCreateComputeSystem.arguments[1])
        assert.equal(0, calls.HcsCreateComputeSystem.results[1])
        assert.equal("/k", calls.HcsGrantVmAccess.arguments[2])
        assert.truthy(items.operation)
        assert.equal('{"ExitType":"ForcedExit"}', items.event.values[3])
        assert.is_nil(calls.now)
    end)

    it("cannot be written where no file can be", function()
        local hcs = fake.hcs()
        assert(hcs.list())
        local ok, err = hcs.trace("/nowhere/at/all")
        assert.is_nil(ok)
        assert.equal("/nowhere/at/all", err.target)
        assert(hcs.list())
    end)

    it("ends with the world", function()
        local path = platform.temporary()
        local hcs = fake.hcs()
        assert.is_true(hcs.trace(path))
        hcs.close()
        assert.is_nil(hcs.trace_file)
        os.remove(path)
    end)
end)
