/* SPDX-License-Identifier: MIT
 * Networks of real hosts, through the library and with the real daemon: what
 * threads, callbacks, forks and deaths make of calls that wait for another
 * process. */
#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hresult_hcn.h"
#include "world.h"

#define SETTINGS(name, prefix) \
    u"{\"SchemaVersion\":{\"Major\":2,\"Minor\":0},\"Name\":\"" name u"\",\"Type\":\"NAT\",\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":\"" prefix u".0/24\",\"Routes\":[{\"NextHop\":\"" prefix u".1\",\"DestinationPrefix\":\"0.0.0.0/0\"}]}]}]}"
#define LAB SETTINGS("lab", "192.168.215")
#define OTHER SETTINGS("other", "192.168.214")

static const GUID none;
static const GUID some = {0x0C0FFEE0, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};

/* What the setup found out; the tests are skipped without networks. */
static char uri[256], root[160];
static bool possible;
static HCSHOST host;

static void wait_a_little(void) {
    static const struct timespec little = {0, 2 * CLOCK_MS};
    nanosleep(&little, NULL);
}

/* --- the daemon's process ------------------------------------------------- */

static bool serves(const char *pid) {
    char path[300], line[512];
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    file = fopen(path, "r");
    if (!file)
        return false;
    length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    for (size_t i = 0; i < length; i++)
        line[i] = line[i] ? line[i] : ' ';
    line[length] = '\0';
    return strstr(line, "hcs-hostd --serve ") && strstr(line, root);
}

/* 0: there is none. */
static pid_t daemon_process(void) {
    DIR *list = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;

    assert_non_null(list);
    while (!found && (entry = readdir(list)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            serves(entry->d_name))
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(list);
    return found;
}

static bool daemon_ends(void) {
    for (int i = 0; i < 10000; i++) {
        if (daemon_process() == 0)
            return true;
        wait_a_little();
    }
    return false;
}

static void kill_daemon(void) {
    pid_t process = daemon_process();

    assert_true(process > 0);
    assert_int_equal(kill(process, SIGKILL), 0);
    assert_true(daemon_ends());
}

/* --- worlds --------------------------------------------------------------- */

static HCN_NETWORK make(PCWSTR settings) {
    HCN_NETWORK network = NULL;
    ok(HcnCreateNetwork(&none, settings, &network, NULL));
    assert_non_null(network);
    return network;
}

static const char *list(void) {
    PWSTR text = NULL;
    ok(HcnEnumerateNetworks(NULL, &text, NULL));
    return text_of(text);
}

static void remove_all(void) {
    PWSTR text = NULL;
    char id[37];

    ok(HcnEnumerateNetworks(NULL, &text, NULL));
    for (const char *next = text_of(text); (next = strchr(next, '"'));
         next += 38) {
        GUID guid;
        unsigned d[11];
        snprintf(id, sizeof id, "%.36s", next + 1);
        assert_int_equal(sscanf(id, "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x",
                                &d[0], &d[1], &d[2], &d[3], &d[4], &d[5], &d[6],
                                &d[7], &d[8], &d[9], &d[10]),
                         11);
        guid.Data1 = d[0];
        guid.Data2 = (uint16_t)d[1];
        guid.Data3 = (uint16_t)d[2];
        for (int i = 0; i < 8; i++)
            guid.Data4[i] = (uint8_t)d[3 + i];
        ok(HcnDeleteNetwork(&guid, NULL));
    }
}

static int find_out(void **state) {
    PWSTR text = NULL;
    HCSHOST first = NULL;
    (void)state;
    platform_folder(root, sizeof root);
    snprintf(uri, sizeof uri, "qemu:?root=%s", root);
    if (FAILED(hcshost_open(uri, &first, &text))) {
        LocalFree(text);
        return 0;
    }
    ok(hcshost_enter(first, NULL));
    possible = SUCCEEDED(HcnEnumerateNetworks(NULL, &text, NULL));
    LocalFree(text);
    world_close(first);
    assert_true(daemon_ends());
    return 0;
}

static int begin(void **state) {
    (void)state;
    host = possible ? world_open(uri) : NULL;
    return 0;
}

static int end(void **state) {
    (void)state;
    if (!possible)
        return 0;
    if (!host)
        host = world_open(uri);
    remove_all();
    world_close(host);
    host = NULL;
    assert_true(daemon_ends());
    return 0;
}

#define NEED_NETWORKS() \
    do {                \
        if (!possible)  \
            skip();     \
    } while (0)

/* --- calls ---------------------------------------------------------------- */

static void hosts_of_a_root_have_the_same_networks(void **state) {
    HCN_NETWORK network, same = NULL;
    PWSTR text = NULL;
    HCSHOST second;
    char before[512];
    (void)state;
    NEED_NETWORKS();
    ok(HcnCreateNetwork(&some, LAB, &network, NULL));
    ok(HcnQueryNetworkProperties(network, NULL, &text, NULL));
    snprintf(before, sizeof before, "%.500s", text_of(text));
    second = world_open(uri);
    ok(HcnOpenNetwork(&some, &same, NULL));
    ok(HcnQueryNetworkProperties(same, NULL, &text, NULL));
    assert_int_equal(strncmp(before, text_of(text), 500), 0);
    ok(HcnDeleteNetwork(&some, NULL));
    ok(HcnCloseNetwork(same));
    world_close(second);
    ok(hcshost_enter(host, NULL));
    fails(HCN_E_NETWORK_NOT_FOUND,
          HcnQueryNetworkProperties(network, NULL, &text, NULL));
    assert_null(text);
    ok(HcnCloseNetwork(network));
}

static void refusals_leave_records(void **state) {
    HCN_NETWORK network, twin = NULL;
    PWSTR record = NULL;
    (void)state;
    NEED_NETWORKS();
    network = make(LAB);
    fails(HCN_E_NETWORK_ALREADY_EXISTS,
          HcnCreateNetwork(&none, LAB, &twin, &record));
    assert_null(twin);
    assert_non_null(strstr(text_of(record), "\"Success\":false"));
    fails(HCN_E_INVALID_JSON, HcnCreateNetwork(&none, u"{", &twin, &record));
    assert_non_null(strstr(text_of(record), "\"ErrorCode\":2151350299"));
    ok(HcnQueryNetworkProperties(network, NULL, &record, NULL));
    LocalFree(record);
    ok(HcnCloseNetwork(network));
}

/* --- a service that does not answer --------------------------------------- */

struct asking {
    HRESULT result;
    bool creates;
    bool done;
    pid_t thread;
};

static void ask(void *context) {
    struct asking *asking = context;
    HCN_NETWORK network = NULL;
    PWSTR text = NULL;

    (void)hcshost_enter(host, NULL);
    __atomic_store_n(&asking->thread, (pid_t)syscall(SYS_gettid),
                     __ATOMIC_SEQ_CST);
    asking->result = asking->creates
                         ? HcnCreateNetwork(&none, OTHER, &network, NULL)
                         : HcnEnumerateNetworks(NULL, &text, NULL);
    LocalFree(text);
    __atomic_store_n(&asking->done, true, __ATOMIC_SEQ_CST);
}

static bool is_done(const struct asking *asking) {
    return __atomic_load_n(&asking->done, __ATOMIC_SEQ_CST);
}

static bool is_asleep(const struct asking *asking) {
    pid_t thread = __atomic_load_n(&asking->thread, __ATOMIC_SEQ_CST);
    char path[64], state = 'R';
    FILE *file;

    if (thread == 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    file = fopen(path, "r");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'R';
    fclose(file);
    return state == 'S';
}

/* Until its question has gone to the service, which stands still: it sleeps
 * whenever it is looked at. */
static void await_asking(const struct asking *asking) {
    int asleep = 0;

    for (int i = 0; asleep < 20; i++) {
        assert_true(i < 10000);
        wait_a_little();
        asleep = is_asleep(asking) ? asleep + 1 : 0;
    }
}

static void systems_do_not_wait_for_networks(void **state) {
    struct asking asking = {0};
    hcs_thread thread;
    pid_t process;
    int64_t now, began;
    (void)state;
    NEED_NETWORKS();
    list();
    process = daemon_process();
    assert_int_equal(kill(process, SIGSTOP), 0);
    ok(thread_start(&thread, ask, &asking, NULL));
    await_asking(&asking);
    began = clock_monotonic();
    ok(hcshost_now(host, &now));
    ok(hcshost_timeout(host, &now));
    assert_true(clock_monotonic() - began < 10 * CLOCK_SECOND);
    assert_false(is_done(&asking));
    assert_int_equal(kill(process, SIGCONT), 0);
    thread_join(thread);
    ok(asking.result);
}

static void a_host_that_closes_ends_its_calls(void **state) {
    struct asking asking = {.creates = true};
    hcs_thread thread;
    pid_t process;
    int64_t began;
    (void)state;
    NEED_NETWORKS();
    list();
    process = daemon_process();
    assert_int_equal(kill(process, SIGSTOP), 0);
    ok(thread_start(&thread, ask, &asking, NULL));
    await_asking(&asking);
    began = clock_monotonic();
    world_close(host);
    host = NULL;
    assert_true(clock_monotonic() - began < 20 * CLOCK_SECOND);
    thread_join(thread);
    fails(E_HANDLE, asking.result);
    assert_int_equal(kill(process, SIGCONT), 0);
}

static void many_ask_at_once(void **state) {
    enum { THREADS = 6 };
    struct asking asking[THREADS] = {{0}};
    hcs_thread threads[THREADS];
    (void)state;
    NEED_NETWORKS();
    for (int i = 0; i < THREADS; i++)
        ok(thread_start(&threads[i], ask, &asking[i], NULL));
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        ok(asking[i].result);
    }
}

/* --- a service that dies -------------------------------------------------- */

static void handles_go_with_their_service(void **state) {
    HCN_NETWORK network, again = NULL;
    HCN_ENDPOINT endpoint = NULL;
    PWSTR text = NULL, record = NULL;
    (void)state;
    NEED_NETWORKS();
    ok(HcnCreateNetwork(&some, LAB, &network, NULL));
    kill_daemon();
    fails(HR_RPC_SERVER_UNAVAILABLE,
          HcnQueryNetworkProperties(network, NULL, &text, &record));
    assert_non_null(strstr(text_of(record), "went away"));
    fails(HR_RPC_SERVER_UNAVAILABLE, HcnModifyNetwork(network, u"{}", NULL));
    fails(HR_RPC_SERVER_UNAVAILABLE,
          HcnCreateEndpoint(network, &none, u"{}", &endpoint, NULL));
    assert_null(endpoint);
    assert_int_equal(daemon_process(), 0); /* none of that starts it */
    ok(HcnOpenNetwork(&some, &again, NULL));
    fails(HR_RPC_SERVER_UNAVAILABLE,
          HcnQueryNetworkProperties(network, NULL, &text, NULL));
    ok(HcnQueryNetworkProperties(again, NULL, &text, NULL));
    LocalFree(text);
    ok(HcnCloseNetwork(network));
    ok(HcnCloseNetwork(again));
}

struct log {
    int heard, ends, last;
};

static int read_of(const int *number) {
    return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void hear(DWORD type, void *context, HRESULT status, PCWSTR data) {
    struct log *log = context;
    (void)status;
    (void)data;
    __atomic_store_n(&log->last, (int)type, __ATOMIC_SEQ_CST);
    if (type == HcnNotificationServiceDisconnect)
        __atomic_add_fetch(&log->ends, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&log->heard, 1, __ATOMIC_SEQ_CST);
}

static void await(const int *number, int wanted) {
    for (int i = 0; i < 10000; i++) {
        if (read_of(number) >= wanted)
            return;
        wait_a_little();
    }
    fail_msg("%d instead of %d", read_of(number), wanted);
}

static void callbacks_hear_everybody_and_the_end(void **state) {
    struct log log = {0}, later = {0};
    HCN_CALLBACK callback = NULL, second = NULL;
    HCN_NETWORK network;
    HCSHOST other;
    (void)state;
    NEED_NETWORKS();
    ok(HcnRegisterServiceCallback(hear, &log, &callback));
    other = world_open(uri);
    network = make(LAB);
    await(&log.heard, 2); /* before it is made, and after */
    assert_int_equal(read_of(&log.last), HcnNotificationNetworkCreate);
    ok(HcnCloseNetwork(network));
    world_close(other);
    ok(hcshost_enter(host, NULL));
    kill_daemon();
    await(&log.ends, 1);
    ok(HcnRegisterServiceCallback(hear, &later, &second));
    network = make(OTHER);
    await(&later.heard, 2);
    assert_int_equal(read_of(&log.heard), 3); /* the dead one is deaf */
    assert_int_equal(read_of(&log.ends), 1);
    ok(HcnUnregisterServiceCallback(callback));
    ok(HcnUnregisterServiceCallback(second));
    ok(HcnCloseNetwork(network));
}

static void look_inside(DWORD type, void *context, HRESULT status,
                        PCWSTR data) {
    PWSTR text = NULL;
    (void)type;
    (void)status;
    (void)data;
    if (SUCCEEDED(HcnEnumerateNetworks(NULL, &text, NULL)))
        __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
    LocalFree(text);
}

static void callbacks_may_ask(void **state) {
    HCN_CALLBACK callback = NULL;
    HCN_NETWORK network;
    int asked = 0;
    (void)state;
    NEED_NETWORKS();
    ok(HcnRegisterServiceCallback(look_inside, &asked, &callback));
    network = make(LAB);
    await(&asked, 2);
    ok(HcnCloseNetwork(network));
    ok(HcnUnregisterServiceCallback(callback));
}

/* Between calls and in the middle of them: nothing hangs, and what answers is
 * the service that is there. */
static void no_death_is_waited_for(void **state) {
    (void)state;
    NEED_NETWORKS();
    for (int i = 0; i < 10; i++) {
        struct asking asking = {.creates = i % 2 == 1};
        hcs_thread thread;
        pid_t process;

        list();
        process = daemon_process();
        assert_int_equal(kill(process, SIGSTOP), 0);
        ok(thread_start(&thread, ask, &asking, NULL));
        await_asking(&asking);
        assert_int_equal(kill(process, SIGKILL), 0);
        thread_join(thread);
        if (asking.creates)
            fails(HR_RPC_SERVER_UNAVAILABLE, asking.result);
        else
            ok(asking.result); /* who only looks is asked again */
    }
}

#ifndef __SANITIZE_THREAD__ /* it knows no threads in forked children */
/* --- forks ---------------------------------------------------------------- */

static void children_have_none_of_it(void **state) {
    struct log log = {0};
    HCN_CALLBACK callback = NULL;
    HCN_NETWORK network;
    PWSTR text = NULL;
    int status = -1;
    pid_t child;
    (void)state;
    NEED_NETWORKS();
    ok(HcnRegisterServiceCallback(hear, &log, &callback));
    network = make(LAB);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        HCSHOST own = NULL;
        bool good;
        alarm(20);
        good =
            HcnQueryNetworkProperties(network, NULL, &text, NULL) == E_HANDLE &&
            HcnCloseNetwork(network) == E_HANDLE &&
            HcnUnregisterServiceCallback(callback) == E_HANDLE &&
            SUCCEEDED(hcshost_open(uri, &own, NULL)) &&
            SUCCEEDED(hcshost_enter(own, NULL)) &&
            SUCCEEDED(HcnEnumerateNetworks(NULL, &text, NULL)) &&
            text[1] == u'"' && hcshost_close(own) == S_OK;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ok(HcnQueryNetworkProperties(network, NULL, &text, NULL));
    LocalFree(text);
    ok(HcnUnregisterServiceCallback(callback));
    ok(HcnCloseNetwork(network));
}

/* A child that lives on keeps no service of its parent's from ending. */
static void children_hold_nothing(void **state) {
    HCN_CALLBACK callback = NULL;
    struct log log = {0};
    int status = -1;
    pid_t child;
    (void)state;
    NEED_NETWORKS();
    list();
    ok(HcnRegisterServiceCallback(hear, &log, &callback));
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(30);
        pause();
        _exit(0);
    }
    world_close(host);
    host = NULL;
    assert_true(daemon_ends());
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

#endif

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(hosts_of_a_root_have_the_same_networks),
        TEST(refusals_leave_records),
        TEST(systems_do_not_wait_for_networks),
        TEST(a_host_that_closes_ends_its_calls),
        TEST(many_ask_at_once),
        TEST(handles_go_with_their_service),
        TEST(callbacks_hear_everybody_and_the_end),
        TEST(callbacks_may_ask),
        TEST(no_death_is_waited_for),
#ifndef __SANITIZE_THREAD__
        TEST(children_have_none_of_it),
        TEST(children_hold_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, find_out, NULL);
}
