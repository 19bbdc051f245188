/* SPDX-License-Identifier: MIT
 * What of a document is honoured, and how the rest is refused. */
#include "test.h"

#include "../../../src/backend/qemu/support.h"

#define DIRECT "\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"/k\"}}"

static void accepted(const char *text) {
    struct json_doc doc = parse(text);
    struct hcs_error error = {0};

    if (FAILED(support_check(doc.root, &error)))
        fail_msg("%s: %s", error.path, error.text);
    json_doc_free(&doc);
}

static void refused(const char *text, const char *path) {
    struct json_doc doc = parse(text);
    struct hcs_error error = {0};

    assert_int_equal(support_check(doc.root, &error), HR_NOT_SUPPORTED);
    assert_string_equal(error.path, path);
    json_doc_free(&doc);
}

static void honoured(void **state) {
    (void)state;
    accepted("{" DIRECT "}");
    accepted(
        "{" DIRECT ",\"Devices\":{\"ComPorts\":{\"0\":{\"NamedPipe\":"
        "\"x\"}},\"Scsi\":{\"any.name\":{\"Attachments\":{\"0\":{\"Type\":"
        "\"VirtualDisk\",\"Path\":\"/d\"}}}},\"Keyboard\":{},\"Mouse\":{}}}");
    accepted("{\"Chipset\":{\"Uefi\":{}},\"Services\":{\"Shutdown\":{}}}");
    accepted("{" DIRECT ",\"Devices\":{\"GuestCrashReporting\":{"
             "\"WindowsCrashSettings\":{\"DumpFileName\":\"/x\"}}}}");
}

static void asking_for_nothing(void **state) {
    (void)state;
    accepted(
        "{" DIRECT ",\"SecuritySettings\":{\"EnableTpm\":false},"
        "\"RegistryChanges\":null,\"VmmsVm\":false,\"LegacySettings\":\"\"}");
    accepted("{" DIRECT ",\"ComputeTopology\":{\"Processor\":{\"Limit\":0}}}");
}

static void not_honoured(void **state) {
    (void)state;
    refused("{" DIRECT ",\"Devices\":{\"Plan9\":{}}}",
            "$.VirtualMachine.Devices.Plan9");
    refused("{" DIRECT ",\"SecuritySettings\":{\"EnableTpm\":true}}",
            "$.VirtualMachine.SecuritySettings.EnableTpm");
    refused("{" DIRECT ",\"ComputeTopology\":{\"Processor\":{\"Limit\":5}}}",
            "$.VirtualMachine.ComputeTopology.Processor.Limit");
    refused("{" DIRECT
            ",\"Devices\":{\"Scsi\":{\"a b\":{\"Attachments\":{\"0\":"
            "{\"Type\":\"PassThru\"}}}}}}",
            "$.VirtualMachine.Devices.Scsi['a b'].Attachments['0'].Type");
    refused("{" DIRECT ",\"DebugOptions\":{\"FirmwareDumpFileName\":\"/x\"}}",
            "$.VirtualMachine.DebugOptions.FirmwareDumpFileName");
    refused("{" DIRECT ",\"GuestConnection\":{}}",
            "$.VirtualMachine.GuestConnection");
    refused("{}", "$.VirtualMachine.Chipset");
    refused("{\"Chipset\":{\"Uefi\":{},\"LinuxKernelDirect\":{}}}",
            "$.VirtualMachine.Chipset");
}

static void attachments(void **state) {
    struct json_doc good = parse("{\"Type\":\"Iso\",\"Path\":\"/x\"}");
    struct json_doc bad = parse("{\"Type\":\"SharedDisk\",\"Path\":\"/x\"}");
    struct hcs_error error = {0};

    (void)state;
    assert_int_equal(support_check_attachment(good.root, "$.S", &error), S_OK);
    assert_int_equal(support_check_attachment(bad.root, "$.S", &error),
                     HR_NOT_SUPPORTED);
    assert_string_equal(error.path, "$.S.Type");
    assert_int_equal(support_check_attachment(NULL, "$.S", &error),
                     HCS_E_INVALID_JSON);
    json_doc_free(&good);
    json_doc_free(&bad);
}

static void adapters(void **state) {
    struct json_doc good = parse("{\"EndpointId\":\"x\",\"MacAddress\":\"y\"}");
    struct json_doc bad = parse("{\"IovSettings\":{\"OffloadWeight\":1}}");
    struct hcs_error error = {0};

    (void)state;
    assert_int_equal(support_check_adapter(good.root, "$.S", &error), S_OK);
    assert_int_equal(support_check_adapter(bad.root, "$.S", &error),
                     HR_NOT_SUPPORTED);
    assert_string_equal(error.path, "$.S.IovSettings");
    assert_int_equal(support_check_adapter(NULL, "$.S", &error),
                     HCS_E_INVALID_JSON);
    json_doc_free(&good);
    json_doc_free(&bad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honoured), cmocka_unit_test(asking_for_nothing),
        cmocka_unit_test(not_honoured), cmocka_unit_test(attachments),
        cmocka_unit_test(adapters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
