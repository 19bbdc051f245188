/* SPDX-License-Identifier: MIT
 * What only sockets can do to a console: to close one direction. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/state/console.h"

static void half_closed(void **state) {
    struct console_set *set;
    struct console *console;
    char bytes[64] = "";
    int ends[2];
    (void)state;
    assert_int_equal(console_set_create(&set, NULL), S_OK);
    assert_int_equal(console_create(set, true, NULL, NULL, &console, NULL),
                     S_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(console_attach(console, ends[0], NULL), S_OK);
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    assert_true(console_set_pump(set));
    struct pollfd quiet = {console_set_waitable(set), POLLIN, 0};
    assert_int_equal(poll(&quiet, 1, 0), 0); /* no busy loop */
    console_output(console, "still here", 10);
    assert_int_equal(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT), 10);
    assert_string_equal(bytes, "still here");
    close(ends[1]);
    assert_true(console_set_pump(set));
    assert_true(console_set_idle(set));
    console_set_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(half_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
