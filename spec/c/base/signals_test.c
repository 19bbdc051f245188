/* SPDX-License-Identifier: MIT
 * Threads leave the program's signals alone. */
#include "unit.h"

#include <signal.h>

#include "base/thread.h"

static void look(void *context) {
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    *(bool *)context =
        sigismember(&set, SIGINT) && sigismember(&set, SIGTERM) &&
        sigismember(&set, SIGCHLD) && !sigismember(&set, SIGSEGV);
}

static void stay_with_the_program(void **state) {
    sigset_t before, after;
    hcs_thread thread;
    bool right = false;
    (void)state;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_hr(thread_start(&thread, look, &right, NULL), S_OK);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    thread_join(thread);
    assert_true(right);
    assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(stay_with_the_program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
