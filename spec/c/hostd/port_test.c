/* SPDX-License-Identifier: MIT
 * Ports of machines, sockets from outside, plans and counts. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MACHINE "bbbbbbbb-0000-4000-8000-000000000001"

static const struct hostd_terms terms = {.build = 26100};

static struct machine_adapter adapter_of(const struct guid *endpoint) {
    return (struct machine_adapter){
        .endpoint = *endpoint, .machine_id = "vm", .runtime_id = MACHINE};
}

/* "State" of the endpoint: 1 made, 2 attached, 4 detached. */
static int64_t state_of(struct bench *bench, const struct guid *endpoint) {
    struct json_doc doc;
    int64_t number;

    ask(bench, S_OK, NET_QUERY, NET_ENDPOINT, endpoint, "{" V2 "}");
    assert_hr(json_parse(bench->reply.document, strlen(bench->reply.document),
                         &doc, NULL),
              S_OK);
    assert_true(json_to_int64(json_get(doc.root, "State"), &number));
    json_doc_free(&doc);
    return number;
}

static void port_id(struct bench *bench, const struct guid *endpoint,
                    char out[GUID_TEXT_SIZE]) {
    struct json_doc doc;

    ask(bench, S_OK, NET_QUERY, NET_ENDPOINT, endpoint, "{" V2 "}");
    assert_hr(json_parse(bench->reply.document, strlen(bench->reply.document),
                         &doc, NULL),
              S_OK);
    snprintf(out, GUID_TEXT_SIZE, "%s",
             json_text(json_at(doc.root, "AdditionalParams.SwitchPortId"), ""));
    assert_int_equal(strlen(out), GUID_TEXT_SIZE - 1);
    json_doc_free(&doc);
}

static void await_state(struct bench *bench, const struct guid *endpoint,
                        int64_t state) {
    for (int i = 0; i < 1000 && state_of(bench, endpoint) != state; i++)
        usleep(5000);
    assert_int_equal(state_of(bench, endpoint), state);
}

static bool is_tap(int fd) {
    struct ifreq request;

    memset(&request, 0, sizeof request);
    return ioctl(fd, TUNGETIFF, &request) == 0 &&
           (request.ifr_flags & IFF_TAP) && (request.ifr_flags & IFF_VNET_HDR);
}

/* --- machines ------------------------------------------------------------- */

static void a_machine_gets_a_tap(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1);
    struct guid endpoint = make_endpoint(bench, &net);
    struct machine_adapter adapter = adapter_of(&endpoint);
    struct hostd *machine = join(bench);
    struct hostd_port port = {.tap = -1};
    char mac[MAC_TEXT_SIZE];

    works(bench,
          hostd_attach(machine, &terms, &adapter, -1, &port, &bench->error));
    assert_true(is_tap(port.tap));
    assert_true(fcntl(port.tap, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(state_of(bench, &endpoint), 2);
    mac_format(&port.mac, mac);
    assert_non_null(strstr(bench->reply.document, mac));
    assert_non_null(strstr(bench->reply.document, MACHINE));
    assert_hr(hostd_attach(machine, &terms, &adapter, -1, &port, &bench->error),
              HCN_E_ENDPOINT_ALREADY_ATTACHED);
    assert_string_equal(bench->error.path, "EndpointId");
    close(port.tap);
    /* its end is the port's */
    hostd_close(machine);
    await_state(bench, &endpoint, 4);
    machine = join(bench);
    works(bench,
          hostd_attach(machine, &terms, &adapter, -1, &port, &bench->error));
    close(port.tap);
    works(bench, hostd_detach(machine, &endpoint, &bench->error));
    assert_int_equal(state_of(bench, &endpoint), 4);
    assert_hr(hostd_detach(machine, &endpoint, &bench->error),
              HCN_E_ENDPOINT_NOT_ATTACHED);
    hostd_close(machine);
}

static void what_is_wrong_with_an_adapter(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1);
    struct guid endpoint = make_endpoint(bench, &net);
    struct machine_adapter adapter = adapter_of(&endpoint);
    struct mac_address other = {{2, 0, 0, 0, 0, 9}};
    struct hostd_port port = {.tap = -1};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    adapter.mac = &other;
    assert_hr(
        hostd_attach(bench->hostd, &terms, &adapter, -1, &port, &bench->error),
        E_INVALIDARG);
    assert_string_equal(bench->error.path, "MacAddress");
    adapter.mac = NULL;
    assert_hr(hostd_attach(bench->hostd, &terms, &adapter, null, &port,
                           &bench->error),
              E_INVALIDARG); /* no tap */
    assert_int_equal(state_of(bench, &endpoint), 1);
    adapter.endpoint.bytes[0] ^= 1;
    assert_hr(
        hostd_attach(bench->hostd, &terms, &adapter, -1, &port, &bench->error),
        HCN_E_ENDPOINT_NOT_FOUND);
    assert_hr(hostd_attach(bench->hostd, &terms, &adapter, null, &port,
                           &bench->error),
              HCN_E_ENDPOINT_NOT_FOUND);
    adapter.endpoint.bytes[0] ^= 1;
    works(bench, hostd_attach(bench->hostd, &terms, &adapter, -1, &port,
                              &bench->error));
    close(port.tap);
    close(null);
}

/* A port that somebody else took away, and gave to another. */
static void an_end_takes_only_its_own(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1);
    struct guid endpoint = make_endpoint(bench, &net);
    struct machine_adapter adapter = adapter_of(&endpoint);
    struct hostd *first = join(bench), *second = join(bench);
    struct hostd_port port = {.tap = -1};

    works(bench,
          hostd_attach(first, &terms, &adapter, -1, &port, &bench->error));
    close(port.tap);
    ask(bench, S_OK, NET_DETACH, NET_ENDPOINT, &endpoint, NULL);
    works(bench,
          hostd_attach(second, &terms, &adapter, -1, &port, &bench->error));
    close(port.tap);
    assert_hr(hostd_detach(first, &endpoint, &bench->error),
              HCN_E_ENDPOINT_NOT_ATTACHED);
    hostd_close(first);
    usleep(50000);
    assert_int_equal(state_of(bench, &endpoint), 2);
    /* and one that is gone altogether */
    erase(bench, NET_ENDPOINT, &endpoint);
    hostd_close(second);
}

/* The machine goes on with the tap that it has. */
static void a_machine_outlives_the_daemon(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1);
    struct guid endpoint = make_endpoint(bench, &net);
    struct guid other = make_endpoint(bench, &net);
    struct machine_adapter adapter = adapter_of(&endpoint);
    struct hostd *machine = join(bench);
    struct hostd_port port = {.tap = -1}, again = {.tap = -1};
    char before[GUID_TEXT_SIZE], after[GUID_TEXT_SIZE];
    HRESULT hr;

    ask(bench, S_OK, NET_ATTACH, NET_ENDPOINT, &other, "{}");
    works(bench,
          hostd_attach(machine, &terms, &adapter, -1, &port, &bench->error));
    port_id(bench, &endpoint, before);
    kill_daemon(bench);
    assert_false(hostd_alive(machine));
    hostd_close(machine);
    rejoin(bench);
    assert_int_equal(state_of(bench, &endpoint), 4); /* until it asks */
    assert_int_equal(state_of(bench, &other), 2);    /* which nobody held */
    machine = join(bench);
    hr = hostd_attach(machine, &terms, &adapter, port.tap, &again,
                      &bench->error);
    if (geteuid() == 0) {
        works(bench, hr);
        assert_int_equal(again.tap, -1);
    } else { /* it belongs to the dead one's user namespace */
        assert_hr(hr, E_ACCESSDENIED);
        works(bench, hostd_attach(machine, &terms, &adapter, -1, &again,
                                  &bench->error));
        close(again.tap);
    }
    assert_memory_equal(&again.mac, &port.mac, sizeof port.mac);
    port_id(bench, &endpoint, after);
    assert_string_equal(after, before);
    close(port.tap);
    hostd_close(machine);
    await_state(bench, &endpoint, 4);
}

/* --- from outside --------------------------------------------------------- */

static int outcome(int fd) {
    struct pollfd output = {fd, POLLOUT, 0};
    int number = -1;
    socklen_t length = sizeof number;

    assert_int_equal(poll(&output, 1, 5000), 1);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length), 0);
    return number;
}

/* Nobody listens there, and that is what one is told. */
static void the_host_is_reached_from_outside(void **state) {
    static const char *const addresses[] = {NULL, "127.0.0.1", "0.0.0.0"};
    struct bench *bench = *state;
    int fd;

    make_nat(bench, 1);
    for (size_t i = 0; i < 2; i++) {
        works(bench,
              hostd_dial(bench->hostd, addresses[i], 80, &fd, &bench->error));
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(outcome(fd), ECONNREFUSED);
        close(fd);
    }
    works(bench, hostd_dial(bench->hostd, "10.77.1.1", 80, &fd, &bench->error));
    assert_int_equal(outcome(fd), ECONNREFUSED);
    close(fd);
    assert_hr(hostd_dial(bench->hostd, "not one", 80, &fd, &bench->error),
              E_INVALIDARG);
    assert_hr(hostd_dial(bench->hostd, "10.77.1.1", 0, &fd, &bench->error),
              E_INVALIDARG);
}

/* --- plans and counts ----------------------------------------------------- */

static void look(struct bench *bench, struct hostd_inventory *out) {
    works(bench, hostd_inventory(bench->hostd, out, &bench->error));
}

static void what_is_there_is_counted(void **state) {
    struct bench *bench = *state;
    struct hostd_inventory before, during, after;
    struct guid net, endpoint, space;

    look(bench, &before);
    assert_int_equal(before.networks, 0);
    assert_int_equal(before.namespaces, 0);
    assert_int_equal(before.processes, 0);
    net = make_nat(bench, 1);
    endpoint = make_endpoint(bench, &net);
    space = make(bench, NET_NAMESPACE, NULL, "{" V2 "}");
    put(bench, &space, &endpoint);
    look(bench, &during);
    assert_int_equal(during.networks, 1);
    assert_int_equal(during.endpoints, 1);
    assert_int_equal(during.namespaces, 1);
    assert_true(during.interfaces >= before.interfaces + 3);
    assert_true(during.rules > before.rules);
    erase(bench, NET_NAMESPACE, &space);
    erase(bench, NET_NETWORK, &net);
    look(bench, &after);
    assert_memory_equal(&after, &before, sizeof after);
}

static size_t lines_of(struct bench *bench, char *document, bool *machine) {
    struct json_doc doc;
    const struct json *changes;
    size_t number;

    assert_hr(json_parse(document, strlen(document), &doc, &bench->error),
              S_OK);
    changes = json_get(doc.root, "Changes");
    assert_non_null(changes);
    assert_int_equal(changes->type, JSON_ARRAY);
    number = changes->as.array.count;
    *machine = false;
    for (size_t i = 0; i < number; i++) {
        const struct json *line = &changes->as.array.items[i];

        assert_true(strlen(json_text(json_get(line, "Kind"), "")) > 0);
        assert_true(strlen(json_text(json_get(line, "Text"), "")) > 0);
        *machine = *machine || json_is_true(json_get(line, "Machine"));
    }
    json_doc_free(&doc);
    free(document);
    return number;
}

static void a_plan_changes_nothing(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1), endpoint, space;
    struct hostd_terms allowed = {.build = 26100, .allow_host_change = true};
    struct net_request request = {
        .verb = NET_CREATE, .kind = NET_NETWORK, .text = "{\"Name\":\"n\"}"};
    struct hostd_inventory before, after;
    char *document = NULL, *seen, *still;
    bool machine;

    endpoint = make_endpoint(bench, &net);
    space = make(bench, NET_NAMESPACE, NULL, "{" V2 "}");
    put(bench, &space, &endpoint);
    make(bench, NET_NETWORK, NULL, "{'Name':'f','Flags':8," V2 "}");
    look(bench, &before);
    seen = picture(bench);
    works(bench,
          hostd_plan(bench->hostd, &terms, &request, &document, &bench->error));
    assert_true(lines_of(bench, document, &machine) > 3);
    assert_false(machine);
    if (geteuid() == 0) {
        works(bench, hostd_plan(bench->hostd, &allowed, &request, &document,
                                &bench->error));
        lines_of(bench, document, &machine);
        assert_true(machine);
    }
    request.verb = NET_QUERY;
    request.id = net;
    request.text = NULL;
    works(bench,
          hostd_plan(bench->hostd, &terms, &request, &document, &bench->error));
    assert_int_equal(lines_of(bench, document, &machine), 0);
    request.verb = NET_CREATE;
    request.id = (struct guid){{0}};
    request.text = "{\"Name\":\"nat1\"}";
    assert_hr(
        hostd_plan(bench->hostd, &terms, &request, &document, &bench->error),
        HCN_E_NETWORK_ALREADY_EXISTS);
    assert_non_null(strstr(bench->error.text, "nat1"));
    look(bench, &after);
    assert_memory_equal(&after, &before, sizeof after);
    still = picture(bench);
    assert_string_equal(still, seen);
    free(seen);
    free(still);
}

static void an_uplink_is_made_when_it_is_allowed(void **state) {
    struct bench *bench = *state;
    struct hostd_terms allowed = {.build = 26100, .allow_host_change = true};
    struct net_request request = {
        .verb = NET_CREATE, .kind = NET_NETWORK, .text = "{}"};
    struct hostd_inventory before, after;
    struct net_reply reply;
    struct guid net;
    HRESULT hr;

    look(bench, &before);
    hr = hostd_request(bench->hostd, &allowed, &request, &reply);
    net = reply.id;
    net_reply_free(&reply);
    if (geteuid() != 0) { /* the machine's network is not theirs */
        assert_hr(hr, E_ACCESSDENIED);
        assert_int_equal(count(bench, NET_NETWORK), 0);
        return;
    }
    assert_hr(hr, S_OK);
    assert_true(there_is(bench, "uplink"));
    erase(bench, NET_NETWORK, &net);
    look(bench, &after);
    assert_true(after.interfaces > before.interfaces);
    make_nat(bench, 1);
    kill_daemon(bench);
    rejoin(bench);
    erase_all(bench);
    look(bench, &before);
    assert_int_equal(before.interfaces, after.interfaces);
    /* it goes with the last object */
    leave(bench);
    await_end(bench);
    assert_false(there_is(bench, "."));
    rejoin(bench);
    look(bench, &after);
    assert_true(after.interfaces < before.interfaces);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(int argc, char **argv) {
    const struct CMUnitTest all[] = {
        TEST(a_machine_gets_a_tap),
        TEST(what_is_wrong_with_an_adapter),
        TEST(an_end_takes_only_its_own),
        TEST(a_machine_outlives_the_daemon),
        TEST(the_host_is_reached_from_outside),
        TEST(what_is_there_is_counted),
        TEST(a_plan_changes_nothing),
        TEST(an_uplink_is_made_when_it_is_allowed),
    };
    const size_t of_machines = 4, number = sizeof all / sizeof *all;
    bool taps = access("/dev/net/tun", R_OK | W_OK) == 0;
    size_t first = taps ? 0 : of_machines;

    if (!taps)
        print_message("/dev/net/tun may not be used: no machines\n");
    return bench_run(all + first, number - first, argc, argv);
}
