/* SPDX-License-Identifier: MIT
 * DHCP and DNS of a network, by a dnsmasq of its own: each endpoint gets its
 * own address and no other, by its MAC, and is found by its name if that is
 * one that DNS can have. */
#include "service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "../../base/file.h"
#include "../../base/hresult_hcn.h"
#include "../../base/text.h"

#define STARTING (INT64_C(2) * 1000000000) /* ns it may take to be there */
#define HOSTS_END ".dhcp"
#define NAMES_END ".dns"
#define SIZES_END ".mtu"
#define PAUSE 5000000 /* ns between looks */

/* Whether such a network is to have one of what `wanted` says. */
static bool wants(enum plane_mode mode, uint32_t flags, uint32_t wanted) {
    return mode == PLANE_ICS || (flags & wanted) != 0;
}

bool service_wanted(const struct plane_network *told) {
    return wants(told->mode, told->flags,
                 PLANE_NETWORK_DHCP | PLANE_NETWORK_DNS);
}

/* Whether the host has an address of the family (IP_NONE: of any) there. */
static bool serves(const struct plane_subnet *subnets, size_t count,
                   enum ip_family family) {
    for (size_t i = 0; i < count; i++) {
        const struct ip_address *gateway = &subnets[i].gateway;

        if (subnet_has_gateway(&subnets[i]) &&
            (family == IP_NONE || gateway->family == family))
            return true;
    }
    return false;
}

HRESULT service_check(const struct plane *plane,
                      const struct plane_network *told,
                      struct hcs_error *error) {
    const struct plane_subnet *subnets = told->subnets;
    size_t count = network_has_host(told) ? told->subnet_count : 0;

    if (!service_wanted(told))
        return S_OK;
    if (!plane->dnsmasq)
        return error_set(error, HCN_E_REQUEST_UNSUPPORTED, "$.Flags",
                         "DHCP and DNS need dnsmasq, which this host does not "
                         "have");
    if (!serves(subnets, count, IP_NONE))
        return error_set(error, HCN_E_REQUEST_UNSUPPORTED, "$.Flags",
                         "the gateway serves DHCP and DNS, and the network has "
                         "none");
    if (!wants(told->mode, told->flags, PLANE_NETWORK_DNS) &&
        !serves(subnets, count, IP_V4))
        return error_set(error, HCN_E_REQUEST_UNSUPPORTED, "$.Flags",
                         "an IPv4 gateway serves DHCP, and the network has "
                         "none");
    return S_OK;
}

char *service_find(const char *wanted) {
    static const char *const places[] = {"/usr/sbin/dnsmasq", "/sbin/dnsmasq",
                                         "/usr/local/sbin/dnsmasq",
                                         "/usr/bin/dnsmasq"};

    if (wanted)
        return access(wanted, X_OK) == 0 ? text_copy(wanted) : NULL;
    for (size_t i = 0; i < HCS_COUNT(places); i++)
        if (access(places[i], X_OK) == 0)
            return text_copy(places[i]);
    return NULL;
}

/* --- its files --------------------------------------------------------- */

static HRESULT write_file(const char *path, const struct buf *text,
                          struct hcs_error *error) {
    hcs_file file = HCS_NO_FILE;
    HRESULT hr, closed;

    if (text->failed)
        return no_memory(error);
    hr = file_open_to_write(path, false, &file, error);
    if (FAILED(hr))
        return hr;
    if (text->length > 0)
        hr = file_write_all(file, text->data, text->length, error);
    closed = file_close(file, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : closed;
}

/* Two texts that differ have different ones. */
static uint64_t mark_of(const struct buf *text) {
    uint64_t mark = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < text->length; i++)
        mark = (mark ^ (unsigned char)text->data[i]) * UINT64_C(1099511628211);
    return mark;
}

static HRESULT write_files(struct plane *plane, const struct network *network,
                           struct hcs_error *error) {
    struct service *service = network->service;
    struct buf hosts = {0}, names = {0}, sizes = {0};
    HRESULT hr;

    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next) {
        const struct endpoint *one = HCS_CONTAINER(l, struct endpoint, link);
        if (one->network->serial == network->serial)
            service_put_endpoint(one, &hosts, &names, &sizes);
    }
    hr = write_file(service->hosts, &hosts, error);
    if (SUCCEEDED(hr))
        hr = write_file(service->names, &names, error);
    if (SUCCEEDED(hr))
        hr = write_file(service->sizes, &sizes, error);
    service->mark = mark_of(&sizes);
    buf_free(&hosts);
    buf_free(&names);
    buf_free(&sizes);
    return hr;
}

static bool is_ours(const char *name) {
    char id[GUID_TEXT_SIZE];
    struct guid guid;

    if (strlen(name) < GUID_TEXT_SIZE)
        return false;
    memcpy(id, name, GUID_TEXT_SIZE - 1);
    id[GUID_TEXT_SIZE - 1] = 0;
    return guid_parse(id, &guid) &&
           (strcmp(name + GUID_TEXT_SIZE - 1, HOSTS_END) == 0 ||
            strcmp(name + GUID_TEXT_SIZE - 1, NAMES_END) == 0 ||
            strcmp(name + GUID_TEXT_SIZE - 1, SIZES_END) == 0);
}

void service_sweep(const char *directory) {
    DIR *folder = opendir(directory);

    if (!folder)
        return; /* who needs it will say so */
    for (struct dirent *entry; (entry = readdir(folder));)
        if (is_ours(entry->d_name))
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

/* --- starting ---------------------------------------------------------- */

/* Lines are "  12: 00000000:0043 …". */
static size_t count_in(const char *path) {
    char line[256];
    size_t count = 0;
    FILE *file = fopen(path, "re");

    while (file && fgets(line, sizeof line, file)) {
        unsigned port;
        if (sscanf(line, " %*u: %*32[0-9A-Fa-f]:%4x", &port) == 1)
            count += port == 67 || port == 53;
    }
    if (file)
        fclose(file);
    return count;
}

/* How many sockets for DHCP and DNS there are in the plane's namespace. */
static size_t count_sockets(void) {
    return count_in("/proc/thread-self/net/udp") +
           count_in("/proc/thread-self/net/udp6");
}

static HRESULT await(struct service *service, size_t before,
                     struct hcs_error *error) {
    const struct timespec pause = {0, PAUSE};
    int64_t deadline = clock_monotonic() + STARTING;

    while (count_sockets() <= before) {
        if (program_ended(&service->program))
            return error_set(error, HCS_E_SERVICE_NOT_AVAILABLE, NULL,
                             "the network's DHCP and DNS ended as it began");
        if (clock_monotonic() > deadline)
            return error_set(error, HR_TIMEOUT, NULL,
                             "the network's DHCP and DNS does not start");
        nanosleep(&pause, NULL);
    }
    return S_OK;
}

static void decide(const struct network *network, struct service *service) {
    service->dns = wants(network->mode, network->flags, PLANE_NETWORK_DNS);
    service->dhcp = wants(network->mode, network->flags, PLANE_NETWORK_DHCP) &&
                    serves(network->subnets, network->subnet_count, IP_V4);
}

static HRESULT launch(struct plane *plane, const struct network *network,
                      struct hcs_error *error) {
    struct service *service = network->service;
    size_t before = count_sockets();
    struct arguments arguments = {0};
    HRESULT hr = write_files(plane, network, error);

    decide(network, service);
    if (SUCCEEDED(hr))
        hr = service_arguments(plane, network, &arguments, error);
    if (SUCCEEDED(hr))
        hr = program_start(arguments.items, &service->program, error);
    arena_free(&arguments.arena);
    if (FAILED(hr))
        return hr;
    hr = await(service, before, error);
    if (SUCCEEDED(hr))
        hr = plane_watch(plane, service->program.pidfd, error);
    if (FAILED(hr))
        program_kill(&service->program);
    service->started = clock_monotonic();
    return hr;
}

static HRESULT name_files(const struct plane *plane,
                          const struct network *network,
                          struct service *service, struct hcs_error *error) {
    char id[GUID_TEXT_SIZE];

    guid_format(&network->id, id);
    snprintf(service->hosts, sizeof service->hosts, "%s/%s" HOSTS_END,
             plane->directory, id);
    snprintf(service->names, sizeof service->names, "%s/%s" NAMES_END,
             plane->directory, id);
    snprintf(service->sizes, sizeof service->sizes, "%s/%s" SIZES_END,
             plane->directory, id);
    if (access(plane->directory, W_OK) != 0)
        return error_errno(error, errno, "the directory %s", plane->directory);
    return S_OK;
}

HRESULT service_start(struct plane *plane, struct network *network,
                      struct hcs_error *error) {
    struct service *service = calloc(1, sizeof *service);
    HRESULT hr;

    if (!service)
        return no_memory(error);
    service->program.pidfd = -1;
    network->service = service;
    hr = name_files(plane, network, service, error);
    if (SUCCEEDED(hr))
        hr = launch(plane, network, error);
    if (FAILED(hr))
        service_stop(plane, network);
    return hr;
}

/* --- while it runs ----------------------------------------------------- */

void service_refresh(struct plane *plane, struct network *network) {
    const struct service *service = network->service;
    uint64_t before = service ? service->mark : 0;

    /* A file that could not be written leaves it as it was; the next change
     * writes it again. */
    if (!service || FAILED(write_files(plane, network, NULL)))
        return;
    /* The program reads the file of sizes anew only once, so it begins anew;
     * one that would not start is tried again. */
    if (service->mark == before && service->program.pid > 0)
        kill(service->program.pid, SIGHUP);
    else
        (void)service_renew(plane, network, NULL);
}

HRESULT service_renew(struct plane *plane, struct network *network,
                      struct hcs_error *error) {
    if (!network->service)
        return S_OK;
    program_kill(&network->service->program);
    return launch(plane, network, error);
}

HRESULT services_uplink(struct plane *plane, struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        struct network *one = HCS_CONTAINER(l, struct network, link);
        if (one->service && one->service->dns && one->dns.server_count == 0 &&
            SUCCEEDED(hr))
            hr = service_renew(plane, one, error);
    }
    return hr;
}

void service_stop(struct plane *plane, struct network *network) {
    struct service *service = network->service;

    (void)plane;
    if (!service)
        return;
    network->service = NULL;
    program_kill(&service->program);
    file_remove(service->hosts);
    file_remove(service->names);
    file_remove(service->sizes);
    free(service);
}

/* One that ends as soon as it has started is left alone after a few times. */
HRESULT service_tend(struct plane *plane, struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        struct network *network = HCS_CONTAINER(l, struct network, link);
        struct service *service = network->service;
        int64_t lived;

        if (!service || service->program.pid == 0 ||
            !program_ended(&service->program))
            continue;
        lived = clock_monotonic() - service->started;
        service->failures = lived < STARTING ? service->failures + 1 : 0;
        if (service->failures < SERVICE_TRIES &&
            SUCCEEDED(launch(plane, network, error)))
            continue;
        hr = error_set(error, HCS_E_SERVICE_NOT_AVAILABLE, NULL,
                       "DHCP and DNS of the network %s end again and again",
                       network->bridge.name);
    }
    return hr;
}
