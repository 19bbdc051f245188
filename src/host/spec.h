/* SPDX-License-Identifier: MIT
 * What a host is to be, from text: "kind:?option=value&…". */
#ifndef HCS_HOST_SPEC_H
#define HCS_HOST_SPEC_H

#include <stdbool.h>

#include "../abi/hcshost.h"
#include "../base/error.h"

#define HOST_BUILD_DEFAULT 26100

enum host_kind { HOST_SIM, HOST_QEMU };

struct host_spec {
    enum host_kind kind;
    int build;
    HCSHOST_DRIVER driver;
    HCSHOST_CLOCK clock;
    uint64_t seed;
    int64_t latency; /* ns */
    bool access_open;
    bool strict;
    char *root;             /* NULL: the default */
    char *accelerator;      /* "auto", "kvm" or "tcg" */
    bool allow_host_change; /* networks may touch the machine's own */
};

/* E_INVALIDARG names what is wrong and the nearest that is known. On success
 * the spec is to be freed. */
HRESULT host_spec_parse(const char *text, struct host_spec *spec,
                        struct hcs_error *error);
void host_spec_free(struct host_spec *spec);

const char *host_kind_name(enum host_kind kind);
const char *host_driver_name(HCSHOST_DRIVER driver);
const char *host_clock_name(HCSHOST_CLOCK clock);

#endif
