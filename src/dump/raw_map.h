/* SPDX-License-Identifier: MIT
 * What a raw dump cannot say of itself: PATH.map says it, in JSON. It is what
 * such a dump is opened by. Numbers are texts in hexadecimal, since many
 * readers of JSON would round them. */
#ifndef HCS_DUMP_RAW_MAP_H
#define HCS_DUMP_RAW_MAP_H

#include "writer.h"

#define RAW_MAP_ENDING ".map"
#define RAW_MAP_BEGIN "{\"Format\":\"lua-hcs raw memory\","
#define RAW_MAP_VERSION 1
#define RAW_MAP_MOST (UINT32_C(4) << 20) /* bytes */

HRESULT raw_map_write(struct writer *writer, struct buf *out,
                      struct hcs_error *error);

#endif
