/* SPDX-License-Identifier: MIT */
#include "surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"

#define NO_HOST_TEXT                                                      \
    "no host: HCS_HOST is not set and there is no qemu-system-x86_64 on " \
    "PATH; install the package qemu-system-x86, or set HCS_HOST to "      \
    "\"sim:\" for the simulated host"

static bool is_executable(const char *folder, size_t length, const char *name) {
    char path[4096];
    size_t name_length = strlen(name);
    if (length + name_length + 2 > sizeof path)
        return false;
    if (length == 0) {
        length = 1;
        folder = ".";
    }
    memcpy(path, folder, length);
    path[length] = '/';
    memcpy(path + length + 1, name, name_length + 1);
    return access(path, X_OK) == 0;
}

static bool is_on_path(const char *name) {
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        if (is_executable(path, length, name))
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

HRESULT surroundings_spec(char **spec, bool *named, struct hcs_error *error) {
    const char *text = getenv("HCS_HOST");

    *named = text && *text;
    if (!*named) {
        if (!is_on_path("qemu-system-x86_64"))
            return error_set(error, HCS_E_SERVICE_NOT_AVAILABLE, NULL,
                             NO_HOST_TEXT);
        text = "qemu:";
    }
    *spec = text_copy(text);
    if (*spec)
        return S_OK;
    *named = false;
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory for a host");
}

int64_t surroundings_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

/* A number from the processor's page in sysfs; 0 where there is none. */
static int64_t topology(int64_t cpu, const char *name) {
    char path[128];
    long value = 0;
    FILE *file;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%lld/topology/%s",
             (long long)cpu, name);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%ld", &value) != 1 || value < 0)
        value = 0;
    fclose(file);
    return value;
}

struct processor surroundings_processor(int64_t index) {
    struct processor place = {topology(index, "physical_package_id"),
                              topology(index, "core_id")};
    return place;
}

HRESULT surroundings_full_path(const char *path, char **out,
                               struct hcs_error *error) {
    char *folder = NULL;
    size_t length = 0, rest = strlen(path) + 1;

    if (path[0] != '/') {
        folder = getcwd(NULL, 0);
        if (!folder)
            return error_errno(error, errno, "the working directory");
        length = strlen(folder);
    }
    *out = malloc(length + 1 + rest);
    if (*out) {
        if (folder) {
            memcpy(*out, folder, length);
            (*out)[length++] = '/';
        }
        memcpy(*out + length, path, rest);
    }
    free(folder);
    return *out ? S_OK
                : error_set(error, E_OUTOFMEMORY, NULL, "no memory for a path");
}

/* The linker's -z nodelete has seen to it. */
void surroundings_pin(void) {
}
