/* SPDX-License-Identifier: MIT
 * Addresses, routes and settings of interfaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "device.h"

static uint8_t family_of(const struct ip_address *address) {
    return address->family == IP_V6 ? AF_INET6 : AF_INET;
}

static size_t size_of(const struct ip_address *address) {
    return address->family == IP_V6 ? 16 : 4;
}

static void put(struct message *m, uint16_t type,
                const struct ip_address *address) {
    message_put(m, type, address->bytes, size_of(address));
}

static void begin_address(struct message *m, uint16_t type, uint16_t flags,
                          int index, const struct ip_address *address,
                          uint8_t length) {
    struct ifaddrmsg head = {.ifa_family = family_of(address),
                             .ifa_prefixlen = length,
                             .ifa_index = (unsigned)index};

    message_begin(m, type, flags, &head, sizeof head);
    put(m, IFA_LOCAL, address);
    put(m, IFA_ADDRESS, address);
}

HRESULT device_address(struct wire *wire, int index,
                       const struct ip_address *address, uint8_t length,
                       bool plain, struct hcs_error *error) {
    uint32_t flags = IFA_F_NODAD | (plain ? IFA_F_NOPREFIXROUTE : 0);
    struct ip_prefix prefix = {*address, length};
    struct ip_address last;
    struct message m;
    char text[IP_TEXT_SIZE];

    begin_address(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address,
                  length);
    message_u32(&m, IFA_FLAGS, flags);
    if (address->family == IP_V4 && length < 31) {
        ip_prefix_last(&prefix, &last);
        put(&m, IFA_BROADCAST, &last);
    }
    ip_format(address, text);
    return wire_do(wire, &m, error, "the address %s", text);
}

/* Whether the interface has joined the group that it is asked in for the
 * address: "4    eth0            ff0200000000000000000001ff000010 …". */
static bool has_joined(const char *name, const struct ip_address *address) {
    char line[160], device[IFNAMSIZ], group[33], wanted[33];
    const uint8_t *tail = address->bytes + 13;
    bool found = false;
    FILE *file = fopen("/proc/thread-self/net/igmp6", "re");

    if (!file)
        return true; /* nothing to look at */
    snprintf(wanted, sizeof wanted, "ff0200000000000000000001ff%02x%02x%02x",
             tail[0], tail[1], tail[2]);
    while (!found && fgets(line, sizeof line, file))
        found = sscanf(line, "%*d %15s %32s", device, group) == 2 &&
                strcmp(device, name) == 0 && strcmp(group, wanted) == 0;
    fclose(file);
    return found;
}

void device_await(const char *name, const struct ip_address *address) {
    const struct timespec pause = {0, DEVICE_PAUSE};

    if (address->family != IP_V6)
        return;
    for (int i = 0; i < DEVICE_LOOKS && !has_joined(name, address); i++)
        nanosleep(&pause, NULL);
}

void device_address_drop(struct wire *wire, int index,
                         const struct ip_address *address, uint8_t length) {
    struct message m;

    begin_address(&m, RTM_DELADDR, 0, index, address, length);
    (void)wire_ask(wire, &m, NULL);
}

HRESULT device_add_route(struct wire *wire, int index,
                         const struct device_route *route,
                         struct hcs_error *error) {
    bool direct = route->gateway.family == IP_NONE;
    struct ip_prefix to = route->destination;
    struct rtmsg head = {.rtm_family = family_of(&to.address),
                         .rtm_dst_len = to.length,
                         .rtm_table = RT_TABLE_UNSPEC,
                         .rtm_protocol = RTPROT_STATIC,
                         .rtm_scope =
                             direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_UNICAST,
                         .rtm_flags = route->onlink ? RTNH_F_ONLINK : 0};
    struct message m;
    char text[IP_PREFIX_SIZE];

    ip_prefix_align(&to);
    message_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head,
                  sizeof head);
    message_u32(&m, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
    if (to.length > 0)
        put(&m, RTA_DST, &to.address);
    if (!direct)
        put(&m, RTA_GATEWAY, &route->gateway);
    if (route->metric > 0)
        message_u32(&m, RTA_PRIORITY, route->metric);
    message_u32(&m, RTA_OIF, (uint32_t)index);
    ip_prefix_format(&to, text);
    return wire_do(wire, &m, error, "the route to %s", text);
}

HRESULT device_rule(struct wire *wire, const struct ip_address *from,
                    uint32_t table, bool there, struct hcs_error *error) {
    struct fib_rule_hdr head = {.family = family_of(from),
                                .src_len = (uint8_t)ip_bits(from),
                                .action = FR_ACT_TO_TBL};
    struct message m;
    char text[IP_TEXT_SIZE];

    message_begin(&m, there ? RTM_NEWRULE : RTM_DELRULE,
                  there ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof head);
    put(&m, FRA_SRC, from);
    message_u32(&m, FRA_TABLE, table);
    ip_format(from, text);
    return wire_do(wire, &m, error, "the rule for what comes from %s", text);
}

HRESULT device_setting(struct hcs_error *error, const char *value,
                       const char *format, ...) {
    char path[160] = "/proc/sys/net/";
    size_t start = strlen(path);
    va_list args;
    ssize_t done = -1;
    int fd, number;

    va_start(args, format);
    vsnprintf(path + start, sizeof path - start, format, args);
    va_end(args);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        done = write(fd, value, strlen(value));
    number = errno;
    if (fd >= 0)
        close(fd);
    if (done < 0)
        return error_errno(error, number, "%s in %s", value, path);
    return S_OK;
}
