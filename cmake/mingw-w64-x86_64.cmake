# SPDX-License-Identifier: MIT
# Builds for 64-bit Windows with Debian's mingw-w64. What tools/windows/dependencies
# made is found in HCS_WINDOWS_DEPS; programs of the build (the C tests) run
# under Wine in a prefix of this build folder.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

# The thread model win32: nothing of it needs libwinpthread.
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
foreach(kind EXE SHARED MODULE)
  # Without the time of linking: the same sources give the same bytes.
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-static-libgcc -Wl,--no-insert-timestamp")
endforeach()

get_filename_component(hcs_root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(HCS_WINDOWS_DEPS "${hcs_root}/build/windows-deps" CACHE PATH
  "What tools/windows/dependencies made")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HCS_WINDOWS_DEPS)
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 "${HCS_WINDOWS_DEPS}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR
  "${hcs_root}/tools/windows/wine;--prefix;${CMAKE_BINARY_DIR}/prefix")
