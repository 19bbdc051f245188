/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"

struct grant {
    struct link link;
    char runtime_id[40]; /* "": all systems */
    size_t length;       /* of the path without slashes at its end */
    char path[];
};

void ledger_init(struct ledger *ledger) {
    link_init(&ledger->grants);
}

static void grant_free(struct grant *grant) {
    link_remove(&grant->link);
    free(grant);
}

void ledger_free(struct ledger *ledger) {
    while (!link_alone(&ledger->grants))
        grant_free(HCS_CONTAINER(ledger->grants.next, struct grant, link));
}

static bool is_slash(char c) {
    return c == '/' || c == '\\';
}

/* A path's length without the slashes at its end. */
static size_t significant(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && is_slash(path[length - 1]))
        length--;
    return length;
}

/* Case and kind of slash mean nothing in Windows paths. */
static char fold(const char *path, size_t i) {
    char c = path[i];
    if (path[0] == '/')
        return c;
    if (c == '/')
        return '\\';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_ascii(const char *path, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)path[i] >= 0x80)
            return false;
    return true;
}

/* Letters beyond ASCII are left to the system, whose files they name. */
static bool is_same(const struct grant *grant, const char *path,
                    size_t length) {
    size_t i = 0;
    if (grant->length == length)
        while (i < length && fold(grant->path, i) == fold(path, i))
            i++;
    if (i == length && grant->length == length)
        return true;
    return !is_ascii(path, length) && file_is_path(path) &&
           file_same_path(grant->path, grant->length, path, length);
}

static struct grant *find(const struct ledger *ledger, const char *runtime_id,
                          const char *path, size_t length) {
    struct link *link;
    for (link = ledger->grants.next; link != &ledger->grants;
         link = link->next) {
        struct grant *grant = HCS_CONTAINER(link, struct grant, link);
        if (strcmp(grant->runtime_id, runtime_id) == 0 &&
            is_same(grant, path, length))
            return grant;
    }
    return NULL;
}

HRESULT ledger_grant(struct ledger *ledger, const char *runtime_id,
                     const char *path, struct hcs_error *error) {
    size_t length = significant(path);
    struct grant *grant;

    runtime_id = runtime_id ? runtime_id : "";
    if (find(ledger, runtime_id, path, length))
        return S_OK;
    grant = malloc(sizeof *grant + length + 1);
    if (!grant || strlen(runtime_id) >= sizeof grant->runtime_id) {
        free(grant);
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a grant");
    }
    strcpy(grant->runtime_id, runtime_id);
    memcpy(grant->path, path, length);
    grant->path[length] = '\0';
    grant->length = length;
    link_append(&ledger->grants, &grant->link);
    return S_OK;
}

bool ledger_revoke(struct ledger *ledger, const char *runtime_id,
                   const char *path) {
    struct grant *grant =
        find(ledger, runtime_id ? runtime_id : "", path, significant(path));
    if (grant)
        grant_free(grant);
    return grant != NULL;
}

/* The length of the path's folder; 0 when it has none. */
static size_t folder_of(const char *path, size_t length) {
    while (length > 0 && !is_slash(path[length - 1]))
        length--;
    while (length > 1 && is_slash(path[length - 1]))
        length--;
    return length;
}

static bool allows(const struct ledger *ledger, const char *runtime_id,
                   const char *path, size_t length) {
    return length > 0 && (find(ledger, runtime_id, path, length) ||
                          find(ledger, "", path, length));
}

bool ledger_allows(const struct ledger *ledger, const char *runtime_id,
                   const char *path) {
    size_t length = significant(path);
    return allows(ledger, runtime_id, path, length) ||
           allows(ledger, runtime_id, path, folder_of(path, length));
}
