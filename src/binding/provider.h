/* SPDX-License-Identifier: MIT
 * Microsoft's provider of saved states, whose functions are called in a process
 * of their own (src/provider): bad input can end it. */
#ifndef LHCS_PROVIDER_H
#define LHCS_PROVIDER_H

#include "../base/error.h"

#ifdef _WIN32
/* Which DLL it is, and the program that calls it, both absolute, and how many
 * seconds a call may take. The last one chosen counts, for dumps that are
 * opened from then on. */
HRESULT provider_choose(const WCHAR *dll, const WCHAR *program,
                        unsigned seconds, struct hcs_error *error);
/* The function of that name that stands in for the DLL's, or NULL. A dump whose
 * process has ended answers how from then on: its status as an HRESULT
 * (0xD0000409 for 0xC0000409), 0x80370106, or 0x80370118 when a call took too
 * long. */
void *provider_symbol(const char *name);
#endif

#endif
