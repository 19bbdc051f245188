# SPDX-License-Identifier: MIT
# Warnings and sanitizers for every target of ours.
if(MSVC)
  add_compile_options(/W4 /utf-8)
  if(HCS_WERROR)
    add_compile_options(/WX)
  endif()
else()
  add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes)
  if(HCS_WERROR)
    add_compile_options(-Werror)
  endif()
endif()

# Which system's functions the headers are to declare: Windows 10 and later.
if(WIN32)
  add_compile_definitions(_WIN32_WINNT=0x0A00)
else()
  add_compile_definitions(_GNU_SOURCE)
endif()

if(HCS_SANITIZE)
  add_compile_options(-fsanitize=${HCS_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${HCS_SANITIZE})
endif()
