# SPDX-License-Identifier: MIT
# Where things go: the module, the host library, the worker and the daemon of
# networks side by side in hcs/ below a directory of Lua's C path, the rest in
# hcs/ below one of its path. luarocks says which two directories; else they are
# Lua's own.
set(HCS_INSTALL_CPATH "${CMAKE_INSTALL_LIBDIR}/lua/5.4" CACHE STRING
  "Directory on Lua's C path to install to")
set(HCS_INSTALL_PATH "${CMAKE_INSTALL_DATADIR}/lua/5.4" CACHE STRING
  "Directory on Lua's path to install to")

foreach(target hcs_core hcshost hcs-vmwp hcs-provider hcs-hostd)
  if(TARGET ${target})
    install(TARGETS ${target}
      LIBRARY DESTINATION "${HCS_INSTALL_CPATH}/hcs" NAMELINK_SKIP
      RUNTIME DESTINATION "${HCS_INSTALL_CPATH}/hcs")
  endif()
endforeach()
# The command hcs. luarocks installs it itself; on Windows tools/package does.
option(HCS_INSTALL_COMMAND "Install the command hcs" ON)
if(HCS_INSTALL_COMMAND AND NOT WIN32)
  install(PROGRAMS "${CMAKE_SOURCE_DIR}/bin/hcs.lua"
    DESTINATION "${CMAKE_INSTALL_BINDIR}" RENAME hcs)
endif()
install(DIRECTORY "${CMAKE_SOURCE_DIR}/lua/hcs" DESTINATION "${HCS_INSTALL_PATH}"
  FILES_MATCHING PATTERN "*.lua")
