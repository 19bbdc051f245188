/* SPDX-License-Identifier: MIT */
#include "lhcs.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"

void machine_end_process(int status) {
    _exit(status);
}

void machine_no_windows(void) {
    /* none ever does here */
}

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

int lhcs_machine(lua_State *L) {
    struct utsname names;
    if (uname(&names) != 0)
        return lhcs_fail(L, hresult_from_errno(errno), strerror(errno));
    lua_createtable(L, 0, 5);
    set_text(L, "system", names.sysname);
    set_text(L, "version", names.release);
    set_text(L, "architecture", names.machine);
    set_text(L, "name", names.nodename);
    return 1;
}

void lhcs_push_machine_only(lua_State *L) {
    (void)L; /* here everything is everywhere */
}
