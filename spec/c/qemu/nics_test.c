/* SPDX-License-Identifier: MIT
 * Adapters: what documents say of them, their endpoints, and where a saved
 * state has them. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>

#include "../../../src/backend/qemu/qemu.h"
#include "../../../src/backend/qemu/saved.h"

#define ID "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02"
#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"

/* Of a document whose adapters are `text`. */
static HRESULT read_nics(const char *text, struct nics *nics,
                         struct hcs_error *error) {
    char document[2048];
    struct json_doc doc;
    HRESULT hr;

    snprintf(document, sizeof document,
             "{\"Devices\":{\"NetworkAdapters\":%s}}", text);
    doc = parse(document);
    hr = nics_read(nics, ID, doc.root, error);
    json_doc_free(&doc);
    return hr;
}

static struct nics nics_of(const char *text) {
    struct hcs_error error;
    struct nics nics;

    if (FAILED(read_nics(text, &nics, &error)))
        fail_msg("%s", error.text);
    return nics;
}

/* --- documents ------------------------------------------------------------ */

static void documents(void **state) {
    struct nics nics = nics_of("{\"a\":{\"EndpointId\":\"" ONE
                               "\",\"MacAddress\":\"00-15-5d-0a-0b-0c\"},"
                               "\"b\":{}}");
    struct nics again = nics_of("{\"b\":{}}");
    char device[NIC_DEVICE_SIZE];

    (void)state;
    assert_string_equal(nics.slots[0].name, "a");
    assert_true(nics.slots[0].has_mac);
    assert_false(guid_is_zero(&nics.slots[0].endpoint));
    assert_false(nics.slots[1].has_mac);
    assert_true(guid_is_zero(&nics.slots[1].endpoint));
    assert_null(nics.slots[2].name);
    assert_ptr_equal(nics_find(&nics, "b"), &nics.slots[1]);
    assert_null(nics_find(&nics, "c"));
    assert_ptr_equal(nics_vacant(&nics), &nics.slots[2]);
    nic_device(&nics, &nics.slots[0], true, device);
    assert_string_equal(device,
                        "virtio-net-pci,id=nic0,bus=rp0,netdev=net0,romfile=,"
                        "mac=00:15:5d:0a:0b:0c");
    /* An address of nobody's choice depends on the machine and the name. */
    assert_memory_equal(&nics.slots[1].mac, &again.slots[0].mac, 6);
    assert_memory_equal(nics.slots[1].mac.bytes, "\x00\x15\x5d", 3);
    nics_free(&nics);
    nics_free(&again);
}

static void refused(const char *text, HRESULT code, const char *path) {
    struct hcs_error error = {0};
    struct nics nics;

    assert_int_equal(read_nics(text, &nics, &error), code);
    assert_string_equal(error.path, path);
}

static void documents_that_mean_nothing(void **state) {
    static const char at[] = "$.VirtualMachine.Devices.NetworkAdapters";
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s.n.MacAddress", at);
    refused("{\"n\":{\"MacAddress\":\"00-15-5D-0A-0B\"}}", HR_INVALID_DATA,
            path);
    refused("{\"n\":{\"MacAddress\":\"00-15-5D-0A-0B-0G\"}}", HR_INVALID_DATA,
            path);
    snprintf(path, sizeof path, "%s.n.EndpointId", at);
    refused("{\"m\":{},\"n\":{\"EndpointId\":\"web\"}}", HR_INVALID_DATA, path);
    refused("{\"0\":{},\"1\":{},\"2\":{},\"3\":{},\"4\":{},\"5\":{},\"6\":{},"
            "\"7\":{},\"8\":{}}",
            HR_NO_SYSTEM_RESOURCES, at);
}

/* --- endpoints ------------------------------------------------------------ */

static struct {
    int attached, detached, refuse; /* the number that is refused */
} host;

static HRESULT attach(void *context, const struct machine_adapter *adapter,
                      int *tap, struct mac_address *mac,
                      struct hcs_error *error) {
    static const struct mac_address has = {{0, 0x15, 0x5d, 9, 9, 9}};

    (void)context;
    assert_string_equal(adapter->machine_id, "web");
    assert_string_equal(adapter->runtime_id, ID);
    if (++host.attached == host.refuse)
        return error_set(error, HR_NOT_FOUND, "EndpointId", "no such endpoint");
    *tap = open("/dev/null", O_RDWR | O_CLOEXEC);
    *mac = has;
    return S_OK;
}

static void detach(void *context, const struct guid *endpoint) {
    (void)context;
    assert_false(guid_is_zero(endpoint));
    host.detached++;
}

static const struct qemu_platform platform = {.attach = attach,
                                              .detach = detach};

static void endpoints(void **state) {
    struct nics nics =
        nics_of("{\"a\":{\"EndpointId\":\"" ONE
                "\"},\"n\":{},\"b\":{\"EndpointId\":\"" TWO "\"}}");

    (void)state;
    memset(&host, 0, sizeof host);
    assert_int_equal(nics_attach(&nics, &platform, "web", ID, NULL), S_OK);
    assert_int_equal(host.attached, 2);
    assert_true(nics_attached(&nics));
    assert_int_equal(nics.slots[0].mac.bytes[5], 9);
    assert_true(nics.slots[0].tap >= 0 && nics.slots[2].tap >= 0);
    assert_int_equal(nics.slots[1].tap, -1);
    nics_detach(&nics, &platform);
    nics_detach(&nics, &platform);
    assert_int_equal(host.detached, 2);
    assert_false(nics_attached(&nics));
    nics_free(&nics);
}

static void all_endpoints_or_none(void **state) {
    struct nics nics = nics_of("{\"a\":{\"EndpointId\":\"" ONE
                               "\"},\"b\":{\"EndpointId\":\"" TWO "\"}}");
    struct hcs_error error = {0};

    (void)state;
    memset(&host, 0, sizeof host);
    host.refuse = 2;
    assert_int_equal(nics_attach(&nics, &platform, "web", ID, &error),
                     HR_NOT_FOUND);
    assert_string_equal(
        error.path, "$.VirtualMachine.Devices.NetworkAdapters.b.EndpointId");
    assert_int_equal(host.detached, 1);
    assert_false(nics_attached(&nics));
    nics_free(&nics);
}

/* --- saved states --------------------------------------------------------- */

static struct saved_header saved_of(const char *text) {
    struct nics nics = nics_of(text);
    struct saved_header header = {0};

    assert_true(nics_save(&nics, &header));
    nics_free(&nics);
    return header;
}

static struct nics arranged(const char *text,
                            const struct saved_header *header) {
    struct nics nics = nics_of(text);
    struct hcs_error error;

    if (FAILED(nics_arrange(&nics, header, "it", &error)))
        fail_msg("%s", error.text);
    nics_compare(&nics, header);
    return nics;
}

#define MAC(n) "\"MacAddress\":\"00-15-5D-00-00-0" n "\""

static void in_their_old_places(void **state) {
    struct saved_header header =
        saved_of("{\"a\":{" MAC("1") "},\"b\":{" MAC("2") "}}");
    struct nics nics =
        arranged("{\"b\":{" MAC("2") "},\"a\":{" MAC("1") "}}", &header);

    (void)state;
    assert_string_equal(nics.slots[0].name, "a");
    assert_string_equal(nics.slots[1].name, "b");
    assert_false(nics.slots[0].late || nics.slots[0].replug);
    nics_free(&nics);
}

/* A clone has other names and addresses. */
static void with_other_addresses(void **state) {
    struct saved_header header =
        saved_of("{\"t\":{" MAC("1") ",\"EndpointId\":\"" ONE "\"},\"u\":{}}");
    struct nics nics = arranged(
        "{\"u\":{},\"c\":{" MAC("3") ",\"EndpointId\":\"" TWO "\"},\"d\":{}}",
        &header);

    (void)state;
    assert_string_equal(nics.slots[0].name, "c");
    assert_true(nics.slots[0].replug);
    assert_string_equal(nics.slots[1].name, "u");
    assert_false(nics.slots[1].replug || nics.slots[1].late);
    assert_string_equal(nics.slots[2].name, "d");
    assert_true(nics.slots[2].late);
    nics_free(&nics);
}

/* Whose address nobody has chosen keeps the one that the guest knows. */
static void with_the_old_address(void **state) {
    struct saved_header header = saved_of("{\"t\":{" MAC("1") "}}");
    struct nics nics = arranged("{\"c\":{}}", &header);

    (void)state;
    assert_false(nics.slots[0].replug);
    assert_int_equal(nics.slots[0].mac.bytes[5], 1);
    nics_free(&nics);
}

static void misfit(const char *saved, const char *wanted) {
    struct saved_header header = saved_of(saved);
    struct nics nics = nics_of(wanted);
    struct hcs_error error = {0};

    assert_int_equal(nics_arrange(&nics, &header, "it", &error),
                     HR_FILE_CORRUPT);
    assert_string_equal(error.path, "$.VirtualMachine.Devices.NetworkAdapters");
    nics_free(&nics);
}

static void that_do_not_fit(void **state) {
    (void)state;
    misfit("{\"a\":{},\"b\":{}}", "{\"a\":{}}");
    misfit("{\"a\":{\"EndpointId\":\"" ONE "\"}}", "{\"a\":{}}");
    misfit("{\"a\":{}}", "null");
}

static void not_while_one_is_leaving(void **state) {
    struct nics nics = nics_of("{\"a\":{}}");
    struct saved_header header;

    (void)state;
    nics.slots[0].leaving = true;
    assert_false(nics_save(&nics, &header));
    assert_null(nics_find(&nics, "a"));
    assert_ptr_equal(nics_vacant(&nics), &nics.slots[1]);
    nics_free(&nics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(documents_that_mean_nothing),
        cmocka_unit_test(endpoints),
        cmocka_unit_test(all_endpoints_or_none),
        cmocka_unit_test(in_their_old_places),
        cmocka_unit_test(with_other_addresses),
        cmocka_unit_test(with_the_old_address),
        cmocka_unit_test(that_do_not_fit),
        cmocka_unit_test(not_while_one_is_leaving)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
