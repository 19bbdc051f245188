/* SPDX-License-Identifier: MIT
 * What lasts longer than the daemon: a file for each object, replaced as a
 * whole. A process that dies leaves each as it was or as it was to be; after a
 * failure of power a file may be empty, and is put aside then. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/hresult_hcn.h"
#include "daemon.h"

#define OBJECTS "objects"
#define UPLINK "uplink"
#define NEW "new"

static const char *const folders[] = {
    [NET_NETWORK] = OBJECTS "/networks",
    [NET_ENDPOINT] = OBJECTS "/endpoints",
    [NET_NAMESPACE] = OBJECTS "/namespaces",
};

void store_name(const struct guid *id, char out[STORE_NAME_SIZE]) {
    char text[GUID_TEXT_SIZE];

    guid_format(id, text);
    snprintf(out, STORE_NAME_SIZE, "%s.json", text);
}

static bool made(int directory, const char *name) {
    return mkdirat(directory, name, 0700) == 0 || errno == EEXIST;
}

HRESULT store_open(struct daemon *daemon, struct hcs_error *error) {
    bool good = made(daemon->directory, OBJECTS);

    for (size_t i = 0; i < NET_KIND_COUNT; i++) {
        good = good && made(daemon->directory, folders[i]);
        if (good)
            daemon->objects[i] =
                openat(daemon->directory, folders[i],
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        good = good && daemon->objects[i] >= 0;
    }
    return good ? S_OK : error_errno(error, errno, "the networks' own files");
}

/* --- writing -------------------------------------------------------------- */

static HRESULT unwritten(struct hcs_error *error, const char *why) {
    return error_set(error, HCN_E_REGKEY_FAILURE, NULL,
                     "it could not be written down: %s", why);
}

static HRESULT write_file(int folder, const char *name, const struct buf *text,
                          struct hcs_error *error) {
    int fd =
        openat(folder, NEW,
               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct hcs_error why;
    HRESULT hr;

    if (fd < 0)
        return unwritten(error, strerrordesc_np(errno));
    hr = file_write_all(fd, text->data, text->length, &why);
    if (SUCCEEDED(file_close(fd, SUCCEEDED(hr) ? &why : NULL)) &&
        SUCCEEDED(hr)) {
        if (renameat(folder, NEW, folder, name) == 0)
            return S_OK;
        error_errno(&why, errno, "%s", name);
    }
    unlinkat(folder, NEW, 0);
    return unwritten(error, why.text);
}

static HRESULT write_object(struct daemon *daemon, enum net_kind kind,
                            const struct guid *id, struct hcs_error *error) {
    bool held = kind == NET_ENDPOINT && hold_is_there(daemon, id);
    char name[STORE_NAME_SIZE];
    struct buf text = {0};
    HRESULT hr =
        net_save(daemon->net, kind, id, held ? NET_SAVE_HELD : 0, &text, error);

    if (hr == S_OK) {
        store_name(id, name);
        hr = write_file(daemon->objects[kind], name, &text, error);
    } else if (hr == S_FALSE) {
        store_forget(daemon, kind, id);
    }
    buf_free(&text);
    return hr;
}

/* The first that cannot be written stands for all: a disk that is full is full
 * for the others, too. */
HRESULT store_sync(struct daemon *daemon, struct hcs_error *error) {
    enum net_kind kind;
    struct guid id;

    while (net_next_changed(daemon->net, &kind, &id)) {
        HRESULT hr = write_object(daemon, kind, &id, error);

        if (FAILED(hr)) {
            net_touch(daemon->net, kind, &id);
            return hr;
        }
    }
    return S_OK;
}

void store_forget(void *context, enum net_kind kind, const struct guid *id) {
    struct daemon *daemon = context;
    char name[STORE_NAME_SIZE];

    store_name(id, name);
    unlinkat(daemon->objects[kind], name, 0);
}

/* --- the uplink ----------------------------------------------------------- */

void store_uplink(struct daemon *daemon) {
    int fd = openat(daemon->directory, UPLINK,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0)
        close(fd);
}

bool store_has_uplink(const struct daemon *daemon) {
    return faccessat(daemon->directory, UPLINK, F_OK, 0) == 0;
}

/* --- the end -------------------------------------------------------------- */

static bool is_empty(const struct daemon *daemon) {
    return net_count(daemon->net, NET_NETWORK) == 0 &&
           net_count(daemon->net, NET_ENDPOINT) == 0 &&
           net_count(daemon->net, NET_NAMESPACE) <= 1;
}

void store_close(struct daemon *daemon) {
    if (daemon->net && is_empty(daemon))
        unlinkat(daemon->directory, UPLINK, 0);
    for (size_t i = 0; i < NET_KIND_COUNT; i++) {
        if (daemon->objects[i] >= 0)
            close(daemon->objects[i]);
        daemon->objects[i] = -1;
        unlinkat(daemon->directory, folders[i], AT_REMOVEDIR);
    }
    unlinkat(daemon->directory, OBJECTS, AT_REMOVEDIR);
}
