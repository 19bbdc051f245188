rockspec_format = "3.0"
package = "hcs"
version = "scm-1"
source = {
   url = "git+https://github.com/lua-hcs/lua-hcs.git",
}
description = {
   summary = "Windows' Host Compute System for Lua, with a host of its own elsewhere",
   detailed = [[
      Boots, pauses, saves, crashes and watches virtual machines through the
      Host Compute System's documents: against Microsoft's DLLs on Windows,
      elsewhere against an embedded host that drives QEMU or simulates.
   ]],
   license = "MIT",
   labels = { "virtualization", "hyper-v", "qemu" },
}
supported_platforms = { "linux" }
dependencies = {
   "lua ~> 5.4",
   "lua-cjson >= 2.1.0",
}
external_dependencies = {
   LIBUV = { header = "uv.h" },
   ZLIB = { header = "zlib.h" },
   LIBLZMA = { header = "lzma.h" },
   ZSTD = { header = "zstd.h" },
   LZ4 = { header = "lz4.h" },
   NFTABLES = { header = "nftables/libnftables.h" },
}
build = {
   type = "cmake",
   variables = {
      CMAKE_BUILD_TYPE = "RelWithDebInfo",
      HCS_TESTS = "OFF",
      HCS_WERROR = "OFF",
      HCS_INSTALL_COMMAND = "OFF",
      LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
      HCS_INSTALL_CPATH = "$(LIBDIR)",
      HCS_INSTALL_PATH = "$(LUADIR)",
   },
   install = { bin = { hcs = "bin/hcs.lua" } },
}
test = {
   type = "command",
   command = "./test unit core conformance",
}
