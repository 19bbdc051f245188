-- SPDX-License-Identifier: MIT
-- Paths of either world, seen from folders of either.
local paths = require "hcs.paths"

describe("a path", function()
    it("is made absolute on POSIX systems", function()
        for given, wanted in pairs {
            ["vm.vhdx"] = "/home/me/vm.vhdx", ["./vm.vhdx"] = "/home/me/vm.vhdx",
            ["../x"] = "/home/me/../x", ["/x/y"] = "/x/y", ["C:\\x"] = "C:\\x",
            ["\\\\server\\share\\x"] = "\\\\server\\share\\x", ["a\\b"] = "/home/me/a\\b",
            ["ü 😀"] = "/home/me/ü 😀",
        } do
            assert.equal(wanted, paths.absolute(given, "/home/me"))
        end
        assert.equal("/x", paths.absolute("x", "/"))
    end)

    it("is made absolute on Windows, with its drive", function()
        for given, wanted in pairs {
            ["vm.vhdx"] = "C:\\me\\vm.vhdx", [".\\vm.vhdx"] = "C:\\me\\vm.vhdx",
            ["a/b"] = "C:\\me\\a\\b", ["\\x"] = "C:\\x", ["/x/y"] = "C:\\x\\y",
            ["D:/x"] = "D:\\x", ["c:x"] = "C:\\me\\x", ["D:x"] = "D:\\x",
            ["\\\\server\\share\\x"] = "\\\\server\\share\\x", ["\\\\?\\C:\\x"] = "\\\\?\\C:\\x",
            ["ü 😀"] = "C:\\me\\ü 😀",
        } do
            assert.equal(wanted, paths.absolute(given, "C:\\me"))
        end
        assert.equal("C:\\x", paths.absolute("x", "C:\\"))
        assert.equal("\\\\server\\share\\x", paths.absolute("\\x", "\\\\server\\share\\me"))
        assert.equal("\\\\server\\share\\me\\x", paths.absolute("x", "\\\\server\\share\\me"))
    end)

    it("is in a folder", function()
        for given, wanted in pairs {
            ["/x/y"] = "/x", ["/x"] = "/", ["x"] = ".", ["/x/a\\b"] = "/x", ["x/y"] = "x",
            ["C:\\x\\y"] = "C:\\x", ["C:\\x"] = "C:\\", ["C:/x"] = "C:/", ["D:\\x/y"] = "D:\\x",
            ["\\\\server\\share\\x"] = "\\\\server\\share",
        } do
            assert.equal(wanted, paths.folder(given))
        end
    end)
end)
