/* SPDX-License-Identifier: MIT
 * Named pipes where clients arrive. One instance always waits; a client that
 * comes gets it, and the next one is made before, so that the name is ours
 * from the beginning to the end. */
#include "stream_win32.h"

#include <aclapi.h>
#include <stdlib.h>
#include <string.h>

#include "utf.h"

#define PIPE_BUFFER 65536 /* bytes each way */
#define CONNECT_TRIES 64

struct stream_listener {
    struct link link;
    struct stream_set *set;
    stream_accept_fn accept;
    void *context;
    PWSTR path;
    struct pipe_end *end; /* the instance that waits */
    bool closing;
};

/* --- instances ----------------------------------------------------------- */

/* Who may use a pipe, and is its owner: the user that this process runs as. */
struct access {
    SECURITY_DESCRIPTOR descriptor;
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    union {
        ACL list;
        char room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) +
                  SECURITY_MAX_SID_SIZE];
    } allowed;
};

static bool access_make(struct access *access) {
    ACL *list = &access->allowed.list;
    HANDLE token;
    DWORD size;
    PSID user;
    bool good;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    good = GetTokenInformation(token, TokenUser, &access->token,
                               sizeof access->token, &size);
    CloseHandle(token);
    user = access->token.user.User.Sid;
    return good && InitializeAcl(list, sizeof access->allowed, ACL_REVISION) &&
           AddAccessAllowedAce(list, ACL_REVISION, FILE_ALL_ACCESS, user) &&
           InitializeSecurityDescriptor(&access->descriptor,
                                        SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorOwner(&access->descriptor, user, FALSE) &&
           SetSecurityDescriptorDacl(&access->descriptor, TRUE, list, FALSE);
}

static HANDLE create(PCWSTR path, DWORD first, struct access *access) {
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes,
                                      .lpSecurityDescriptor =
                                          &access->descriptor};
    return CreateNamedPipeW(
        path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER, PIPE_BUFFER, 0, &attributes);
}

/* Access to all instances is what the first was made with. */
static bool is_ours(HANDLE handle, const struct access *access) {
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner;
    bool ours;
    if (GetSecurityInfo(handle, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION,
                        &owner, NULL, NULL, NULL, &descriptor))
        return false;
    ours = EqualSid(owner, access->token.user.User.Sid);
    LocalFree(descriptor);
    return ours;
}

/* Where somebody waits for clients, the name is taken: our own always wait, and
 * not every system minds FILE_FLAG_FIRST_PIPE_INSTANCE. But a pipe stays known
 * for as long as a client has not let go of it; such a rest may live again if
 * it was this user's. */
static HANDLE create_first(PCWSTR path, struct access *access) {
    HANDLE handle = INVALID_HANDLE_VALUE;
    DWORD code = ERROR_ACCESS_DENIED;
    if (!WaitNamedPipeW(path, 1)) {
        handle = create(path, FILE_FLAG_FIRST_PIPE_INSTANCE, access);
        code = GetLastError();
        if (handle == INVALID_HANDLE_VALUE && code == ERROR_ACCESS_DENIED)
            handle = create(path, 0, access);
    }
    if (handle != INVALID_HANDLE_VALUE && !is_ours(handle, access)) {
        CloseHandle(handle);
        handle = INVALID_HANDLE_VALUE;
        code = ERROR_ACCESS_DENIED;
    }
    if (code == ERROR_ACCESS_DENIED || code == ERROR_PIPE_BUSY)
        code = ERROR_SHARING_VIOLATION;
    SetLastError(code);
    return handle;
}

static HRESULT instance_create(const struct stream_listener *listener,
                               bool first, struct pipe_end **out,
                               struct hcs_error *error) {
    struct access access;
    HANDLE handle = INVALID_HANDLE_VALUE;
    if (access_make(&access))
        handle = first ? create_first(listener->path, &access)
                       : create(listener->path, 0, &access);
    if (handle == INVALID_HANDLE_VALUE)
        return error_win32(error, GetLastError(), "cannot make a pipe");
    return pipe_end_create(listener->set->bell, handle, out, error);
}

/* Asks to be told when a client comes. Where the system does not promise to
 * tell, somebody is there already, or one asks again. */
static void arm(const struct stream_listener *listener) {
    struct request *in = &listener->end->in;
    if (request_is_busy(in))
        return;
    request_begin(in);
    if (!request_began(in,
                       ConnectNamedPipe(listener->end->handle, &in->overlapped)
                           ? ERROR_SUCCESS
                           : GetLastError()))
        SetEvent(listener->end->bell->ready);
}

static bool has_client(const struct stream_listener *listener) {
    DWORD available;
    enum pipe_state state = pipe_end_look(listener->end, &available);
    return state == PIPE_OPEN || state == PIPE_BROKEN;
}

/* --- clients ------------------------------------------------------------- */

/* The instance goes on waiting, for somebody else. */
static void turn_away(const struct stream_listener *listener) {
    DisconnectNamedPipe(listener->end->handle);
    arm(listener);
}

/* Gives the client that came to its new owner. */
static HRESULT take(struct stream_listener *listener, struct hcs_error *error) {
    struct stream_set *set = listener->set;
    struct pipe_end *next = NULL;
    HRESULT hr = S_OK;
    if (!listener->closing)
        hr = instance_create(listener, false, &next, error);
    if (FAILED(hr)) {
        turn_away(listener);
        return hr;
    }
    set->arriving = listener->end;
    listener->end = next;
    if (next)
        arm(listener);
    hr = listener->accept(listener->context, set->arriving->handle, error);
    if (set->arriving) /* it was closed and not opened */
        pipe_end_release(set->arriving);
    set->arriving = NULL;
    return hr;
}

bool stream_listeners_pump(struct stream_set *set) {
    bool did = false;
    for (set->next_listener = set->listeners.next;
         set->next_listener != &set->listeners;) {
        struct stream_listener *listener =
            HCS_CONTAINER(set->next_listener, struct stream_listener, link);
        bool came = has_client(listener);
        did = did || came;
        if (!came || FAILED(take(listener, NULL))) /* else there may be more */
            set->next_listener = listener->link.next;
    }
    return did;
}

void stream_listeners_arm(struct stream_set *set) {
    struct link *l;
    for (l = set->listeners.next; l != &set->listeners; l = l->next)
        arm(HCS_CONTAINER(l, struct stream_listener, link));
}

/* --- listeners ----------------------------------------------------------- */

static void listener_free(struct stream_listener *listener) {
    if (listener->set->next_listener == &listener->link)
        listener->set->next_listener = listener->link.next;
    link_remove(&listener->link);
    if (listener->end)
        pipe_end_close(listener->end);
    free(listener->path);
    free(listener);
}

HRESULT stream_listen(struct stream_set *set, const char *name,
                      stream_accept_fn accept, void *context,
                      struct stream_listener **out, struct hcs_error *error) {
    struct stream_listener *listener = calloc(1, sizeof *listener);
    HRESULT hr;
    if (!listener)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a pipe");
    *listener = (struct stream_listener){
        .set = set, .accept = accept, .context = context};
    link_init(&listener->link);
    hr = utf16_from_utf8(name, strlen(name), &listener->path, NULL, error);
    if (SUCCEEDED(hr))
        hr = instance_create(listener, true, &listener->end, error);
    if (FAILED(hr)) {
        listener_free(listener);
        return hr;
    }
    link_append(&set->listeners, &listener->link);
    arm(listener);
    *out = listener;
    return hr;
}

void stream_listener_close(struct stream_listener *listener) {
    if (!listener)
        return;
    listener->closing = true;
    if (has_client(listener))
        take(listener, NULL);
    listener_free(listener);
}

void stream_listeners_close(struct stream_set *set) {
    while (!link_alone(&set->listeners))
        stream_listener_close(
            HCS_CONTAINER(set->listeners.next, struct stream_listener, link));
}

static HANDLE connect_to(const struct stream_listener *listener) {
    return CreateFileW(
        listener->path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS,
        NULL);
}

/* Others who came before have the instance until they are taken in. */
HRESULT stream_listener_connect(struct stream_listener *listener,
                                stream_native *out, struct hcs_error *error) {
    HANDLE handle = connect_to(listener);
    DWORD code = GetLastError();
    HRESULT hr;
    for (int i = 0; handle == INVALID_HANDLE_VALUE && i < CONNECT_TRIES &&
                    code == ERROR_PIPE_BUSY && has_client(listener);
         i++) {
        take(listener, NULL);
        handle = connect_to(listener);
        code = GetLastError();
    }
    if (handle == INVALID_HANDLE_VALUE)
        return error_win32(error, code, "cannot connect to a pipe");
    hr = take(listener, error);
    if (FAILED(hr))
        CloseHandle(handle);
    else
        *out = handle;
    return hr;
}
