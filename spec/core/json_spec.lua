-- SPDX-License-Identifier: MIT
-- core.json: Lua values to documents and back.
local core = require "hcs.core"
local encode, decode, null, array = core.json.encode, core.json.decode, core.null, core.array

local function refused(value, type, schema)
    local text, err = encode(value, type, schema)
    assert.is_nil(text)
    assert.are.equal("table", _G.type(err))
    assert.are.equal(0x8007000D, err.code)
    return err
end

local function bad(text)
    local value, err = decode(text)
    assert.is_nil(value)
    assert.are.equal(0x8007000D, err.code)
    assert.is_string(err.message)
    return err
end

describe("encode", function()
    it("writes scalars", function()
        assert.are.equal("true", encode(true))
        assert.are.equal("false", encode(false))
        assert.are.equal("null", encode(null))
        assert.are.equal('"x"', encode "x")
        assert.are.equal("0", encode(0))
        assert.are.equal("-7", encode(-7))
        assert.are.equal("1.5", encode(1.5))
        assert.are.equal('""', encode "")
    end)

    it("keeps every integer exact", function()
        assert.are.equal("9223372036854775807", encode(math.maxinteger))
        assert.are.equal("-9223372036854775808", encode(math.mininteger))
        assert.are.equal("9007199254740993", encode(9007199254740993))
    end)

    it("writes floats with an integral value as integers", function()
        assert.are.equal("3", encode(3.0))
        assert.are.equal("0", encode(-0.0))
        assert.are.equal("9007199254740992", encode(2.0 ^ 53))
        assert.are.equal("-9007199254740992", encode(-2.0 ^ 53))
    end)

    it("refuses floats that are not exact, with their path", function()
        local err = refused { VirtualMachine = { Size = 2.0 ^ 53 + 2 } }
        assert.are.equal("$.VirtualMachine.Size", err.path)
        assert.truthy(err.message:find("2^53", 1, true))
        assert.are.equal("$", refused(1e300).path)
    end)

    it("refuses what JSON does not have", function()
        assert.are.equal("$[1]", refused({ 1, 0 / 0 }).path)
        assert.are.equal("$.x", refused({ x = math.huge }).path)
        assert.are.equal("$.x", refused({ x = -math.huge }).path)
        assert.truthy(refused({ f = print }).message:find("function", 1, true))
        assert.truthy(refused({ f = io.stdout }).message:find("userdata", 1, true))
        assert.truthy(refused(coroutine.create(print)).message:find("thread", 1, true))
        assert.truthy(refused(nil).message:find("nil", 1, true))
        assert.has_error(function() core.json.encode() end,
            "bad argument #1 to 'encode' (value expected)")
    end)

    it("tells arrays from objects", function()
        assert.are.equal("{}", encode {})
        assert.are.equal("[]", encode(array {}))
        assert.are.equal("[]", encode(array()))
        assert.are.equal("[1,2]", encode { 1, 2 })
        assert.are.equal("[null]", encode { null })
        assert.are.equal('{"a":[],"b":{}}', encode { a = array {}, b = {} })
    end)

    it("refuses tables that are both, with a way out", function()
        assert.are.equal("$", refused({ 1, x = 2 }).path)
        assert.are.equal("$.a", refused({ a = { [2] = 1 } }).path)
        assert.truthy(refused({ a = { [0] = 1 } }).message:find('"0", not 0', 1, true))
        assert.are.equal("$.a", refused({ a = array { [1] = 1, [3] = 3 } }).path)
        assert.are.equal("$", refused({ [1.5] = 1 }).path)
        assert.are.equal("$", refused({ [true] = 1 }).path)
        assert.are.equal("$", refused({ [null] = 1 }).path)
    end)

    it("sorts names by their bytes", function()
        assert.are.equal('{"":0,"A":1,"B":2,"a":3,"aa":4,"é":5}',
            encode { a = 3, B = 2, A = 1, [""] = 0, ["é"] = 5, aa = 4 })
        local one, two = {}, {}
        for i = 1, 200 do one["k" .. i] = i end
        for i = 200, 1, -1 do two["k" .. i] = i end
        assert.are.equal(encode(one), encode(two))
    end)

    it("refuses text and names that are not UTF-8", function()
        assert.are.equal("$.x", refused({ x = "a\xFFb" }).path)
        assert.are.equal("$", refused("\xED\xA0\x80").path)
        refused { ["\xC0\x80"] = 1 }
        refused { ["a\0b"] = 1 }
        assert.are.equal('"a\\u0000b"', encode "a\0b")
    end)

    it("refuses cycles and shares what is shared", function()
        local t = { a = {} }
        t.a.b = { t }
        local err = refused(t)
        assert.are.equal("$.a.b[0]", err.path)
        assert.truthy(err.message:find("itself", 1, true))
        local shared = { 1 }
        assert.are.equal("[[1],[1]]", encode { shared, shared })
    end)

    it("nests 128 deep and no deeper", function()
        local t = array {}
        for _ = 2, 128 do t = array { t } end
        assert.are.equal(("["):rep(128) .. ("]"):rep(128), encode(t))
        assert.truthy(refused(array { t }).message:find("128", 1, true))
        for _ = 1, 20000 do t = { t } end
        refused(t)
    end)

    it("does not look at metamethods", function()
        local t = setmetatable({ a = 1 }, {
            __index = function() error "no" end, __pairs = function() error "no" end,
            __len = function() error "no" end })
        assert.are.equal('{"a":1}', encode(t))
    end)

    it("leaves a path that is too long cut", function()
        local t = 0 / 0
        for _ = 1, 60 do t = { memberwithalongname = t } end
        local err = refused(t)
        assert.truthy(#err.path < 192)
        assert.truthy(err.path:find("^%$%.memberwithalongname"))
    end)
end)

describe("encode with a schema", function()
    local types = {}
    types.Disk = { kind = "object", order = { "Path", "Size", "Tags" }, members = {
        Path = { type = "string" }, Size = { type = "uint64", unsigned = true },
        Tags = { type = "string", array = true } } }
    types.Mode = { kind = "enum", order = { "A" }, values = {} }
    types.Machine = { kind = "object",
        order = { "Zeta", "Disks", "ByName", "Mode", "Rate", "Alpha" }, members = {
            Zeta = { type = "bool" }, Mode = { type = "Mode", of = types.Mode },
            Disks = { type = "Disk", array = true },
            ByName = { type = "Disk", of = types.Disk, map = "string" },
            Rate = { type = "double" }, Alpha = { type = "string" } } }

    it("writes members in its order and the rest sorted", function()
        assert.are.equal('{"Zeta":true,"Mode":"A","Alpha":"x","Beta":2,"beta":1}',
            encode({ beta = 1, Beta = 2, Alpha = "x", Zeta = true, Mode = "A" },
                types.Machine, types))
    end)

    it("knows types by name, and the module that holds them", function()
        local value = { Alpha = 1, Zeta = 2 }
        local want = '{"Zeta":2,"Alpha":1}'
        assert.are.equal(want, encode(value, "Machine", types))
        assert.are.equal(want, encode(value, "Machine", { types = types }))
        assert.has_error(function() encode(value, "Machine") end)
        assert.has_error(function() encode(value, "Nothing", types) end)
        assert.has_error(function() encode(value, 7, types) end)
        assert.has_error(function() encode(value, "Machine", 7) end)
    end)

    it("goes into arrays and maps", function()
        local disk = { Size = -1, Path = "p", Zed = 1, Tags = {} }
        local text = '{"Path":"p","Size":18446744073709551615,"Tags":[],"Zed":1}'
        assert.are.equal(
            '{"Disks":[' .. text .. '],"ByName":{"a":' .. text .. ',"b":' .. text .. "}}",
            encode({ Disks = { disk }, ByName = { b = disk, a = disk } }, "Machine", types))
        assert.are.equal('{"Disks":[],"ByName":{}}',
            encode({ Disks = {}, ByName = {} }, "Machine", types))
    end)

    it("takes large numbers where the type is a double", function()
        assert.are.equal('{"Rate":1e300}', encode({ Rate = 1e300 }, "Machine", types))
        assert.are.equal("$.Alpha", refused({ Alpha = 1e300 }, "Machine", types).path)
    end)

    it("gives paths through typed members", function()
        local err = refused({ Disks = { {}, { Path = print } } }, "Machine", types)
        assert.are.equal("$.Disks[1].Path", err.path)
        assert.are.equal("$.ByName['a b'].Size",
            refused({ ByName = { ["a b"] = { Size = 0 / 0 } } }, "Machine", types).path)
    end)

    it("writes what does not fit the type, for the host to judge", function()
        assert.are.equal('{"Zeta":{"a":1},"Disks":"x"}',
            encode({ Zeta = { a = 1 }, Disks = "x" }, "Machine", types))
        assert.are.equal("[1]", encode({ 1 }, "Machine", types))
        assert.are.equal('{"Disks":{"Path":1}}',
            encode({ Disks = { Path = 1 } }, "Machine", types))
    end)

    it("works with the project's own tables", function()
        local schema = require "hcs.schema.hcs"
        local document = {
            VirtualMachine = { Chipset = { Uefi = {} }, StopOnReset = true,
                ComputeTopology = { Processor = { Count = 2.0 }, Memory = { SizeInMB = 512 } } },
            Owner = "me", SchemaVersion = { Minor = 1, Major = 2 },
        }
        local text = encode(document, "ComputeSystem", schema)
        assert.truthy(text:find('"SchemaVersion":{"Major":2,"Minor":1}', 1, true))
        assert.truthy(text:find('^{"Owner":"me","SchemaVersion"'))
        assert.are.same(document, decode(text))
    end)

    it("follows what a policy's type or a request says its settings are", function()
        local schema = require "hcs.schema.hcn"
        assert.are.equal('{"Name":"a","Type":"NAT","Policies":[{"Type":"NetworkACL","Settings":'
            .. '{"Protocols":"6","Priority":200,"Action":"Allow"}}],"Ipams":[],"Flags":9}',
            encode({ Flags = 9.0, Ipams = {}, Type = "NAT", Name = "a", Policies = { { Type =
                "NetworkACL", Settings = { Action = "Allow", Priority = 200,
                    Protocols = "6" } } } }, "HostComputeNetwork", schema))
        assert.are.equal('{"RequestType":"Add","ResourceType":"Policy","Settings":{"Policies":['
            .. '{"Type":"PortMapping","Settings":{"Protocol":6,"InternalPort":80,'
            .. '"ExternalPort":8080}}]}}',
            encode({ ResourceType = "Policy", RequestType = "Add", Settings = { Policies = { {
                Settings = { ExternalPort = 8080, InternalPort = 80, Protocol = 6 },
                Type = "PortMapping" } } } }, "ModifyEndpointSettingRequest", schema))
        assert.are.equal('{"Version":18446744073709551615}',
            encode({ Version = -1 }, "HostComputeNetwork", schema))
    end)

    it("writes settings by their names where nothing says what they are", function()
        local schema = require "hcs.schema.hcn"
        for _, type_of in ipairs { "L2Driver", "Nonsense", "acl", 1, { 1 }, false } do
            local text = encode({ Type = type_of or nil, Settings = { Protocols = "6", Id = "a" } },
                "EndpointPolicy", schema)
            assert.truthy(text:find('"Settings":{"Id":"a","Protocols":"6"}', 1, true), text)
        end
    end)
end)

describe("decode", function()
    it("reads every kind of value", function()
        local value = decode '{"a":[1,-2,3.5,"x",true,false,null],"b":{},"c":[]}'
        assert.are.same({ 1, -2, 3.5, "x", true, false, null }, value.a)
        assert.are.equal(null, value.a[7])
        assert.is_true(core.is_array(value.a))
        assert.is_true(core.is_array(value.c))
        assert.is_false(core.is_array(value.b))
        assert.are.equal("integer", math.type(value.a[1]))
        assert.are.equal("float", math.type(value.a[3]))
    end)

    it("keeps integers exact, uint64 as the same bits", function()
        assert.are.equal(math.maxinteger, decode "9223372036854775807")
        assert.are.equal(math.mininteger, decode "9223372036854775808")
        assert.are.equal(-1, decode "18446744073709551615")
        assert.are.equal(9007199254740993, decode "9007199254740993")
        assert.are.equal("float", math.type(decode "18446744073709551616"))
        assert.are.equal(1.8446744073709552e19, decode "18446744073709551616")
        assert.are.equal("float", math.type(decode "1e2"))
    end)

    it("refuses a number past every double", function()
        assert.truthy(bad '{"a":1e999}'.message:find("1e999", 1, true))
    end)

    it("refuses what is not JSON", function()
        for _, text in ipairs { "", " ", "{", "[1,]", '{"a":1,}', "{'a':1}", "nul", "NaN", "01",
            "+1",
            ".5", "1.", '"\x01"', '"\\x"', '"\\uD800"', '"a', "[1 2]", "1 2", "\xEF\xBB\xBF1",
            '{"a":1,"a":2}', '{"a\\u0000":1}', '"\xFF"', "[1]x", "\0", "Infinity", "/**/1",
            ("["):rep(10000), ("["):rep(129) .. ("]"):rep(129), '{"a":' } do
            bad(text)
        end
        assert.has_error(decode)
        assert.has_error(function() decode {} end)
        assert.has_error(function() decode(nil) end)
    end)

    it("says where", function()
        assert.are.equal("$.a.b", bad('{"a":{"b":1,"b":2}}').path)
    end)

    it("nests 128 deep", function()
        local value = decode(("["):rep(128) .. ("]"):rep(128))
        local depth = 0
        while value do value, depth = value[1], depth + 1 end
        assert.are.equal(128, depth)
    end)

    it("gives back what encode wrote", function()
        local random = math.random
        local function any(depth)
            local kind = random(depth > 4 and 5 or 7)
            if kind == 1 then return random(0) end
            if kind == 2 then return random() * 10.0 ^ random(-200, 200) end
            if kind == 3 then return random(2) == 1 end
            if kind == 4 then return null end
            if kind == 5 then
                return utf8.char(random(0x20, 0x7FF), random(0xE000, 0x10FFFF))
            end
            local t = {}
            if kind == 6 then
                for i = 1, random(0, 5) do t[i] = any(depth + 1) end
                return array(t)
            end
            for _ = 1, random(0, 5) do t[tostring(random(100))] = any(depth + 1) end
            return t
        end
        local seed = math.randomseed()
        for _ = 1, 500 do
            local value = any(1)
            local text, err = encode(value)
            if not text then
                assert.truthy(err.message:find("2^53", 1, true))
            else
                local back = decode(text)
                assert.are.same(value, back, "seed " .. seed)
                assert.are.equal(text, encode(back))
            end
        end
    end)
end)

describe("marks", function()
    it("arrays are marked once and checked", function()
        local t = {}
        assert.are.equal(t, array(t))
        assert.are.equal(t, array(t))
        assert.is_true(core.is_array(t))
        assert.is_false(core.is_array {})
        assert.is_false(core.is_array "x")
        assert.is_false(core.is_array())
        assert.has_error(function() array "x" end)
        assert.has_error(function() array(setmetatable({}, {})) end)
    end)

    it("null is lua-cjson's", function()
        local cjson = require "cjson"
        assert.are.equal(cjson.null, null)
    end)
end)

describe("beside other libraries", function()
    local cjson, dkjson = require "cjson", require "dkjson"
    local texts = {
        '{"a":[1,2,3],"b":"é\\u20ac\\ud83d\\ude00","c":{"d":null,"e":[true,false]},"f":-12.25}',
        "[]", "{}", "[[],[[]],{}]", '"\\"\\\\\\/\\b\\f\\n\\r\\t"', "0", "-0", "1e5", "1E-5",
        '[0.1,123456789,1234567890123,-1]', '{"":""}', ' \t\r\n[ 1 , 2 ] ',
    }

    local function plain(value)
        if type(value) ~= "table" or value == dkjson.null then
            return value == dkjson.null and null or value
        end
        local t = {}
        for k, v in pairs(value) do t[k] = plain(v) end
        return t
    end

    it("reads what they read", function()
        for _, text in ipairs(texts) do
            assert.are.same(cjson.decode(text), plain((decode(text))), text)
            assert.are.same(plain((dkjson.decode(text, 1, dkjson.null, nil))),
                plain((decode(text))), text)
        end
    end)

    it("writes what they read back", function()
        for _, text in ipairs(texts) do
            local value = decode(text)
            local ours = encode(value)
            assert.are.same(plain(value), cjson.decode(ours), text)
        end
    end)

    it("takes their tables", function()
        for _, text in ipairs(texts) do
            if not text:find("[]", 1, true) then
                local from_cjson, from_dkjson = encode(cjson.decode(text)),
                    encode(plain((dkjson.decode(text, 1, dkjson.null, nil))))
                assert.are.same(plain((decode(text))), plain((decode(from_cjson))))
                assert.are.same(plain((decode(text))), plain((decode(from_dkjson))))
            end
        end
        -- lua-cjson does not tell an empty array from an empty object
        assert.are.equal("{}", encode(cjson.decode "[]"))
    end)

    it("keeps what they lose", function()
        assert.are.equal("9007199254740993", encode(decode "9007199254740993"))
        assert.are_not.equal("9007199254740993", cjson.encode(cjson.decode "9007199254740993"))
        assert.are.equal("[]", encode(decode "[]"))
        assert.are.equal("{}", encode(decode "{}"))
    end)
end)

describe("memory", function()
    it("is given back, also after errors", function()
        local big = array {}
        for i = 1, 1000 do big[i] = ("x"):rep(1000) end
        local bad_one = { a = big, z = print }
        local text = encode(big)
        collectgarbage()
        local before = collectgarbage "count"
        for _ = 1, 50 do
            refused(bad_one)
            decode(text)
            decode(text:sub(1, -2))
        end
        collectgarbage()
        assert.truthy(collectgarbage "count" - before < 200)
    end)

    it("is no longer used when a finalizer encodes meanwhile", function()
        collectgarbage "generational"
        local count = 0
        local function drop()
            setmetatable({}, { __gc = function()
                count = count + 1
                encode { x = { 1, 2 }, y = { z = 1 } }
                decode '{"a":[1,2]}'
                if count < 300 then drop() end
            end })
        end
        drop()
        for i = 1, 2000 do
            local t = { ["name" .. i] = { i, { v = i } }, other = { a = "x" .. i } }
            assert.are.same(t, decode(encode(t)))
        end
        collectgarbage "incremental"
    end)
end)
