/* SPDX-License-Identifier: MIT
 * The documents that calls hand back, in memory that LocalFree and
 * CoTaskMemFree free. */
#ifndef HCS_HOST_RESULT_H
#define HCS_HOST_RESULT_H

#include "../base/json.h"
#include "spec.h"

/* UTF-8 text as a result: NULL for NULL, or when memory has run out.
 * *length, which may be NULL, is in units. */
PWSTR result_text(const char *text, size_t *length);
PWSTR result_copy(PCWSTR text, size_t length);

/* Writes a ResultError as the build would. `type` is the operation that
 * failed, or HcsOperationTypeNone. */
void result_write_error(struct json_writer *w, int build,
                        HCS_OPERATION_TYPE type, HRESULT result,
                        const struct hcs_error *error);
/* The same as a result; NULL when memory has run out. */
PWSTR result_error(int build, HCS_OPERATION_TYPE type, HRESULT result,
                   const struct hcs_error *error, size_t *length);
/* Takes a buffer's text as a result: HCS_E_OPERATION_RESULT_ALLOCATION_FAILED
 * when there is no memory for it. */
HRESULT result_take(struct buf *text, PWSTR *out);

#endif
