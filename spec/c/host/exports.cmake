# SPDX-License-Identifier: MIT
# cmake -DNM=… -DOBJDUMP=… -DWINDOWS=… -DLIBRARY=… -P: the library exports the
# functions of the .def files and nothing else: on Windows not even the three
# releases, which the system has itself, and it needs no library that would
# have to be shipped with it.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/../../../cmake/exports.cmake")
hcs_dll_functions(wanted)
hcs_host_functions(own)
list(APPEND wanted ${own})
if(WINDOWS)
  execute_process(COMMAND "${OBJDUMP}" -p "${LIBRARY}"
    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "DLL Name: [A-Za-z0-9._-]+" needed "${text}")
  list(TRANSFORM needed REPLACE "DLL Name: " "")
  list(TRANSFORM needed TOLOWER)
  list(REMOVE_ITEM needed advapi32.dll bcrypt.dll kernel32.dll msvcrt.dll)
  if(needed)
    message(FATAL_ERROR "needs ${needed}")
  endif()
  string(REGEX REPLACE ".*Ordinal/Name Pointer. Table" "" text "${text}")
  string(REGEX REPLACE "\n\n.*" "\n" text "${text}")
  string(REGEX MATCHALL "\\[ *[0-9]+\\] [A-Za-z_0-9]+\n" found "${text}")
  list(TRANSFORM found REPLACE "\\[ *[0-9]+\\] " "")
else()
  list(APPEND wanted LocalFree CoTaskMemFree CloseHandle)
  execute_process(COMMAND "${NM}" -D --defined-only "${LIBRARY}"
    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[A-Za-z_0-9]+\n" found "${text}")
endif()
string(REPLACE "\n" "" found "${found}")
list(SORT wanted)
list(SORT found)
list(LENGTH wanted count)
if(NOT wanted STREQUAL found OR count LESS 40)
  message(FATAL_ERROR "exported:\n${found}\nwanted:\n${wanted}")
endif()
