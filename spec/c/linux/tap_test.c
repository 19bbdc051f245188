/* SPDX-License-Identifier: MIT
 * Taps of virtual machines: who has one when, and what becomes of it when the
 * plane or the machine is there no longer. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MACHINE 2u /* the endpoint that a machine has */

/* --- frames ------------------------------------------------------------ */

/* Whether somebody answers when the machine at 10.1.0.`own` asks, by ARP, who
 * has 10.1.0.`wanted`. */
static bool asks_once(int tap, unsigned char own, unsigned char wanted) {
    const unsigned char ask[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff,    0x00, 0x15, 0x5d,  0x00, 0x10,
        0x02, 0x08, 0x06, 0,    1,    8,       0,    6,    4,     0,    1,
        0x00, 0x15, 0x5d, 0x00, 0x10, MACHINE, 10,   1,    0,     own,  0,
        0,    0,    0,    0,    0,    10,      1,    0,    wanted};
    unsigned char data[sizeof(struct virtio_net_hdr) + sizeof ask] = {0};
    struct pollfd one = {tap, POLLIN, 0};

    memcpy(data + sizeof(struct virtio_net_hdr), ask, sizeof ask);
    if (write(tap, data, sizeof data) != (ssize_t)sizeof data)
        return false;
    while (poll(&one, 1, 300) == 1) {
        unsigned char got[2000];
        ssize_t size = read(tap, got, sizeof got);
        const unsigned char *frame = got + sizeof(struct virtio_net_hdr);

        if (size < 0)
            return false;
        if (size >= 52 && frame[12] == 8 && frame[13] == 6 && frame[21] == 2 &&
            frame[31] == wanted)
            return true;
    }
    return false;
}

/* The first may get lost while the machine is busy. */
static bool asks(int tap, unsigned char own, unsigned char wanted) {
    for (int i = 0; i < 3; i++)
        if (asks_once(tap, own, wanted))
            return true;
    return false;
}

/* --- ports ------------------------------------------------------------- */

static bool have_taps(void) {
    return access("/dev/net/tun", R_OK | W_OK) == 0;
}

static void know_endpoint(struct bench *bench, unsigned k) {
    struct end_told told;

    told_endpoint(&told, 1, k);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
}

static HRESULT attach_machine(struct bench *bench, unsigned k) {
    struct plane_port port = {
        .kind = PLANE_PORT_MACHINE, .owner = id_of(99), .adapter = "a nic"};
    struct guid id = end_id(1, k);
    char device[PLANE_DEVICE_SIZE];

    return bench->ops->port_up(bench->plane, &id, &port, device, &bench->error);
}

static int tap_of(struct bench *bench, unsigned k) {
    struct guid id = end_id(1, k);
    int tap;

    works(bench, linux_plane_tap(bench->plane, &id, &tap, &bench->error));
    return tap;
}

static HRESULT offer(struct bench *bench, unsigned k, int tap) {
    struct guid id = end_id(1, k);

    return linux_plane_offer(bench->plane, &id, tap, &bench->error);
}

static size_t count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* --- a plane that dies ------------------------------------------------- */

static void send_tap(int to, int tap) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof tap);
    memcpy(CMSG_DATA(head), &tap, sizeof tap);
    (void)!sendmsg(to, &message, 0);
}

static int receive_tap(int from) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    struct cmsghdr *head;
    int tap = -1;

    assert_int_equal(recvmsg(from, &message, MSG_CMSG_CLOEXEC), 1);
    head = CMSG_FIRSTHDR(&message);
    assert_non_null(head);
    memcpy(&tap, CMSG_DATA(head), sizeof tap);
    return tap;
}

/* In a process of its own: a plane with an endpoint that a machine has. */
static void live_until_killed(int to) {
    struct bench mine = {.ops = linux_plane_ops()};
    struct linux_plane_options options = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    works(&mine, linux_plane_open(&options, &mine.plane, &mine.error));
    up_network(&mine, 1, PLANE_NAT);
    know_endpoint(&mine, MACHINE);
    works(&mine, attach_machine(&mine, MACHINE));
    send_tap(to, tap_of(&mine, MACHINE));
    for (;;)
        pause();
}

/* The tap of a plane that died. */
static int inherit(void) {
    int ends[2], tap;
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    child = fork();
    if (child == 0)
        live_until_killed(ends[1]);
    close(ends[1]);
    tap = receive_tap(ends[0]);
    close(ends[0]);
    assert_soon(asks(tap, 12, 1));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return tap;
}

static void test_take_over(void **state) {
    struct bench *bench = *state;
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct end_told told;
    int tap;

    if (!have_taps())
        return; /* test_without_taps says what happens then */
    tap = inherit();
    /* Nobody looks after it, and the dead plane's rules hold. */
    assert_soon(asks(tap, 12, 1));
    assert_false(asks(tap, 13, 1));
    assert_false(asks(tap, 12, 11));
    know_endpoint(bench, MACHINE);
    works(bench, offer(bench, MACHINE, tap));
    works(bench, attach_machine(bench, MACHINE));
    /* The same descriptor, among others now. */
    assert_soon(asks(tap, 12, 1));
    assert_soon(asks(tap, 12, 11));
    assert_false(asks(tap, 13, 11));
    /* It is a port as any other. */
    told_endpoint(&told, 1, MACHINE);
    told.endpoint.acls = &acl;
    told.endpoint.acl_count = 1;
    told.endpoint.mtu = 1400;
    told.endpoint.egress_limit = 1000000;
    change(bench, &told);
    assert_soon(asks(tap, 12, 11));
    down_endpoint(bench, 1, MACHINE);
    assert_false(asks(tap, 12, 11));
    close(tap);
}

/* Interfaces of the same names are on both sides, and of the same second
 * names: that of the endpoint's id. */
static void test_take_over_twice(void **state) {
    struct bench *bench = *state;
    int first, second;

    if (!have_taps())
        return;
    first = inherit();
    second = inherit();
    know_endpoint(bench, MACHINE);
    know_endpoint(bench, MACHINE + 1);
    works(bench, offer(bench, MACHINE, first));
    works(bench, attach_machine(bench, MACHINE));
    assert_soon(asks(first, 12, 11));
    works(bench, offer(bench, MACHINE + 1, second));
    works(bench, attach_machine(bench, MACHINE + 1));
    /* Its machine is another than the endpoint's, and is kept from lying. */
    assert_false(asks(second, 12, 11));
    assert_soon(asks(first, 12, 11));
    close(first);
    close(second);
}

/* --- one that a machine still has -------------------------------------- */

static void test_left(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(1, MACHINE);
    char data[64];
    int tap, other;

    if (!have_taps())
        return;
    know_endpoint(bench, MACHINE);
    assert_int_equal(linux_plane_tap(bench->plane, &id, &tap, &bench->error),
                     HCN_E_ENDPOINT_NOT_ATTACHED);
    works(bench, attach_machine(bench, MACHINE));
    tap = tap_of(bench, MACHINE);
    assert_soon(asks(tap, 12, 11));
    bench->ops->port_down(bench->plane, &id);
    /* Joined to nothing, but not torn from under its machine. */
    assert_false(asks(tap, 12, 11));
    while (read(tap, data, sizeof data) > 0)
        ;
    assert_true(errno == EAGAIN || errno == EIO);
    /* The endpoint may have another meanwhile … */
    works(bench, attach_machine(bench, MACHINE));
    other = tap_of(bench, MACHINE);
    assert_soon(asks(other, 12, 11));
    bench->ops->port_down(bench->plane, &id);
    close(other);
    /* … and this one again. */
    works(bench, offer(bench, MACHINE, tap));
    works(bench, attach_machine(bench, MACHINE));
    assert_soon(asks(tap, 12, 11));
    /* One that is a port cannot be another's. */
    know_endpoint(bench, MACHINE + 1);
    works(bench, offer(bench, MACHINE + 1, tap));
    assert_int_equal(attach_machine(bench, MACHINE + 1), E_INVALIDARG);
    assert_soon(asks(tap, 12, 11));
    /* The offer is used up. */
    works(bench, attach_machine(bench, MACHINE + 1));
    close(tap);
}

/* The MTU of the tap as the machine's process may ask for it. */
static int mtu_of(struct bench *bench, int tap) {
    struct ifreq ask = {0};
    int fd = place_socket(bench, HOST, AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(ioctl(tap, TUNGETIFF, &ask), 0);
    assert_int_equal(ioctl(fd, SIOCGIFMTU, &ask), 0);
    close(fd);
    return ask.ifr_mtu;
}

static void test_mtu(void **state) {
    struct bench *bench = *state;
    struct end_told told;
    int tap;

    if (!have_taps())
        return;
    know_endpoint(bench, MACHINE);
    works(bench, attach_machine(bench, MACHINE));
    tap = tap_of(bench, MACHINE);
    assert_int_equal(mtu_of(bench, tap), 1500);
    told_endpoint(&told, 1, MACHINE);
    told.endpoint.mtu = 9000;
    change(bench, &told);
    assert_int_equal(mtu_of(bench, tap), 9000);
    told.endpoint.overhead = 100;
    change(bench, &told);
    assert_int_equal(mtu_of(bench, tap), 8900);
    /* One that the kernel will not have changes nothing. */
    told.endpoint.mtu = 20;
    told.endpoint.overhead = 0;
    assert_true(FAILED(bench->ops->endpoint_change(bench->plane, &told.endpoint,
                                                   &bench->error)));
    assert_int_equal(mtu_of(bench, tap), 8900);
    assert_soon(asks(tap, 12, 11));
    close(tap);
}

/* When nobody has the tap the kernel takes it away. */
static void test_gone(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(1, MACHINE);
    struct linux_plane_counts before, after;
    size_t descriptors = count_descriptors();

    if (!have_taps())
        return;
    works(bench, linux_plane_count(bench->plane, &before, &bench->error));
    know_endpoint(bench, MACHINE);
    works(bench, attach_machine(bench, MACHINE));
    bench->ops->port_down(bench->plane, &id);
    bench->ops->endpoint_down(bench->plane, &id);
    works(bench, linux_plane_count(bench->plane, &after, &bench->error));
    assert_int_equal(after.interfaces, before.interfaces);
    assert_int_equal(after.rules, before.rules);
    assert_int_equal(count_descriptors(), descriptors);
}

/* --- offers ------------------------------------------------------------ */

static void test_bad_offers(void **state) {
    struct bench *bench = *state;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    size_t descriptors = count_descriptors();

    assert_int_equal(offer(bench, 77, null), HCN_E_ENDPOINT_NOT_FOUND);
    know_endpoint(bench, MACHINE);
    assert_int_equal(offer(bench, MACHINE, null), E_INVALIDARG);
    assert_int_equal(offer(bench, MACHINE, 9999), E_INVALIDARG);
    assert_int_not_equal(bench->error.text[0], '\0');
    works(bench, offer(bench, MACHINE, -1));
    if (have_taps()) { /* a tap that nobody made into an interface */
        int blank = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        assert_int_equal(offer(bench, MACHINE, blank), E_INVALIDARG);
        close(blank);
    }
    assert_int_equal(count_descriptors(), descriptors);
    close(null);
}

static void test_offers_end(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(1, MACHINE);
    size_t descriptors;
    int tap;

    if (!have_taps())
        return;
    tap = inherit();
    descriptors = count_descriptors();
    know_endpoint(bench, MACHINE);
    works(bench, offer(bench, MACHINE, tap));
    works(bench, offer(bench, MACHINE, tap)); /* instead of the first */
    assert_int_equal(count_descriptors(), descriptors + 1);
    works(bench, offer(bench, MACHINE, -1));
    assert_int_equal(count_descriptors(), descriptors);
    works(bench, offer(bench, MACHINE, tap));
    bench->ops->endpoint_down(bench->plane, &id);
    assert_int_equal(count_descriptors(), descriptors);
    assert_soon(asks(tap, 12, 1)); /* it stayed where it was */
    close(tap);
}

static void test_without_taps(void **state) {
    struct bench *bench = *state;
    HRESULT hr;

    know_endpoint(bench, MACHINE);
    hr = attach_machine(bench, MACHINE);
    if (have_taps()) {
        works(bench, hr);
        return;
    }
    assert_int_equal(hr, HR_NOT_SUPPORTED);
    assert_non_null(strstr(bench->error.text, "/dev/net/tun"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_take_over),    TEST(test_take_over_twice),
        TEST(test_left),         TEST(test_gone),
        TEST(test_bad_offers),   TEST(test_offers_end),
        TEST(test_without_taps), TEST(test_mtu),
    };

    return bench_main(tests);
}
