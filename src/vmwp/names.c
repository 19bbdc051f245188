/* SPDX-License-Identifier: MIT
 * Named pipes, which are sockets. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/guid.h"
#include "protocol.h"

#define PIPE_PREFIX "\\\\.\\pipe\\"
#define PIPE_PREFIX_LENGTH 9

static const struct guid name_space = {{0xc1, 0x0e, 0x5a, 0x93, 0x7d, 0x24,
                                        0x4f, 0x68, 0xa8, 0x3b, 0x06, 0xd9,
                                        0x52, 0x1f, 0xee, 0x47}};

void name_digest(const char *text, char out[GUID_TEXT_SIZE]) {
    struct guid guid;

    guid_from_name(&name_space, text, strlen(text), &guid);
    guid_format(&guid, out);
}

/* A name too long for a socket's address ends in its digest instead. */
static void shorten(const char *escaped, char out[PIPE_FILE_SIZE]) {
    char tail[GUID_TEXT_SIZE];

    if (strlen(escaped) <= 64) {
        snprintf(out, PIPE_FILE_SIZE, "%s", escaped);
        return;
    }
    name_digest(escaped, tail);
    snprintf(out, PIPE_FILE_SIZE, "%.40s~%s", escaped, tail);
}

HRESULT pipe_file(const char *name, char out[PIPE_FILE_SIZE],
                  struct hcs_error *error) {
    struct buf escaped = {0};

    if (strncasecmp(name, PIPE_PREFIX, PIPE_PREFIX_LENGTH) != 0 ||
        !name[PIPE_PREFIX_LENGTH])
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not the name of a pipe (\\\\.\\pipe\\NAME)",
                         name);
    for (const char *c = name + PIPE_PREFIX_LENGTH; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (isalnum(byte) || byte == '-' || byte == '_' ||
            (byte == '.' && escaped.length > 0))
            buf_putc(&escaped, (char)tolower(byte));
        else
            buf_printf(&escaped, "%%%02x", byte);
    }
    if (escaped.failed) {
        buf_free(&escaped);
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    shorten(escaped.data, out);
    buf_free(&escaped);
    return S_OK;
}

/* Through the directory's descriptor: an address has 108 bytes. */
static socklen_t address_of(int directory, const char *name,
                            struct sockaddr_un *out) {
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s",
             directory, name);
    return (socklen_t)sizeof *out;
}

static int socket_new(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

HRESULT socket_connect(int directory, const char *name, int *fd,
                       struct hcs_error *error) {
    struct sockaddr_un address;
    socklen_t length = address_of(directory, name, &address);
    int made = socket_new();
    int number;

    if (made < 0)
        return error_errno(error, errno, "a socket");
    if (connect(made, (struct sockaddr *)&address, length) == 0) {
        *fd = made;
        return S_OK;
    }
    number = errno;
    close(made);
    /* A socket that nobody listens at is one that is not there. */
    return error_errno(error, number == ECONNREFUSED ? ENOENT : number, "%s",
                       name);
}

HRESULT socket_listen(int directory, const char *name, int *fd,
                      struct hcs_error *error) {
    struct sockaddr_un address;
    socklen_t length = address_of(directory, name, &address);
    int made = socket_new();

    if (made < 0)
        return error_errno(error, errno, "a socket");
    if (bind(made, (struct sockaddr *)&address, length) == 0 &&
        listen(made, 16) == 0) {
        *fd = made;
        return S_OK;
    }
    error_errno(error, errno, "%s", name);
    close(made);
    return error ? error->code : E_FAIL;
}
