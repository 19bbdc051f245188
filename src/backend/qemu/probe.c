/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../base/json.h"
#include "cache.h"

#define MEMORY_SIZE 0x10000u
#define TABLES 0x1000u /* page tables: 1000, 2000, 3000 */
#define CODE 0x8000u
#define ANSWER 0x5a
#define ANSWER_PORT 0xf4
#define DEADLINE_US 250000

struct guest {
    int kvm, vm, cpu;
    unsigned char *memory;
    struct kvm_run *run;
    size_t run_size;
};

static volatile sig_atomic_t expired;

static void on_alarm(int signal) {
    (void)signal;
    expired = 1;
}

/* addps xmm0, xmm1; mov al, 5ah; out f4h, al; hlt */
static const unsigned char code[] = {0x0f,   0x58, 0xc1,        0xb0,
                                     ANSWER, 0xe6, ANSWER_PORT, 0xf4};

static void put64(unsigned char *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}

/* Long mode, the first two megabytes mapped as they are. */
static void fill_memory(unsigned char *memory) {
    put64(memory + TABLES, (TABLES + 0x1000) | 3);
    put64(memory + TABLES + 0x1000, (TABLES + 0x2000) | 3);
    put64(memory + TABLES + 0x2000, 0x83);
    memcpy(memory + CODE, code, sizeof code);
}

static bool set_registers(int cpu) {
    struct kvm_sregs system;
    struct kvm_regs regs;
    struct kvm_segment segment;

    if (ioctl(cpu, KVM_GET_SREGS, &system) != 0)
        return false;
    memset(&segment, 0, sizeof segment);
    segment.limit = 0xffffffff;
    segment.selector = 8;
    segment.present = 1;
    segment.type = 11;
    segment.s = 1;
    segment.l = 1;
    segment.g = 1;
    system.cs = segment;
    segment.selector = 16;
    segment.type = 3;
    segment.l = 0;
    segment.db = 1;
    system.ds = system.es = system.fs = system.gs = system.ss = segment;
    system.cr3 = TABLES;
    system.cr4 = 1u << 5 | 1u << 9 | 1u << 10; /* PAE, OSFXSR, OSXMMEXCPT */
    system.cr0 = 0x80050033;                   /* PG AM WP NE ET MP PE */
    system.efer = 1u << 8 | 1u << 10;          /* LME, LMA */
    memset(&regs, 0, sizeof regs);
    regs.rip = CODE;
    regs.rsp = MEMORY_SIZE;
    regs.rflags = 2;
    return ioctl(cpu, KVM_SET_SREGS, &system) == 0 &&
           ioctl(cpu, KVM_SET_REGS, &regs) == 0;
}

static bool guest_make(struct guest *guest) {
    struct kvm_userspace_memory_region region;
    int size;

    guest->vm = ioctl(guest->kvm, KVM_CREATE_VM, 0);
    size = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (guest->vm < 0 || size <= 0)
        return false;
    guest->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guest->memory == MAP_FAILED)
        return false;
    fill_memory(guest->memory);
    memset(&region, 0, sizeof region);
    region.memory_size = MEMORY_SIZE;
    region.userspace_addr = (uint64_t)(uintptr_t)guest->memory;
    if (ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region) != 0)
        return false;
    guest->cpu = ioctl(guest->vm, KVM_CREATE_VCPU, 0);
    if (guest->cpu < 0)
        return false;
    guest->run_size = (size_t)size;
    guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                      guest->cpu, 0);
    return guest->run != MAP_FAILED && set_registers(guest->cpu);
}

/* The answer counts, and it must come in time. */
static bool guest_answers(struct guest *guest) {
    struct kvm_run *run = guest->run;

    while (!expired) {
        if (ioctl(guest->cpu, KVM_RUN, 0) != 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            return false;
        }
        if (run->exit_reason != KVM_EXIT_IO)
            return false;
        return run->io.port == ANSWER_PORT &&
               ((unsigned char *)run)[run->io.data_offset] == ANSWER;
    }
    return false;
}

static void arm(void) {
    struct itimerval timer = {{0, 20000}, {0, DEADLINE_US}};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm; /* without SA_RESTART: it ends the run */
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void say(struct probe_answer *out, bool kvm, const char *reason) {
    out->kvm = kvm;
    snprintf(out->reason, sizeof out->reason, "%s", reason);
}

static void probe_guest(int kvm, struct probe_answer *out) {
    struct guest guest = {kvm, -1, -1, NULL, NULL, 0};

    arm();
    if (!guest_make(&guest))
        say(out, false, "/dev/kvm cannot make a guest");
    else if (guest_answers(&guest))
        say(out, true, "/dev/kvm runs guests");
    else
        say(out, false,
            expired ? "/dev/kvm is there but too slow to run guests"
                    : "/dev/kvm is there but cannot run ordinary guests");
    /* The process ends soon; its descriptors and mappings go with it. */
}

/* --- the cache ------------------------------------------------------------ */

static bool cache_name(char *name, size_t size) {
    char boot[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (!file)
        return false;
    if (!fgets(boot, sizeof boot, file))
        boot[0] = 0;
    fclose(file);
    boot[strcspn(boot, "\n")] = 0;
    snprintf(name, size, "accelerator-%s", boot);
    return boot[0] != 0 && !strchr(boot, '/');
}

static bool cache_read(const char *path, struct probe_answer *out) {
    char text[512];
    struct json_doc doc;
    FILE *file = fopen(path, "re");
    size_t length;
    const char *reason;

    if (!file)
        return false;
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (FAILED(json_parse(text, length, &doc, NULL)))
        return false;
    reason = json_text(json_get(doc.root, "Reason"), "");
    say(out, json_is_true(json_get(doc.root, "Kvm")), reason);
    json_doc_free(&doc);
    return out->reason[0] != 0;
}

static void cache_answer(const char *directory, const char *name,
                         const struct probe_answer *answer) {
    struct buf text = {0};
    struct json_writer w = {&text, false};

    json_begin_object(&w);
    json_pair_bool(&w, "Kvm", answer->kvm);
    json_pair_string(&w, "Reason", answer->reason);
    json_end_object(&w);
    if (!text.failed) /* without a cache it is asked again: no harm */
        cache_write(directory, name, text.data, text.length, NULL);
    buf_free(&text);
}

void probe_run(struct probe_answer *out) {
    char directory[3072], name[96], path[3200];
    bool cached =
        SUCCEEDED(cache_directory(directory, sizeof directory, NULL)) &&
        cache_name(name, sizeof name);
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (kvm < 0) {
        say(out, false,
            errno == EACCES || errno == EPERM
                ? "/dev/kvm may not be opened by this user"
                : "the processor offers no virtualization: no /dev/kvm");
        return;
    }
    if (cached) {
        snprintf(path, sizeof path, "%s/%s", directory, name);
        if (cache_read(path, out))
            goto out;
    }
    probe_guest(kvm, out);
    if (cached)
        cache_answer(directory, name, out);

out:
    close(kvm);
}
