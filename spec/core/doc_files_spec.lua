-- SPDX-License-Identifier: MIT
-- hcs.doc: documents as text and in files.
local core = require "hcs.core"
local doc = require "hcs.doc"
local platform = require "spec.platform"

local files = {}

local function temporary(ending)
    local path = platform.temporary(nil, ending)
    files[#files + 1] = path
    return path
end

after_each(function()
    for index, path in ipairs(files) do
        platform.remove(path)
        files[index] = nil
    end
end)

local function put(path, text)
    assert(core.write_file(path, text))
end

local get = platform.read

describe("a file", function()
    it("is read and written whole, whatever its name", function()
        for _, ending in ipairs { "plain", " ü€", "日本語", "😀" } do
            local path = temporary(ending)
            assert.equal(0x80070002, (select(2, core.read_file(path))))
            assert.is_true(core.write_file(path, "a\r\n\0b"))
            assert.equal("a\r\n\0b", core.read_file(path))
            assert.equal(5, core.file_size(path))
            assert.is_true(core.write_file(path, "c", true))
            assert.equal("a\r\n\0bc", core.read_file(path))
            assert.is_true(core.write_file(path, ""))
            assert.equal("", core.read_file(path))
            assert.equal(0, core.file_size(path))
        end
        local long = ("0123456789abcdef"):rep(20000)
        local path = temporary()
        assert.is_true(core.write_file(path, long))
        assert.equal(long, core.read_file(path))
    end)

    it("that is none is told by its code", function()
        for _, call in ipairs { core.read_file, core.file_size } do
            local value, hr, text = call(platform.path "nowhere/at/all")
            assert.is_nil(value)
            assert.truthy(hr == 0x80070002 or hr == 0x80070003)
            assert.truthy(text:find("nowhere", 1, true))
        end
        assert.is_nil((core.write_file(platform.path "nowhere/at/all", "")))
        assert.is_nil((core.read_file(platform.here "lua")))
        for _, bad in ipairs { "a\0b", {}, false } do
            assert.has_error(function() core.read_file(bad) end)
            assert.has_error(function() core.write_file(bad, "") end)
        end
        assert.has_error(function() core.write_file("x") end)
    end)
end)

describe("hcs.doc", function()
    it("writes members in the platform's order, others after them", function()
        assert.equal('{"Owner":"o","SchemaVersion":{"Major":2,"Minor":1},'
            .. '"VirtualMachine":{"Devices":{"Scsi":{"0":{"Attachments":{}}}}},"Zzz":1}',
            doc.canonical { Zzz = 1, VirtualMachine = { Devices = { Scsi = { ["0"] =
                { Attachments = {} } } } }, SchemaVersion = { Minor = 1, Major = 2 },
                Owner = "o" })
        assert.equal('{"SystemId":"a","CrashParameters":[1,18446744073709551615],"Status":-1}',
            doc.canonical({ Status = -1, CrashParameters = { 1, -1 }, SystemId = "a" },
                "CrashReport"))
    end)

    it("says where a document is none", function()
        local text, err, code = doc.canonical { VirtualMachine = { Devices = print } }
        assert.is_nil(text)
        assert.equal("$.VirtualMachine.Devices", err.path)
        assert.equal(err.code, code)
    end)

    it("saves and loads, to the last bit", function()
        local path = temporary "ü 日本 😀.json"
        local document = { Owner = "ü", VirtualMachine = { ComputeTopology = {
            Memory = { SizeInMB = 9007199254740993 } } }, HostedSystem = core.array {} }
        assert.is_true(doc.save(document, path))
        assert.equal("\n", get(path):sub(-1))
        local again = assert(doc.load(path))
        assert.same({}, doc.diff(document, again))
        assert.is_true(core.is_array(again.HostedSystem))
    end)

    it("tells why a file cannot be read", function()
        local document, err = doc.load "/nowhere/at/all.json"
        assert.is_nil(document)
        assert.equal("load", err.op)
        assert.equal("/nowhere/at/all.json", err.file)
        assert.is_true(err:is "not_found")

        local path = temporary()
        put(path, '{"a":1,"a":2}')
        document, err = doc.load(path)
        assert.is_nil(document)
        assert.equal(path, err.file)
        assert.equal("$.a", err.path)

        document, err = doc.load "/"
        assert.is_nil(document)
        assert.equal("/", err.file)
    end)

    it("tells why a file cannot be written", function()
        local ok, err = doc.save({}, "/nowhere/at/all.json")
        assert.is_nil(ok)
        assert.equal("save", err.op)
        if platform.full then
            ok, err = doc.save({}, platform.full)
            assert.is_nil(ok)
            assert.equal(0x80070070, err.hresult)
        end
    end)

    it("keeps arrays through a merge", function()
        local merged = doc.merge({ HostedSystem = core.array {} }, { Owner = "x" })
        assert.equal('{"Owner":"x","HostedSystem":[]}', doc.canonical(merged))
    end)
end)
