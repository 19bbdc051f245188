/* SPDX-License-Identifier: MIT
 * What dnsmasq is told. Texts that people chose are passed on only if they are
 * names by the rules of DNS. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "service.h"

#define LABEL_LENGTH 63

static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* Labels of letters, digits and inner hyphens; `dots`: several of them. */
static bool is_name(const char *text, bool dots) {
    size_t label = 0;
    char last = '\0';

    if (strlen(text) > 253)
        return false;
    for (; *text; last = *text++) {
        if (*text == '.') {
            if (!dots || label == 0 || last == '-')
                return false;
            label = 0;
        } else {
            if (!is_letter_or_digit(*text) && (*text != '-' || label == 0))
                return false;
            if (++label > LABEL_LENGTH)
                return false;
        }
    }
    return label > 0 && last != '-';
}

void service_put_endpoint(const struct endpoint *endpoint, struct buf *hosts,
                          struct buf *names, struct buf *sizes) {
    const char *name = endpoint->terms.name;
    const uint8_t *mac = endpoint->mac.bytes;
    bool named = is_name(name, false);
    bool sized = endpoint->terms.mtu != DEVICE_MTU;
    char text[IP_TEXT_SIZE], tag[24] = "";

    if (sized) {
        snprintf(tag, sizeof tag, "set:e%u,", endpoint->serial);
        buf_printf(sizes, "tag:e%u,option:mtu,%u\n", endpoint->serial,
                   endpoint->terms.mtu);
    }
    for (size_t i = 0; i < endpoint->address_count; i++) {
        const struct ip_address *one = &endpoint->addresses[i].address;

        ip_format(one, text);
        if (named)
            buf_printf(names, "%s %s\n", text, name);
        if (one->family != IP_V4)
            continue;
        buf_printf(hosts, "%02x:%02x:%02x:%02x:%02x:%02x,%s%s", mac[0], mac[1],
                   mac[2], mac[3], mac[4], mac[5], tag, text);
        buf_printf(hosts, "%s%s\n", named ? "," : "", named ? name : "");
    }
}

/* --- arguments --------------------------------------------------------- */

static HCS_PRINTF(2, 3) void add(struct arguments *out, const char *format,
                                 ...) {
    char text[512];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text ||
        out->count == SERVICE_ARGUMENTS) {
        out->failed = true;
        return;
    }
    out->items[out->count] = arena_text(&out->arena, text, (size_t)length);
    out->failed = out->failed || !out->items[out->count];
    out->count++;
    out->items[out->count] = NULL;
}

static void mask_text(uint8_t length, char out[IP_TEXT_SIZE]) {
    uint32_t mask = length ? UINT32_MAX << (32 - length) : 0;

    snprintf(out, IP_TEXT_SIZE, "%u.%u.%u.%u", mask >> 24, mask >> 16 & 255,
             mask >> 8 & 255, mask & 255);
}

static void add_servers(const struct network *network, unsigned tag,
                        struct arguments *out) {
    char list[256] = "", text[IP_TEXT_SIZE];
    size_t used = 0;

    for (size_t i = 0; i < network->dns.server_count; i++) {
        const struct ip_address *one = &network->dns.servers[i];
        ip_format(one, text);
        if (one->family == IP_V4 && used + strlen(text) + 2 < sizeof list)
            used +=
                (size_t)snprintf(list + used, sizeof list - used, ",%s", text);
    }
    if (used > 0)
        add(out, "--dhcp-option=tag:s%u,option:dns-server%s", tag, list);
    else
        add(out, "--dhcp-option=tag:s%u,option:dns-server", tag);
}

/* Fixed addresses only: those of the file. */
static void add_subnet(const struct network *network, unsigned i, bool dns_here,
                       struct arguments *out) {
    const struct plane_subnet *subnet = &network->subnets[i];
    char base[IP_TEXT_SIZE], gateway[IP_TEXT_SIZE], mask[IP_TEXT_SIZE];

    if (subnet->prefix.address.family != IP_V4)
        return;
    ip_format(&subnet->prefix.address, base);
    mask_text(subnet->prefix.length, mask);
    add(out, "--dhcp-range=set:s%u,%s,static,%s,24h", i, base, mask);
    if (subnet->gateway.family == IP_NONE)
        return;
    ip_format(&subnet->gateway, gateway);
    add(out, "--dhcp-option=tag:s%u,option:router,%s", i, gateway);
    if (dns_here)
        add(out, "--dhcp-option=tag:s%u,option:dns-server,%s", i, gateway);
    else
        add_servers(network, i, out);
}

static void add_dns(const struct plane *plane, const struct network *network,
                    struct arguments *out) {
    const struct plane_dns *dns = &network->dns;
    char text[IP_TEXT_SIZE];

    if (dns->server_count > 0 || plane->cable.there == 0)
        add(out, "--no-resolv"); /* else what the machine asks */
    for (size_t i = 0; i < dns->server_count; i++) {
        ip_format(&dns->servers[i], text);
        add(out, "--server=%s", text);
    }
    add(out, "--addn-hosts=%s", network->service->names);
}

HRESULT service_arguments(const struct plane *plane,
                          const struct network *network, struct arguments *out,
                          struct hcs_error *error) {
    const struct service *service = network->service;

    add(out, "%s", plane->dnsmasq);
    add(out, "--conf-file=/dev/null");
    add(out, "--no-daemon");
    add(out, "--no-hosts");
    add(out, "--no-poll");
    add(out, "--no-ping");
    add(out, "--pid-file");
    add(out, "--bind-interfaces");
    add(out, "--interface=%s", network->bridge.name);
    add(out, "--except-interface=lo");
    if (is_name(network->dns.domain, true)) {
        add(out, "--domain=%s", network->dns.domain);
        add(out, "--expand-hosts");
    }
    if (service->dns)
        add_dns(plane, network, out);
    else
        add(out, "--port=0");
    if (service->dhcp) {
        add(out, "--dhcp-authoritative");
        add(out, "--leasefile-ro");
        add(out, "--dhcp-hostsfile=%s", service->hosts);
        add(out, "--dhcp-optsfile=%s", service->sizes);
        for (unsigned i = 0; i < network->subnet_count; i++)
            add_subnet(network, i, service->dns, out);
    }
    if (out->failed)
        return error_set(error, HCN_E_INVALID_NETWORK, NULL,
                         "the network has more subnets or servers than its "
                         "DHCP and DNS can be told");
    return S_OK;
}
