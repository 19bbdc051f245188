#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Holds every C source of a Windows build against clang's idea of Microsoft's
-- compiler, warnings as errors, without building anything:
--
--     tools/windows/msvc.lua BUILD [FILE...]
--
-- BUILD is a configured folder of the Windows build: its compile_commands.json
-- says which sources there are, where they look for headers and what is defined
-- for them. FILE: only the sources whose path contains one of these words.
-- Prints what clang says; the exit status is 1 when a source is refused. What
-- clang must refuse for this to mean anything is tried first.

local json = require "cjson"

local FLAGS = {
    "--target=x86_64-windows-msvc", "-fgnuc-version=4.2.1", "-std=c11", "-fsyntax-only",
    "-Wall", "-Wextra", "-Wpedantic", "-Wgnu", "-Wvla", "-Werror",
    "-D_WIN32_WINNT=0x0A00", "-D_CRT_SECURE_NO_WARNINGS", "-D_CRT_NONSTDC_NO_WARNINGS",
    "-isystem", "/usr/share/mingw-w64/include", "-idirafter", "/usr/x86_64-w64-mingw32/include",
    -- Microsoft's compiler has no older C library.
    "-D_UCRT",
}

-- What Microsoft's compiler does not take, each on its own.
local REFUSED = {
    ["a variable-length array"] = "void f(int n); void f(int n) { char a[n]; (void)a; }",
    ["a statement expression"] = "int f(void); int f(void) { return ({ 1; }); }",
    ["typeof"] = "int f(int n); int f(int n) { typeof(n) m = n; return m; }",
    ["void pointer arithmetic"] = "void *f(void *p); void *f(void *p) { return p + 1; }",
    ["an empty initialiser"] = "struct s { int n; }; struct s s = {};",
    ["an array of nothing"] = "struct s { int n; int a[0]; };",
    ["a range of cases"] = "int f(int n); int f(int n) { switch (n) { case 1 ... 2: return 1; "
        .. "default: return 0; } }",
    ["a call of nothing declared"] = "int f(void); int f(void) { return getpid(); }",
    ["a POSIX header"] = "#include <sys/socket.h>",
}

local function slurp(path)
    local file <close> = assert(io.open(path))
    return file:read("a")
end

-- The words of a command line as CMake writes it: blanks part them, quotes
-- and backslashes keep what they are for.
local function words(line)
    local list, word, quoted = {}, nil, false
    local at = 1
    while at <= #line do
        local c = line:sub(at, at)
        if c == "\\" then
            at = at + 1
            word = (word or "") .. line:sub(at, at)
        elseif c == '"' then
            quoted = not quoted
            word = word or ""
        elseif c == " " and not quoted then
            list[#list + 1] = word
            word = nil
        else
            word = (word or "") .. c
        end
        at = at + 1
    end
    list[#list + 1] = word
    return list
end

local function quote(word)
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Where the source looks for headers, what is defined for it and excused in it.
local function kept(command)
    local list, all = {}, words(command)
    for i, word in ipairs(all) do
        if word == "-isystem" or word == "-I" or word == "-D" then
            list[#list + 1] = word .. " " .. quote(all[i + 1])
        elseif word:match "^%-[ID]." or word:match "^%-Wno%-" then
            list[#list + 1] = quote(word)
        end
    end
    return table.concat(list, " ")
end

local function wanted(path)
    if #arg < 2 then return true end
    for i = 2, #arg do
        if path:find(arg[i], 1, true) then return true end
    end
    return false
end

-- One command for each source as it is compiled: a source of two targets with
-- the same flags is looked at once.
local function commands(build)
    local list, seen = {}, {}
    for _, entry in ipairs(json.decode(slurp(build .. "/compile_commands.json"))) do
        if entry.file:match "%.c$" and wanted(entry.file) then
            local command = ("cd %s && clang %s %s %s"):format(quote(entry.directory),
                table.concat(FLAGS, " "), kept(entry.command), quote(entry.file))
            if not seen[command] then
                seen[command] = true
                list[#list + 1] = { file = entry.file, command = command }
            end
        end
    end
    return list
end

local function check_refusals()
    for what, source in pairs(REFUSED) do
        local command = ("printf '%%s\\n' %s | clang %s -x c - >/dev/null 2>&1"):format(
            quote(source), table.concat(FLAGS, " "))
        if os.execute(command) then
            error("clang takes " .. what .. ": this check is worth nothing", 0)
        end
    end
    if not os.execute("echo 'int n;' | clang " .. table.concat(FLAGS, " ") .. " -x c -") then
        error("clang takes nothing at all", 0)
    end
end

if not arg[1] then
    io.stderr:write("usage: tools/windows/msvc.lua BUILD [FILE...]\n")
    os.exit(2)
end
check_refusals()
local refused, list = 0, commands(arg[1])
for _, source in ipairs(list) do
    if not os.execute(source.command .. " 2>&1") then
        refused = refused + 1
        print("refused: " .. source.file)
    end
end
print(("%d sources, %d refused"):format(#list, refused))
os.exit(#list > 0 and refused == 0)
