# SPDX-License-Identifier: MIT
# Runs a test as nobody, from where nobody may read it.
get_filename_component(name "${PROGRAM}" NAME)
execute_process(COMMAND mktemp -d OUTPUT_VARIABLE folder
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(COPY "${PROGRAM}" "${DAEMON}" DESTINATION "${folder}")
execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
set(as)
if(user EQUAL 0)
  execute_process(COMMAND chmod -R a+rX "${folder}")
  set(as "${SETPRIV}" --reuid 65534 --regid 65534 --clear-groups --no-new-privs)
endif()
execute_process(COMMAND ${as} "${folder}/${name}" "${folder}/hcs-hostd"
  RESULT_VARIABLE result)
file(REMOVE_RECURSE "${folder}")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${name}: ${result}")
endif()
