/* SPDX-License-Identifier: MIT
 * Every cell of the table of states and operations. */
#include "fake.h"

#define OK UINT32_C(0)
#define E UINT32_C(0x80370105)
#define X UINT32_C(0x80370110)

struct row {
    HCS_OPERATION_TYPE verb;
    const char *options;
    uint32_t results[5]; /* by enum vm_state */
    enum vm_state after; /* a success; VM_CREATED: unchanged */
};

static const struct row rows[] = {
    {HcsOperationTypeStart, NULL, {OK, E, E, X, E}, VM_RUNNING},
    {HcsOperationTypePause, NULL, {E, OK, E, X, E}, VM_PAUSED},
    {HcsOperationTypeResume, NULL, {E, E, OK, X, E}, VM_RUNNING},
    {HcsOperationTypeSave,
     "{\"SaveStateFilePath\":\"/f\"}",
     {E, E, OK, X, E},
     VM_CREATED},
    {HcsOperationTypeShutdown, NULL, {E, OK, E, X, E}, VM_CREATED},
    {HcsOperationTypeTerminate, NULL, {OK, OK, OK, X, OK}, VM_STOPPED},
    {HcsOperationTypeCrash, NULL, {E, OK, E, X, E}, VM_CREATED},
    {HcsOperationTypeModify,
     "{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
     "\"RequestType\":\"Update\",\"Settings\":512}",
     {OK, OK, E, X, E},
     VM_CREATED},
    {HcsOperationTypeGetProperties, NULL, {OK, OK, OK, OK, OK}, VM_CREATED},
};

static uint32_t seen;
static int replies;

static void note(void *context, const struct vm_reply *reply) {
    (void)context;
    seen = (uint32_t)reply->result;
    replies++;
}

static void check_cell(const struct row *row, enum vm_state state) {
    struct fake fake;
    fake_create(&fake, 26100, "\"Services\":{\"Shutdown\":{}}");
    fake_bring(&fake, state);
    replies = 0;
    vm_submit(fake.vm, row->verb, row->options, note, NULL);
    if (seen != row->results[state])
        print_error("verb %d in state %d: 0x%08x\n", (int)row->verb, (int)state,
                    (unsigned)seen);
    assert_int_equal(replies, 1);
    assert_int_equal(seen, row->results[state]);
    if (seen == OK && row->after != VM_CREATED)
        assert_int_equal(vm_state(fake.vm), row->after);
    else
        assert_int_equal(vm_state(fake.vm), state);
    fake_close(&fake);
}

static void every_cell(void **state) {
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(rows); i++)
        for (int s = VM_CREATED; s <= VM_SAVED_AS_TEMPLATE; s++)
            check_cell(&rows[i], (enum vm_state)s);
}

static void other_operations(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_submit(&fake, HcsOperationTypeCreateProcess, NULL);
    fake_expect(&fake, "reply 0x80070032\n");
    fake_submit(&fake, HcsOperationTypeCreate, NULL);
    fake_expect(&fake, "reply 0x80070032\n");
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(other_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
