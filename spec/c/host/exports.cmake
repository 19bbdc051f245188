# SPDX-License-Identifier: MIT
# cmake -DNM=… -DLIBRARY=… -P: the library exports the functions of the .def
# files and the three releases, and nothing else.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/../../../cmake/exports.cmake")
hcs_dll_functions(wanted)
hcs_host_functions(own)
list(APPEND wanted ${own} LocalFree CoTaskMemFree CloseHandle)
execute_process(COMMAND "${NM}" -D --defined-only "${LIBRARY}"
  OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[A-Za-z_0-9]+\n" found "${text}")
string(REPLACE "\n" "" found "${found}")
list(SORT wanted)
list(SORT found)
list(LENGTH wanted count)
if(NOT wanted STREQUAL found OR count LESS 40)
  message(FATAL_ERROR "exported:\n${found}\nwanted:\n${wanted}")
endif()
