/* SPDX-License-Identifier: MIT
 * What the files of HCS_DUMP share. */
#ifndef LHCS_DUMP_H
#define LHCS_DUMP_H

#include "lhcs.h"

/* The embedded host's library, as far as dumps need it. */
struct dump_library {
    struct lhcs_library library;
    struct lhcs_functions hcs;
    struct lhcs_host_functions own;
    bool loaded;
};

struct dump {
    struct dump_library *library;      /* kept alive by the first user value */
    VM_SAVED_STATE_DUMP_HANDLE handle; /* NULL: closed */
    void *block;          /* of the library's, while Lua makes a value of it */
    struct buf collected; /* likewise ours */
};

/* The open dump at argument 1. */
struct dump *lhcs_check_dump(lua_State *L);
/* Pushes nil, the HRESULT and the library's sentence. */
int lhcs_dump_fail(lua_State *L, struct dump *dump, HRESULT hr);

/* Frees what was kept while Lua made a value of it. */
void lhcs_dump_drop(struct dump *dump);

int lhcs_dump_log(lua_State *L);
/* core.printable(text): the text, escaped as the log's lines are. */
int lhcs_printable(lua_State *L);
int lhcs_dump_export(lua_State *L);
void lhcs_dump_export_register(lua_State *L);

#endif
