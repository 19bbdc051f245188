@echo off
rem SPDX-License-Identifier: MIT
rem To be opened with a double click, or by "Run as administrator". A second run
rem keeps the report of the first.
setlocal EnableExtensions DisableDelayedExpansion
set "HCS_HOME=%~dp0"
set "HCS_REPORT=%HCS_HOME%hcs-selftest"
if exist "%HCS_REPORT%.json" set "HCS_REPORT=%HCS_HOME%hcs-selftest-2"
call "%HCS_HOME%hcs.cmd" selftest --report "%HCS_REPORT%.json"
pause
