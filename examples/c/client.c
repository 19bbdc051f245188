/* SPDX-License-Identifier: MIT
 * A client of the Host Compute System that knows only what Microsoft
 * publishes: makes a virtual machine, hears of its events, talks to its serial
 * port and waits for its end.
 *
 *     client KERNEL      (a path in plain ASCII)
 *
 * See docs/testing-other-clients.md. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <computecore.h>

#define ID L"c-client"
#define PIPE L"\\\\.\\pipe\\c-client-com1"
#define WAIT_MS 60000

static const char document[] =
    "{\"Owner\":\"c-client\",\"SchemaVersion\":{\"Major\":2,\"Minor\":3},"
    "\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
    "\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":\"%s\","
    "\"KernelCmdLine\":\"console=ttyS0\"}},"
    "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":256},"
    "\"Processor\":{\"Count\":1}},"
    "\"Devices\":{\"ComPorts\":{\"0\":{"
    "\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\c-client-com1\"}}}}}";

/* --- text ---------------------------------------------------------------- */

/* Prints UTF-16, as documents are, in UTF-8. */
static void print_text(const char *label, PCWSTR text) {
    printf("%s", label);
    while (text && *text) {
        unsigned long c = *text++;
        if (c >= 0xD800 && c < 0xDC00 && *text >= 0xDC00 && *text < 0xE000)
            c = 0x10000 + ((c - 0xD800) << 10) + (*text++ - 0xDC00u);
        if (c < 0x80)
            putchar((int)c);
        else if (c < 0x800)
            printf("%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
        else if (c < 0x10000)
            printf("%c%c%c", (int)(0xE0 | c >> 12),
                   (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
        else
            printf("%c%c%c%c", (int)(0xF0 | c >> 18),
                   (int)(0x80 | (c >> 12 & 0x3F)),
                   (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
    }
    putchar('\n');
    fflush(stdout);
}

/* The same ASCII text in UTF-16; `size` units of room. */
static bool widen(const char *text, WCHAR *out, size_t size) {
    size_t length = strlen(text);
    if (length >= size)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if ((unsigned char)text[i] > 0x7E)
            return false;
        out[i] = (WCHAR)text[i];
    }
    return true;
}

/* A path as it is written within a JSON string. */
static bool escape(const char *path, char *out, size_t size) {
    for (; *path; path++) {
        if ((unsigned char)*path < ' ' || size < 3)
            return false;
        if (*path == '\\' || *path == '"') {
            *out++ = '\\';
            size--;
        }
        *out++ = *path;
        size--;
    }
    *out = '\0';
    return true;
}

/* --- calls --------------------------------------------------------------- */

/* Whether a call went well; says so if not. */
static bool good(const char *what, HRESULT hr, PWSTR result) {
    if (FAILED(hr)) {
        printf("%s: 0x%08lX", what, (unsigned long)hr & 0xFFFFFFFF);
        print_text(" ", result);
    }
    if (result)
        LocalFree(result);
    return SUCCEEDED(hr);
}

/* The same of a call that answers through its operation. */
static bool finished(const char *what, HRESULT begun, HCS_OPERATION operation) {
    PWSTR result = NULL;
    if (SUCCEEDED(begun))
        begun = HcsWaitForOperationResult(operation, WAIT_MS, &result);
    return good(what, begun, result);
}

/* Runs on a thread of the service; `context` is told of the exit. */
static void CALLBACK on_event(HCS_EVENT *event, void *context) {
    if (event->Type == HcsEventSystemExited) {
        print_text("event: exited ", event->EventData);
        atomic_store((atomic_bool *)context, true);
    } else {
        printf("event: 0x%08X\n", (unsigned)event->Type);
    }
}

/* An event may come later than the call that waits for the same thing. */
static bool heard(atomic_bool *exited) {
    for (int i = 0; i < 500 && !atomic_load(exited); i++)
        Sleep(10);
    if (!atomic_load(exited))
        printf("no event\n");
    return atomic_load(exited);
}

/* --- the serial port ----------------------------------------------------- */

/* Reads until `wanted` was printed; NULL is until the other end is closed. */
static bool read_until(HANDLE pipe, const char *wanted) {
    static char seen[8192];
    size_t length = 0;
    DWORD count = 0;

    while (length < sizeof seen - 1 &&
           ReadFile(pipe, seen + length, 1, &count, NULL) && count == 1) {
        length++;
        seen[length] = '\0';
        if (wanted && strstr(seen, wanted)) {
            printf("guest says: %s\n", wanted);
            return true;
        }
    }
    return wanted == NULL;
}

static bool say(HANDLE pipe, const char *line) {
    DWORD count = 0;
    return WriteFile(pipe, line, (DWORD)strlen(line), &count, NULL) &&
           count == strlen(line);
}

static bool talk(void) {
    HANDLE pipe = CreateFileW(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                              OPEN_EXISTING, 0, NULL);
    bool done;

    if (pipe == INVALID_HANDLE_VALUE) {
        printf("no pipe: error %lu\n", (unsigned long)GetLastError());
        return false;
    }
    done = read_until(pipe, "hcs-guest: up") && say(pipe, "echo hello\n") &&
           read_until(pipe, "hello") && say(pipe, "poweroff\n") &&
           read_until(pipe, NULL);
    CloseHandle(pipe);
    return done;
}

/* --- the machine --------------------------------------------------------- */

static bool run(HCS_SYSTEM system, HCS_OPERATION operation) {
    static atomic_bool exited;
    PWSTR result = NULL;
    HRESULT hr;

    if (!good("callback",
              HcsSetComputeSystemCallback(system, HcsEventOptionNone, &exited,
                                          on_event),
              NULL) ||
        !finished("start", HcsStartComputeSystem(system, operation, NULL),
                  operation) ||
        !talk())
        return false;
    hr = HcsWaitForComputeSystemExit(system, WAIT_MS, &result);
    if (SUCCEEDED(hr))
        print_text("exit: ", result);
    return good("exit", hr, result) && heard(&exited);
}

int main(int argc, char **argv) {
    static char path[2048], text[4096];
    static WCHAR kernel[1024], configuration[4096];
    HCS_OPERATION operation;
    HCS_SYSTEM system = NULL;
    bool done = false;

    if (argc != 2 || !escape(argv[1], path, sizeof path) ||
        snprintf(text, sizeof text, document, path) >= (int)sizeof text ||
        !widen(argv[1], kernel, sizeof kernel / sizeof *kernel) ||
        !widen(text, configuration, sizeof configuration / sizeof(WCHAR))) {
        fprintf(stderr, "usage: client KERNEL\n");
        return 2;
    }
    operation = HcsCreateOperation(NULL, NULL);
    if (!operation) {
        printf("no operation: is there a host?\n");
        return 1;
    }
    if (finished(
            "create",
            HcsCreateComputeSystem(ID, configuration, operation, NULL, &system),
            operation) &&
        good("grant", HcsGrantVmAccess(ID, kernel), NULL))
        done = run(system, operation);
    if (system)
        HcsCloseComputeSystem(system);
    HcsCloseOperation(operation);
    printf(done ? "done\n" : "failed\n");
    return done ? 0 : 1;
}
