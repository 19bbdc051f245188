/* SPDX-License-Identifier: MIT
 * Doubles as JSON text, whatever the locale. */
#ifndef HCS_JSON_NUMBER_H
#define HCS_JSON_NUMBER_H

#include <stddef.h>

#define JSON_DOUBLE_SIZE 48

/* Writes a finite number so that it reads back as the same JSON_DOUBLE;
 * returns the length. */
size_t json_format_double(double value, char out[JSON_DOUBLE_SIZE]);

#endif
