@echo off
rem SPDX-License-Identifier: MIT
rem The command hcs, from wherever this folder lies. In Lua's paths ! stands for
rem the folder of lua.exe, so no character of its name can do harm here. Lua
rem asks for the variables with the version first; yours follow ours.
setlocal EnableExtensions DisableDelayedExpansion
if not defined LUA_PATH_5_4 if defined LUA_PATH set "LUA_PATH_5_4=%LUA_PATH%"
if not defined LUA_PATH_5_4 set "LUA_PATH_5_4=;"
if not defined LUA_CPATH_5_4 if defined LUA_CPATH set "LUA_CPATH_5_4=%LUA_CPATH%"
if not defined LUA_CPATH_5_4 set "LUA_CPATH_5_4=;"
set "LUA_PATH_5_4=!\lua\?.lua;!\lua\?\init.lua;%LUA_PATH_5_4%"
set "LUA_CPATH_5_4=!\?.dll;%LUA_CPATH_5_4%"
set "HCS_HOME=%~dp0"
set "HCS_LUA=%HCS_HOME%lua.exe"
"%HCS_LUA%" "%HCS_HOME%bin\hcs.lua" %*
exit /b %errorlevel%
