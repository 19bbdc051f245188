/* SPDX-License-Identifier: MIT
 * The one place for compiler extensions. */
#ifndef HCS_COMPILER_H
#define HCS_COMPILER_H

/* mingw's gcc takes "printf" for that of Microsoft's old library, which is not
 * the one that C11 programs get. */
#if defined(__MINGW32__) && !defined(__clang__)
#define HCS_PRINTF(text, first) __attribute__((format(gnu_printf, text, first)))
#elif defined(__GNUC__)
#define HCS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define HCS_PRINTF(text, first)
#endif

#if defined(__GNUC__)
#define HCS_UNUSED __attribute__((unused))
#define HCS_NORETURN __attribute__((noreturn))
#else
#define HCS_UNUSED
#define HCS_NORETURN
#endif

#define HCS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The structure that holds `member` at `pointer`. */
#define HCS_CONTAINER(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
