-- SPDX-License-Identifier: MIT
-- Which accelerator is taken, and why: on this machine, on one without
-- /dev/kvm, and where there is only something of that name.
local hcs = require "hcs.strict"
local support = require "spec.host.support"

describe("the accelerator", function()
    after_each(support.forget_scripts)

    -- What a host says when /dev holds what `make` puts there; the answer of
    -- this machine is not to be taken from the cache.
    local function choice(make)
        local namespace = support.namespace()
        if not namespace then return pending "may not mount" end
        local cache, dev = support.temporary "cache", support.temporary "dev"
        os.execute(("mkdir %s %s"):format(cache, dev))
        local _, out = support.script(([[
            assert(os.execute [=[
                set -e
                mount -t tmpfs tmpfs %s
                cd %s
                for name in null zero random urandom; do
                    touch $name
                    mount --bind /dev/$name $name
                done
                mkdir shm
                %s
                mount --rbind . /dev]=])
            print(hcs.host.accelerator, hcs.host.accelerator_reason)
            local vm <close> = support.guest "anyway"
            print "booted"
        ]]):format(dev, dev, make), namespace .. " env XDG_CACHE_HOME=" .. cache)
        local text = support.printed(out, "booted")
        os.execute(("rm -r %s; rmdir %s"):format(cache, dev))
        return text
    end

    it("is one that can run guests, and says why", function()
        assert.is_truthy(("kvm tcg"):find(hcs.host.accelerator, 1, true))
        assert.is_true(#hcs.host.accelerator_reason > 10)
        local there = support.output "cat /sys/class/misc/kvm/dev 2>/dev/null" ~= ""
        local says_no = hcs.host.accelerator_reason:find("no /dev/kvm", 1, true) ~= nil
        assert.are.equal(there, not says_no)
    end)

    it("is TCG where there is no /dev/kvm", function()
        assert.is_truthy(choice "true":find("tcg\tthe processor offers no virtualization", 1, true))
    end)

    it("is TCG where /dev/kvm opens but makes no guests", function()
        assert.is_truthy(choice "touch kvm && mount --bind /dev/null kvm"
            :find("tcg\t/dev/kvm cannot make a guest", 1, true))
    end)

    it("is what was asked for", function()
        local world <close> = hcs.connect "qemu:?accel=tcg"
        assert.are.equal("tcg", world.host.accelerator)
        assert.is_truthy(world.host.accelerator_reason:find("options", 1, true))
        world.close()
    end)
end)
