/* SPDX-License-Identifier: MIT */
#include "../base/compiler.h"

#include <winsock2.h>

#include "loopback.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct winsock {
    int(WSAAPI *WSAStartup)(WORD version, WSADATA *data);
    int(WSAAPI *WSACleanup)(void);
    int(WSAAPI *WSAGetLastError)(void);
    SOCKET(WSAAPI *WSASocketW)
    (int family, int type, int protocol, WSAPROTOCOL_INFOW *info, GROUP group,
     DWORD flags);
    int(WSAAPI *closesocket)(SOCKET socket);
    int(WSAAPI *bind)(SOCKET socket, const struct sockaddr *name, int length);
    int(WSAAPI *listen)(SOCKET socket, int backlog);
    int(WSAAPI *connect)(SOCKET socket, const struct sockaddr *name,
                         int length);
    SOCKET(WSAAPI *accept)(SOCKET socket, struct sockaddr *name, int *length);
    int(WSAAPI *getsockname)(SOCKET socket, struct sockaddr *name, int *length);
    int(WSAAPI *setsockopt)(SOCKET socket, int level, int option,
                            const char *value, int length);
    int(WSAAPI *ioctlsocket)(SOCKET socket, long command, u_long *argument);
    int(WSAAPI *select)(int ignored, fd_set *readable, fd_set *writable,
                        fd_set *failed, const struct timeval *timeout);
    int(WSAAPI *send)(SOCKET socket, const char *bytes, int length, int flags);
    int(WSAAPI *recv)(SOCKET socket, char *bytes, int length, int flags);
};

struct loopback {
    struct winsock api;
    bool started;
    SOCKET listener, near_end, far_end;
    unsigned sent; /* bytes that were sent and not yet taken out again */
};

static const struct {
    const char *name;
    size_t offset;
} needed[] = {
#define NEEDED(name) \
    { #name, offsetof(struct winsock, name) }
    NEEDED(WSAStartup),  NEEDED(WSACleanup),  NEEDED(WSAGetLastError),
    NEEDED(WSASocketW),  NEEDED(closesocket), NEEDED(bind),
    NEEDED(listen),      NEEDED(connect),     NEEDED(accept),
    NEEDED(getsockname), NEEDED(setsockopt),  NEEDED(ioctlsocket),
    NEEDED(select),      NEEDED(send),        NEEDED(recv),
#undef NEEDED
};

static HRESULT fail(struct hcs_error *error, const char *what, DWORD code) {
    return error_set(error, HRESULT_FROM_WIN32(code), NULL,
                     "a socket for event loops: %s (Windows error %lu)", what,
                     code);
}

/* The library stays loaded, as a program that uses sockets has it anyway. */
static HRESULT load(struct winsock *api, struct hcs_error *error) {
    HMODULE module =
        LoadLibraryExW(L"ws2_32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (module == NULL)
        return fail(error, "cannot load ws2_32.dll", GetLastError());
    for (size_t i = 0; i < HCS_COUNT(needed); i++) {
        FARPROC found = GetProcAddress(module, needed[i].name);
        if (found == NULL)
            return fail(error, needed[i].name, GetLastError());
        memcpy((char *)api + needed[i].offset, &found, sizeof(found));
    }
    return S_OK;
}

static HRESULT socket_fail(const struct loopback *pair, const char *what,
                           struct hcs_error *error) {
    return fail(error, what, (DWORD)pair->api.WSAGetLastError());
}

/* Not inherited by child processes. */
static SOCKET new_socket(const struct loopback *pair) {
    return pair->api.WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                                WSA_FLAG_OVERLAPPED |
                                    WSA_FLAG_NO_HANDLE_INHERIT);
}

static struct sockaddr *generic(struct sockaddr_in *address) {
    return (struct sockaddr *)(void *)address;
}

/* Takes the connection that comes from `expected` and refuses any other
 * program's: who is first at a port is not up to us. */
static HRESULT take_own(struct loopback *pair,
                        const struct sockaddr_in *expected,
                        struct hcs_error *error) {
    for (;;) {
        struct sockaddr_in peer;
        int length = sizeof(peer);
        pair->far_end =
            pair->api.accept(pair->listener, generic(&peer), &length);
        if (pair->far_end == INVALID_SOCKET)
            return socket_fail(pair, "accept", error);
        if (peer.sin_port == expected->sin_port &&
            peer.sin_addr.s_addr == expected->sin_addr.s_addr)
            return S_OK;
        (void)pair->api.closesocket(pair->far_end);
        pair->far_end = INVALID_SOCKET;
    }
}

static HRESULT listen_here(struct loopback *pair, struct sockaddr_in *address,
                           struct hcs_error *error) {
    int length = sizeof(*address);
    int yes = 1;
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = 0x0100007F; /* 127.0.0.1, in network order */
    pair->listener = new_socket(pair);
    if (pair->listener == INVALID_SOCKET)
        return socket_fail(pair, "socket", error);
    (void)pair->api.setsockopt(pair->listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
                               (const char *)&yes, sizeof(yes));
    if (pair->api.bind(pair->listener, generic(address), length) != 0)
        return socket_fail(pair, "bind", error);
    if (pair->api.listen(pair->listener, 1) != 0)
        return socket_fail(pair, "listen", error);
    if (pair->api.getsockname(pair->listener, generic(address), &length) != 0)
        return socket_fail(pair, "getsockname", error);
    return S_OK;
}

static HRESULT connect_pair(struct loopback *pair, struct hcs_error *error) {
    struct sockaddr_in address, own;
    int length = sizeof(own);
    HRESULT hr = listen_here(pair, &address, error);
    if (FAILED(hr))
        return hr;
    pair->near_end = new_socket(pair);
    if (pair->near_end == INVALID_SOCKET)
        return socket_fail(pair, "socket", error);
    if (pair->api.connect(pair->near_end, generic(&address), sizeof(address)) !=
            0 ||
        pair->api.getsockname(pair->near_end, generic(&own), &length) != 0)
        return socket_fail(pair, "connect", error);
    return take_own(pair, &own, error);
}

/* Neither end may ever make the other wait. */
static HRESULT make_quick(struct loopback *pair, struct hcs_error *error) {
    u_long yes = 1;
    int flag = 1;
    if (pair->api.ioctlsocket(pair->near_end, (long)FIONBIO, &yes) != 0 ||
        pair->api.ioctlsocket(pair->far_end, (long)FIONBIO, &yes) != 0)
        return socket_fail(pair, "ioctlsocket", error);
    if (pair->api.setsockopt(pair->far_end, IPPROTO_TCP, TCP_NODELAY,
                             (const char *)&flag, sizeof(flag)) != 0)
        return socket_fail(pair, "setsockopt", error);
    return S_OK;
}

static void close_one(const struct loopback *pair, SOCKET *socket) {
    if (*socket != INVALID_SOCKET)
        (void)pair->api.closesocket(*socket);
    *socket = INVALID_SOCKET;
}

HRESULT loopback_open(struct loopback **out, struct hcs_error *error) {
    struct loopback *pair = calloc(1, sizeof(*pair));
    WSADATA data;
    HRESULT hr;
    if (pair == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    pair->listener = pair->near_end = pair->far_end = INVALID_SOCKET;
    hr = load(&pair->api, error);
    if (SUCCEEDED(hr)) {
        int code = pair->api.WSAStartup(MAKEWORD(2, 2), &data);
        pair->started = code == 0;
        if (code != 0)
            hr = fail(error, "WSAStartup", (DWORD)code);
    }
    if (SUCCEEDED(hr))
        hr = connect_pair(pair, error);
    if (SUCCEEDED(hr))
        hr = make_quick(pair, error);
    if (FAILED(hr)) {
        loopback_close(pair);
        return hr;
    }
    close_one(pair, &pair->listener);
    *out = pair;
    return S_OK;
}

void loopback_close(struct loopback *pair) {
    if (pair == NULL)
        return;
    if (pair->started) {
        close_one(pair, &pair->listener);
        close_one(pair, &pair->near_end);
        close_one(pair, &pair->far_end);
        (void)pair->api.WSACleanup();
    }
    free(pair);
}

void loopback_raise(struct loopback *pair) {
    static const char byte = 1;
    if (pair->api.send(pair->far_end, &byte, 1, 0) == 1)
        pair->sent++;
}

/* What was sent has mostly arrived; else it is on its way. */
static bool wait_for_bytes(const struct loopback *pair) {
    struct timeval second = {1, 0};
    fd_set set;
    set.fd_count = 1;
    set.fd_array[0] = pair->near_end;
    return pair->api.select(0, &set, NULL, NULL, &second) == 1;
}

/* Takes out all that was put in: a byte that came later would make the socket
 * look ready for good. */
void loopback_lower(struct loopback *pair) {
    char bytes[16];
    while (pair->sent > 0 && wait_for_bytes(pair)) {
        int got = pair->api.recv(pair->near_end, bytes, sizeof(bytes), 0);
        if (got <= 0)
            break;
        pair->sent -= (unsigned)got;
    }
}

intptr_t loopback_socket(const struct loopback *pair) {
    return (intptr_t)pair->near_end;
}
