/* SPDX-License-Identifier: MIT
 * What is asked of the machine itself, by hcs.core's functions of that name. */
#ifndef LHCS_MACHINE_H
#define LHCS_MACHINE_H

#include <lua.h>

/* What the process ends with when its time is over, as of timeout(1). */
#define LHCS_WATCHDOG_STATUS 124

/* Ends the process at once, without any clean-up, whatever its threads do. */
void machine_end_process(int status);

/* From now on a crash of the process ends it, and no window asks about it. */
void machine_no_windows(void);

/* core.machine(): a new table, see docs/selftest.md. */
int lhcs_machine(lua_State *L);

/* Puts what exists on this platform only into the table on the stack's top:
 * on Windows core.module and core.service. */
void lhcs_push_machine_only(lua_State *L);

int lhcs_watchdog(lua_State *L); /* core.watchdog */

#endif
