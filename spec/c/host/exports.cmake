# SPDX-License-Identifier: MIT
# cmake -DNM=… -DLIBRARY=… -DABI=src/abi -P: the library exports the functions
# of the .def files and the three releases, and nothing else.
foreach(list functions hcshost)
  file(READ "${ABI}/${list}.def" text)
  string(REGEX MATCHALL "(Hcs[A-Z][A-Za-z]*|hcshost_[a-z_]+), \\(" names "${text}")
  list(APPEND wanted ${names})
endforeach()
string(REPLACE ", (" "" wanted "${wanted}")
list(APPEND wanted LocalFree CoTaskMemFree CloseHandle)
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
