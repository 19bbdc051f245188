/* SPDX-License-Identifier: MIT
 * As much of Windows as a small client needs beside the Host Compute System:
 * how a serial port's pipe is opened, read and written, and a pause. With it
 * the source of a Windows program is built on Linux, unaltered, with
 * -fshort-wchar, which makes L"…" UTF-16 there too. */
#ifndef EXAMPLE_WINDOWS_H
#define EXAMPLE_WINDOWS_H

#include <errno.h>
#include <unistd.h>

#include "hcshost.h"

#define SUCCEEDED(hr) ((HRESULT)(hr) >= 0)
#define FAILED(hr) ((HRESULT)(hr) < 0)
#define GENERIC_READ 0x80000000u
#define GENERIC_WRITE 0x40000000u
#define OPEN_EXISTING 3
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)

static HRESULT last_error;

static inline DWORD GetLastError(void) {
    return (DWORD)last_error & 0xFFFF;
}

static inline void Sleep(DWORD milliseconds) {
    usleep(milliseconds * 1000);
}

/* Pipes only: what the path says is all that matters. */
static inline HANDLE CreateFileW(PCWSTR path, DWORD access, DWORD share,
                                 void *security, DWORD disposition, DWORD flags,
                                 HANDLE template) {
    HANDLE pipe = NULL;
    (void)access;
    (void)share;
    (void)security;
    (void)disposition;
    (void)flags;
    (void)template;
    last_error = hcshost_pipe_connect(NULL, path, &pipe);
    return FAILED(last_error) ? INVALID_HANDLE_VALUE : pipe;
}

/* A HANDLE is a descriptor plus one. */
static inline BOOL ReadFile(HANDLE file, void *bytes, DWORD size, DWORD *count,
                            void *overlapped) {
    ssize_t got;
    (void)overlapped;
    do
        got = read((int)((intptr_t)file - 1), bytes, size);
    while (got < 0 && errno == EINTR);
    *count = got > 0 ? (DWORD)got : 0;
    return got > 0;
}

static inline BOOL WriteFile(HANDLE file, const void *bytes, DWORD size,
                             DWORD *count, void *overlapped) {
    ssize_t put;
    (void)overlapped;
    do
        put = write((int)((intptr_t)file - 1), bytes, size);
    while (put < 0 && errno == EINTR);
    *count = put > 0 ? (DWORD)put : 0;
    return put >= 0;
}

#endif
