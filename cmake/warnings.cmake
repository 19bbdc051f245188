# SPDX-License-Identifier: MIT
# Warnings, the language's dialect and sanitizers for every target of ours.
if(MSVC)
  # 4204, 4221: initialisers that are plain C99. 4127: a constant condition.
  add_compile_options(/W4 /wd4127 /wd4204 /wd4221 /utf-8)
  add_compile_definitions(_CRT_SECURE_NO_WARNINGS _CRT_NONSTDC_NO_WARNINGS)
  if(CMAKE_C_COMPILER_ID STREQUAL "MSVC")
    # <stdatomic.h>, which needs Visual Studio 2022 17.5 or later.
    add_compile_options(/experimental:c11atomics)
  endif()
  if(HCS_WERROR)
    add_compile_options(/WX)
  endif()
else()
  add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes)
  if(HCS_WERROR)
    add_compile_options(-Werror)
  endif()
endif()

if(WIN32)
  # Windows 10 and what came after it.
  add_compile_definitions(_WIN32_WINNT=0x0A00)
else()
  add_compile_definitions(_GNU_SOURCE)
endif()

if(HCS_SANITIZE)
  add_compile_options(-fsanitize=${HCS_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${HCS_SANITIZE})
  # The sanitizers guess where a library's thread-local variables end when it is
  # loaded late, and take what lies before them for the answer where they begin 16
  # bytes into a page: then the process ends for want of terabytes of shadow.
  add_compile_options(-ftls-model=initial-exec)
endif()
