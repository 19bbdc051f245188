# SPDX-License-Identifier: MIT
# cmake -DNM=… -DCC=… -P: a program can link each function of functions.def
# with mingw-w64's import libraries, except those that mingw.def says it cannot.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/../../../cmake/exports.cmake")
file(STRINGS "${HCS_ABI}/mingw.def" absent REGEX "^HCS_NO_IMPORT\\(")
list(TRANSFORM absent REPLACE "^HCS_NO_IMPORT\\(([A-Za-z0-9]+),.*" "\\1")

hcs_dll_names(dlls)
foreach(dll IN LISTS dlls)
  execute_process(COMMAND "${CC}" "-print-file-name=lib${dll}.a"
    OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  set(symbols "")
  if(EXISTS "${library}")
    execute_process(COMMAND "${NM}" --defined-only "${library}"
      OUTPUT_VARIABLE symbols ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  endif()
  hcs_dll_functions(names ${dll})
  foreach(name IN LISTS names absent)
    if(symbols MATCHES " __imp_${name}\n")
      if(name IN_LIST absent)
        message(SEND_ERROR "mingw.def: ${library} has ${name} by now")
      endif()
    elseif(NOT name IN_LIST absent)
      message(SEND_ERROR "${name} is not in ${library}, and mingw.def "
        "does not say why")
    endif()
  endforeach()
endforeach()
