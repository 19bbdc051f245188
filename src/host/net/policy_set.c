/* SPDX-License-Identifier: MIT
 * SetPolicy: addresses under a name, which rules may give in their place. */
#include <string.h>

#include "policy.h"

#define MOST_ID 128

static bool fold_id(const char *id, size_t length, char out[MOST_ID]) {
    if (length == 0 || length >= MOST_ID)
        return false;
    for (size_t i = 0; i < length; i++)
        out[i] =
            (char)(id[i] >= 'A' && id[i] <= 'Z' ? id[i] - 'A' + 'a' : id[i]);
    out[length] = '\0';
    return true;
}

const struct address_set *set_find(const struct policies *policies,
                                   const char *id, size_t length) {
    char folded[MOST_ID];
    if (!policies || !fold_id(id, length, folded))
        return NULL;
    return index_owner(&policies->sets, folded, length);
}

static const struct doc_name set_types[] = {
    {"IPSET", 0}, {"NESTEDIPSET", 1}, {NULL, 0}};

/* The ids that a nested set names are those of sets of addresses. */
static HRESULT check_nested(const struct compiler *compiler,
                            const struct doc *place, const char *text,
                            struct hcs_error *error) {
    const char *start;
    size_t length;

    while (list_next(&text, &start, &length)) {
        const struct address_set *set = set_find(compiler->out, start, length);
        if (!set || set->nested)
            return list_bad_item(place, start, length, "the id of an IPSET",
                                 error);
    }
    return S_OK;
}

static HRESULT set_values(struct compiler *compiler, const struct doc *settings,
                          struct address_set *set, struct hcs_error *error) {
    struct doc place = doc_get(settings, "Values");
    const char *text = "";
    HRESULT hr = doc_text(settings, "Values", &text, error);

    if (SUCCEEDED(hr) && set->nested)
        hr = check_nested(compiler, &place, text, error);
    if (SUCCEEDED(hr))
        hr = addresses_read(compiler, settings, "Values", set->nested,
                            &set->addresses, NULL, error);
    return hr;
}

HRESULT set_read(struct compiler *compiler, const struct doc *settings,
                 bool nested, struct hcs_error *error) {
    struct arena *arena = &compiler->out->arena;
    char folded[MOST_ID];
    const char *id = "";
    unsigned type = 0;
    struct address_set *set;
    HRESULT hr = doc_enum(settings, "PolicyType", set_types,
                          HCN_E_INVALID_POLICY, &type, error);

    if (FAILED(hr) || (type == 1) != nested)
        return hr; /* it has its turn with the others of its kind */
    hr = doc_text(settings, "Id", &id, error);
    if (FAILED(hr))
        return hr;
    if (!fold_id(id, strlen(id), folded))
        return doc_fail(settings, HCN_E_INVALID_POLICY, error,
                        "expected an Id of 1 to %d bytes", MOST_ID - 1);
    if (set_find(compiler->out, id, strlen(id)))
        return doc_fail(settings, HCN_E_POLICY_ALREADY_EXISTS, error,
                        "a set has the Id \"%s\"", id);
    set = arena_alloc(arena, sizeof *set);
    if (!set)
        return out_of_memory(error);
    *set = (struct address_set){.nested = nested};
    set->id = arena_text(arena, folded, strlen(folded));
    if (!set->id)
        return out_of_memory(error);
    hr = set_values(compiler, settings, set, error);
    if (SUCCEEDED(hr))
        index_put(&compiler->out->sets, &set->entry, set->id, strlen(set->id),
                  set);
    return hr;
}
