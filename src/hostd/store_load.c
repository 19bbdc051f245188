/* SPDX-License-Identifier: MIT
 * Making again what was written down. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"

#define SUFFIX ".json"
#define SUFFIX_LENGTH 5

struct found {
    char name[STORE_NAME_SIZE];
    struct json_doc doc;
    uint64_t order;
};

struct shelf {
    enum net_kind kind;
    struct found *items;
    size_t count;
    size_t room;
};

static void shelf_free(struct shelf *shelf) {
    for (size_t i = 0; i < shelf->count; i++)
        json_doc_free(&shelf->items[i].doc);
    free(shelf->items);
    *shelf = (struct shelf){.kind = shelf->kind};
}

static void put_aside(int folder, const char *name) {
    char aside[STORE_NAME_SIZE + 8];

    snprintf(aside, sizeof aside, "%s.bad", name);
    renameat(folder, name, folder, aside);
}

static HRESULT no_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

/* --- reading -------------------------------------------------------------- */

/* The whole file, which is one of ours and no larger than those are. */
static HRESULT read_all(int fd, struct buf *out) {
    char bytes[16384];
    ssize_t got;

    do {
        got = read(fd, bytes, sizeof bytes);
        if (got > 0)
            buf_add(out, bytes, (size_t)got);
    } while (got > 0 && out->length <= 2 * FRAME_LIMIT);
    if (out->failed)
        return E_OUTOFMEMORY;
    return got == 0 && out->length > 0 ? S_OK : HR_INVALID_DATA;
}

/* Whether what it says is about the object that it is named after. */
static bool is_named_so(const struct json *root, const char *name) {
    const char *text = json_text(json_at(root, "Properties.ID"), "");
    char expected[STORE_NAME_SIZE];
    struct guid id;

    if (!guid_parse(text, &id))
        return false;
    store_name(&id, expected);
    return strcmp(expected, name) == 0;
}

static HRESULT parse_file(int folder, const char *name, struct json_doc *doc) {
    int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct buf text = {0};
    HRESULT hr = fd < 0 ? HR_INVALID_DATA : read_all(fd, &text);

    if (SUCCEEDED(hr))
        hr = json_parse(text.data, text.length, doc, NULL);
    if (SUCCEEDED(hr) && !is_named_so(doc->root, name)) {
        json_doc_free(doc);
        hr = HR_INVALID_DATA;
    }
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    return hr;
}

static bool grow(struct shelf *shelf) {
    size_t room = shelf->room ? 2 * shelf->room : 16;
    struct found *items;

    if (shelf->count < shelf->room)
        return true;
    items = realloc(shelf->items, room * sizeof *items);
    if (!items)
        return false;
    shelf->items = items;
    shelf->room = room;
    return true;
}

static bool is_object_name(const char *name) {
    char text[GUID_TEXT_SIZE];
    struct guid id;

    if (strlen(name) != GUID_TEXT_SIZE - 1 + SUFFIX_LENGTH ||
        strcmp(name + GUID_TEXT_SIZE - 1, SUFFIX) != 0)
        return false;
    memcpy(text, name, GUID_TEXT_SIZE - 1);
    text[GUID_TEXT_SIZE - 1] = 0;
    return guid_parse(text, &id);
}

/* What is not one of ours is left alone, but for a file that was never
 * finished. */
static HRESULT take_file(struct shelf *shelf, int folder, const char *name,
                         struct hcs_error *error) {
    struct found *found;
    HRESULT hr;

    if (strcmp(name, "new") == 0)
        unlinkat(folder, name, 0);
    if (!is_object_name(name))
        return S_OK;
    if (!grow(shelf))
        return no_memory(error);
    found = &shelf->items[shelf->count];
    hr = parse_file(folder, name, &found->doc);
    if (hr == E_OUTOFMEMORY)
        return no_memory(error);
    if (FAILED(hr)) {
        put_aside(folder, name);
        return S_OK;
    }
    snprintf(found->name, sizeof found->name, "%s", name);
    found->order = net_saved_order(found->doc.root);
    shelf->count++;
    return S_OK;
}

static HRESULT read_folder(struct shelf *shelf, int folder,
                           struct hcs_error *error) {
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    HRESULT hr = S_OK;

    if (!list) {
        hr = error_errno(error, errno, "the networks' own files");
        if (fd >= 0)
            close(fd);
        return hr;
    }
    while (SUCCEEDED(hr) && (entry = readdir(list)))
        hr = take_file(shelf, folder, entry->d_name, error);
    closedir(list);
    return hr;
}

/* --- making --------------------------------------------------------------- */

static int by_order(const void *a, const void *b) {
    const struct found *one = a, *other = b;

    if (one->order != other->order)
        return one->order < other->order ? -1 : 1;
    return strcmp(one->name, other->name);
}

static const enum net_kind order[] = {NET_NETWORK, NET_ENDPOINT, NET_NAMESPACE};

struct loader {
    struct shelf shelves[HCS_COUNT(order)];
    size_t shelf, next; /* what is to be made now */
};

static HRESULT make_one(struct daemon *daemon, enum net_kind kind,
                        const struct found *found, struct hcs_error *error) {
    HRESULT hr = net_restore(daemon->net, kind, found->doc.root, error);

    if (hr == E_OUTOFMEMORY)
        return hr;
    if (FAILED(hr))
        put_aside(daemon->objects[kind], found->name);
    return S_OK;
}

static HRESULT read_shelf(const struct daemon *daemon, struct shelf *shelf,
                          enum net_kind kind, struct hcs_error *error) {
    HRESULT hr;

    shelf->kind = kind;
    hr = read_folder(shelf, daemon->objects[kind], error);
    if (SUCCEEDED(hr) && shelf->count > 0)
        qsort(shelf->items, shelf->count, sizeof *shelf->items, by_order);
    return hr;
}

HRESULT store_load_begin(struct daemon *daemon, struct hcs_error *error) {
    enum net_kind kind;
    struct guid id;
    HRESULT hr = S_OK;

    while (net_next_changed(daemon->net, &kind, &id))
        continue; /* the host's own namespace, which is always there */
    daemon->loader = calloc(1, sizeof *daemon->loader);
    if (!daemon->loader)
        return no_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < HCS_COUNT(order); i++)
        hr = read_shelf(daemon, &daemon->loader->shelves[i], order[i], error);
    return hr;
}

HRESULT store_load_step(struct daemon *daemon, struct hcs_error *error) {
    struct loader *loader = daemon->loader;
    struct shelf *shelf;
    HRESULT hr;

    while (loader->shelf < HCS_COUNT(order) &&
           loader->next == loader->shelves[loader->shelf].count) {
        loader->shelf++;
        loader->next = 0;
    }
    if (loader->shelf == HCS_COUNT(order)) {
        store_load_end(daemon);
        return S_OK;
    }
    shelf = &loader->shelves[loader->shelf];
    hr = make_one(daemon, shelf->kind, &shelf->items[loader->next++], error);
    return SUCCEEDED(hr) ? S_FALSE : hr;
}

void store_load_end(struct daemon *daemon) {
    struct loader *loader = daemon->loader;

    daemon->loader = NULL;
    for (size_t i = 0; loader && i < HCS_COUNT(order); i++)
        shelf_free(&loader->shelves[i]);
    free(loader);
}
