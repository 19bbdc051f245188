/* SPDX-License-Identifier: MIT
 * A pipe is one end of a named pipe, in a set of streams of its own, so that it
 * has an event of its own. */
#include "pipe.h"

#include "../base/stream.h"
#include "watch.h"

#define BUSY_MS 50 /* how long a server may take to make the next instance */

static HRESULT fail(struct hcs_error *error, DWORD code, const char *what) {
    return error_win32(error, code, "%s (Windows error %lu)", what, code);
}

/* The server learns nothing of us that it could use. */
static HANDLE open_end(PCWSTR name) {
    return CreateFileW(
        name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS,
        NULL);
}

/* Anything else would be opened just as well: files, other machines' pipes. */
static bool is_pipe_name(PCWSTR name) {
    static const WCHAR prefix[] = L"\\\\.\\pipe\\";
    for (size_t i = 0; prefix[i] != L'\0'; i++) {
        WCHAR unit = name[i];
        if (unit >= L'A' && unit <= L'Z')
            unit = (WCHAR)(unit + (L'a' - L'A'));
        if (unit != prefix[i])
            return false;
    }
    return name[HCS_COUNT(prefix) - 1] != L'\0';
}

HRESULT pipe_reach(PCWSTR name, HANDLE *out, struct hcs_error *error) {
    HANDLE handle;
    DWORD code;
    *out = NULL;
    if (!is_pipe_name(name))
        return error_set(error, E_INVALIDARG, NULL,
                         "not the name of a pipe, \\\\.\\pipe\\NAME");
    handle = open_end(name);
    code = handle == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    if (code == ERROR_PIPE_BUSY && WaitNamedPipeW(name, BUSY_MS)) {
        handle = open_end(name);
        code = handle == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    }
    if (code == ERROR_PIPE_BUSY)
        return fail(error, code, "the pipe is busy: another program has it");
    if (handle == INVALID_HANDLE_VALUE)
        return fail(error, code, "cannot connect to the pipe");
    *out = handle;
    return S_OK;
}

HRESULT pipe_adopt(struct pipe *pipe, HANDLE handle, struct hcs_error *error) {
    HRESULT hr = stream_set_create(&pipe->set, error);
    if (FAILED(hr)) {
        pipe->set = NULL;
        (void)pipe->close(handle);
        return hr;
    }
    hr = stream_open(pipe->set, stream_from_handle(handle), NULL, NULL,
                     &pipe->stream, error);
    if (FAILED(hr)) {
        stream_set_destroy(pipe->set);
        pipe->set = NULL;
        return hr;
    }
    pipe->handle = handle;
    return S_OK;
}

void pipe_drop(struct pipe *pipe) {
    pipe->handle = NULL;
    pipe->stream = NULL;
    stream_set_destroy(pipe->set);
    pipe->set = NULL;
}

hcs_waitable pipe_waitable(const struct pipe *pipe) {
    return stream_set_waitable(pipe->set);
}

/* A pipe is connected when it is opened. */
HRESULT pipe_connected(const struct pipe *pipe, struct hcs_error *error) {
    (void)pipe;
    (void)error;
    return S_OK;
}

HRESULT pipe_put(struct pipe *pipe, const char *bytes, size_t length,
                 size_t *put, struct hcs_error *error) {
    return stream_write(pipe->stream, bytes, length, put, error);
}

static unsigned ready_of(struct pipe *pipe, unsigned wanted) {
    unsigned events = stream_events(pipe->stream);
    unsigned ready = (events & STREAM_READABLE ? (unsigned)WATCH_READ : 0u) |
                     (events & STREAM_WRITABLE ? (unsigned)WATCH_WRITE : 0u);
    /* That the other side is gone is found by whoever reads or writes. */
    return events & STREAM_GONE ? wanted : ready & wanted;
}

unsigned pipe_look(struct pipe *pipe, unsigned wanted) {
    unsigned watched = (wanted & WATCH_READ ? (unsigned)STREAM_READABLE : 0u) |
                       (wanted & WATCH_WRITE ? (unsigned)STREAM_WRITABLE : 0u);
    unsigned ready = ready_of(pipe, wanted);
    if (ready != 0)
        return ready;
    /* Where it cannot be watched, reading will say why. */
    if (FAILED(stream_watch(pipe->stream, watched, NULL)))
        return wanted;
    (void)stream_set_pump(pipe->set);
    return ready_of(pipe, wanted);
}

void pipe_arm(struct pipe *pipe) {
    (void)pipe_look(pipe, WATCH_READ);
}

HRESULT pipe_take(struct pipe *pipe, char *bytes, size_t size, size_t *got,
                  struct hcs_error *error) {
    HRESULT hr = stream_read(pipe->stream, bytes, size, got, error);
    if (hr == S_OK && *got == 0)
        pipe_arm(pipe);
    return hr;
}
