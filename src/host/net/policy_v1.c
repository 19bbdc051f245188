/* SPDX-License-Identifier: MIT
 * The older form of policies: other names, and the settings beside the type. */
#include <stdio.h>
#include <string.h>

#include "policy.h"

struct renaming {
    const char *v1, *v2;
};

struct form {
    enum policy_object object;
    const char *v1, *v2;
    struct renaming members[4];
};

static const struct form forms[] = {
    {POLICY_ENDPOINT, "NAT", "PortMapping", {{NULL, NULL}}},
    {POLICY_ENDPOINT, "ROUTE", "SDNRoute", {{NULL, NULL}}},
    {POLICY_ENDPOINT,
     "OutBoundNAT",
     "OutBoundNAT",
     {{"VIP", "VirtualIP"}, {"ExceptionList", "Exceptions"}}},
    {POLICY_ENDPOINT, "PA", "ProviderAddress", {{"PA", "ProviderAddress"}}},
    {POLICY_ENDPOINT, "VLAN", "VLAN", {{"VLAN", "IsolationId"}}},
    {POLICY_ENDPOINT, "PROXY", "L4Proxy", {{NULL, NULL}}},
    {POLICY_SUBNET, "VLAN", "VLAN", {{"VLAN", "IsolationId"}}},
    {POLICY_SUBNET, "VSID", "VSID", {{"VSID", "IsolationId"}}},
    {POLICY_NETWORK, "SWITCHEXTENSION", "VSwitchExtension", {{NULL, NULL}}},
    {POLICY_NETWORK, "PA", "ProviderAddress", {{"PA", "ProviderAddress"}}},
};

static const struct form *find(enum policy_object object, const char *name,
                               bool v1) {
    for (size_t i = 0; i < HCS_COUNT(forms); i++)
        if (forms[i].object == object &&
            doc_same_name(v1 ? forms[i].v1 : forms[i].v2, name))
            return &forms[i];
    return NULL;
}

const char *policy_v1_type(enum policy_object object, const char *name) {
    const struct form *form = find(object, name, true);
    return form ? form->v2 : name;
}

static const char *renamed(const struct form *form, const char *name,
                           bool to_v2) {
    for (size_t i = 0; form && i < HCS_COUNT(form->members); i++) {
        const struct renaming *member = &form->members[i];
        if (member->v1 && doc_same_name(to_v2 ? member->v1 : member->v2, name))
            return to_v2 ? member->v2 : member->v1;
    }
    return name;
}

/* --- from v1 ------------------------------------------------------- */

/* The old numbers of protocols are those of an enum: TCP, UDP. */
static void new_protocol(struct json *value) {
    const char *text = json_text(value, "");
    if (doc_same_name(text, "TCP") ||
        (value->type == JSON_INT && value->as.integer == 0))
        *value = (struct json){.type = JSON_INT, .as.integer = 6};
    else if (doc_same_name(text, "UDP") ||
             (value->type == JSON_INT && value->as.integer == 1))
        *value = (struct json){.type = JSON_INT, .as.integer = 17};
}

static void new_nat_member(struct json_member *member) {
    static const char flags[] = "Flags";
    if (doc_same_name(member->name.text, "Protocol"))
        new_protocol(&member->value);
    if (!doc_same_name(member->name.text, "ExternalPortReserved"))
        return;
    member->name = (struct json_string){flags, sizeof flags - 1};
    member->value = (struct json){
        .type = JSON_INT,
        .as.integer = json_is_true(&member->value) ? PLANE_NAT_RESERVED : 0};
}

HRESULT policy_v1_settings(struct arena *arena, const struct doc *policy,
                           enum policy_object object, struct json *out,
                           struct hcs_error *error) {
    struct doc type = doc_get(policy, "Type");
    const struct form *form = find(object, json_text(type.value, ""), true);
    bool nat = form && strcmp(form->v1, "NAT") == 0;
    size_t kept = 0;

    if (!doc_copy(arena, policy->value, out))
        return out_of_memory(error);
    for (size_t i = 0; i < out->as.object.count; i++) {
        struct json_member member = out->as.object.members[i];
        const char *name = renamed(form, member.name.text, true);
        if (doc_same_name(member.name.text, "Type") ||
            doc_same_name(member.name.text, "Settings")) /* empty ones */
            continue;
        member.name = (struct json_string){name, strlen(name)};
        if (nat)
            new_nat_member(&member);
        out->as.object.members[kept++] = member;
    }
    out->as.object.count = kept;
    return S_OK;
}

/* --- to v1 --------------------------------------------------------- */

static void put_nat_member(const struct json_member *member,
                           struct json_writer *w) {
    int64_t number = 0;

    json_to_int64(&member->value, &number);
    if (doc_same_name(member->name.text, "Flags")) {
        json_pair_bool(w, "ExternalPortReserved",
                       (number & PLANE_NAT_RESERVED) != 0);
        return;
    }
    if (doc_same_name(member->name.text, "Protocol") && number == 6) {
        json_pair_string(w, "Protocol", "TCP");
        return;
    }
    if (doc_same_name(member->name.text, "Protocol") && number == 17) {
        json_pair_string(w, "Protocol", "UDP");
        return;
    }
    json_key_n(w, member->name.text, member->name.length);
    json_put_value(w, &member->value);
}

/* What nobody knows gives way to what would be called the same. */
static bool gives_way(const struct form *form, const struct policy *policy,
                      const struct json_member *member) {
    struct doc settings = doc_root(&policy->settings);
    const char *v2 = renamed(form, member->name.text, true);

    if (doc_same_name(member->name.text, "Type") ||
        doc_same_name(member->name.text, "ExternalPortReserved"))
        return true;
    return !doc_same_name(v2, member->name.text) &&
           doc_get(&settings, v2).value;
}

void policy_v1_write(const struct policy *policy, struct json_writer *w) {
    const struct form *form =
        find(policy->type->object, policy->type->name, false);
    bool nat = form && strcmp(form->v1, "NAT") == 0;

    json_begin_object(w);
    json_pair_string(w, "Type", form ? form->v1 : policy->type->name);
    for (size_t i = 0; i < policy->settings.as.object.count; i++) {
        const struct json_member *member =
            &policy->settings.as.object.members[i];
        const char *name = renamed(form, member->name.text, false);
        if (gives_way(form, policy, member))
            continue;
        if (nat) {
            put_nat_member(member, w);
            continue;
        }
        json_key(w, name);
        json_put_value(w, &member->value);
    }
    json_end_object(w);
}
