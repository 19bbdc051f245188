# SPDX-License-Identifier: MIT
# What the libraries export, read from src/abi/functions.def and hcshost.def,
# where each function is written once. Also for scripts (cmake -P), which set
# HCS_ABI to the folder of the two files.
if(NOT HCS_ABI)
  set(HCS_ABI "${CMAKE_CURRENT_LIST_DIR}/../src/abi")
endif()

# hcs_dll_names(OUT): the DLLs that functions.def names, sorted.
function(hcs_dll_names out)
  file(STRINGS "${HCS_ABI}/functions.def" lines REGEX "^HCS_FUNCTION\\(")
  list(TRANSFORM lines REPLACE "^HCS_FUNCTION\\(([a-z]+),.*" "\\1")
  list(REMOVE_DUPLICATES lines)
  list(SORT lines)
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# hcs_dll_functions(OUT [DLL]): the functions of one DLL, or of all of them.
function(hcs_dll_functions out)
  set(dll "[a-z]+")
  if(ARGC GREATER 1)
    set(dll "${ARGV1}")
  endif()
  file(STRINGS "${HCS_ABI}/functions.def" lines
    REGEX "^HCS_FUNCTION\\(${dll}, ")
  list(TRANSFORM lines REPLACE
    "^HCS_FUNCTION\\([a-z]+, [0-9]+, [A-Z]+, [^,]+, ([A-Za-z0-9]+), \\(.*" "\\1")
  hcs_check_names("functions.def" ${lines})
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# hcs_host_functions(OUT): the embedded host's own functions.
function(hcs_host_functions out)
  file(STRINGS "${HCS_ABI}/hcshost.def" lines REGEX "^HCSHOST_FUNCTION\\(")
  list(TRANSFORM lines REPLACE
    "^HCSHOST_FUNCTION\\([^,]+, ([a-z0-9_]+), \\(.*" "\\1")
  hcs_check_names("hcshost.def" ${lines})
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# A line of another shape than the patterns above must not go unnoticed.
function(hcs_check_names file)
  if(NOT ARGN)
    message(FATAL_ERROR "src/abi/${file}: no functions found")
  endif()
  foreach(name IN LISTS ARGN)
    if(NOT name MATCHES "^[A-Za-z0-9_]+$")
      message(FATAL_ERROR "src/abi/${file}: what function is this?\n${name}")
    endif()
  endforeach()
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
