/* SPDX-License-Identifier: MIT
 * The state root: directories, locks, pipes and grants. */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../../../src/vmwp/protocol.h"

#define ID "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02"
#define OTHER "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f03"

static char base[64];
static int root;

static int setup(void **state) {
    (void)state;
    snprintf(base, sizeof base, "/tmp/hcs-root-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    return FAILED(root_open(base, &root, NULL));
}

static int teardown(void **state) {
    char command[128];

    (void)state;
    close(root);
    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

static bool exists(const char *name) {
    return faccessat(root, name, F_OK, 0) == 0;
}

static bool count(void *context, const char *runtime_id) {
    (void)runtime_id;
    ++*(int *)context;
    return true;
}

static void alive_and_dead(void **state) {
    int lock, other, seen = 0;

    (void)state;
    assert_false(system_alive(root, ID));
    assert_int_equal(system_make(root, ID, &lock, NULL), S_OK);
    assert_int_equal(system_make(root, ID, &other, NULL),
                     HCS_E_SYSTEM_ALREADY_EXISTS);
    assert_int_equal(system_make(root, OTHER, &other, NULL), S_OK);
    assert_true(system_alive(root, ID));
    root_each(root, count, &seen);
    assert_int_equal(seen, 2);
    close(lock);
    assert_false(system_alive(root, ID));
    root_sweep(root);
    assert_false(exists(ID));
    assert_true(exists(OTHER));
    close(other);
    root_sweep(root);
    assert_false(exists(OTHER));
}

static void *look(void *stop) {
    while (!atomic_load((atomic_bool *)stop))
        (void)system_alive(root, ID);
    return NULL;
}

/* Somebody who looks at that moment is not in the way of one being made. */
static void made_while_looked_at(void **state) {
    atomic_bool stop = false;
    pthread_t looker;

    (void)state;
    assert_int_equal(pthread_create(&looker, NULL, look, &stop), 0);
    for (int i = 0; i < 3000; i++) {
        int lock;

        assert_int_equal(system_make(root, ID, &lock, NULL), S_OK);
        system_remove(root, ID);
        close(lock);
    }
    atomic_store(&stop, true);
    pthread_join(looker, NULL);
}

/* A sweep takes the pipes that a dead system had noted, and no others. */
static void swept_pipes(void **state) {
    char path[128];
    int lock, fd;

    (void)state;
    assert_int_equal(system_make(root, ID, &lock, NULL), S_OK);
    snprintf(path, sizeof path, ID "/pipes");
    fd = openat(root, path, O_WRONLY | O_CREAT, 0600);
    assert_true(write(fd, "mine\n../lock\n", 13) == 13);
    close(fd);
    close(openat(root, "pipes/mine", O_WRONLY | O_CREAT, 0600));
    close(openat(root, "pipes/other", O_WRONLY | O_CREAT, 0600));
    close(openat(root, "lock", O_WRONLY | O_CREAT, 0600));
    close(lock);
    root_sweep(root);
    assert_false(exists("pipes/mine"));
    assert_true(exists("pipes/other"));
    assert_true(exists("lock"));
}

static void open_roots(void **state) {
    int fd;

    (void)state;
    chmod(base, 0777);
    assert_int_equal(root_open(base, &fd, NULL), E_ACCESSDENIED);
    chmod(base, 0700);
    assert_int_equal(root_open(base, &fd, NULL), S_OK);
    close(fd);
}

static void choosing(void **state) {
    char path[PATH_MAX];
    struct hcs_error error;

    (void)state;
    unsetenv("HCS_ROOT");
    assert_int_equal(root_choose("/x/y", path, &error), S_OK);
    assert_string_equal(path, "/x/y");
    setenv("HCS_ROOT", "/z", 1);
    assert_int_equal(root_choose(NULL, path, &error), S_OK);
    assert_string_equal(path, "/z");
    assert_int_equal(root_choose("relative", path, &error), HR_PATH_NOT_FOUND);
    unsetenv("HCS_ROOT");
}

static void pipe_names(void **state) {
    char a[PIPE_FILE_SIZE], b[PIPE_FILE_SIZE];
    char name[400] = "\\\\.\\pipe\\";

    (void)state;
    assert_int_equal(pipe_file("\\\\.\\pipe\\Com1", a, NULL), S_OK);
    assert_string_equal(a, "com1");
    assert_int_equal(pipe_file("\\\\.\\PIPE\\..", a, NULL), S_OK);
    assert_string_equal(a, "%2e.");
    assert_int_equal(pipe_file("\\\\.\\pipe\\a/b\\c", a, NULL), S_OK);
    assert_string_equal(a, "a%2fb%5cc");
    assert_int_equal(pipe_file("\\\\.\\pipe\\", a, NULL), HR_PATH_NOT_FOUND);
    assert_int_equal(pipe_file("com1", a, NULL), HR_PATH_NOT_FOUND);
    memset(name + 9, 'x', 300);
    assert_int_equal(pipe_file(name, a, NULL), S_OK);
    name[300] = 'y';
    assert_int_equal(pipe_file(name, b, NULL), S_OK);
    assert_string_not_equal(a, b);
    assert_true(strlen(a) < PIPE_FILE_SIZE - 1);
}

static void sockets(void **state) {
    char name[PIPE_FILE_SIZE];
    int listener, client, pipes = openat(root, "pipes", O_DIRECTORY);

    (void)state;
    memset(name, 'n', 78);
    name[78] = 0;
    assert_int_equal(socket_connect(pipes, name, &client, NULL),
                     HR_FILE_NOT_FOUND);
    assert_int_equal(socket_listen(pipes, name, &listener, NULL), S_OK);
    assert_int_equal(socket_connect(pipes, name, &client, NULL), S_OK);
    close(client);
    close(listener);
    /* Left behind by one that died: as if it were not there. */
    assert_int_equal(socket_connect(pipes, name, &client, NULL),
                     HR_FILE_NOT_FOUND);
    close(pipes);
}

static void grants(void **state) {
    char file[128], beside[128], link[128];

    (void)state;
    snprintf(file, sizeof file, "%s/file", base);
    snprintf(beside, sizeof beside, "%s/./beside", base);
    snprintf(link, sizeof link, "%s/link", base);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(symlink(file, link), 0);
    assert_false(grant_holds(root, ID, file));
    assert_int_equal(grant_add(root, ID, file, NULL), S_OK);
    assert_int_equal(grant_add(root, ID, file, NULL), S_OK);
    assert_true(grant_holds(root, ID, file));
    assert_true(grant_holds(root, ID, link));
    assert_false(grant_holds(root, OTHER, file));
    assert_int_equal(grant_remove(root, ID, link, NULL), S_OK);
    assert_false(grant_holds(root, ID, file));
    assert_int_equal(grant_remove(root, ID, file, NULL), S_OK);
    assert_int_equal(grant_add(root, "all", file, NULL), S_OK);
    assert_true(grant_holds(root, OTHER, file));
    assert_int_equal(grant_remove(root, "all", file, NULL), S_OK);
    /* A directory's grant covers what is to be made in it. */
    assert_int_equal(grant_add(root, ID, base, NULL), S_OK);
    assert_true(grant_holds(root, ID, file));
    assert_int_equal(grant_remove(root, ID, base, NULL), S_OK);
    assert_int_equal(grant_add(root, ID, beside, NULL), HR_FILE_NOT_FOUND);
    assert_int_equal(grant_add(root, ID, "file", NULL), HR_PATH_NOT_FOUND);
    assert_false(exists("grants/" ID));
}

/* What was granted of a file that is gone is dropped, the rest is kept. */
static void swept_grants(void **state) {
    char kept[128], gone[128];
    int lock;

    (void)state;
    snprintf(kept, sizeof kept, "%s/kept", base);
    snprintf(gone, sizeof gone, "%s/gone", base);
    close(open(kept, O_CREAT | O_WRONLY, 0600));
    close(open(gone, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(grant_add(root, ID, kept, NULL), S_OK);
    assert_int_equal(grant_add(root, ID, gone, NULL), S_OK);
    assert_int_equal(grant_add(root, OTHER, gone, NULL), S_OK);
    unlink(gone);
    assert_true(grant_holds(root, ID, gone));
    assert_int_equal(root_lock(root, &lock, NULL), S_OK);
    grants_sweep(root);
    close(lock);
    close(open(gone, O_CREAT | O_WRONLY, 0600)); /* another one */
    assert_true(grant_holds(root, ID, kept));
    assert_false(grant_holds(root, ID, gone));
    assert_false(exists("grants/" OTHER));
    assert_int_equal(grant_remove(root, ID, kept, NULL), S_OK);
    unlink(kept);
    unlink(gone);
}

/* Who is killed while it grants leaves no entry, and nothing for long. */
static void unfinished_grants(void **state) {
    char file[128];
    int lock;

    (void)state;
    snprintf(file, sizeof file, "%s/file", base);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    mkdirat(root, "grants/" ID, 0700);
    close(openat(root, "grants/" ID "/new", O_CREAT | O_WRONLY, 0600));
    mkdirat(root, "grants/" OTHER, 0700);
    assert_int_equal(grant_add(root, ID, file, NULL), S_OK);
    assert_false(exists("grants/" ID "/new")); /* it became the entry */
    close(openat(root, "grants/" ID "/new", O_CREAT | O_WRONLY, 0600));
    assert_int_equal(root_lock(root, &lock, NULL), S_OK);
    grants_sweep(root);
    close(lock);
    assert_false(exists("grants/" ID "/new"));
    assert_false(exists("grants/" OTHER));
    assert_true(grant_holds(root, ID, file));
    assert_int_equal(grant_remove(root, ID, file, NULL), S_OK);
    assert_false(exists("grants/" ID));
    unlink(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alive_and_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(made_while_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(swept_pipes, setup, teardown),
        cmocka_unit_test_setup_teardown(open_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(choosing, setup, teardown),
        cmocka_unit_test_setup_teardown(pipe_names, setup, teardown),
        cmocka_unit_test_setup_teardown(sockets, setup, teardown),
        cmocka_unit_test_setup_teardown(grants, setup, teardown),
        cmocka_unit_test_setup_teardown(swept_grants, setup, teardown),
        cmocka_unit_test_setup_teardown(unfinished_grants, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
