/* SPDX-License-Identifier: MIT
 * Systems on which no host has real networks. */
#include "hcn_remote.h"

static HRESULT refuse(struct hcs_error *error) {
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "there are no real networks on this system");
}

HRESULT remote_open(struct host *host, struct hcs_error *error) {
    (void)host;
    return refuse(error);
}

void remote_close(struct host *host) {
    (void)host;
}

void remote_free(struct hcn_remote *remote) {
    (void)remote;
}

HRESULT remote_request(struct host *host, uint64_t service,
                       const struct net_request *request,
                       struct net_reply *reply, uint64_t *carried) {
    struct hcs_error error;

    (void)host;
    (void)request;
    *carried = service;
    return hcn_refuse(reply, refuse(&error), &error);
}

HRESULT remote_listen(struct host *host, struct hcs_error *error) {
    (void)host;
    return refuse(error);
}

void remote_deafen(struct host *host) {
    (void)host;
}

HRESULT remote_dial(struct host *host, const char *address, uint16_t port,
                    int *fd, struct hcs_error *error) {
    (void)host;
    (void)address;
    (void)port;
    *fd = -1;
    return refuse(error);
}

HRESULT remote_plan(struct host *host, const struct net_request *request,
                    char **document, struct hcs_error *error) {
    (void)host;
    (void)request;
    *document = NULL;
    return refuse(error);
}

HRESULT remote_count(struct host *host, struct hcn_counts *out,
                     struct hcs_error *error) {
    (void)host;
    (void)out;
    return refuse(error);
}

bool remote_pump(struct host *host) {
    (void)host;
    return false;
}
