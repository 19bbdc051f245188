/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned rights[] = {CAP_NET_ADMIN, CAP_NET_RAW,
                                  CAP_NET_BIND_SERVICE};

/* --- in the child: nothing but system calls ---------------------------- */

static bool keep_rights(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};

    for (size_t i = 0; i < HCS_COUNT(rights); i++)
        data[0].permitted |= 1u << rights[i];
    data[0].effective = data[0].permitted;
    data[0].inheritable = data[0].permitted;
    /* Root is nobody special from here on. */
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0,
              0) != 0 ||
        syscall(SYS_capset, &head, data) != 0)
        return false;
    for (size_t i = 0; i < HCS_COUNT(rights); i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0) != 0)
            return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static void become(char *const arguments[], pid_t parent, int report) {
    sigset_t none;
    int number, null;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
        dup2(null, 2) == 2 && keep_rights() &&
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent)
        execv(arguments[0], arguments);
    number = errno;
    (void)!write(report, &number, sizeof number);
    _exit(127);
}

/* --- in the parent ----------------------------------------------------- */

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static HRESULT watch(struct program *program, struct hcs_error *error) {
    program->pidfd = (int)syscall(SYS_pidfd_open, program->pid, 0);
    if (program->pidfd >= 0)
        return S_OK;
    return error_errno(error, errno, "the end of process %d",
                       (int)program->pid);
}

HRESULT program_start(char *const arguments[], struct program *program,
                      struct hcs_error *error) {
    pid_t self = getpid();
    int report[2], number = 0;
    ssize_t got;
    HRESULT hr;

    program->pidfd = -1;
    if (pipe2(report, O_CLOEXEC) != 0)
        return error_errno(error, errno, "a pipe");
    program->pid = fork();
    if (program->pid == 0)
        become(arguments, self, report[1]);
    close(report[1]);
    if (program->pid < 0) {
        number = errno;
        close(report[0]);
        program->pid = 0;
        return error_errno(error, number, "a process for %s", arguments[0]);
    }
    do
        got = read(report[0], &number, sizeof number);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof number) {
        reap(program->pid);
        program->pid = 0;
        return error_errno(error, number, "%s", arguments[0]);
    }
    hr = watch(program, error);
    if (FAILED(hr))
        program_kill(program);
    return hr;
}

static void forget(struct program *program) {
    if (program->pidfd >= 0)
        close(program->pidfd);
    program->pidfd = -1;
    program->pid = 0;
}

bool program_ended(struct program *program) {
    if (program->pid == 0)
        return true;
    if (waitpid(program->pid, NULL, WNOHANG) == 0)
        return false;
    forget(program);
    return true;
}

void program_kill(struct program *program) {
    if (program->pid == 0)
        return;
    kill(program->pid, SIGKILL);
    reap(program->pid);
    forget(program);
}
