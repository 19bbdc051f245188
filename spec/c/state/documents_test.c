/* SPDX-License-Identifier: MIT
 * What goes in and comes out as documents: options, queries, refusals, files.
 */
#include "fake.h"

#define SYSTEM(members) \
    "{\"Owner\":\"me\",\"SchemaVersion\":{\"Major\":2,\"Minor\":7}," members "}"
#define TOPOLOGY "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}}"
#define KERNEL                                                       \
    "\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"/k\"," \
    "\"InitRdPath\":\"/i\"}}"

static void base_properties(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, "\"DisplayName\":\"box\"");
    fake_submit(&fake, HcsOperationTypeGetProperties, "{}");
    fake_expect_contains(&fake,
                         "{\"Id\":\"vm1\",\"SystemType\":\"VirtualMachine\","
                         "\"Name\":\"box\",\"Owner\":\"me\",\"RuntimeId\":\"");
    fake_submit(&fake, HcsOperationTypeGetProperties, "{\"PropertyTypes\":[]}");
    assert_null(strstr(fake.log.data, "State"));
    buf_clear(&fake.log);
    fake_bring(&fake, VM_PAUSED);
    fake_submit(&fake, HcsOperationTypeGetProperties, "null");
    fake_expect_contains(&fake, "\"State\":\"Paused\"}\n");
    fake_close(&fake);
}

static void summary(void **state) {
    struct fake fake;
    struct buf out = {0};
    struct json_writer w = {&out, false};
    char id[37];
    struct buf wanted = {0};
    (void)state;
    fake_create(&fake, 26100, NULL);
    vm_runtime_id_of(FAKE_ID, id);
    vm_write_summary(fake.vm, &w);
    buf_printf(&wanted,
               "{\"Id\":\"vm1\",\"SystemType\":\"VirtualMachine\","
               "\"Owner\":\"me\",\"RuntimeId\":\"%s\"}",
               id);
    assert_string_equal(out.data, wanted.data);
    buf_free(&wanted);
    buf_free(&out);
    fake_close(&fake);
}

static void memory_and_statistics(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Memory\"]}");
    fake_expect(&fake, "reply 0x80370105\n");
    fake_bring(&fake, VM_RUNNING);
    fake_wait(&fake, 1000);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_wait(&fake, 5000); /* does not count */
    fake_submit(&fake, HcsOperationTypeResume, NULL);
    fake_wait(&fake, 500);
    buf_clear(&fake.log);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Memory\"]}");
    fake_expect_contains(
        &fake,
        "\"Memory\":{\"VirtualNodeCount\":1,\"VirtualMachineMemory\":{"
        "\"AvailableMemory\":-1,\"AvailableMemoryBuffer\":0,"
        "\"ReservedMemory\":0,\"AssignedMemory\":65536,\"SlpActive\":false,"
        "\"BalancingEnabled\":false,\"DmOperationInProgress\":false},"
        "\"VirtualNodes\":[{\"VirtualNodeIndex\":0,\"PhysicalNodeNumber\":0,"
        "\"VirtualProcessorCount\":2,\"MemoryUsageInPages\":65536}]}");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Statistics\"]}");
    fake_expect_contains(
        &fake, "\"Uptime100ns\":15,\"Processor\":{\"TotalRuntime100ns\":7},"
               "\"Memory\":{\"MemoryUsageCommitBytes\":4096,");
    fake_close(&fake);
}

static void property_types(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 17763, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Bogus\"]}");
    fake_expect_contains(&fake, "reply 0x8037010d");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"CpuFrequencyPowerCap\"]}");
    fake_expect_contains(&fake, "reply 0x8037010d"); /* from 20348 on */
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"ProcessList\"]}");
    fake_expect_contains(&fake, "reply 0x00000000");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Memory\",\"GuestMemory\"]}");
    fake_expect(&fake, "reply 0x80070032 $.PropertyTypes[1]\n");
    fake_close(&fake);
}

static void queries(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"Queries\":{\"Basic\":null,\"Else\":{}}}");
    fake_expect_contains(&fake, "\"Else\":{\"Error\":{\"Error\":-2143878899,"
                                "\"ErrorMessage\":");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"Queries\":{\"Basic\":null}}");
    fake_expect_contains(&fake,
                         "\"PropertyResponses\":{\"Basic\":{\"Response\":{"
                         "\"Id\":\"vm1\",\"SystemType\":\"VirtualMachine\"");
    fake_close(&fake);
    fake_create(&fake, 19041, NULL);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"Queries\":{\"Basic\":null}}");
    fake_expect_contains(&fake, "reply 0x8037010d");
    fake_close(&fake);
}

static void bad_options(void **state) {
    static const struct {
        HCS_OPERATION_TYPE verb;
        const char *options;
        const char *reply;
    } cases[] = {
        {HcsOperationTypePause, "{", "reply 0x8007000d"},
        {HcsOperationTypePause, "{\"Level\":1}", "reply 0x8037010d $.Level"},
        {HcsOperationTypePause, "{\"SuspensionLevel\":\"MemoryLow\"}",
         "reply 0x80070032 $.SuspensionLevel"},
        {HcsOperationTypePause,
         "{\"HostedNotification\":{\"Reason\":\"Wish\"}}",
         "reply 0x8037010d $.HostedNotification.Reason"},
        {HcsOperationTypeTerminate, "{\"Force\":true}", "reply 0x8037010d $"},
        {HcsOperationTypeTerminate, "[]", "reply 0x8037010d $"},
        {HcsOperationTypeModify, NULL, "reply 0x8037010d $"},
        {HcsOperationTypeModify, "{\"ResourcePath\":\"Moon\"}",
         "reply 0x8037010d $.ResourcePath"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"Container/Memory/SizeInMB\",\"Settings\":2}",
         "reply 0x8037010d $.ResourcePath"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
         "\"RequestType\":\"Update\",\"Settings\":\"2G\"}",
         "reply 0x8037010d $.Settings"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
         "\"RequestType\":\"Update\",\"Settings\":513}",
         "reply 0x80070057 $.Settings"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/0/Attachments/1\","
         "\"RequestType\":\"Add\"}",
         "reply 0x8037010d $.Settings"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/0/Attachments/1\","
         "\"RequestType\":\"Add\",\"Settings\":{\"Type\":\"Tape\"}}",
         "reply 0x8037010d $.Settings.Type"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/0/Attachments/1\","
         "\"RequestType\":\"Add\",\"Settings\":{\"Type\":\"VirtualDisk\","
         "\"Path\":\"/gone\"}}",
         "reply 0x80070002 $.Settings.Path"},
        {HcsOperationTypeModify,
         "{\"ResourcePath\":\"VirtualMachine/Devices/Licensing\","
         "\"GuestRequest\":{}}",
         "reply 0x80070032 $.GuestRequest"},
        {HcsOperationTypeStart, "{\"RestoreOptions\":{}}", "reply 0x80370105"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct fake fake;
        struct buf line = {0};
        fake_create(&fake, 26100, NULL);
        fake_bring(&fake, VM_RUNNING);
        fake.missing = "/gone";
        fake_submit(&fake, cases[i].verb, cases[i].options);
        buf_printf(&line, "%s\n", cases[i].reply);
        if (strncmp(cases[i].reply, "reply 0x8007000d", 16) == 0)
            fake_expect_contains(&fake, cases[i].reply);
        else
            fake_expect(&fake, line.data);
        buf_free(&line);
        fake_close(&fake);
    }
}

static void saving(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_PAUSED);
    fake_submit(&fake, HcsOperationTypeSave, NULL);
    fake_expect(&fake, "reply 0x8037010d $.SaveStateFilePath\n");
    fake_submit(&fake, HcsOperationTypeSave,
                "{\"RuntimeStateFilePath\":\"/r\"}");
    fake_expect(&fake, "[/r] save\nreply 0x00000000\n");
    fake_submit(
        &fake, HcsOperationTypeSave,
        "{\"RuntimeStateFilePath\":\"/r\",\"SaveStateFilePath\":\"/s\"}");
    fake_expect(&fake, "reply 0x8037010d $.RuntimeStateFilePath\n");
    fake_submit(&fake, HcsOperationTypeSave,
                "{\"SaveStateFilePath\":\"/s\",\"VmPhuOptions\":{}}");
    fake_expect(&fake, "reply 0x80070032 $.VmPhuOptions\n");
    fake.machine->failing = "save";
    fake.machine->failure = HR_DISK_FULL;
    fake_submit(&fake, HcsOperationTypeSave, "{\"SaveType\":\"AsTemplate\"}");
    fake_expect(&fake, "[template] save\nreply 0x80070070\n");
    assert_int_equal(vm_state(fake.vm), VM_PAUSED);
    fake_close(&fake);
}

static void start_options(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_submit(&fake, HcsOperationTypeStart, "{\"RestoreOptions\":{}}");
    fake_expect(&fake, "reply 0x80070032 $.RestoreOptions\n");
    fake_submit(&fake, HcsOperationTypeStart, "{}");
    fake_expect(&fake, "start\nreply 0x00000000\n");
    fake_close(&fake);
}

static void modified_memory_shows(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_submit(
        &fake, HcsOperationTypeModify,
        "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
        "\"RequestType\":\"Update\",\"Settings\":512}");
    fake_expect(&fake, "modify\nreply 0x00000000\n");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Memory\"]}");
    fake_expect_contains(&fake, "\"AssignedMemory\":131072");
    fake_close(&fake);
}

static void refused_documents(void **state) {
    static const struct {
        const char *document;
        HRESULT result;
        const char *path;
    } cases[] = {
        {SYSTEM("\"VirtualMachine\":null"), HCS_E_INVALID_JSON, "$"},
        {SYSTEM("\"Container\":{}"), HR_NOT_SUPPORTED, "$.Container"},
        {SYSTEM("\"VirtualMachine\":{\"ComputeTopology\":{\"Memory\":{"
                "\"SizeInMB\":0}}}"),
         HCS_E_INVALID_JSON,
         "$.VirtualMachine.ComputeTopology.Memory.SizeInMB"},
        {SYSTEM("\"VirtualMachine\":{}"), HCS_E_INVALID_JSON,
         "$.VirtualMachine.ComputeTopology.Memory.SizeInMB"},
        {SYSTEM("\"VirtualMachine\":{\"ComputeTopology\":{\"Memory\":{"
                "\"SizeInMB\":64},\"Processor\":{\"Count\":0}}}"),
         HCS_E_INVALID_JSON,
         "$.VirtualMachine.ComputeTopology.Processor.Count"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"GuestConnection\":{}}"),
         HR_NOT_SUPPORTED, "$.VirtualMachine.GuestConnection"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"RestoreState\":{"
                "\"RestoreType\":\"FastRestore\"}}"),
         HR_NOT_SUPPORTED, "$.VirtualMachine.RestoreState.RestoreType"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"RestoreState\":{"
                "\"SaveStateFilePath\":\"/a\",\"TemplateSystemId\":\"b\"}}"),
         HCS_E_INVALID_JSON, "$.VirtualMachine.RestoreState"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"DebugOptions\":{"
                "\"FirmwareDumpFileName\":\"/a\"}}"),
         HR_NOT_SUPPORTED,
         "$.VirtualMachine.DebugOptions.FirmwareDumpFileName"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"Devices\":{"
                "\"GuestCrashReporting\":{\"NixCrashSettings\":{\"DumpType\":"
                "\"ElfCore\"}}}}"),
         HCS_E_INVALID_JSON,
         "$.VirtualMachine.Devices.GuestCrashReporting.NixCrashSettings"
         ".DumpFileName"},
        {SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"Devices\":{"
                "\"GuestCrashReporting\":{\"NixCrashSettings\":{"
                "\"MaxDumpSize\":-1}}}}"),
         HCS_E_INVALID_JSON,
         "$.VirtualMachine.Devices.GuestCrashReporting.NixCrashSettings"
         ".MaxDumpSize"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct fake fake;
        struct hcs_error error;
        fake_open(&fake, 26100);
        HRESULT hr = fake_create_document(&fake, cases[i].document, &error);
        assert_int_equal(hr, cases[i].result);
        assert_string_equal(error.path, cases[i].path);
        assert_null(fake.vm);
        fake_close(&fake);
    }
}

/* A disk of the host's is no file. */
static void pass_through_is_no_file(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100,
                "\"Devices\":{\"Scsi\":{\"0\":{\"Attachments\":{\"0\":{"
                "\"Type\":\"PassThru\",\"Path\":\"disk 1\"}}}}}");
    fake.missing = "disk 1";
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_expect(&fake, "start\nreply 0x00000000\n");
    fake_close(&fake);
}

static void no_wish_is_no_refusal(void **state) {
    struct fake fake;
    struct hcs_error error;
    (void)state;
    fake_open(&fake, 28000);
    assert_int_equal(
        fake_create_document(
            &fake,
            SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",\"GuestConnection\":null,"
                   "\"RestoreState\":{\"RestoreType\":\"Normal\"},"
                   "\"DebugOptions\":{\"FirmwareDumpFileName\":\"\","
                   "\"WorkerProcessDumpOnGuestCrash\":{\"Type\":\"None\"}},"
                   "\"Devices\":{\"GuestCrashReporting\":{\"NixCrashSettings\":"
                   "{\"DumpType\":\"Disabled\"}}}}"),
            &error),
        S_OK);
    fake_close(&fake);
}

static void files(void **state) {
    static const struct {
        const char *machine;
        const char *file;
        const char *path;
    } cases[] = {
        {KERNEL, "/k",
         "$.VirtualMachine.Chipset.LinuxKernelDirect"
         ".KernelFilePath"},
        {KERNEL, "/i", "$.VirtualMachine.Chipset.LinuxKernelDirect.InitRdPath"},
        {"\"Devices\":{\"Scsi\":{\"0\":{\"Attachments\":{\"1\":{\"Type\":"
         "\"Iso\","
         "\"Path\":\"/d.iso\"}}}}}",
         "/d.iso", "$.VirtualMachine.Devices.Scsi['0'].Attachments['1'].Path"},
        {"\"Devices\":{\"Ide\":[{\"Attachments\":[]}],\"VirtualPMem\":{"
         "\"Devices\":{\"0\":{\"HostPath\":\"/p\"}}}}",
         "/p", "$.VirtualMachine.Devices.VirtualPMem.Devices['0'].HostPath"},
        {"\"GuestState\":{\"GuestStateFilePath\":\"/g.vmgs\"}", "/g.vmgs",
         "$.VirtualMachine.GuestState.GuestStateFilePath"},
        {"\"RestoreState\":{\"SaveStateFilePath\":\"/s.vmrs\"}", "/s.vmrs",
         "$.VirtualMachine.RestoreState.SaveStateFilePath"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct fake fake;
        struct hcs_error error;
        struct buf text = {0}, line = {0};
        fake_open(&fake, 26100);
        buf_printf(&text, SYSTEM("\"VirtualMachine\":{" TOPOLOGY ",%s}"),
                   cases[i].machine);
        assert_int_equal(fake_create_document(&fake, text.data, &error), S_OK);
        buf_clear(&fake.log);
        fake.missing = cases[i].file;
        fake_submit(&fake, HcsOperationTypeStart, NULL);
        buf_printf(&line, "reply 0x80070002 %s\n", cases[i].path);
        fake_expect(&fake, line.data);
        fake.missing = NULL;
        fake.withheld = cases[i].file;
        fake_submit(&fake, HcsOperationTypeStart, NULL);
        buf_clear(&line);
        buf_printf(&line, "reply 0x80070005 %s\n", cases[i].path);
        fake_expect(&fake, line.data);
        assert_int_equal(vm_state(fake.vm), VM_CREATED);
        fake.withheld = NULL;
        fake_submit(&fake, HcsOperationTypeStart, NULL);
        fake_expect(&fake, "start\nreply 0x00000000\n");
        buf_free(&text);
        buf_free(&line);
        fake_close(&fake);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_properties),
        cmocka_unit_test(summary),
        cmocka_unit_test(memory_and_statistics),
        cmocka_unit_test(property_types),
        cmocka_unit_test(queries),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(saving),
        cmocka_unit_test(start_options),
        cmocka_unit_test(modified_memory_shows),
        cmocka_unit_test(refused_documents),
        cmocka_unit_test(pass_through_is_no_file),
        cmocka_unit_test(no_wish_is_no_refusal),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
