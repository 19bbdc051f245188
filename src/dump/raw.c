/* SPDX-License-Identifier: MIT
 * Raw memory, opened by the map of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "extents.h"
#include "raw_map.h"
#include "reader.h"
#include "register_list.h"

#define MOST_CPUS 4096u

struct raw {
    struct source *memory;
    struct extents extents;
    struct dump_cpu *cpus;
};

static void raw_close(void *self) {
    struct raw *raw = self;
    source_close(raw->memory);
    extents_free(&raw->extents);
    free(raw->cpus);
    free(raw);
}

static bool raw_knows(const struct dump_head *head) {
    return memcmp(head->bytes, RAW_MAP_BEGIN, sizeof RAW_MAP_BEGIN - 1) == 0;
}

/* --- numbers as texts ----------------------------------------------------- */

/* "0x" and digits; what follows them is *end. */
static bool parse_hex(const char *text, uint64_t *value, const char **end) {
    unsigned digits = 0;
    *value = 0;
    if (text[0] != '0' || text[1] != 'x')
        return false;
    for (text += 2; digits <= 16; text++, digits++) {
        if (*text >= '0' && *text <= '9')
            *value = *value << 4 | (uint64_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            *value = *value << 4 | (uint64_t)(*text - 'a' + 10);
        else
            break;
    }
    *end = text;
    return digits > 0 && digits <= 16;
}

static bool get_hex(const struct json *object, const char *name,
                    uint64_t *value) {
    const char *end;
    return parse_hex(json_text(json_get(object, name), ""), value, &end) &&
           *end == 0;
}

/* --- the map -------------------------------------------------------------- */

static HRESULT take_ranges(struct raw *raw, struct dump *dump,
                           const struct json *list, struct hcs_error *error) {
    uint64_t length = source_length(raw->memory);
    HRESULT hr = S_OK;
    if (!list || list->type != JSON_ARRAY)
        return dump_corrupt(error, "has no list of ranges");
    for (size_t i = 0; SUCCEEDED(hr) && i < list->as.array.count; i++) {
        const struct json *item = &list->as.array.items[i];
        uint64_t start, bytes, left;
        if (!get_hex(item, "Start", &start) || !get_hex(item, "Bytes", &bytes))
            return dump_corrupt(error, "has a damaged range");
        left = start < length ? length - start : 0;
        dump->facts.truncated = dump->facts.truncated || bytes > left;
        hr = extents_add(&raw->extents, start, smaller(bytes, left), start,
                         error);
    }
    return SUCCEEDED(hr) ? extents_settle(&raw->extents, error) : hr;
}

static HRESULT take_register(const struct json_member *member,
                             struct dump_cpu *cpu, struct hcs_error *error) {
    enum dump_register_id id = dump_register_find(member->name.text);
    const char *text = json_text(&member->value, "");
    uint64_t half[2] = {0, 0};
    if (id == DUMP_REG_COUNT)
        return S_OK; /* of a later version */
    if (!parse_hex(text, &half[0], &text) ||
        (*text == ',' && !parse_hex(text + 1, &half[1], &text)) || *text != 0)
        return dump_corrupt(error, "has a damaged register \"%s\"",
                            member->name.text);
    register_join(dump_registers[id].kind, half, &cpu->values[id]);
    cpu->known[id] = true;
    return S_OK;
}

static HRESULT take_cpus(struct raw *raw, struct dump *dump,
                         const struct json *list, struct hcs_error *error) {
    size_t count = list && list->type == JSON_ARRAY ? list->as.array.count : 0;
    HRESULT hr = S_OK;
    if (count > MOST_CPUS)
        return dump_corrupt(error, "has %zu CPUs", count);
    raw->cpus = calloc(count ? count : 1, sizeof *raw->cpus);
    if (!raw->cpus)
        return dump_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        const struct json *cpu = &list->as.array.items[i];
        size_t members = cpu->type == JSON_OBJECT ? cpu->as.object.count : 0;
        for (size_t j = 0; SUCCEEDED(hr) && j < members; j++)
            hr =
                take_register(&cpu->as.object.members[j], &raw->cpus[i], error);
        if (FAILED(hr))
            return hr;
    }
    dump->facts.cpu_count = (uint32_t)count;
    return S_OK;
}

static void take_text(char *out, size_t size, const char *text) {
    size_t length = strlen(text);
    if (length > size - 1)
        length = size - 1;
    memcpy(out, text, length);
    out[length] = 0;
}

static void take_bugcheck(struct dump *dump, const struct json *bugcheck) {
    static const char *const names[] = {"Parameter1", "Parameter2",
                                        "Parameter3", "Parameter4"};
    uint64_t code;
    if (!get_hex(bugcheck, "Code", &code) || code > UINT32_MAX)
        return;
    dump->bugcheck = (struct dump_bugcheck){(uint32_t)code, {0}, ""};
    for (unsigned i = 0; i < HCS_COUNT(names); i++)
        get_hex(bugcheck, names[i], &dump->bugcheck.parameters[i]);
    dump->has_bugcheck = true;
}

static HRESULT take_system(struct dump *dump, const struct json *map,
                           struct hcs_error *error) {
    const char *arch = json_text(json_get(map, "Architecture"), "");
    const char *os = json_text(json_get(map, "System"), "");
    const char *notes = json_text(json_get(map, "VmCoreInfo"), NULL);
    struct dump_facts *facts = &dump->facts;
    for (int i = DUMP_ARCH_UNKNOWN; i <= DUMP_ARCH_ARM64; i++)
        if (strcmp(arch, dump_arch_name((enum dump_arch)i)) == 0)
            facts->arch = (enum dump_arch)i;
    for (int i = DUMP_OS_UNKNOWN; i <= DUMP_OS_WINDOWS; i++)
        if (strcmp(os, dump_os_name((enum dump_os)i)) == 0)
            facts->os = (enum dump_os)i;
    take_text(facts->os_release, sizeof facts->os_release,
              json_text(json_get(map, "Release"), ""));
    take_text(facts->created, sizeof facts->created,
              json_text(json_get(map, "Created"), ""));
    take_bugcheck(dump, json_get(map, "Bugcheck"));
    return notes ? dump_set_vmcoreinfo(dump, notes, strlen(notes), error)
                 : S_OK;
}

/* --- the files ------------------------------------------------------------ */

/* PATH, of PATH.map: the map does not name it, so it leads nowhere else. */
static HRESULT open_memory(struct raw *raw, const struct dump *dump,
                           struct hcs_error *error) {
    size_t ending = sizeof RAW_MAP_ENDING - 1;
    size_t length = dump->path ? strlen(dump->path) : 0;
    char *path;
    HRESULT hr;
    if (length <= ending ||
        strcmp(dump->path + length - ending, RAW_MAP_ENDING) != 0)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the map of a raw dump is opened by its own name, "
                         "which ends in " RAW_MAP_ENDING);
    path = malloc(length - ending + 1);
    if (!path)
        return dump_no_memory(error);
    memcpy(path, dump->path, length - ending);
    path[length - ending] = 0;
    hr = source_open(path, &raw->memory, error);
    free(path);
    return hr;
}

static HRESULT parse_map(struct dump *dump, struct json_doc *out,
                         struct hcs_error *error) {
    uint64_t length = source_length(dump->source);
    char *text;
    HRESULT hr;
    if (length > RAW_MAP_MOST)
        return dump_corrupt(error, "has a map that is too long");
    text = malloc((size_t)length + 1);
    if (!text)
        return dump_no_memory(error);
    hr = source_read(dump->source, 0, text, (size_t)length, error);
    if (SUCCEEDED(hr))
        hr = json_parse(text, (size_t)length, out, error);
    free(text);
    if (hr == HR_INVALID_DATA)
        hr = dump_corrupt(error, "has a damaged map");
    return hr;
}

static HRESULT check_version(const struct json *map, struct hcs_error *error) {
    uint64_t version = 0;
    if (!json_to_uint64(json_get(map, "Version"), &version))
        return dump_corrupt(error, "has a map without a version");
    if (version == RAW_MAP_VERSION)
        return S_OK;
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "the map is of version %" PRIu64
                     ", only version %d is known",
                     version, RAW_MAP_VERSION);
}

static HRESULT raw_open(struct dump *dump, const struct dump_head *head,
                        struct hcs_error *error) {
    struct raw *raw = calloc(1, sizeof *raw);
    struct json_doc map;
    HRESULT hr;
    (void)head;
    if (!raw)
        return dump_no_memory(error);
    dump->self = raw;
    hr = parse_map(dump, &map, error);
    if (FAILED(hr))
        return hr;
    hr = check_version(map.root, error);
    if (SUCCEEDED(hr))
        hr = open_memory(raw, dump, error);
    if (SUCCEEDED(hr))
        hr = take_system(dump, map.root, error);
    if (SUCCEEDED(hr))
        hr = take_ranges(raw, dump, json_get(map.root, "Ranges"), error);
    if (SUCCEEDED(hr))
        hr = take_cpus(raw, dump, json_get(map.root, "Cpus"), error);
    json_doc_free(&map);
    if (SUCCEEDED(hr))
        dump->facts.file_bytes = source_length(raw->memory);
    return hr;
}

/* --- memory and CPUs ------------------------------------------------------ */

static HRESULT raw_read(void *self, uint64_t address, void *bytes, size_t size,
                        size_t *got, struct hcs_error *error) {
    struct raw *raw = self;
    return extents_read(&raw->extents, raw->memory, address, bytes, size, got,
                        error);
}

static HRESULT raw_next_range(void *self, uint64_t from, struct dump_range *out,
                              struct hcs_error *error) {
    struct raw *raw = self;
    (void)error;
    return extents_next_range(&raw->extents, from, out);
}

static HRESULT raw_next_data(void *self, uint64_t from, struct dump_range *out,
                             struct hcs_error *error) {
    struct raw *raw = self;
    (void)error;
    return extents_next_data(&raw->extents, raw->memory, from, out);
}

static HRESULT raw_cpu(void *self, uint32_t index, struct dump_cpu *out,
                       struct hcs_error *error) {
    struct raw *raw = self;
    enum dump_arch arch = out->arch;
    (void)error;
    *out = raw->cpus[index];
    out->arch = arch;
    return S_OK;
}

const struct dump_reader dump_reader_raw = {
    .format = DUMP_FORMAT_RAW,
    .name = "raw",
    .knows = raw_knows,
    .open = raw_open,
    .close = raw_close,
    .read = raw_read,
    .next_range = raw_next_range,
    .next_data = raw_next_data,
    .cpu = raw_cpu,
};
