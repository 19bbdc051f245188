/* SPDX-License-Identifier: MIT
 * What every test program of this room includes. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faults.h"

/* An HRESULT prints as Microsoft writes it. */
#define assert_hr(actual, expected) \
    assert_int_equal((uint32_t)(actual), (uint32_t)(expected))

#endif
