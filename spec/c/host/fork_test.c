/* SPDX-License-Identifier: MIT
 * Forked children: what they inherit is none of theirs, and what they do with
 * it reaches nobody. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

/* A child tells by its exit status where it failed; a hang ends it. */
#define must(condition)                \
    do {                               \
        if (!(condition))              \
            _exit(__LINE__ % 250 + 1); \
    } while (0)

static pid_t start(void (*body)(void *), void *context) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(20);
        body(context);
        _exit(0);
    }
    return pid;
}

static void expect_end(pid_t pid) {
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with 0x%x", (unsigned)status);
}

struct family {
    HCSHOST host;
    HCN_NETWORK network;
    HCN_CALLBACK callback;
    HCS_SYSTEM system;
    HCS_OPERATION op;
    int called;
};

static void on_done(HCS_OPERATION operation, void *context) {
    (void)operation;
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void on_event(HCS_EVENT *event, void *context) {
    (void)event;
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void on_notice(DWORD type, void *context, HRESULT status, PCWSTR data) {
    (void)type;
    (void)status;
    (void)data;
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static const GUID none;

static void refuses_networks(const struct family *f) {
    HCN_ENDPOINT endpoint = NULL;
    PWSTR document = NULL;
    must(HcnQueryNetworkProperties(f->network, NULL, &document, NULL) ==
         E_HANDLE);
    must(HcnModifyNetwork(f->network, u"{}", NULL) == E_HANDLE);
    must(HcnCreateEndpoint(f->network, &none, u"{}", &endpoint, NULL) ==
         E_HANDLE);
    must(HcnEnumerateNetworks(NULL, &document, NULL) == E_HANDLE);
    must(HcnDeleteNetwork(&none, NULL) == E_HANDLE);
    must(HcnCloseNetwork(f->network) == E_HANDLE);
    must(HcnUnregisterServiceCallback(f->callback) == E_HANDLE);
    must(document == NULL && endpoint == NULL);
}

/* Every function that takes a handle. */
static void refuses_all(void *context) {
    struct family *f = context;
    HCS_SYSTEM system = NULL;
    PWSTR document = NULL;
    HANDLE pipe = NULL;
    int64_t number = 0;
    must(HcsGetOperationResult(f->op, &document) == E_HANDLE);
    must(HcsWaitForOperationResult(f->op, INFINITE, &document) == E_HANDLE);
    must(HcsCancelOperation(f->op) == E_HANDLE);
    must(HcsSetOperationContext(f->op, NULL) == E_HANDLE);
    must(HcsSetOperationCallback(f->op, NULL, NULL) == E_HANDLE);
    must(HcsGetOperationContext(f->op) == NULL);
    must(HcsGetOperationType(f->op) == HcsOperationTypeNone);
    must(HcsGetOperationId(f->op) == HCS_INVALID_OPERATION_ID);
    must(HcsGetComputeSystemFromOperation(f->op) == NULL);
    must(HcsStartComputeSystem(f->system, f->op, NULL) == E_HANDLE);
    must(HcsTerminateComputeSystem(f->system, f->op, NULL) == E_HANDLE);
    must(HcsModifyComputeSystem(f->system, f->op, u"{}", NULL) == E_HANDLE);
    must(HcsSetComputeSystemCallback(f->system, HcsEventOptionNone, NULL,
                                     NULL) == E_HANDLE);
    must(HcsWaitForComputeSystemExit(f->system, 0, &document) == E_HANDLE);
    must(HcsCreateComputeSystem(u"x", u"{}", f->op, NULL, &system) == E_HANDLE);
    must(HcsEnumerateComputeSystems(NULL, f->op) == E_HANDLE);
    must(hcshost_now(f->host, &number) == E_HANDLE);
    must(hcshost_step(f->host, 0, 0, NULL) == E_HANDLE);
    must(hcshost_timeout(f->host, &number) == E_HANDLE);
    must(hcshost_describe(f->host, &document) == E_HANDLE);
    must(hcshost_pollfd(f->host) == -1);
    must(hcshost_proc(f->host, "HcsCreateOperation") == NULL);
    must(hcshost_enter(f->host, NULL) == E_HANDLE);
    must(hcshost_sim_guest(f->host, NULL, NULL, NULL) == E_HANDLE);
    must(hcshost_sim_packet(f->host, u"{}", &document) == E_HANDLE);
    must(hcshost_network_plan(f->host, u"{}", &document, NULL) == E_HANDLE);
    must(hcshost_network_connect(f->host, NULL, 80, &pipe, NULL) == E_HANDLE);
    must(pipe == NULL);
    /* this thread had entered the parent's host */
    must(HcsCreateOperation(NULL, NULL) == NULL);
    must(HcsOpenComputeSystem(u"x", GENERIC_ALL, &system) == E_HANDLE);
    must(HcsGetServiceProperties(NULL, &document) == E_HANDLE);
    must(HcsGrantVmAccess(u"x", u"/bin/sh") == E_HANDLE);
    refuses_networks(f);
    HcsCloseComputeSystem(f->system);
    HcsCloseOperation(f->op);
    must(hcshost_close(f->host) == E_HANDLE);
    must(document == NULL && system == NULL);
}

/* A world of the child's own, from beginning to end. */
static void lives_by_itself(const char *spec) {
    HCSHOST host = NULL;
    HCS_OPERATION op;
    HCS_SYSTEM system = NULL;
    HCN_NETWORK network = NULL;
    must(hcshost_enter(NULL, NULL) == S_OK);
    must(hcshost_open(spec, &host, NULL) == S_OK);
    must(hcshost_enter(host, NULL) == S_OK);
    op = HcsCreateOperation(NULL, NULL);
    must(op != NULL);
    must(HcsCreateComputeSystem(u"child", SYSTEM_DOCUMENT, op, NULL, &system) ==
         S_OK);
    must(HcsWaitForOperationResult(op, INFINITE, NULL) == S_OK);
    must(finish(op, HcsStartComputeSystem(system, op, NULL)) == S_OK);
    must(HcnCreateNetwork(&none, u"{\"Name\":\"child\"}", &network, NULL) ==
         S_OK);
    must(HcnCloseNetwork(network) == S_OK);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    must(hcshost_close(host) == S_OK);
}

static void child(void *context) {
    refuses_all(context);
    lives_by_itself("sim:?driver=thread&access=open");
    lives_by_itself("sim:?driver=step&clock=virtual&access=open");
    /* the default is the child's own, too */
    must(hcshost_enter(NULL, NULL) == S_OK);
    must(HcsCreateOperation(NULL, NULL) != NULL);
}

static struct family *family_new(const char *spec) {
    static struct family f;
    f = (struct family){.host = world_open(spec)};
    ok(HcnCreateNetwork(&none, u"{\"Name\":\"family\"}", &f.network, NULL));
    ok(HcnRegisterServiceCallback(on_notice, &f.called, &f.callback));
    f.op = HcsCreateOperation(NULL, NULL);
    f.system = world_create(u"family", f.op);
    ok(HcsSetComputeSystemCallback(f.system, HcsEventOptionNone, &f.called,
                                   on_event));
    ok(finish(f.op, HcsStartComputeSystem(f.system, f.op, NULL)));
    return &f;
}

/* The parent's world is as it was. */
static void family_end(struct family *f) {
    assert_int_equal(__atomic_load_n(&f->called, __ATOMIC_SEQ_CST), 0);
    ok(finish(f->op, HcsPauseComputeSystem(f->system, f->op, NULL)));
    ok(finish(f->op, HcsTerminateComputeSystem(f->system, f->op, NULL)));
    ok(HcsWaitForComputeSystemExit(f->system, INFINITE, NULL));
    HcsCloseComputeSystem(f->system);
    HcsCloseOperation(f->op);
    ok(HcnModifyNetwork(f->network,
                        u"{\"ResourceType\":\"DNS\",\"RequestType\":"
                        u"\"Update\",\"Settings\":{\"Domain\":\"a\"}}",
                        NULL));
    ok(HcnCloseNetwork(f->network));
    ok(HcnUnregisterServiceCallback(f->callback));
    world_close(f->host);
}

static void the_child_ends_first(void **state) {
    struct family *f = family_new("sim:?driver=thread&access=open");
    (void)state;
    expect_end(start(child, f));
    family_end(f);
    f = family_new("sim:?driver=step&access=open");
    expect_end(start(child, f));
    family_end(f);
}

/* The process in between ends before its child does. */
struct orphan {
    struct family *family;
    int said[2];
};

static void orphan(void *context) {
    struct orphan *o = context;
    char c;
    /* the other end closes when the process in between is gone */
    must(read(o->said[0], &c, 1) == 0);
    child(o->family);
}

static void the_parent_ends_first(void **state) {
    int result[2];
    char verdict = 'x';
    pid_t between;
    (void)state;
    assert_int_equal(pipe(result), 0);
    between = fork();
    assert_true(between >= 0);
    if (between == 0) {
        struct orphan o;
        pid_t pid;
        alarm(20);
        o.family = family_new("sim:?driver=thread&access=open");
        if (pipe(o.said) != 0)
            _exit(1);
        pid = fork();
        if (pid == 0) {
            alarm(20);
            close(o.said[1]);
            orphan(&o);
            _exit(write(result[1], "+", 1) == 1 ? 0 : 1);
        }
        exit(pid < 0);
    }
    close(result[1]);
    expect_end(between);
    assert_int_equal(read(result[0], &verdict, 1), 1);
    assert_int_equal(verdict, '+');
    close(result[0]);
}

/* Whatever lock another thread holds at the fork, the child never waits. */
struct crowd {
    pthread_t threads[4];
    struct family *family;
    int stop;
};

static void *make_noise(void *context) {
    struct crowd *crowd = context;
    hcshost_enter(crowd->family->host, NULL);
    while (!__atomic_load_n(&crowd->stop, __ATOMIC_SEQ_CST)) {
        HCS_OPERATION op = HcsCreateOperation(&crowd->stop, NULL);
        HcsEnumerateComputeSystems(NULL, op);
        HcsWaitForOperationResult(op, INFINITE, NULL);
        HcsCloseOperation(op);
    }
    return NULL;
}

static void forks_in_a_crowd(void **state) {
    struct crowd crowd = {0};
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer's own allocator may be locked in the child */
#endif
    crowd.family = family_new("sim:?driver=thread&access=open");
    for (int i = 0; i < 4; i++)
        pthread_create(&crowd.threads[i], NULL, make_noise, &crowd);
    for (int i = 0; i < 25; i++)
        expect_end(start(child, crowd.family));
    __atomic_store_n(&crowd.stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 4; i++)
        pthread_join(crowd.threads[i], NULL);
    family_end(crowd.family);
}

struct inside {
    struct family *family;
    int status;
    int done;
};

static void fork_inside(HCS_OPERATION operation, void *context) {
    struct inside *inside = context;
    pid_t pid = fork();
    (void)operation;
    if (pid == 0) {
        alarm(20);
        child(inside->family);
        _exit(0);
    }
    inside->status = -1;
    waitpid(pid, &inside->status, 0);
    __atomic_store_n(&inside->done, 1, __ATOMIC_SEQ_CST);
}

static void forks_in_a_callback(void **state) {
    struct inside inside = {0};
    HCS_OPERATION op;
    (void)state;
    inside.family = family_new("sim:?driver=thread&access=open");
    op = HcsCreateOperation(&inside, fork_inside);
    ok(HcsEnumerateComputeSystems(NULL, op));
    while (!__atomic_load_n(&inside.done, __ATOMIC_SEQ_CST))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    assert_int_equal(inside.status, 0);
    HcsCloseOperation(op);
    family_end(inside.family);
}

/* How many descriptors a program finds open. */
static int count_in_program(void) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/sh", "sh", "-c", "set -- /proc/self/fd/*; exit $#",
              (char *)NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void nothing_is_inherited_by_programs(void **state) {
    int before = count_in_program();
    struct family *f = family_new("sim:?driver=thread&access=open");
    (void)state;
    assert_true(before >= 3);
    assert_true(hcshost_pollfd(f->host) > 2);
    assert_int_equal(count_in_program(), before);
    family_end(f);
}

/* Operations of the process's own host, across a fork. */
static void the_default_host_is_each_processs_own(void **state) {
    int called = 0;
    HCS_OPERATION op = HcsCreateOperation(&called, on_done);
    pid_t pid;
    (void)state;
    assert_non_null(op);
    ok(HcsEnumerateComputeSystems(NULL, op));
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    pid = fork();
    if (pid == 0) {
        HCS_OPERATION mine;
        alarm(20);
        must(HcsEnumerateComputeSystems(NULL, op) == E_HANDLE);
        mine = HcsCreateOperation(NULL, NULL);
        must(mine && mine != op);
        must(finish(mine, HcsEnumerateComputeSystems(NULL, mine)) == S_OK);
        _exit(0);
    }
    expect_end(pid);
    ok(finish(op, HcsEnumerateComputeSystems(NULL, op)));
    HcsCloseOperation(op);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_inherited_by_programs),
        cmocka_unit_test(the_child_ends_first),
        cmocka_unit_test(the_parent_ends_first),
        cmocka_unit_test(forks_in_a_crowd),
        cmocka_unit_test(forks_in_a_callback),
        cmocka_unit_test(the_default_host_is_each_processs_own),
    };
    setenv("HCS_HOST", "sim:?access=open", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
