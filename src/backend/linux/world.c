/* SPDX-License-Identifier: MIT
 * The outside as the plane's host sees it when there is no machine behind it:
 * a namespace on the other end of a pair of interfaces, from which packets
 * come in as from the world. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

#define NAME "out0"
#define FAR_NAME "eth0"
#define LOOPBACK 1

/* The host's ends; the world's are one above. Of prefixes that nobody numbers
 * a network from, the first that no network has. */
static const struct ip_prefix places4[] = {
    {{IP_V4, {192, 0, 0, 252}}, 30},
    {{IP_V4, {198, 19, 255, 252}}, 30},
    {{IP_V4, {203, 0, 113, 252}}, 30},
    {{IP_V4, {169, 254, 255, 248}}, 30},
};
static const struct ip_prefix place6 = {
    {IP_V6, {0xfd, 0x48, 0x43, 0x53, 0xff, 0xff}}, 126};

static struct ip_address at(const struct ip_prefix *prefix, unsigned n) {
    struct ip_address out;

    ip_prefix_at(prefix, n, &out);
    return out;
}

static HRESULT choose(const struct plane *plane, struct ip_prefix *out,
                      struct hcs_error *error) {
    for (size_t i = 0; i < HCS_COUNT(places4); i++)
        if (!prefix_used(plane, &places4[i])) {
            *out = places4[i];
            return S_OK;
        }
    return error_set(error, HR_DUP_NAME, NULL,
                     "networks have all addresses that the outside could "
                     "have");
}

/* One end's address, and at the world's the way to all that the host has. A
 * kernel without IPv6 has the first only. */
static HRESULT number(struct wire *wire, int index,
                      const struct ip_prefix *prefix, bool world,
                      struct hcs_error *error) {
    struct ip_address own = at(prefix, world ? 2 : 1);
    struct device_route all = {.gateway = at(prefix, 1)};
    HRESULT hr =
        device_address(wire, index, &own, prefix->length, false, error);

    all.destination.address.family = own.family;
    if (SUCCEEDED(hr))
        hr = device_up(wire, index, error);
    if (SUCCEEDED(hr) && world)
        hr = device_add_route(wire, index, &all, error);
    return hr;
}

static HRESULT furnish(struct wire *wire, int index,
                       const struct ip_prefix *four, bool world,
                       struct hcs_error *error) {
    HRESULT hr = number(wire, index, four, world, error);

    if (SUCCEEDED(hr))
        (void)number(wire, index, &place6, world, NULL);
    return hr;
}

/* Until it carries packets, and is found by its IPv6 address. */
static void settle(struct wire *wire, int index, bool world) {
    struct ip_address six = at(&place6, world ? 2 : 1);

    device_settle(wire, index);
    device_await(world ? FAR_NAME : NAME, &six);
}

/* In the world's namespace. */
static HRESULT furnish_world(const struct plane *plane, int index,
                             struct hcs_error *error) {
    struct wire wire = {.fd = -1};
    HRESULT hr = wire_open(&wire, error);

    if (SUCCEEDED(hr))
        hr = device_up(&wire, LOOPBACK, error);
    if (SUCCEEDED(hr))
        hr = furnish(&wire, index, &plane->world_prefix, true, error);
    if (SUCCEEDED(hr))
        settle(&wire, index, true);
    wire_close(&wire);
    return hr;
}

static HRESULT join(struct plane *plane, struct hcs_error *error) {
    struct device_pair pair = {.name = NAME,
                               .peer_name = FAR_NAME,
                               .peer_space = plane->world,
                               .mtu = DEVICE_MTU};
    struct device near;
    int far = 0;
    HRESULT hr = device_veth(&plane->wire, &pair, &near, error), back;

    if (SUCCEEDED(hr))
        hr = device_peer(&plane->wire, &near, &far, error);
    if (SUCCEEDED(hr))
        hr = furnish(&plane->wire, near.index, &plane->world_prefix, false,
                     error);
    if (SUCCEEDED(hr))
        hr = crew_enter(plane->world, error);
    if (FAILED(hr))
        return hr;
    hr = furnish_world(plane, far, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (SUCCEEDED(hr))
        settle(&plane->wire, near.index, false);
    return FAILED(hr) ? hr : back;
}

static HRESULT world_open(struct plane *plane, struct hcs_error *error) {
    HRESULT hr, back;

    if (plane->world >= 0)
        return S_OK;
    hr = choose(plane, &plane->world_prefix, error);
    if (FAILED(hr))
        return hr;
    hr = crew_new_space(&plane->world, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (SUCCEEDED(hr))
        hr = back;
    if (SUCCEEDED(hr))
        hr = join(plane, error);
    if (FAILED(hr))
        world_close(plane);
    return hr;
}

void world_close(struct plane *plane) {
    struct device near = {.name = NAME};

    if (SUCCEEDED(device_find(&near, NULL)))
        device_delete(&plane->wire, near.index);
    if (plane->world >= 0)
        close(plane->world);
    plane->world = -1;
    memset(&plane->world_prefix, 0, sizeof plane->world_prefix);
}

HRESULT world_socket(struct plane *plane, const struct socket_wish *wish,
                     int *fd, struct ip_address *host,
                     struct hcs_error *error) {
    HRESULT hr = world_open(plane, error);

    if (FAILED(hr))
        return hr;
    if (host)
        *host =
            at(wish->domain == AF_INET6 ? &place6 : &plane->world_prefix, 1);
    return socket_in(plane, plane->world, wish, fd, error);
}

bool world_has(const struct plane *plane, const struct ip_prefix *prefix) {
    return plane->world >= 0 &&
           (ip_prefix_overlaps(&plane->world_prefix, prefix) ||
            ip_prefix_overlaps(&place6, prefix));
}
