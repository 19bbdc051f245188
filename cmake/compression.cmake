# SPDX-License-Identifier: MIT
# zlib and zstd as far as this machine has them. Pages of kdump files are
# compressed by them.
add_library(hcs_compression INTERFACE)

# A Windows DLL needs no other than Windows' own.
if(WIN32)
  set(ZLIB_USE_STATIC_LIBS ON)
endif()
find_package(ZLIB)
if(ZLIB_FOUND)
  target_compile_definitions(hcs_compression INTERFACE HCS_HAS_ZLIB)
  target_link_libraries(hcs_compression INTERFACE ZLIB::ZLIB)
endif()
if(NOT WIN32)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
  target_compile_definitions(hcs_compression INTERFACE HCS_HAS_ZSTD)
  target_link_libraries(hcs_compression INTERFACE PkgConfig::ZSTD)
endif()
