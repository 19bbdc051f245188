/* SPDX-License-Identifier: MIT
 * What the tests of the host share: worlds, documents, waiting. */
#ifndef HCS_TEST_WORLD_H
#define HCS_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/hcshost.h"
#include "base/hresult.h"
#include "base/thread.h"
#include "base/utf.h"
#include "platform.h"

/* A system that boots at once and does what its serial port says. */
#define SYSTEM_DOCUMENT                                                   \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"   \
    u"\"VirtualMachine\":{\"StopOnReset\":true,\"Chipset\":{"             \
    u"\"LinuxKernelDirect\":{\"KernelFilePath\":\"" PLATFORM_FILE "\"}}," \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"                 \
    u"\"Processor\":{\"Count\":1}}}}"

#define ok(call) assert_int_equal((uint32_t)(call), (uint32_t)S_OK)
#define fails(code, call) assert_int_equal((uint32_t)(call), (uint32_t)(code))

static inline HCSHOST world_open(const char *spec) {
    HCSHOST host = NULL;
    PWSTR why = NULL;
    ok(hcshost_open(spec, &host, &why));
    assert_null(why);
    ok(hcshost_enter(host, NULL));
    return host;
}

static inline void world_close(HCSHOST host) {
    ok(hcshost_enter(NULL, NULL));
    ok(hcshost_close(host));
}

/* A result as UTF-8; frees it. "" for none. */
static inline const char *text_of(PWSTR document) {
    static _Thread_local char text[16384];
    char *utf8 = NULL;
    text[0] = '\0';
    if (!document)
        return text;
    ok(utf8_from_utf16(document, utf16_length(document), &utf8, NULL, NULL));
    snprintf(text, sizeof text, "%s", utf8);
    free(utf8);
    LocalFree(document);
    return text;
}

static inline HRESULT finish(HCS_OPERATION operation, HRESULT begun) {
    if (FAILED(begun))
        return begun;
    return HcsWaitForOperationResult(operation, INFINITE, NULL);
}

static inline HCS_SYSTEM world_create(PCWSTR id, HCS_OPERATION operation) {
    HCS_SYSTEM system = NULL;
    PWSTR result = NULL;
    ok(HcsCreateComputeSystem(id, SYSTEM_DOCUMENT, operation, NULL, &system));
    if (FAILED(HcsWaitForOperationResult(operation, INFINITE, &result)))
        fail_msg("%s", text_of(result));
    assert_non_null(system);
    return system;
}

static inline void has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

#endif
