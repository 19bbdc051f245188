/* SPDX-License-Identifier: MIT
 * A pipe is a socket; a HANDLE is its descriptor plus one. */
#include "pipe.h"

#include <errno.h>
#include <sys/socket.h>

HRESULT pipe_reach(PCWSTR name, HANDLE *out, struct hcs_error *error) {
    (void)name;
    *out = NULL;
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "only a host of ours has pipes here");
}

HRESULT pipe_adopt(struct pipe *pipe, HANDLE handle, struct hcs_error *error) {
    (void)error;
    pipe->handle = handle;
    return S_OK;
}

void pipe_drop(struct pipe *pipe) {
    HANDLE handle = pipe->handle;
    pipe->handle = NULL;
    if (handle != NULL)
        (void)pipe->close(handle);
}

hcs_waitable pipe_waitable(const struct pipe *pipe) {
    return (int)((intptr_t)pipe->handle - 1);
}

void pipe_arm(struct pipe *pipe) {
    (void)pipe; /* a descriptor is always */
}

HRESULT pipe_take(struct pipe *pipe, char *bytes, size_t size, size_t *got,
                  struct hcs_error *error) {
    ssize_t count;
    do
        count = recv(pipe_waitable(pipe), bytes, size, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    if (count == 0 || (count < 0 && errno == ECONNRESET))
        return S_FALSE;
    if (count < 0 && errno != EAGAIN)
        return error_errno(error, errno, "read from a pipe");
    return S_OK;
}

/* That poll finds something tells nothing yet: an error that may pass does
 * so, too. */
HRESULT pipe_connected(const struct pipe *pipe, struct hcs_error *error) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    int fd = pipe_waitable(pipe), why = 0;
    socklen_t size = sizeof(why);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
        why = errno;
    if (why != 0)
        return error_errno(error, why, "connect");
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 ? S_OK
                                                                   : S_FALSE;
}

HRESULT pipe_put(struct pipe *pipe, const char *bytes, size_t length,
                 size_t *put, struct hcs_error *error) {
    ssize_t count;
    *put = 0;
    if (length == 0)
        return S_OK;
    do
        count = send(pipe_waitable(pipe), bytes, length,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN)
        return error_errno(error, errno, "write to a pipe");
    *put = count > 0 ? (size_t)count : 0;
    return S_OK;
}
