/* SPDX-License-Identifier: MIT
 * What went wrong, in the caller's own memory.
 *
 * Contract: every function that can fail returns an HRESULT and takes a
 * `struct hcs_error *` last. On failure it fills the structure (NULL is
 * allowed), on success it leaves it alone. Nothing here allocates. */
#ifndef HCS_ERROR_H
#define HCS_ERROR_H

#include <stdarg.h>

#include "compiler.h"
#include "hresult.h"

struct hcs_error {
    HRESULT code;
    char path[192]; /* JSON path ("$.VirtualMachine.Chipset") or "" */
    char text[448]; /* one sentence in English; always UTF-8 */
};

/* Fill `error` and return `code`. `path` may be NULL. */
HRESULT error_set(struct hcs_error *error, HRESULT code, const char *path,
                  const char *format, ...) HCS_PRINTF(4, 5);

/* Put "<prefix>: " before the text that is there; returns error->code, or
 * `code` when error is NULL. */
HRESULT error_wrap(struct hcs_error *error, HRESULT code, const char *format,
                   ...) HCS_PRINTF(3, 4);

/* The same for a failed system call: the errno's text is added and the code
 * is the HRESULT that Windows gives for the same cause. */
HRESULT error_errno(struct hcs_error *error, int number, const char *format,
                    ...) HCS_PRINTF(3, 4);

#ifdef _WIN32
/* The same for what GetLastError says. */
HRESULT error_win32(struct hcs_error *error, DWORD code, const char *format,
                    ...) HCS_PRINTF(3, 4);
#endif

/* What the two above are made of: "<format>: <why>" becomes the text. */
HRESULT error_because(struct hcs_error *error, HRESULT code, const char *why,
                      const char *format, va_list args) HCS_PRINTF(4, 0);

/* The HRESULT for an errno (ENOENT -> 0x80070002, EACCES -> 0x80070005 …). */
HRESULT hresult_from_errno(int number);

/* "HCS_E_INVALID_STATE", "E_INVALIDARG" …, or NULL for one we do not name. */
const char *hresult_symbol(HRESULT code);

/* A sentence for a code we name ("The operation is not legal in the current
 * state of the system."), or NULL. */
const char *hresult_text(HRESULT code);

#endif
