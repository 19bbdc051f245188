/* SPDX-License-Identifier: MIT
 * The plane as a whole: its namespace and its tables, from beginning to end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../../base/text.h"
#include "inside.h"

#define LOOPBACK 1

HRESULT no_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "no memory for the network");
}

HRESULT plane_watch(const struct plane *plane, int fd,
                    struct hcs_error *error) {
    struct epoll_event event = {.events = EPOLLIN};

    if (epoll_ctl(plane->watch, EPOLL_CTL_ADD, fd, &event) != 0)
        return error_errno(error, errno, "what happens in the plane");
    return S_OK;
}

/* --- finding ----------------------------------------------------------- */

#define FIND(list, type, id)                                            \
    do {                                                                \
        for (struct link *l = (list)->next; l != (list); l = l->next) { \
            struct type *one = HCS_CONTAINER(l, struct type, link);     \
            if (memcmp(&one->id, (id), sizeof one->id) == 0)            \
                return one;                                             \
        }                                                               \
        return NULL;                                                    \
    } while (0)

struct network *find_network(const struct plane *plane, const struct guid *id) {
    FIND(&plane->networks, network, id);
}

struct endpoint *find_endpoint(const struct plane *plane,
                               const struct guid *id) {
    FIND(&plane->endpoints, endpoint, id);
}

struct space *find_space(const struct plane *plane, const struct guid *id) {
    FIND(&plane->spaces, space, id);
}

/* --- opening ----------------------------------------------------------- */

struct opening {
    struct plane *plane;
    const struct linux_plane_options *options;
};

/* The host that the plane plays passes packets on, believes no
 * advertisements, and minds not which way a packet came. */
static HRESULT settle(struct hcs_error *error) {
    static const struct {
        const char *name, *value;
        bool optional;
    } settings[] = {
        {"ipv4/ip_forward", "1", false},
        {"ipv4/conf/all/rp_filter", "0", false},
        {"ipv4/conf/default/rp_filter", "0", false},
        {"ipv4/conf/all/send_redirects", "0", false},
        {"ipv4/conf/default/send_redirects", "0", false},
        {"ipv6/conf/all/forwarding", "1", true},
        {"ipv6/conf/default/accept_ra", "0", true},
        {"ipv6/conf/default/dad_transmits", "0", true},
    };
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < HCS_COUNT(settings); i++) {
        hr = device_setting(settings[i].optional ? NULL : error,
                            settings[i].value, "%s", settings[i].name);
        if (settings[i].optional)
            hr = S_OK; /* a kernel without IPv6 */
    }
    return hr;
}

static HRESULT lay_tables(struct plane *plane, struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr = filter_open(&plane->filter, error);

    if (FAILED(hr))
        return hr;
    rules_base(&text);
    hr = filter_run(plane->filter, &text, error);
    buf_free(&text);
    return hr;
}

/* In the crew: from the machine's namespace by one for trials into its own. */
static HRESULT set_up(void *context, struct hcs_error *error) {
    struct opening *opening = context;
    struct plane *plane = opening->plane;
    int trial = -1;
    HRESULT hr = crew_here(&plane->outside, error);

    if (SUCCEEDED(hr))
        hr = crew_new_space(&trial, error);
    if (FAILED(hr))
        return hr;
    probe(&plane->can);
    close(trial);
    hr = crew_new_space(&plane->home, error);
    if (SUCCEEDED(hr))
        hr = wire_open(&plane->wire, error);
    if (SUCCEEDED(hr))
        hr = settle(error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, LOOPBACK, error);
    if (SUCCEEDED(hr))
        hr = lay_tables(plane, error);
    if (SUCCEEDED(hr))
        hr = mend_listen(&plane->gone, error);
    if (SUCCEEDED(hr))
        hr = plane_watch(plane, plane->gone, error);
    if (SUCCEEDED(hr) && opening->options->uplink.family != IP_NONE)
        hr = uplink_open(plane, &opening->options->uplink, error);
    return hr;
}

/* All interfaces at once but the taps that machines may have: one wait of the
 * kernel's instead of one for each. */
static void take_devices(struct plane *plane) {
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next) {
        struct endpoint *endpoint = HCS_CONTAINER(l, struct endpoint, link);
        if (endpoint->port.tap >= 0)
            port_down(plane, endpoint);
        endpoint->port.there = false;
    }
    if (plane->wire.fd >= 0)
        device_delete_group(&plane->wire, DEVICE_GROUP);
}

static HRESULT tear_down(void *context, struct hcs_error *error) {
    struct plane *plane = context;

    (void)error;
    plane->ending = true;
    take_devices(plane);
    while (!link_alone(&plane->endpoints))
        endpoint_down(plane, HCS_CONTAINER(plane->endpoints.previous,
                                           struct endpoint, link));
    while (!link_alone(&plane->spaces))
        space_down(plane,
                   HCS_CONTAINER(plane->spaces.previous, struct space, link));
    while (!link_alone(&plane->networks))
        network_down(plane, HCS_CONTAINER(plane->networks.previous,
                                          struct network, link));
    uplink_close(plane);
    world_close(plane);
    sweep_all(plane);
    filter_close(plane->filter);
    wire_close(&plane->wire);
    return S_OK;
}

static void plane_free(struct plane *plane) {
    if (plane->home >= 0)
        close(plane->home);
    if (plane->outside >= 0)
        close(plane->outside);
    if (plane->gone >= 0)
        close(plane->gone);
    if (plane->watch >= 0)
        close(plane->watch);
    free(plane->directory);
    free(plane->dnsmasq);
    free(plane);
}

static HRESULT plane_new(const struct linux_plane_options *options,
                         struct plane **out, struct hcs_error *error) {
    struct plane *plane = calloc(1, sizeof *plane);

    *out = plane;
    if (!plane)
        return no_memory(error);
    plane->outside = -1;
    plane->home = -1;
    plane->wire.fd = -1;
    plane->world = -1;
    plane->gone = -1;
    cable_none(&plane->cable);
    link_init(&plane->networks);
    link_init(&plane->endpoints);
    link_init(&plane->spaces);
    plane->watch = epoll_create1(EPOLL_CLOEXEC);
    if (plane->watch < 0)
        return error_errno(error, errno, "the plane's watch");
    if (options->directory) {
        plane->directory = text_copy(options->directory);
        if (!plane->directory)
            return no_memory(error);
        service_sweep(options->directory);
        plane->dnsmasq = service_find(options->dnsmasq);
    }
    return S_OK;
}

void plane_destroy(struct plane *plane) {
    if (!plane)
        return;
    crew_run(&plane->crew, tear_down, plane, NULL);
    crew_stop(&plane->crew);
    plane_free(plane);
}

HRESULT linux_plane_open(const struct linux_plane_options *options,
                         struct plane **out, struct hcs_error *error) {
    struct opening opening = {NULL, options};
    struct plane *plane;
    HRESULT hr;

    *out = NULL;
    if (options->directory && strlen(options->directory) > 200)
        return error_set(error, E_INVALIDARG, NULL,
                         "the directory's name is too long");
    hr = plane_new(options, &plane, error);
    if (SUCCEEDED(hr))
        hr = crew_start(&plane->crew, error);
    if (FAILED(hr)) {
        if (plane)
            plane_free(plane);
        return hr;
    }
    opening.plane = plane;
    hr = crew_run(&plane->crew, set_up, &opening, error);
    if (FAILED(hr)) {
        plane_destroy(plane);
        return hr;
    }
    *out = plane;
    return S_OK;
}
