/* SPDX-License-Identifier: MIT
 * Ends of pipes and what the system does with them. */
#include "stream_win32.h"

#include <stdlib.h>

HRESULT bell_create(struct bell **out, struct hcs_error *error) {
    struct bell *bell = calloc(1, sizeof *bell);
    HRESULT hr;
    if (!bell)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for streams");
    counter_set(&bell->references, 1);
    bell->ready = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (bell->ready)
        bell->read = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (bell->read) {
        *out = bell;
        return S_OK;
    }
    hr = error_win32(error, GetLastError(), "cannot watch streams");
    if (bell->ready)
        CloseHandle(bell->ready);
    free(bell);
    return hr;
}

void bell_release(struct bell *bell) {
    if (counter_down(&bell->references) > 0)
        return;
    CloseHandle(bell->ready);
    CloseHandle(bell->read);
    free(bell);
}

void pipe_end_release(struct pipe_end *end) {
    if (counter_down(&end->references) > 0)
        return;
    bell_release(end->bell);
    free(end->bytes);
    free(end);
}

/* On a thread of the system's pool, at any time, even when the end is closed
 * and its set gone. */
static void CALLBACK done(DWORD error, DWORD count, OVERLAPPED *overlapped) {
    struct request *request =
        HCS_CONTAINER(overlapped, struct request, overlapped);
    struct pipe_end *end = request->end;
    (void)count;
    request->error = error;
    counter_set(&request->busy, 0);
    SetEvent(end->bell->ready);
    pipe_end_release(end);
}

void request_begin(struct request *request) {
    request->overlapped = (OVERLAPPED){0};
    request->error = ERROR_SUCCESS;
    counter_set(&request->busy, 1);
    counter_up(&request->end->references);
}

bool request_began(struct request *request, DWORD code) {
    if (code == ERROR_IO_PENDING)
        return true;
    request->error = code;
    counter_set(&request->busy, 0);
    pipe_end_release(request->end);
    return false;
}

bool request_is_busy(struct request *request) {
    return InterlockedCompareExchange(&request->busy, 0, 0) != 0;
}

HRESULT pipe_end_create(struct bell *bell, HANDLE handle, struct pipe_end **out,
                        struct hcs_error *error) {
    struct pipe_end *end = calloc(1, sizeof *end);
    if (!end) {
        CloseHandle(handle);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a pipe");
    }
    end->handle = handle;
    end->bell = bell;
    end->in.end = end;
    end->out.end = end;
    counter_set(&end->references, 1);
    counter_up(&bell->references);
    /* What is done at once is not announced again. */
    if (!BindIoCompletionCallback(handle, done, 0) ||
        !SetFileCompletionNotificationModes(
            handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)) {
        DWORD code = GetLastError();
        pipe_end_close(end);
        return error_win32(error, code, "cannot watch a pipe");
    }
    *out = end;
    return S_OK;
}

void pipe_end_close(struct pipe_end *end) {
    CancelIoEx(end->handle, NULL);
    CloseHandle(end->handle);
    pipe_end_release(end);
}

enum pipe_state pipe_end_look(const struct pipe_end *end, DWORD *available) {
    DWORD code;
    *available = 0;
    if (PeekNamedPipe(end->handle, NULL, 0, NULL, available, NULL))
        return PIPE_OPEN;
    code = GetLastError();
    if (code == ERROR_PIPE_LISTENING || code == ERROR_BAD_PIPE)
        return PIPE_LISTENING;
    return code == ERROR_PIPE_NOT_CONNECTED ? PIPE_CUT : PIPE_BROKEN;
}
