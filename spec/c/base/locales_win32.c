/* SPDX-License-Identifier: MIT */
#include "locales.h"

#include <locale.h>

#include "unit.h"

bool locales_each(void (*check)(void)) {
    if (!setlocale(LC_ALL, "German_Germany.1252"))
        return false;
    check();
    setlocale(LC_ALL, "C");
    return true;
}
