/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

#define VALUE_SIZE 4096 /* a path may be as long */

static const char *const kinds[] = {"sim", "qemu"};
static const char *const drivers[] = {"thread", "step"};
static const char *const clocks[] = {"real", "virtual", "manual"};
static const char *const accelerators[] = {"auto", "kvm", "tcg"};
static const char *const accesses[] = {"grants", "open"};
static const char *const switches[] = {"0", "1"};

struct parser {
    struct host_spec *spec;
    const char *name;  /* the option at hand */
    const char *value; /* decoded */
    bool driver_given;
    struct hcs_error *error;
};

/* Edits that lead from one word to another; words here are short. */
static unsigned distance(const char *a, const char *b) {
    unsigned row[32];
    size_t width = strlen(b);

    if (width >= HCS_COUNT(row))
        return 99;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; *a; a++, i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            unsigned change = diagonal + (*a != b[j - 1]);
            unsigned other = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = change <= other ? change : other + 1;
        }
    }
    return row[width];
}

static const char *nearest(const char *word, const char *const *names,
                           size_t count) {
    const char *best = names[0];
    unsigned least = distance(word, best);
    for (size_t i = 1; i < count; i++) {
        unsigned d = distance(word, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

static HRESULT choose(struct parser *p, const char *const *names, size_t count,
                      int *out) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(p->value, names[i]) == 0) {
            *out = (int)i;
            return S_OK;
        }
    return error_set(p->error, E_INVALIDARG, NULL,
                     "option \"%s\": unknown value \"%.64s\" (did you mean "
                     "\"%s\"?)",
                     p->name, p->value, nearest(p->value, names, count));
}

static HRESULT number(struct parser *p, uint64_t most, uint64_t *out) {
    const char *text = p->value;
    uint64_t value = 0;

    if (!*text)
        goto bad;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || value > (most - digit) / 10)
            goto bad;
        value = value * 10 + digit;
    }
    *out = value;
    return S_OK;
bad:
    return error_set(p->error, E_INVALIDARG, NULL,
                     "option \"%s\": \"%.64s\" is not a whole number from 0 to "
                     "%llu",
                     p->name, p->value, (unsigned long long)most);
}

static HRESULT set_build(struct parser *p) {
    uint64_t build = 0;
    HRESULT hr = number(p, 999999, &build);
    p->spec->build = (int)build;
    return hr;
}

static HRESULT set_driver(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, drivers, HCS_COUNT(drivers), &choice);
    p->spec->driver = (HCSHOST_DRIVER)choice;
    p->driver_given = true;
    return hr;
}

static HRESULT set_clock(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, clocks, HCS_COUNT(clocks), &choice);
    p->spec->clock = (HCSHOST_CLOCK)choice;
    return hr;
}

static HRESULT set_seed(struct parser *p) {
    return number(p, UINT64_MAX, &p->spec->seed);
}

static HRESULT set_access(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, accesses, HCS_COUNT(accesses), &choice);
    p->spec->access_open = choice == 1;
    return hr;
}

static HRESULT set_strict(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, switches, HCS_COUNT(switches), &choice);
    p->spec->strict = choice == 1;
    return hr;
}

static HRESULT set_allow_host_change(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, switches, HCS_COUNT(switches), &choice);
    p->spec->allow_host_change = choice == 1;
    return hr;
}

/* A whole number with a unit: "250us", "5ms", "2s". */
static HRESULT set_latency(struct parser *p) {
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {{"", 1000000000},
                 {"s", 1000000000},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    size_t digits = strspn(p->value, "0123456789");
    char *end;
    unsigned long long value = strtoull(p->value, &end, 10);

    for (size_t i = 0; digits > 0 && digits < 10 && i < HCS_COUNT(units); i++)
        if (strcmp(end, units[i].unit) == 0) {
            p->spec->latency = (int64_t)value * units[i].ns;
            return S_OK;
        }
    return error_set(p->error, E_INVALIDARG, NULL,
                     "option \"latency\": \"%.64s\" is not a time like \"5ms\" "
                     "(units: s, ms, us, ns)",
                     p->value);
}

static HRESULT keep_text(struct parser *p, const char *text, char **out) {
    char *copy = text_copy(text);
    if (!copy)
        return error_set(p->error, E_OUTOFMEMORY, NULL,
                         "out of memory for option \"%s\"", p->name);
    free(*out);
    *out = copy;
    return S_OK;
}

static HRESULT set_root(struct parser *p) {
    if (p->value[0] != '/')
        return error_set(p->error, E_INVALIDARG, NULL,
                         "option \"root\": \"%.64s\" is not an absolute path",
                         p->value);
    return keep_text(p, p->value, &p->spec->root);
}

static HRESULT set_accelerator(struct parser *p) {
    int choice = 0;
    HRESULT hr = choose(p, accelerators, HCS_COUNT(accelerators), &choice);
    if (FAILED(hr))
        return hr;
    return keep_text(p, accelerators[choice], &p->spec->accelerator);
}

enum { ON_SIM = 1 << HOST_SIM, ON_QEMU = 1 << HOST_QEMU };

static const struct option {
    const char *name;
    unsigned on; /* the kinds that know it */
    HRESULT (*set)(struct parser *p);
} options[] = {
    {"build", ON_SIM | ON_QEMU, set_build},
    {"driver", ON_SIM | ON_QEMU, set_driver},
    {"clock", ON_SIM | ON_QEMU, set_clock},
    {"seed", ON_SIM, set_seed},
    {"latency", ON_SIM, set_latency},
    {"access", ON_SIM | ON_QEMU, set_access},
    {"strict", ON_SIM | ON_QEMU, set_strict},
    {"root", ON_QEMU, set_root},
    {"accel", ON_QEMU, set_accelerator},
    {"allow_host_change", ON_QEMU, set_allow_host_change},
};

static HRESULT set_option(struct parser *p) {
    const char *names[HCS_COUNT(options)];
    size_t count = 0;

    for (size_t i = 0; i < HCS_COUNT(options); i++) {
        if (!(options[i].on & (1u << p->spec->kind)))
            continue;
        if (strcmp(p->name, options[i].name) == 0)
            return options[i].set(p);
        names[count++] = options[i].name;
    }
    return error_set(p->error, E_INVALIDARG, NULL,
                     "unknown option \"%.64s\" for \"%s:\" (did you mean "
                     "\"%s\"?)",
                     p->name, kinds[p->spec->kind],
                     nearest(p->name, names, count));
}

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Decodes %XX from `text` up to `end` in place of what it came from. */
static HRESULT decode(struct parser *p, const char *text, size_t length,
                      char out[VALUE_SIZE]) {
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex(text[i + 1]) : -1;
            int low = high >= 0 ? hex(text[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return error_set(p->error, E_INVALIDARG, NULL,
                                 "option \"%s\": \"%%\" must be followed by "
                                 "two hexadecimal digits",
                                 p->name);
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (n + 1 == VALUE_SIZE)
            return error_set(p->error, E_INVALIDARG, NULL,
                             "option \"%s\": the value is too long", p->name);
        out[n++] = c;
    }
    out[n] = '\0';
    return S_OK;
}

/* One "name=value". */
static HRESULT parse_pair(struct parser *p, const char *text, size_t length) {
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    char name[32] = "";
    char value[VALUE_SIZE];
    HRESULT hr;

    if (!equals || name_length == 0 || name_length >= sizeof name)
        return error_set(p->error, E_INVALIDARG, NULL,
                         "\"%.*s\" is not option=value",
                         (int)(length < 64 ? length : 64), text);
    memcpy(name, text, name_length);
    p->name = name;
    p->value = value;
    hr = decode(p, equals + 1, length - name_length - 1, value);
    return FAILED(hr) ? hr : set_option(p);
}

static HRESULT parse_kind(const char *text, size_t length,
                          struct host_spec *spec, struct hcs_error *error) {
    char word[24];
    for (size_t i = 0; i < HCS_COUNT(kinds); i++)
        if (strlen(kinds[i]) == length && memcmp(text, kinds[i], length) == 0) {
            spec->kind = (enum host_kind)i;
            return S_OK;
        }
    length = length < sizeof word ? length : sizeof word - 1;
    memcpy(word, text, length);
    word[length] = '\0';
    return error_set(error, E_INVALIDARG, NULL,
                     "unknown kind of host \"%s:\" (did you mean \"%s:\"?)",
                     word, nearest(word, kinds, HCS_COUNT(kinds)));
}

/* What only makes sense together. */
static HRESULT check_together(struct parser *p) {
    struct host_spec *spec = p->spec;
    if (spec->kind != HOST_SIM && spec->clock != HcsHostClockReal)
        return error_set(p->error, E_INVALIDARG, NULL,
                         "option \"clock\": real guests have only the clock "
                         "\"real\"; \"%s\" needs \"sim:\"",
                         clocks[spec->clock]);
    if (spec->clock != HcsHostClockManual)
        return S_OK;
    if (p->driver_given && spec->driver == HcsHostDriverThread)
        return error_set(p->error, E_INVALIDARG, NULL,
                         "option \"driver\": a manual clock is moved by steps "
                         "only and needs \"step\"");
    spec->driver = HcsHostDriverStep;
    return S_OK;
}

static HRESULT parse_options(struct parser *p, const char *text) {
    HRESULT hr = S_OK;
    while (*text && SUCCEEDED(hr)) {
        size_t length = strcspn(text, "&");
        hr = parse_pair(p, text, length);
        text += length + (text[length] == '&');
    }
    return SUCCEEDED(hr) ? check_together(p) : hr;
}

HRESULT host_spec_parse(const char *text, struct host_spec *spec,
                        struct hcs_error *error) {
    struct parser parser = {.spec = spec, .error = error};
    const char *colon = strchr(text, ':');
    HRESULT hr;

    *spec = (struct host_spec){.build = HOST_BUILD_DEFAULT, .seed = 1};
    if (!colon)
        return error_set(error, E_INVALIDARG, NULL,
                         "\"%.64s\" is not a host: write \"sim:\" or "
                         "\"qemu:\", then \"?option=value&…\"",
                         text);
    hr = parse_kind(text, (size_t)(colon - text), spec, error);
    if (SUCCEEDED(hr) && colon[1] != '\0' && colon[1] != '?')
        hr = error_set(error, E_INVALIDARG, NULL,
                       "\"%.64s\": options begin with \"?\"", text);
    if (SUCCEEDED(hr)) {
        parser.name = "accel";
        hr = keep_text(&parser, accelerators[0], &spec->accelerator);
    }
    if (SUCCEEDED(hr))
        hr = parse_options(&parser, colon[1] ? colon + 2 : "");
    if (FAILED(hr))
        host_spec_free(spec);
    return hr;
}

void host_spec_free(struct host_spec *spec) {
    free(spec->root);
    free(spec->accelerator);
    spec->root = NULL;
    spec->accelerator = NULL;
}

const char *host_kind_name(enum host_kind kind) {
    return kinds[kind];
}

const char *host_driver_name(HCSHOST_DRIVER driver) {
    return drivers[driver];
}

const char *host_clock_name(HCSHOST_CLOCK clock) {
    return clocks[clock];
}
