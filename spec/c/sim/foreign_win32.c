/* SPDX-License-Identifier: MIT */
#include "foreign.h"

const struct foreign foreign[] = {
    {"/a/b.vmgs", "/a/B.VMGS", false},
    {"/nowhere/at/all", "/nowhere\\at\\all", false},
};
const size_t foreign_count = sizeof foreign / sizeof foreign[0];
const char foreign_state[] = "/vm/state.vmrs";
