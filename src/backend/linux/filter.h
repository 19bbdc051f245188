/* SPDX-License-Identifier: MIT
 * The kernel's packet filter, by libnftables. A transaction is a text; it
 * comes into force as a whole or not at all. */
#ifndef HCS_LINUX_FILTER_H
#define HCS_LINUX_FILTER_H

#include "../../base/buf.h"
#include "../../base/error.h"

struct nft_ctx;

/* In the namespace of the calling thread, where it stays. The tables that it
 * makes as its own ("flags owner") vanish with it. */
HRESULT filter_open(struct nft_ctx **out, struct hcs_error *error);
void filter_close(struct nft_ctx *filter); /* NULL is fine */

HRESULT filter_run(struct nft_ctx *filter, const struct buf *transaction,
                   struct hcs_error *error);
/* All that is in the namespace's packet filter, malloc'd. */
HRESULT filter_text(struct nft_ctx *filter, char **out,
                    struct hcs_error *error);
/* The packets that a named counter has counted. */
HRESULT filter_count(struct nft_ctx *filter, const char *family,
                     const char *counter, uint64_t *packets,
                     struct hcs_error *error);

#endif
