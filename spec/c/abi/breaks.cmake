# SPDX-License-Identifier: MIT
# cmake -DCOMPILE=compiler;flag… -DFOLDER=… -DWINDOWS=ON|OFF -P: breaks src/abi
# in one place at a time, in a copy, and sees the compiler refuse it.
cmake_minimum_required(VERSION 3.25)
set(spec "${CMAKE_CURRENT_LIST_DIR}")
get_filename_component(source "${spec}/../../../src/abi" ABSOLUTE)

function(compile file status output)
  execute_process(COMMAND ${COMPILE} "-I${FOLDER}" "${spec}/${file}.c"
    RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${status} "${result}" PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

function(copy)
  file(REMOVE_RECURSE "${FOLDER}")
  file(COPY "${source}" DESTINATION "${FOLDER}")
endfunction()

# refuses(FILE HEADER OLD NEW WORDS): with NEW for OLD in a header of src/abi
# the compiler says WORDS of FILE.
function(refuses file header old new words)
  copy()
  file(READ "${FOLDER}/abi/${header}" text)
  string(REPLACE "${old}" "${new}" broken "${text}")
  if(broken STREQUAL text)
    message(FATAL_ERROR "${header} has no \"${old}\"")
  endif()
  file(WRITE "${FOLDER}/abi/${header}" "${broken}")
  compile(${file} status output)
  if(status EQUAL 0 OR NOT output MATCHES "${words}")
    message(SEND_ERROR
      "${file} with \"${new}\" in ${header}: ${status}\n${output}")
  endif()
endfunction()

set(files layouts_ours)
if(WINDOWS)
  list(APPEND files layouts_theirs prototypes)
endif()
copy()
foreach(file IN LISTS files)
  compile(${file} status output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${file} as it is: ${status}\n${output}")
  endif()
endforeach()

refuses(layouts_ours hcs_types.h "DWORD Reserved" "UINT64 Reserved"
  "HCS_PROCESS_INFORMATION has another size")
refuses(layouts_ours hcs_types.h "HcsEventServiceDisconnect = 0x02000000"
  "HcsEventServiceDisconnect = 0x04000000"
  "HcsEventServiceDisconnect has another value")
refuses(layouts_ours hcn_types.h "UINT64 Priority;\n    uint32_t ReservationType"
  "uint32_t ReservationType;\n    UINT64 Priority"
  "HCN_PORT_RANGE_ENTRY.ReservationType lies elsewhere")
refuses(layouts_ours hcn_types.h "EndpointDetached = 0x00000010"
  "EndpointDetached = 0x0000000A"
  "HcnNotificationNetworkEndpointDetached has another value")
refuses(layouts_ours dump_types.h "X64_RegisterIdtr = 64" "X64_RegisterIdtr = 46"
  "X64_RegisterIdtr has another value")
refuses(layouts_ours dump_types.h "uint32_t Limit;\n            uint16_t Selector"
  "uint16_t Selector;\n            uint32_t Limit"
  "VIRTUAL_PROCESSOR_REGISTER.X64.Segment.Limit lies elsewhere")
if(WINDOWS)
  refuses(layouts_theirs layouts.def "HCS_SIZE(HCS_EVENT, 24)"
    "HCS_SIZE(HCS_EVENT, 16)" "HCS_EVENT has another size")
  refuses(prototypes functions.def "DWORD timeoutMs" "UINT64 timeoutMs"
    "HcsWaitForOperationResult has another prototype")
  refuses(prototypes functions.def "SYNC, UINT64, HcsGetOperationId"
    "SYNC, DWORD, HcsGetOperationId" "HcsGetOperationId has another prototype")
  refuses(prototypes functions.def "HRESULT, HcsCancelOperation,"
    "HRESULT, HcsCancelOperationNow," "HcsCancelOperationNow")
  refuses(prototypes functions.def "HcnOpenNetwork, (const GUID *id"
    "HcnOpenNetwork, (GUID id" "HcnOpenNetwork has another prototype")
  refuses(prototypes mingw.def "#undef NEWER"
    "HCS_NO_PROTOTYPE(HcsOpenComputeSystem, NEWER)\n#undef NEWER"
    "HcsOpenComputeSystem")
endif()
file(REMOVE_RECURSE "${FOLDER}")
