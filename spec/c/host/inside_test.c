/* SPDX-License-Identifier: MIT
 * Parts of the host by themselves: specs, handles, the ledger. */
#include "host/handle.h"
#include "host/ledger.h"
#include "host/spec.h"
#include "world.h"

/* --- specs ---------------------------------------------------------------- */

static void a_spec_is_read(void **state) {
    struct host_spec spec;
    (void)state;
    ok(host_spec_parse("sim:", &spec, NULL));
    assert_int_equal(spec.kind, HOST_SIM);
    assert_int_equal(spec.build, 26100);
    assert_int_equal(spec.driver, HcsHostDriverThread);
    assert_int_equal(spec.clock, HcsHostClockReal);
    assert_true(spec.seed == 1 && spec.latency == 0);
    assert_false(spec.strict || spec.access_open);
    assert_string_equal(spec.accelerator, "auto");
    host_spec_free(&spec);
    ok(host_spec_parse("sim:?build=22621&clock=virtual&seed="
                       "18446744073709551615&driver=step&latency=5ms&"
                       "access=open&strict=1",
                       &spec, NULL));
    assert_int_equal(spec.build, 22621);
    assert_int_equal(spec.clock, HcsHostClockVirtual);
    assert_int_equal(spec.driver, HcsHostDriverStep);
    assert_true(spec.seed == UINT64_MAX && spec.latency == 5000000);
    assert_true(spec.strict && spec.access_open);
    host_spec_free(&spec);
    ok(host_spec_parse("qemu:?root=%2ftmp/a%20b&accel=tcg&", &spec, NULL));
    assert_string_equal(spec.root, "/tmp/a b");
    assert_string_equal(spec.accelerator, "tcg");
    host_spec_free(&spec);
    ok(host_spec_parse("sim:?clock=manual", &spec, NULL));
    assert_int_equal(spec.driver, HcsHostDriverStep);
    host_spec_free(&spec);
}

static void refused(const char *text, const char *words) {
    struct host_spec spec;
    struct hcs_error error = {0};
    fails(E_INVALIDARG, host_spec_parse(text, &spec, &error));
    has(error.text, words);
}

static void a_wrong_spec_says_what_is_wrong(void **state) {
    (void)state;
    refused("", "not a host");
    refused("sim", "not a host");
    refused("simm:", "did you mean \"sim:\"");
    refused("qmu:", "did you mean \"qemu:\"");
    refused("sim:build=1", "begin with \"?\"");
    refused("sim:?bild=1", "did you mean \"build\"");
    refused("sim:?build", "not option=value");
    refused("sim:?=1", "not option=value");
    refused("sim:?build=", "whole number");
    refused("sim:?build=1000000", "from 0 to 999999");
    refused("sim:?build=-1", "whole number");
    refused("sim:?seed=18446744073709551616", "whole number");
    refused("sim:?clock=virtul", "did you mean \"virtual\"");
}

static void wrong_values(void **state) {
    char long_one[6000];
    (void)state;
    refused("sim:?latency=ms", "not a time");
    refused("sim:?latency=5h", "not a time");
    refused("sim:?latency=-5ms", "not a time");
    refused("sim:?latency=99999999999ms", "not a time");
    refused("sim:?strict=yes", "did you mean");
    refused("sim:?root=/tmp", "unknown option \"root\" for \"sim:\"");
    refused("qemu:?seed=1", "unknown option \"seed\" for \"qemu:\"");
    refused("qemu:?root=tmp", "not an absolute path");
    refused("qemu:?clock=virtual", "needs \"sim:\"");
    refused("sim:?clock=manual&driver=thread", "needs \"step\"");
    refused("sim:?access=%6", "two hexadecimal digits");
    refused("qemu:?root=/%00", "two hexadecimal digits");
    refused("qemu:?root=/%zz", "two hexadecimal digits");
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one, "qemu:?root=/", 12);
    long_one[sizeof long_one - 1] = '\0';
    refused(long_one, "too long");
    memset(long_one, 'a', 100);
    memcpy(long_one, "sim:?", 5);
    refused(long_one, "not option=value");
    refused(long_one + 100, "not a host");
}

static void an_unknown_host_leaves_a_document(void **state) {
    HCSHOST host = (HCSHOST)(void *)state;
    PWSTR why = NULL;
    fails(E_INVALIDARG, hcshost_open("sim:?bild=1", &host, &why));
    assert_null(host);
    has(text_of(why), "did you mean \\\"build\\\"");
    fails(E_INVALIDARG, hcshost_open("sim:?bild=1", &host, NULL));
    fails(E_INVALIDARG, hcshost_open(NULL, &host, NULL));
    fails(E_POINTER, hcshost_open("sim:", NULL, NULL));
}

/* --- handles -------------------------------------------------------------- */

static int destroyed;

static void destroy(struct object *object) {
    (void)object;
    destroyed++;
}

static void handles_are_looked_up(void **state) {
    struct object object;
    const void *handle;
    (void)state;
    destroyed = 0;
    object_init(&object, HANDLE_SYSTEM, destroy);
    ok(handle_create(&object, NULL));
    handle = (const void *)object.number;
    assert_ptr_equal(handle_get(handle, HANDLE_SYSTEM), &object);
    object_unref(&object);
    assert_null(handle_get(handle, HANDLE_OPERATION));
    assert_null(handle_get(NULL, HANDLE_SYSTEM));
    assert_null(handle_get(&object, HANDLE_SYSTEM));
    assert_null(handle_get((const void *)UINTPTR_MAX, HANDLE_SYSTEM));
    for (int bit = 0; bit < 64; bit++)
        assert_null(
            handle_get((const void *)(object.number ^ ((uintptr_t)1 << bit)),
                       HANDLE_SYSTEM));
    assert_ptr_equal(handle_take(handle, HANDLE_SYSTEM), &object);
    assert_null(handle_take(handle, HANDLE_SYSTEM));
    assert_null(handle_get(handle, HANDLE_SYSTEM));
    object_unref(&object);
    assert_int_equal(destroyed, 0);
    object_unref(&object);
    assert_int_equal(destroyed, 1);
}

static void a_slot_is_never_mistaken_for_its_predecessor(void **state) {
    enum { COUNT = 500 };
    static struct object objects[COUNT];
    static uintptr_t old[COUNT];
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            object_init(&objects[i], HANDLE_OPERATION, destroy);
            ok(handle_create(&objects[i], NULL));
            for (int j = 0; j < i; j++)
                assert_true(objects[j].number != objects[i].number);
        }
        for (int i = 0; i < COUNT; i++)
            assert_null(handle_get((const void *)old[i], HANDLE_OPERATION));
        for (int i = 0; i < COUNT; i++) {
            old[i] = objects[i].number;
            assert_non_null(
                handle_take((const void *)old[i], HANDLE_OPERATION));
        }
    }
}

/* --- the ledger ----------------------------------------------------------- */

static void grants_are_kept(void **state) {
    struct ledger ledger;
    (void)state;
    ledger_init(&ledger);
    assert_false(ledger_allows(&ledger, "a", "/x/disk"));
    ok(ledger_grant(&ledger, "a", "/x/disk", NULL));
    ok(ledger_grant(&ledger, "a", "/x/disk", NULL));
    assert_true(ledger_allows(&ledger, "a", "/x/disk"));
    assert_false(ledger_allows(&ledger, "b", "/x/disk"));
    assert_false(ledger_allows(&ledger, "a", "/x/Disk"));
    assert_false(ledger_allows(&ledger, "a", "/x/disk2"));
    assert_true(ledger_revoke(&ledger, "a", "/x/disk"));
    assert_false(ledger_revoke(&ledger, "a", "/x/disk"));
    assert_false(ledger_allows(&ledger, "a", "/x/disk"));
    /* all systems, folders, Windows paths */
    ok(ledger_grant(&ledger, NULL, "/x/", NULL));
    assert_true(ledger_allows(&ledger, "b", "/x/new"));
    assert_false(ledger_allows(&ledger, "b", "/x/y/new"));
    assert_true(ledger_allows(&ledger, "b", "/x"));
    assert_false(ledger_allows(&ledger, "b", "/"));
    ok(ledger_grant(&ledger, "w", "C:\\Vm\\Disk.vhdx", NULL));
    assert_true(ledger_allows(&ledger, "w", "c:/vm/disk.VHDX"));
    assert_false(ledger_allows(&ledger, "w", "c:/vm/disk.vhd"));
    assert_false(ledger_allows(&ledger, "w", ""));
    ledger_free(&ledger);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_is_read),
        cmocka_unit_test(a_wrong_spec_says_what_is_wrong),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(an_unknown_host_leaves_a_document),
        cmocka_unit_test(handles_are_looked_up),
        cmocka_unit_test(a_slot_is_never_mistaken_for_its_predecessor),
        cmocka_unit_test(grants_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
