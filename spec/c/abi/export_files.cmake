# SPDX-License-Identifier: MIT
# cmake -DFOLDER=… -P: cmake/exports.cmake sees each DLL and function of
# functions.def, also those added later and over several lines, and no entry
# that it does not understand goes unnoticed.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/../../../cmake/exports.cmake")

function(same what found wanted)
  if(NOT "${found}" STREQUAL "${wanted}")
    message(FATAL_ERROR "${what}: \"${found}\", not \"${wanted}\"")
  endif()
endfunction()

# With -DLIST=…, this script is its own other half: it only reads that list.
if(LIST)
  set(HCS_ABI "${LIST}")
  hcs_dll_names(names)
  return()
endif()

hcs_dll_functions(all)
list(LENGTH all before)
file(REMOVE_RECURSE "${FOLDER}")
file(COPY "${HCS_ABI}/functions.def" DESTINATION "${FOLDER}")
set(HCS_ABI "${FOLDER}")
file(APPEND "${FOLDER}/functions.def" [[
/* HCS_FUNCTION(computecomment, 1, SYNC, void, HcsComment, (void)) */
HCS_FUNCTION(computelater, 99999, RECORD, HRESULT, HclOpenThing,
    (REFGUID id, HCL_THING *thing, PWSTR *record))
HCS_FUNCTION(
    computelater, 99999, SYNC, void *, HclGetContext2,
    (HCL_THING thing, void (*callback)(void *, int[2])))
]])
hcs_dll_names(names)
if(NOT "computelater" IN_LIST names OR NOT "computecore" IN_LIST names OR
    "computecomment" IN_LIST names)
  message(FATAL_ERROR "DLLs: ${names}")
endif()
hcs_dll_functions(later computelater)
same("functions of one DLL" "${later}" "HclOpenThing;HclGetContext2")
hcs_dll_functions(all)
list(LENGTH all after)
math(EXPR more "${after} - ${before}")
same("functions added" "${more}" 2)

hcs_write_exports("${FOLDER}/forward.def" computelater FORWARD hcshost
  NAMES ${later})
file(STRINGS "${FOLDER}/forward.def" lines REGEX "^[^;]")
same("forwarders" "${lines}" "LIBRARY computelater.dll;EXPORTS;\
    HclOpenThing = hcshost.HclOpenThing;\
    HclGetContext2 = hcshost.HclGetContext2")
hcs_write_exports("${FOLDER}/plain.def" hcshost NAMES ${later})
file(STRINGS "${FOLDER}/plain.def" lines REGEX "^[^;]")
same("exports" "${lines}"
  "LIBRARY hcshost.dll;EXPORTS;    HclOpenThing;    HclGetContext2")

file(APPEND "${FOLDER}/functions.def" "HCS_FUNCTION(computelater, HclOdd)\n")
execute_process(COMMAND "${CMAKE_COMMAND}" "-DLIST=${FOLDER}"
  -P "${CMAKE_CURRENT_LIST_FILE}" RESULT_VARIABLE status ERROR_VARIABLE text)
if(status EQUAL 0 OR NOT text MATCHES "of which [0-9]+ are understood")
  message(FATAL_ERROR "an odd entry: ${status} ${text}")
endif()
file(REMOVE_RECURSE "${FOLDER}")
