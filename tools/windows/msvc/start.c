/* SPDX-License-Identifier: MIT
 * Stands in for what Microsoft's C library links into every DLL, so that LLVM
 * can link one without it: where the loader enters, thread-local storage, the
 * probe of large stack frames and the mark that guards them. Only for trying
 * DLLs out; a real build has the real thing. */
#include <stdint.h>

int _DllMainCRTStartup(void *module, unsigned reason, void *reserved);
void __security_check_cookie(uintptr_t cookie);

int _DllMainCRTStartup(void *module, unsigned reason, void *reserved) {
    (void)module;
    (void)reason;
    (void)reserved;
    return 1;
}

int _fltused = 1;
uintptr_t __security_cookie = 0x2B992DDFA232;

void __security_check_cookie(uintptr_t cookie) {
    if (cookie != __security_cookie)
        __builtin_trap();
}

struct tls_directory {
    void *start, *end, *index, *callbacks;
    uint32_t zero_fill, flags;
};

#define SECTION(name) __attribute__((section(name)))

unsigned _tls_index;
static void *no_callbacks[1];
SECTION(".tls") char _tls_start = 0;
SECTION(".tls$ZZZ") char _tls_end = 0;
SECTION(".rdata$T")
const struct tls_directory _tls_used = {
    &_tls_start, &_tls_end, &_tls_index, no_callbacks, 0, 0,
};

/* RAX holds the size of the frame, of which each page is to be touched in
 * order; all registers stay as they are. */
__asm__(".text\n"
        ".globl __chkstk\n"
        "__chkstk:\n"
        "    push %rcx\n"
        "    push %rax\n"
        "    lea 24(%rsp), %rcx\n"
        "1:  cmp $0x1000, %rax\n"
        "    jbe 2f\n"
        "    sub $0x1000, %rcx\n"
        "    test %rcx, (%rcx)\n"
        "    sub $0x1000, %rax\n"
        "    jmp 1b\n"
        "2:  sub %rax, %rcx\n"
        "    test %rcx, (%rcx)\n"
        "    pop %rax\n"
        "    pop %rcx\n"
        "    ret\n");
