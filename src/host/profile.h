/* SPDX-License-Identifier: MIT
 * What a Windows build exports. */
#ifndef HCS_HOST_PROFILE_H
#define HCS_HOST_PROFILE_H

/* The address of a function of the ABI or of the embedded host, or NULL where
 * `build` does not have it. */
void *profile_function(const char *name, int build);

#endif
