/* SPDX-License-Identifier: MIT */
#include "foreign.h"

const struct foreign foreign[] = {
    {"C:\\a\\b.vmgs", "c:\\A/B.VMGS", true},
    {"\\\\srv\\x", "\\\\SRV\\X", true},
    {"D:\\x", "D:\\x\\", false},
};
const size_t foreign_count = sizeof foreign / sizeof foreign[0];
const char foreign_state[] = "C:\\\\vm\\\\state.vmrs";
