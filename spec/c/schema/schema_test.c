/* SPDX-License-Identifier: MIT
 * The check of documents, over the cases that the Lua checker meets too, and
 * what only C can meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hresult_hcn.h"
#include "schema/schema.h"

static char *read_cases(size_t *length) {
    FILE *file = fopen(CASES, "rb");
    char *text = malloc(1 << 20);
    assert_non_null(file);
    assert_non_null(text);
    *length = fread(text, 1, 1 << 20, file);
    assert_true(*length > 0 && *length < 1 << 20);
    fclose(file);
    return text;
}

static struct schema_profile profile_of(const struct json *one) {
    struct schema_profile profile = {26100, 0, 0};
    const struct json *version = json_get(one, "version");
    int64_t number;
    if (json_to_int64(json_get(one, "build"), &number))
        profile.build = (int)number;
    if (version) {
        profile.major = (int)version->as.array.items[0].as.integer;
        profile.minor = (int)version->as.array.items[1].as.integer;
    }
    return profile;
}

static bool is_network(const struct json *one) {
    return json_get(one, "set") != NULL;
}

static HRESULT check(const struct json *one, const struct json *document,
                     struct hcs_error *error) {
    const char *type = json_text(json_get(one, "type"), NULL);
    struct schema_profile profile = profile_of(one);
    if (is_network(one))
        return schema_check_network(
            document, strncmp(type, "hcn.", 4) == 0 ? type + 4 : type, error);
    return schema_check(document, type, &profile, error);
}

static HRESULT run(const struct json *one, struct hcs_error *error) {
    const char *text = json_text(json_get(one, "text"), NULL);
    struct json_doc doc = {0};
    HRESULT result;
    if (!text)
        return check(one, json_get(one, "document"), error);
    assert_int_equal(json_parse(text, strlen(text), &doc, error), S_OK);
    result = check(one, doc.root, error);
    json_doc_free(&doc);
    return result;
}

static HRESULT expected_code(const struct json *one) {
    const char *code = json_text(json_get(one, "code"), NULL);
    if (code)
        return (HRESULT)(uint32_t)strtoul(code, NULL, 16);
    return is_network(one) ? HCN_E_INVALID_JSON : HCS_E_INVALID_JSON;
}

/* What is wrong with the outcome, or NULL. */
static const char *verdict(const struct json *one, HRESULT result,
                           const struct hcs_error *error) {
    const char *path = json_text(json_get(one, "path"), NULL);
    const char *message = json_text(json_get(one, "message"), NULL);
    if (!path)
        return result == S_OK && error->code == 0x5a5a ? NULL : "was refused";
    if (result != expected_code(one) || error->code != result)
        return SUCCEEDED(result) ? "was not refused" : "wrong code";
    if (strcmp(error->path, path) != 0)
        return "wrong path";
    if (message && strcmp(error->text, message) != 0)
        return "wrong message";
    return NULL;
}

static void test_cases(void **state) {
    struct json_doc doc = {0};
    size_t length, bad = 0;
    char *text = read_cases(&length);
    const struct json *cases;
    (void)state;
    assert_int_equal(json_parse(text, length, &doc, NULL), S_OK);
    cases = json_get(doc.root, "cases");
    assert_true(cases->as.array.count > 100);
    for (size_t i = 0; i < cases->as.array.count; i++) {
        const struct json *one = &cases->as.array.items[i];
        struct hcs_error error = {0x5a5a, "", ""};
        HRESULT result = run(one, &error);
        const char *wrong = verdict(one, result, &error);
        if (!wrong)
            continue;
        bad++;
        print_error("%s: %s: %08x %s: %s\n",
                    json_text(json_get(one, "name"), "?"), wrong,
                    (unsigned)result, error.path, error.text);
    }
    assert_int_equal(bad, 0);
    json_doc_free(&doc);
    free(text);
}

static void test_arguments(void **state) {
    struct json value = {.type = JSON_OBJECT};
    struct hcs_error error;
    (void)state;
    assert_int_equal(schema_check(&value, "Nothing", NULL, &error),
                     E_INVALIDARG);
    assert_string_equal(error.text, "there is no document type \"Nothing\"");
    assert_int_equal(schema_check(&value, NULL, NULL, &error), E_INVALIDARG);
    assert_int_equal(schema_check(NULL, "ComputeSystem", NULL, &error),
                     E_INVALIDARG);
    assert_int_equal(schema_check(&value, "ComputeSystem", NULL, NULL), S_OK);
    value.type = JSON_BOOL;
    assert_int_equal(schema_check(&value, "ComputeSystem", NULL, NULL),
                     HCS_E_INVALID_JSON);
}

/* Values made in memory may be deeper than any text: `any` is not entered, a
 * type that contains itself has an end. */
static void test_depth(void **state) {
    enum { DEPTH = 10000 };
    static struct json objects[DEPTH + 1];
    static struct json_member members[DEPTH], lists[DEPTH];
    static struct json arrays[DEPTH];
    struct hcs_error error;
    (void)state;
    for (size_t i = 0; i < DEPTH; i++) {
        lists[i].name = (struct json_string){"objdir", 6};
        arrays[i].type = JSON_ARRAY;
        arrays[i].as.array.items = &objects[i + 1];
        arrays[i].as.array.count = 1;
        lists[i].value = arrays[i];
        objects[i].type = JSON_OBJECT;
        objects[i].as.object.members = &lists[i];
        objects[i].as.object.count = 1;
        members[i].name = (struct json_string){"Settings", 8};
    }
    objects[DEPTH].type = JSON_OBJECT;
    assert_int_equal(schema_check(objects, "ObjectDirectory", NULL, &error),
                     HCS_E_INVALID_JSON);
    assert_non_null(strstr(error.text, "nested more than"));
    assert_true(strlen(error.path) < JSON_MAX_PATH);
    members[0].value = objects[0];
    objects[0].as.object.members = members;
    assert_int_equal(
        schema_check(objects, "ModifySettingRequest", NULL, &error), S_OK);
}

static void test_deep_text(void **state) {
    enum { DEPTH = 10000 };
    char *text = malloc(6 * DEPTH + 1);
    struct json_doc doc = {0};
    struct hcs_error error;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(text + 5 * i, "{\"a\":", 5);
    memset(text + 5 * DEPTH, '}', DEPTH);
    assert_int_equal(json_parse(text, 6 * DEPTH, &doc, &error),
                     HR_INVALID_DATA);
    json_doc_free(&doc);
    free(text);
}

static HRESULT check_network(const char *text, const char *type,
                             struct hcs_error *error) {
    struct json_doc doc = {0};
    HRESULT result;
    assert_int_equal(json_parse(text, strlen(text), &doc, NULL), S_OK);
    result = schema_check_network(doc.root, type, error);
    json_doc_free(&doc);
    return result;
}

static void test_network_arguments(void **state) {
    struct json value = {.type = JSON_OBJECT};
    struct hcs_error error = {0};
    (void)state;
    assert_int_equal(schema_check_network(&value, "ComputeSystem", &error),
                     E_INVALIDARG);
    assert_string_equal(error.text,
                        "there is no document type \"ComputeSystem\"");
    assert_int_equal(schema_check_network(&value, NULL, &error), E_INVALIDARG);
    assert_int_equal(schema_check_network(NULL, "HostComputeNetwork", &error),
                     E_INVALIDARG);
    assert_int_equal(schema_check_network(&value, "HostComputeNetwork", NULL),
                     S_OK);
    value.type = JSON_BOOL;
    assert_int_equal(schema_check_network(&value, "HostComputeNetwork", NULL),
                     HCN_E_INVALID_JSON);
    /* HCS' own check does not know the other's types. */
    assert_int_equal(schema_check(&value, "HostComputeNetwork", NULL, NULL),
                     E_INVALIDARG);
}

/* What the Lua check cannot meet: numbers past 2^63, a NUL, and a type that
 * two members name. */
static void test_network_values(void **state) {
    struct hcs_error error;
    (void)state;
    assert_int_equal(check_network("{\"Version\":18446744073709551615}",
                                   "HostComputeNetwork", &error),
                     S_OK);
    assert_int_equal(check_network("{\"Type\":18446744073709551615}",
                                   "HostComputeNetwork", &error),
                     HCN_E_INVALID_JSON);
    assert_int_equal(
        check_network("{\"Name\":\"a\\u0000b\"}", "HostComputeNetwork", &error),
        HCN_E_INVALID_JSON);
    assert_int_equal(check_network("{\"Type\":\"NAT\\u0000\"}",
                                   "HostComputeNetwork", &error),
                     HCN_E_INVALID_NETWORK_TYPE);
    assert_int_equal(check_network("{\"Type\":\"QOS\",\"type\":\"ACL\","
                                   "\"Settings\":{\"Priority\":\"x\"}}",
                                   "EndpointPolicy", &error),
                     S_OK);
}

static void test_versions(void **state) {
    static const int expected[][3] = {
        {14393, 1, 0}, {17763, 2, 1}, {18362, 2, 2},
        {19041, 2, 3}, {19045, 2, 3}, {20348, 2, 5},
        {22000, 2, 6}, {22621, 2, 7}, {26100, 2, 7}};
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(expected); i++) {
        int major, minor;
        schema_version_of_build(expected[i][0], &major, &minor);
        assert_int_equal(major, expected[i][1]);
        assert_int_equal(minor, expected[i][2]);
    }
}

static void test_settings(void **state) {
    (void)state;
    assert_string_equal(
        schema_settings_type("VirtualMachine/Devices/Scsi/0/Attachments/1"),
        "Attachment");
    assert_string_equal(
        schema_settings_type("VirtualMachine/ComputeTopology/Memory/SizeInMB"),
        "uint64");
    assert_null(schema_settings_type("VirtualMachine/Devices/Scsi/0"));
    assert_null(
        schema_settings_type("VirtualMachine/Devices/Scsi/0/Attachments/1/"));
    assert_null(
        schema_settings_type("VirtualMachine/Devices/Scsi//Attachments/1"));
    assert_null(
        schema_settings_type("VirtualMachine/Devices/Scsi/0/Attachments/"));
    assert_null(schema_settings_type(""));
    assert_null(schema_settings_type(NULL));
}

static void test_tables(void **state) {
    const struct schema_type *type = schema_find("Properties");
    struct schema_member member;
    (void)state;
    assert_null(schema_find("properties"));
    assert_null(schema_find(""));
    assert_null(schema_find(NULL));
    assert_int_equal(schema_member_count(schema_find("AttachmentType")), 0);
    assert_non_null(type);
    schema_member_at(type, 0, &member);
    assert_string_equal(member.name, "Id");
    assert_true(member.always);
    schema_member_at(type, 1, &member);
    assert_string_equal(member.name, "SystemType");
    assert_string_equal(member.type, "SystemType");
    type = schema_find("Scsi");
    schema_member_at(type, 0, &member);
    assert_string_equal(member.name, "Attachments");
    assert_string_equal(member.map, "uint32");
    assert_string_equal(member.type, "Attachment");
    assert_int_equal(member.first_build, 17763);
    assert_false(member.array);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_deep_text),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_network_arguments),
        cmocka_unit_test(test_network_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
