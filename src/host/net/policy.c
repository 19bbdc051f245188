/* SPDX-License-Identifier: MIT
 * Making a new set of policies from an old one and a document. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

static HRESULT read_type(const struct policy_context *context,
                         const struct doc *item, const struct policy_type **out,
                         struct hcs_error *error) {
    struct doc place = doc_get(item, "Type");
    const char *name = json_text(place.value, NULL);
    uint64_t number = 0;

    if (place.value && !name && !json_to_uint64(place.value, &number))
        return doc_fail(&place, HCN_E_INVALID_JSON, error,
                        "expected the name of a policy, found %s",
                        json_type_name(place.value->type));
    if (name)
        name = policy_v1_type(context->object, name);
    *out = policy_type_find(context->object, name, number);
    if (*out)
        return S_OK;
    if (name)
        return doc_fail(&place, HCN_E_INVALID_POLICY_TYPE, error,
                        "\"%s\" is no policy of this object", name);
    return doc_fail(&place, HCN_E_INVALID_POLICY_TYPE, error,
                    "%llu is no policy of this object",
                    (unsigned long long)number);
}

/* In a v1 document the settings stand beside the type. */
static bool is_inline(const struct doc *item) {
    struct doc settings = doc_get(item, "Settings");
    return !settings.value && item->value->as.object.count > 1;
}

static HRESULT read_settings(const struct policy_context *context,
                             struct arena *arena, const struct doc *item,
                             struct json *out, struct hcs_error *error) {
    struct doc settings;
    HRESULT hr;

    *out = (struct json){.type = JSON_OBJECT};
    if (is_inline(item))
        return policy_v1_settings(arena, item, context->object, out, error);
    hr = doc_object(item, "Settings", &settings, error);
    if (SUCCEEDED(hr) && settings.value &&
        !doc_copy(arena, settings.value, out))
        hr = out_of_memory(error);
    return hr;
}

#define MOST_SETTINGS 256

static bool stands_before(const struct json *object, size_t index) {
    const struct json_member *members = object->as.object.members;
    for (size_t i = 0; i < index; i++)
        if (doc_same_name(members[i].name.text, members[index].name.text))
            return true;
    return false;
}

/* Names that differ only in case would be one when written in another form. */
static void drop_doubles(struct json *object) {
    size_t kept = 0;
    for (size_t i = 0; i < object->as.object.count; i++) {
        object->as.object.members[kept] = object->as.object.members[i];
        if (!stands_before(object, kept))
            kept++;
    }
    object->as.object.count = kept;
}

static HRESULT read_policy(const struct policy_context *context,
                           struct arena *arena, const struct doc *item,
                           struct policy *out, struct hcs_error *error) {
    HRESULT hr = read_type(context, item, &out->type, error);

    if (SUCCEEDED(hr))
        hr = read_settings(context, arena, item, &out->settings, error);
    if (SUCCEEDED(hr) && out->settings.as.object.count > MOST_SETTINGS)
        hr = doc_fail(item, HCN_E_INVALID_POLICY, error,
                      "the settings have more than %d members", MOST_SETTINGS);
    if (SUCCEEDED(hr))
        drop_doubles(&out->settings);
    return hr;
}

/* --- which policy is which ----------------------------------------- */

static const struct json empty = {.type = JSON_NULL};

static const struct json *setting(const struct policy *policy,
                                  const char *name) {
    struct doc root = doc_root(&policy->settings);
    struct doc member = doc_get(&root, name);
    return member.value ? member.value : &empty;
}

static bool same_setting(const struct policy *a, const struct policy *b,
                         const char *name) {
    const struct json *x = setting(a, name), *y = setting(b, name);
    const char *left = json_text(x, NULL), *right = json_text(y, NULL);
    return left && right ? doc_same_name(left, right) : doc_same(x, y);
}

static bool same_policy(const struct policy *a, const struct policy *b) {
    if (a->type != b->type)
        return false;
    switch (a->type->identity) {
    case IDENTITY_TYPE:
        return true;
    case IDENTITY_ID:
        return same_setting(a, b, "Id");
    case IDENTITY_REMOTE:
        return same_setting(a, b, "DestinationPrefix") &&
               same_setting(a, b, "IsolationId") &&
               same_setting(a, b, "ProviderAddress");
    case IDENTITY_WHOLE:
        break;
    }
    return doc_same(&a->settings, &b->settings);
}

static struct policy *find_same(struct policies *set, size_t count,
                                const struct policy *policy) {
    for (size_t i = 0; i < count; i++)
        if (set->items[i].type && same_policy(&set->items[i], policy))
            return &set->items[i];
    return NULL;
}

/* --- the changes --------------------------------------------------- */

/* Where an old policy has a place, it came from no document. */
#define NO_SOURCE SIZE_MAX

static HRESULT take_over(struct policies *set, const struct policies *old,
                         struct hcs_error *error) {
    for (size_t i = 0; old && i < old->count; i++) {
        struct policy *policy = &set->items[set->count];
        policy->type = old->items[i].type;
        policy->source = NO_SOURCE;
        if (!doc_copy(&set->arena, &old->items[i].settings, &policy->settings))
            return out_of_memory(error);
        set->count++;
    }
    return S_OK;
}

static HRESULT not_there(const struct doc *item, const struct policy *policy,
                         struct hcs_error *error) {
    return doc_fail(item, HCN_E_POLICY_NOT_FOUND, error,
                    "the object has no %s that is the same",
                    policy->type->name);
}

/* One policy of the document; `before` policies were there before it. */
static HRESULT apply(const struct policy_context *context, struct policies *set,
                     size_t before, enum change change, const struct doc *item,
                     struct hcs_error *error) {
    struct policy policy = {.source = item->index}, *there;
    HRESULT hr = read_policy(context, &set->arena, item, &policy, error);

    if (FAILED(hr))
        return hr;
    if (change == CHANGE_ADD) {
        set->items[set->count++] = policy;
        return S_OK;
    }
    there = find_same(set, before, &policy);
    if (!there)
        return not_there(item, &policy, error);
    if (change == CHANGE_REMOVE)
        there->type = NULL;
    else
        *there = policy;
    return S_OK;
}

/* `[{}]` means no policies, as `[]` does. */
static bool says_nothing(const struct doc *item) {
    return !item->value || item->value->as.object.count == 0;
}

static HRESULT apply_all(const struct policy_context *context,
                         struct policies *set, enum change change,
                         const struct doc *array, size_t count,
                         struct hcs_error *error) {
    size_t before = set->count;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        hr = doc_item_object(array, i, &item, error);
        if (SUCCEEDED(hr) && !says_nothing(&item))
            hr = apply(context, set, before, change, &item, error);
    }
    return hr;
}

static void close_gaps(struct policies *set) {
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].type)
            set->items[kept++] = set->items[i];
    set->count = kept;
}

static HRESULT compile(const struct policy_context *context,
                       struct policies *set, const struct doc *array,
                       struct hcs_error *error) {
    struct compiler compiler = {.context = context, .out = set};
    HRESULT hr = policies_compile(&compiler, array, error);

    for (size_t i = 0; i < set->port_count; i++)
        index_take(&compiler.own_ports, &set->ports[i].entry);
    index_free(&compiler.own_ports);
    return hr;
}

HRESULT policies_make(const struct policy_context *context,
                      const struct policies *old, enum change change,
                      const struct doc *array, struct policies **out,
                      struct hcs_error *error) {
    bool anew = change == CHANGE_UPDATE && context->object == POLICY_ENDPOINT;
    const struct policies *kept = anew ? NULL : old;
    size_t count = array && array->value ? array->value->as.array.count : 0;
    size_t room = count + (kept ? kept->count : 0);
    struct policies *set = calloc(1, sizeof *set);
    HRESULT hr;

    if (!set)
        return out_of_memory(error);
    set->items = arena_alloc(&set->arena, (room + 1) * sizeof *set->items);
    hr = set->items ? take_over(set, kept, error) : out_of_memory(error);
    if (SUCCEEDED(hr) && count > 0)
        hr = apply_all(context, set, anew ? CHANGE_ADD : change, array, count,
                       error);
    if (SUCCEEDED(hr)) {
        close_gaps(set);
        hr = compile(context, set, array, error);
    }
    if (FAILED(hr))
        policies_free(set);
    else
        *out = set;
    return hr;
}

void policies_free(struct policies *policies) {
    if (!policies)
        return;
    index_free(&policies->sets);
    arena_free(&policies->arena);
    free(policies);
}

/* --- writing ------------------------------------------------------- */

void policies_write(const struct policies *policies, bool v1,
                    struct json_writer *w) {
    json_begin_array(w);
    for (size_t i = 0; i < policies->count; i++) {
        const struct policy *policy = &policies->items[i];
        if (v1) {
            policy_v1_write(policy, w);
            continue;
        }
        json_begin_object(w);
        json_pair_string(w, "Type", policy->type->name);
        json_key(w, "Settings");
        json_put_value(w, &policy->settings);
        json_end_object(w);
    }
    json_end_array(w);
}

const struct json *policies_setting(const struct policies *policies,
                                    const char *type, const char *name) {
    for (size_t i = 0; i < policies->count; i++) {
        const struct policy *policy = &policies->items[i];
        struct doc root = doc_root(&policy->settings);
        struct doc member = doc_get(&root, name);
        if (doc_same_name(policy->type->name, type) && member.value)
            return member.value;
    }
    return NULL;
}
