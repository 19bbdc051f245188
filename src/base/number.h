/* SPDX-License-Identifier: MIT
 * What kind of double it is. The macros of <math.h> look at three types at
 * once and make some compilers warn of the two that it is not. */
#ifndef HCS_NUMBER_H
#define HCS_NUMBER_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Neither infinite nor "not a number". */
static inline bool number_is_finite(double value) {
    return fabs(value) <= DBL_MAX;
}

/* Finite and of full precision. */
static inline bool number_is_normal(double value) {
    return number_is_finite(value) && fabs(value) >= DBL_MIN;
}

#endif
