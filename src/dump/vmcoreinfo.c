/* SPDX-License-Identifier: MIT */
#include "vmcoreinfo.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_VMCOREINFO (1u << 20)

/* What follows "<key>=" at the begin of a line; NULL: there is no such. */
static const char *find(const struct dump *dump, const char *key) {
    const char *line = dump->vmcoreinfo;
    size_t length = strlen(key);

    while (line && *line) {
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return line + length + 1;
        line = strchr(line, '\n');
        if (line)
            line++;
    }
    return NULL;
}

/* strtoull takes what is no number here: spaces, signs, "0x". */
static bool parse(const char *text, unsigned base, uint64_t *value) {
    bool minus = base == 10 && *text == '-';
    uint64_t number = 0;
    const char *at = text + minus;

    for (;; at++) {
        unsigned digit = 99;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            digit = (unsigned)(*at - 'a') + 10;
        if (digit >= base)
            break;
        if (number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    if (at == text + minus || (*at != '\n' && *at != '\0' && *at != '\r'))
        return false;
    *value = minus ? 0 - number : number;
    return true;
}

static const char *find_kind(const struct dump *dump, const char *kind,
                             const char *name) {
    char key[128];
    int length = snprintf(key, sizeof key, "%s(%s)", kind, name);

    return length > 0 && (size_t)length < sizeof key ? find(dump, key) : NULL;
}

bool vmcoreinfo_symbol(const struct dump *dump, const char *name,
                       uint64_t *value) {
    const char *text = find_kind(dump, "SYMBOL", name);

    return text && parse(text, 16, value);
}

bool vmcoreinfo_number(const struct dump *dump, const char *kind,
                       const char *name, uint64_t *value) {
    const char *text = find_kind(dump, kind, name);

    return text && parse(text, 10, value);
}

/* --- taking it over ------------------------------------------------------ */

HRESULT dump_set_vmcoreinfo(struct dump *dump, const void *text, size_t length,
                            struct hcs_error *error) {
    const char *release;
    size_t i;
    char *copy;

    if (length > MAX_VMCOREINFO)
        return dump_corrupt(error, "has a VMCOREINFO of %llu bytes",
                            (unsigned long long)length);
    copy = malloc(length + 1);
    if (!copy)
        return dump_no_memory(error);
    memcpy(copy, text, length);
    copy[length] = '\0';
    free(dump->vmcoreinfo);
    dump->vmcoreinfo = copy;
    dump->vmcoreinfo_length = strlen(copy);
    release = find(dump, "OSRELEASE");
    if (release) {
        dump->facts.os = DUMP_OS_LINUX;
        for (i = 0; i < sizeof dump->facts.os_release - 1; i++) {
            if (release[i] <= ' ' || release[i] > '~')
                break;
            dump->facts.os_release[i] = release[i];
        }
        dump->facts.os_release[i] = '\0';
    }
    return S_OK;
}

HRESULT dump_take_vmcoreinfo(struct dump *dump, uint64_t offset, uint64_t size,
                             struct hcs_error *error) {
    char *text;
    HRESULT hr;

    if (size > MAX_VMCOREINFO || !source_has(dump->source, offset, size))
        return dump_corrupt(error, "has a VMCOREINFO of %llu bytes",
                            (unsigned long long)size);
    text = malloc((size_t)size + 1);
    if (!text)
        return dump_no_memory(error);
    hr = source_read(dump->source, offset, text, (size_t)size, error);
    if (SUCCEEDED(hr))
        hr = dump_set_vmcoreinfo(dump, text, (size_t)size, error);
    free(text);
    return hr;
}
