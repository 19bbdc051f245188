/* SPDX-License-Identifier: MIT
 * Holds whatever header came before against layouts.def, while compiling. */
#include <stddef.h>

#define HCS_SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), #type " has another size");
#define HCS_MEMBER(type, member, offset, bytes)            \
    _Static_assert(offsetof(type, member) == (offset),     \
                   #type "." #member " lies elsewhere");   \
    _Static_assert(sizeof(((type *)0)->member) == (bytes), \
                   #type "." #member " has another size");
#define HCS_VALUE(constant, value) \
    _Static_assert((constant) == (value), #constant " has another value");
#include "abi/layouts.def"
#ifdef LAYOUTS_OF_DUMPS
#include "abi/dump_layouts.def"
#endif
