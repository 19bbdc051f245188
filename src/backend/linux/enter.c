/* SPDX-License-Identifier: MIT
 * A process without rights on networks gets them in a user namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

static bool may_make_networks(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    const uint32_t wanted = (1u << CAP_NET_ADMIN) | (1u << CAP_SYS_ADMIN);

    memset(data, 0, sizeof data);
    return syscall(SYS_capget, &head, data) == 0 &&
           (data[0].effective & wanted) == wanted;
}

static HRESULT write_map(const char *path, const char *text,
                         struct hcs_error *error) {
    int fd = open(path, O_WRONLY | O_CLOEXEC), number = 0;

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        number = errno;
    if (fd >= 0)
        close(fd);
    return number ? error_errno(error, number, "%s", path) : S_OK;
}

HRESULT linux_plane_enter(struct hcs_error *error) {
    char user[48], group[48];
    HRESULT hr;

    if (may_make_networks())
        return S_OK;
    snprintf(user, sizeof user, "%u %u 1", (unsigned)geteuid(),
             (unsigned)geteuid());
    snprintf(group, sizeof group, "%u %u 1", (unsigned)getegid(),
             (unsigned)getegid());
    if (unshare(CLONE_NEWUSER) != 0)
        return error_set(error, E_ACCESSDENIED, NULL,
                         "networks need root, or user namespaces, which this "
                         "system does not allow: %s",
                         strerrordesc_np(errno));
    hr = write_map("/proc/self/setgroups", "deny", error);
    if (SUCCEEDED(hr))
        hr = write_map("/proc/self/uid_map", user, error);
    if (SUCCEEDED(hr))
        hr = write_map("/proc/self/gid_map", group, error);
    return hr;
}
