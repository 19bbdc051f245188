/* SPDX-License-Identifier: MIT
 * What is this plane's own beside the vtable. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/hresult_hcn.h"
#include "call.h"

static HRESULT give(int from, int *fd, struct hcs_error *error) {
    *fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
    return *fd < 0 ? error_errno(error, errno, "a descriptor") : S_OK;
}

static HRESULT work_tap(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint;
    HRESULT hr = call_endpoint(call, &endpoint, error);

    if (FAILED(hr))
        return hr;
    if (endpoint->port.tap < 0)
        return error_set(error, HCN_E_ENDPOINT_NOT_ATTACHED, NULL,
                         "the endpoint is not attached to a virtual machine");
    return give(endpoint->port.tap, call->out, error);
}

HRESULT linux_plane_tap(struct plane *plane, const struct guid *endpoint,
                        int *fd, struct hcs_error *error) {
    *fd = -1;
    return call_crew(work_tap, plane, NULL, endpoint, fd, error);
}

static HRESULT need_space(const struct call *call, int *fd,
                          struct hcs_error *error) {
    struct space *space;

    *fd = call->plane->home;
    if (!call->id)
        return S_OK;
    space = find_space(call->plane, call->id);
    if (!space)
        return error_set(error, HR_NOT_FOUND, NULL,
                         "the plane has no such namespace");
    *fd = space->fd;
    return S_OK;
}

static HRESULT work_namespace(void *context, struct hcs_error *error) {
    struct call *call = context;
    int fd;
    HRESULT hr = need_space(call, &fd, error);

    return FAILED(hr) ? hr : give(fd, call->out, error);
}

HRESULT linux_plane_namespace(struct plane *plane, const struct guid *space,
                              int *fd, struct hcs_error *error) {
    *fd = -1;
    return call_crew(work_namespace, plane, NULL, space, fd, error);
}

HRESULT socket_in(struct plane *plane, int space,
                  const struct socket_wish *wish, int *fd,
                  struct hcs_error *error) {
    HRESULT hr = crew_enter(space, error), back;

    if (FAILED(hr))
        return hr;
    *fd = socket(wish->domain, wish->type | SOCK_CLOEXEC, wish->protocol);
    if (*fd < 0)
        hr = error_errno(error, errno, "a socket in a namespace");
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : back;
}

static HRESULT work_socket(void *context, struct hcs_error *error) {
    struct call *call = context;
    int space;
    HRESULT hr = need_space(call, &space, error);

    return FAILED(hr)
               ? hr
               : socket_in(call->plane, space, call->told, call->out, error);
}

HRESULT linux_plane_socket(struct plane *plane, const struct guid *space,
                           int domain, int type, int protocol, int *fd,
                           struct hcs_error *error) {
    struct socket_wish wish = {domain, type, protocol};

    *fd = -1;
    return call_crew(work_socket, plane, &wish, space, fd, error);
}

struct outside_reply {
    int *fd;
    struct ip_address *host;
};

static HRESULT work_outside(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct outside_reply *reply = call->out;

    return world_socket(call->plane, call->told, reply->fd, reply->host, error);
}

HRESULT linux_plane_outside(struct plane *plane, int domain, int type,
                            int protocol, int *fd, struct ip_address *host,
                            struct hcs_error *error) {
    struct socket_wish wish = {domain, type, protocol};
    struct outside_reply reply = {fd, host};

    *fd = -1;
    return call_crew(work_outside, plane, &wish, NULL, &reply, error);
}

static HRESULT work_offer(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint;
    HRESULT hr = call_endpoint(call, &endpoint, error);
    const int *tap = call->told;
    int copy = -1;

    if (SUCCEEDED(hr) && *tap >= 0 && !tap_is(*tap))
        hr = error_set(error, E_INVALIDARG, NULL,
                       "what was given is not a tap of a virtual machine");
    if (SUCCEEDED(hr) && *tap >= 0)
        hr = give(*tap, &copy, error);
    if (FAILED(hr))
        return hr;
    if (endpoint->offer >= 0)
        close(endpoint->offer);
    endpoint->offer = copy;
    return S_OK;
}

HRESULT linux_plane_offer(struct plane *plane, const struct guid *endpoint,
                          int tap, struct hcs_error *error) {
    return call_crew(work_offer, plane, &tap, endpoint, NULL, error);
}

static HRESULT work_uplink(void *context, struct hcs_error *error) {
    struct call *call = context;
    return uplink_open(call->plane, call->told, error);
}

HRESULT linux_plane_uplink(struct plane *plane, const struct ip_address *first,
                           struct hcs_error *error) {
    return call_crew(work_uplink, plane, first, NULL, NULL, error);
}

static HRESULT work_count(void *context, struct hcs_error *error) {
    struct call *call = context;
    return count_all(call->plane, call->out, error);
}

HRESULT linux_plane_count(struct plane *plane, struct linux_plane_counts *out,
                          struct hcs_error *error) {
    return call_crew(work_count, plane, NULL, NULL, out, error);
}

int linux_plane_pollfd(const struct plane *plane) {
    return plane->watch;
}

static HRESULT work_tend(void *context, struct hcs_error *error) {
    struct call *call = context;
    HRESULT hr = mend(call->plane, error);
    HRESULT services = service_tend(call->plane, SUCCEEDED(hr) ? error : NULL);

    return FAILED(hr) ? hr : services;
}

HRESULT linux_plane_tend(struct plane *plane, struct hcs_error *error) {
    return call_crew(work_tend, plane, NULL, NULL, NULL, error);
}
