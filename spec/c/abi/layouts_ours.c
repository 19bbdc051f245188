/* SPDX-License-Identifier: MIT
 * The layouts of src/abi's own headers. */
#include "abi/dump_types.h"
#include "abi/hcn_types.h"

#define HCS_NEW_VALUE(constant, value) HCS_VALUE(constant, value)
#define LAYOUTS_OF_DUMPS
#include "layouts.h"
