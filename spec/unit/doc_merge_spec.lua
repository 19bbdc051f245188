-- SPDX-License-Identifier: MIT
local merge = require "hcs.doc.merge"
local null = require("cjson").null

describe("merge", function()
    it("goes into objects and replaces all else", function()
        assert.same({ a = { b = 1, c = 3 }, l = { 9 }, s = { x = 1 } }, merge.merge(
            { a = { b = 1, c = 2 }, l = { 1, 2, 3 }, s = "text" },
            { a = { c = 3 }, l = { 9 } }, nil, { s = { x = 1 } }))
    end)

    it("takes away with null", function()
        assert.same({ a = {} }, merge.merge({ a = { b = 1 } }, { a = { b = null }, c = null }))
    end)

    it("leaves its arguments alone", function()
        local base, over = { a = { b = 1 } }, { c = { d = 1 } }
        local result = merge.merge(base, over)
        result.a.b, result.c.d = 2, 2
        assert.same({ a = { b = 1 } }, base)
        assert.same({ c = { d = 1 } }, over)
    end)

    it("lays an empty table over an object without harm, over an array as one", function()
        assert.same({ a = { b = 1 } }, merge.merge({ a = { b = 1 } }, { a = {} }))
        assert.same({ a = {} }, merge.merge({ a = { 1 } }, { a = {} }))
    end)

    it("keeps the mark of arrays", function()
        local meta = { __metatable = false }
        local result = merge.merge({ a = setmetatable({}, meta) })
        assert.equal(meta, debug.getmetatable(result.a))
        result = merge.merge({ a = { b = 1 } }, { a = setmetatable({}, meta) })
        assert.equal(meta, debug.getmetatable(result.a))
    end)
end)

describe("diff", function()
    it("is empty for equal documents", function()
        assert.same({}, merge.diff({ a = { 1, { b = true } } }, { a = { 1, { b = true } } }))
    end)

    it("names what differs, in order", function()
        assert.same({
            { path = "$.a.l[1]", old = 2, new = 3 },
            { path = "$.a['x y']", new = 1 },
            { path = "$.z", old = "q" },
        }, merge.diff({ a = { l = { 1, 2 } }, z = "q" }, { a = { l = { 1, 3 }, ["x y"] = 1 } }))
    end)
end)
