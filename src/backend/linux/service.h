/* SPDX-License-Identifier: MIT
 * A network's DHCP and DNS. */
#ifndef HCS_LINUX_SERVICE_H
#define HCS_LINUX_SERVICE_H

#include "inside.h"
#include "program.h"

#define SERVICE_TRIES 5
#define SERVICE_PATH 256
#define SERVICE_ARGUMENTS 96

struct service {
    struct program program;
    bool dhcp, dns;
    int64_t started; /* monotonic ns */
    unsigned failures;
    char hosts[SERVICE_PATH]; /* who gets which address */
    char names[SERVICE_PATH]; /* who is found by which name */
    char sizes[SERVICE_PATH]; /* whose packets are how long */
    uint64_t mark;            /* of what is in that */
};

struct arguments {
    struct arena arena;
    char *items[SERVICE_ARGUMENTS + 1];
    size_t count;
    bool failed;
};

/* --- service_files.c --------------------------------------------------- */

/* An endpoint's lines. */
void service_put_endpoint(const struct endpoint *endpoint, struct buf *hosts,
                          struct buf *names, struct buf *sizes);
/* The program's; the caller frees the arena. */
HRESULT service_arguments(const struct plane *plane,
                          const struct network *network, struct arguments *out,
                          struct hcs_error *error);

#endif
