/* SPDX-License-Identifier: MIT
 * What may be done in which state. */
#include "vm_private.h"

enum rule { OK, NO, GONE };

struct row {
    HCS_OPERATION_TYPE verb;
    const char *name;
    unsigned char rules[5]; /* by enum vm_state */
};

/* clang-format off */
static const struct row rows[] = {
    /* by state:        Created, Running, Paused, Stopped, SavedAsTemplate */
    {HcsOperationTypeStart,         "start",     {OK, NO, NO, GONE, NO}},
    {HcsOperationTypePause,         "pause",     {NO, OK, NO, GONE, NO}},
    {HcsOperationTypeResume,        "resume",    {NO, NO, OK, GONE, NO}},
    {HcsOperationTypeSave,          "save",      {NO, NO, OK, GONE, NO}},
    {HcsOperationTypeShutdown,      "shut down", {NO, OK, NO, GONE, NO}},
    {HcsOperationTypeTerminate,     "terminate", {OK, OK, OK, GONE, OK}},
    {HcsOperationTypeCrash,         "crash",     {NO, OK, NO, GONE, NO}},
    {HcsOperationTypeModify,        "modify",    {OK, OK, NO, GONE, NO}},
    {HcsOperationTypeGetProperties, "query",     {OK, OK, OK, OK, OK}},
};
/* clang-format on */

static const char *const state_names[] = {
    [VM_CREATED] = "Created",
    [VM_RUNNING] = "Running",
    [VM_PAUSED] = "Paused",
    [VM_STOPPED] = "Stopped",
    [VM_SAVED_AS_TEMPLATE] = "SavedAsTemplate",
};

const char *vm_state_name(enum vm_state state) {
    return state_names[state];
}

static const struct row *find(HCS_OPERATION_TYPE verb) {
    for (size_t i = 0; i < HCS_COUNT(rows); i++)
        if (rows[i].verb == verb)
            return &rows[i];
    return NULL;
}

const char *vm_verb_name(HCS_OPERATION_TYPE verb) {
    const struct row *row = find(verb);
    return row ? row->name : "use";
}

HRESULT vm_rule(HCS_OPERATION_TYPE verb, enum vm_state state,
                struct hcs_error *error) {
    const struct row *row = find(verb);
    if (!row)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "operation %d is not one of a virtual machine",
                         (int)verb);
    switch ((enum rule)row->rules[state]) {
    case OK:
        return S_OK;
    case NO:
        return error_set(error, HCS_E_INVALID_STATE, NULL,
                         "cannot %s a system that is %s", row->name,
                         state_names[state]);
    case GONE:
        break;
    }
    return error_set(error, HCS_E_SYSTEM_ALREADY_STOPPED, NULL,
                     "cannot %s a system that has exited", row->name);
}
