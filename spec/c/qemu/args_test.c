/* SPDX-License-Identifier: MIT
 * QEMU's argument list, held against golden files. HCS_GOLDEN=write renews
 * them; read the difference before it is kept. */
#include "test.h"

#include <stdio.h>

#include "../../../src/backend/qemu/args.h"

static char *read_golden(const char *path) {
    FILE *file = fopen(path, "re");
    char *text = calloc(1, 65536);

    assert_non_null(text);
    if (file) {
        text[fread(text, 1, 65535, file)] = 0;
        fclose(file);
    }
    return text;
}

static void compare(const char *name, const struct arguments *arguments) {
    struct buf text = {0};
    char path[512], *golden;

    for (size_t i = 0; i < arguments->count; i++)
        buf_printf(&text, "%s%s", arguments->items[i],
                   i + 1 < arguments->count &&
                           arguments->items[i + 1][0] != '-' &&
                           arguments->items[i][0] == '-'
                       ? " "
                       : "\n");
    snprintf(path, sizeof path, "%s/qemu_args_%s.txt", GOLDEN_DIR, name);
    if (getenv("HCS_GOLDEN") && strcmp(getenv("HCS_GOLDEN"), "write") == 0) {
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        fputs(text.data, file);
        fclose(file);
    }
    golden = read_golden(path);
    assert_string_equal(text.data, golden);
    free(golden);
    buf_free(&text);
}

static struct nics nics; /* of inputs_of */

static struct qemu_inputs inputs_of(const struct json *vm) {
    static const char runtime_id[] = "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02";
    struct qemu_inputs in;

    memset(&in, 0, sizeof in);
    nics_free(&nics);
    assert_int_equal(nics_read(&nics, runtime_id, vm, NULL), S_OK);
    in.nics = &nics;
    for (int i = 0; i < QEMU_NICS; i++)
        in.taps[i] = -1;
    in.virtual_machine = vm;
    in.id = "web, the first";
    in.runtime_id = runtime_id;
    in.qemu = "/usr/bin/qemu-system-x86_64";
    in.accelerator = "tcg";
    in.kernel = "/cache/vmlinux";
    in.monitor = 3;
    in.memory = 4;
    in.ports[0] = -1;
    in.ports[1] = -1;
    return in;
}

static void check(const char *name, struct qemu_inputs *in) {
    struct arguments arguments;
    struct hcs_error error;

    assert_int_equal(qemu_arguments(in, &arguments, &error), S_OK);
    assert_null(arguments.items[arguments.count]);
    compare(name, &arguments);
    arguments_free(&arguments);
}

static void linux_direct(void **state) {
    struct json_doc doc = parse(
        "{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"/vmlinuz\","
        "\"InitRdPath\":\"/initrd,img\",\"KernelCmdLine\":\"console=ttyS0 "
        "unknown_nmi_panic\"},\"UseUtc\":true},\"ComputeTopology\":{\"Memory\":"
        "{\"SizeInMB\":256},\"Processor\":{\"Count\":2}},\"Devices\":{"
        "\"ComPorts\":{\"0\":{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\x\"}}}}");
    struct qemu_inputs in = inputs_of(doc.root);

    (void)state;
    in.ports[0] = 5;
    check("linux", &in);
    json_doc_free(&doc);
}

/* The machine that spec/golden/lab_machine.lua describes. */
static void lab_machine(void **state) {
    struct json_doc doc = parse(
        "{\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"/vmlinuz\","
        "\"InitRdPath\":\"/initrd\",\"KernelCmdLine\":\"console=ttyS0 "
        "cryptomgr.notests=1 unknown_nmi_panic\"},\"UseUtc\":true},"
        "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":256},\"Processor\":{"
        "\"Count\":1}},\"Devices\":{\"ComPorts\":{\"0\":{\"NamedPipe\":"
        "\"\\\\\\\\.\\\\pipe\\\\x\"}},\"Scsi\":{\"0\":{}}}}");
    struct qemu_inputs in = inputs_of(doc.root);

    (void)state;
    in.id = "web";
    in.ports[0] = 5;
    check("lab", &in);
    json_doc_free(&doc);
}

static void every_device(void **state) {
    struct json_doc doc = parse(
        "{\"Chipset\":{\"Uefi\":{\"BootThis\":{\"DeviceType\":\"ScsiDrive\","
        "\"DevicePath\":\"cd\",\"DiskNumber\":3}},\"ChassisAssetTag\":\"a,b\","
        "\"BaseBoardSerialNumber\":\"77\",\"SystemInformation\":{"
        "\"ProductName\":\"box\"}},\"ComputeTopology\":{\"Memory\":{"
        "\"SizeInMB\":"
        "1024,\"EnableColdDiscardHint\":true}},\"StorageQoS\":{\"IopsMaximum\":"
        "100},\"Devices\":{\"Scsi\":{\"0\":{},\"cd\":{}},\"NetworkAdapters\":{"
        "\"a\":{\"MacAddress\":\"00-15-5D-0A-0B-0C\"},\"b\":{},\"late\":{}},"
        "\"VideoMonitor\":"
        "{\"HorizontalResolution\":800,\"VerticalResolution\":600}}}");
    struct qemu_disk disks[] = {
        {0, 0, false, false, true, true, "vhdx", (char *)(size_t) "/d/a.vhdx"},
        {1, 3, true, true, false, true, "raw",
         (char *)(size_t) "/d/\"e\".iso"}};
    struct qemu_inputs in = inputs_of(doc.root);

    (void)state;
    in.firmware_code = "/usr/share/OVMF/OVMF_CODE_4M.ms.fd";
    in.firmware_variables = "/run/hcs/x,y/variables";
    in.secure_boot = true;
    in.ports[1] = 6;
    in.incoming = true;
    in.memory_private = true;
    in.disks = disks;
    in.disk_count = 2;
    in.taps[0] = 7;
    nics_find(&nics, "late")->late = true;
    check("devices", &in);
    json_doc_free(&doc);
}

static void refused(const char *text, HRESULT code, const char *path) {
    struct json_doc doc = parse(text);
    struct qemu_inputs in = inputs_of(doc.root);
    struct arguments arguments;
    struct hcs_error error = {0};

    in.firmware_code = "/code";
    in.firmware_variables = "/variables";
    assert_int_equal(qemu_arguments(&in, &arguments, &error), code);
    assert_string_equal(error.path, path);
    assert_null(arguments.items);
    json_doc_free(&doc);
}

static void what_means_nothing(void **state) {
    (void)state;
    refused("{\"Chipset\":{\"Uefi\":{\"BootThis\":{\"DeviceType\":"
            "\"ScsiDrive\"}}}}",
            HR_NOT_FOUND, "$.VirtualMachine.Chipset.Uefi.BootThis");
}

static void shape_of(const char *text, const struct qemu_disk *disks,
                     size_t count, char out[37]) {
    struct json_doc doc = parse(text);

    qemu_shape(doc.root, "tcg", disks, count, out);
    json_doc_free(&doc);
}

/* What a saved state depends on changes the digest, a name does not. */
static void shapes(void **state) {
    static const struct qemu_disk one[] = {
        {0, 1, false, false, false, false, "raw", NULL}};
    static const struct qemu_disk cd[] = {
        {0, 1, true, true, false, false, "raw", NULL}};
    const char *text = "{\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}},"
                       "\"Devices\":{\"Scsi\":{\"0\":{}}}}";
    const char *larger = "{\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":66}},"
                         "\"Devices\":{\"Scsi\":{\"0\":{}}}}";
    const char *named =
        "{\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}},"
        "\"DisplayName\":\"x\",\"Devices\":{\"Scsi\":{\"q\":{}}}}";
    char a[37], b[37];

    (void)state;
    shape_of(text, one, 1, a);
    shape_of(named, one, 1, b);
    assert_string_equal(a, b);
    shape_of(larger, one, 1, b);
    assert_string_not_equal(a, b);
    shape_of(text, cd, 1, b);
    assert_string_not_equal(a, b);
    shape_of(text, NULL, 0, b);
    assert_string_not_equal(a, b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_direct), cmocka_unit_test(lab_machine),
        cmocka_unit_test(every_device), cmocka_unit_test(what_means_nothing),
        cmocka_unit_test(shapes)};

    nics_init(&nics);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
