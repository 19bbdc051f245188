# SPDX-License-Identifier: MIT
# The project as it is built with Visual Studio, as far as Debian can: clang for
# the compiler, LLVM's linker, the import libraries of mingw-w64 and, for what
# starts a DLL, start.c. tools/windows/msvc/build says what is made of it.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER "${CMAKE_CURRENT_LIST_DIR}/clang-cl")
set(CMAKE_LINKER lld-link)
set(CMAKE_AR llvm-lib)
set(CMAKE_RC_COMPILER llvm-rc)
set(CMAKE_MT true) # manifests are embedded by nothing here
# No program that CMake tries can be linked: there is no C library to start it.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

get_filename_component(hcs_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(HCS_WINDOWS_DEPS "${hcs_root}/build/windows-deps" CACHE PATH
  "What tools/windows/dependencies made")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HCS_WINDOWS_DEPS)
set(LUA_INCLUDE_DIR "${HCS_WINDOWS_DEPS}/include" CACHE PATH "")
set(LUA_LIBRARY "${HCS_WINDOWS_DEPS}/lib/liblua54.dll.a" CACHE FILEPATH "")
