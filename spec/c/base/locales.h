/* SPDX-License-Identifier: MIT */
#ifndef LOCALES_H
#define LOCALES_H

#include <stdbool.h>

/* Runs `check` in some locales whose decimal point is none. False: there are
 * none to be had here. */
bool locales_each(void (*check)(void));

#endif
