/* SPDX-License-Identifier: MIT
 * Locales are compiled for the test, since few machines have them. */
#include "locales.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "unit.h"

/* Makes a locale in a folder of its own; false where its source or localedef
 * is not installed. */
static bool make_locale(const char *folder, const char *name) {
    char command[512];
    snprintf(command, sizeof command,
             "timeout 60 localedef -c -i %s -f UTF-8 %s/%s.UTF-8 2>/dev/null",
             name, folder, name);
    return system(command) == 0;
}

static bool check_in(const char *folder, const char *name,
                     void (*check)(void)) {
    char full[32];
    snprintf(full, sizeof full, "%s.UTF-8", name);
    if (!make_locale(folder, name))
        return false;
    setenv("LOCPATH", folder, 1);
    assert_non_null(setlocale(LC_ALL, full));
    check();
    setlocale(LC_ALL, "C");
    return true;
}

/* A decimal comma, and a separator of two bytes. */
bool locales_each(void (*check)(void)) {
    static const char *const names[] = {"de_DE", "ps_AF"};
    char folder[] = "/tmp/hcs-locale-XXXXXX";
    char command[64];
    size_t checked = 0;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < HCS_COUNT(names); i++)
        checked += check_in(folder, names[i], check);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    assert_true(checked == 0 || checked == HCS_COUNT(names));
    return checked > 0;
}
