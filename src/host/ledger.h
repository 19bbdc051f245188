/* SPDX-License-Identifier: MIT
 * Who was granted access to which file, kept in memory: what the entries of a
 * file's access list are on Windows. */
#ifndef HCS_HOST_LEDGER_H
#define HCS_HOST_LEDGER_H

#include "../base/list.h"
#include "../base/error.h"

struct ledger {
    struct link grants;
};

void ledger_init(struct ledger *ledger);
void ledger_free(struct ledger *ledger);
/* `runtime_id` NULL: all systems. Granting twice is granting once. */
HRESULT ledger_grant(struct ledger *ledger, const char *runtime_id,
                     const char *path, struct hcs_error *error);
/* Whether there was such a grant. */
bool ledger_revoke(struct ledger *ledger, const char *runtime_id,
                   const char *path);
/* Whether the system may open the file: by a grant of it or of its folder, to
 * it or to all. */
bool ledger_allows(const struct ledger *ledger, const char *runtime_id,
                   const char *path);

#endif
