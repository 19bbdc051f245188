# SPDX-License-Identifier: MIT
# What the libraries export, read from src/abi/functions.def and hcshost.def,
# where each function is written once. Scripts (cmake -P) include this too.
set(HCS_ABI "${CMAKE_CURRENT_LIST_DIR}/../src/abi")

# hcs_read_list(OUT FILE MACRO PATTERN): the beginnings of a list's entries,
# as far as PATTERN describes them. An entry of another shape is an error: it
# must not go unnoticed.
function(hcs_read_list out file macro pattern)
  file(READ "${HCS_ABI}/${file}" text)
  string(REGEX MATCHALL "\n${macro}\\(" all "${text}")
  string(REGEX MATCHALL "\n${macro}\\([ \n]*${pattern},[ \n]*\\(" found "${text}")
  list(LENGTH all count)
  list(LENGTH found understood)
  if(count EQUAL 0 OR NOT count EQUAL understood)
    message(FATAL_ERROR
      "${file}: ${count} functions, of which ${understood} are understood")
  endif()
  list(TRANSFORM found REPLACE "[ \n]*,[ \n]*\\($" "")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(hcs_read_functions out)
  hcs_read_list(found functions.def HCS_FUNCTION
    "[a-z]+,[ \n]*[0-9]+,[ \n]*[A-Z]+,[^,()]+,[ \n]*[A-Za-z0-9]+")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# hcs_dll_names(OUT): the DLLs that functions.def names, sorted.
function(hcs_dll_names out)
  hcs_read_functions(found)
  list(TRANSFORM found REPLACE "^[^(]*\\([ \n]*([a-z]+),.*" "\\1")
  list(REMOVE_DUPLICATES found)
  list(SORT found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# hcs_dll_functions(OUT [DLL]): the functions of one DLL, or of all of them.
function(hcs_dll_functions out)
  hcs_read_functions(found)
  if(ARGC GREATER 1)
    list(FILTER found INCLUDE REGEX "\\([ \n]*${ARGV1},")
  endif()
  list(TRANSFORM found REPLACE ".*,[ \n]*" "")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# hcs_host_functions(OUT): the embedded host's own functions.
function(hcs_host_functions out)
  hcs_read_list(found hcshost.def HCSHOST_FUNCTION
    "[^,()]+,[ \n]*[a-z0-9_]+")
  list(TRANSFORM found REPLACE ".*,[ \n]*" "")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# hcs_write_exports(PATH DLL [FORWARD library] NAMES name...): a module
# definition file that both ld and link.exe take. FORWARD makes each export a
# forwarder to the function of that name in another DLL.
function(hcs_write_exports path dll)
  cmake_parse_arguments(arg "" "FORWARD" "NAMES" ${ARGN})
  set(text "; Written by cmake/exports.cmake from src/abi.\n")
  string(APPEND text "LIBRARY ${dll}.dll\nEXPORTS\n")
  foreach(name IN LISTS arg_NAMES)
    if(arg_FORWARD)
      string(APPEND text "    ${name} = ${arg_FORWARD}.${name}\n")
    else()
      string(APPEND text "    ${name}\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT "${path}" CONTENT "${text}" @ONLY)
endfunction()

# hcs_export_host(TARGET): makes a Windows DLL export all of the ABI and the
# embedded host's own functions, as libhcshost does elsewhere.
function(hcs_export_host target)
  hcs_dll_functions(names)
  hcs_host_functions(own)
  set(path "${CMAKE_BINARY_DIR}/exports/${target}.def")
  hcs_write_exports("${path}" ${target} NAMES ${names} ${own})
  target_sources(${target} PRIVATE "${path}")
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS "${HCS_ABI}/functions.def" "${HCS_ABI}/hcshost.def")
endif()
