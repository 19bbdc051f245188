/* SPDX-License-Identifier: MIT
 * The names and the meaning of result codes. */
#include <errno.h>

#include "error.h"
#include "hresult_hcn.h"

#define HR_NOT_SAME_DEVICE HCS_HR(0x80070011)
#define HR_WRITE_PROTECT HCS_HR(0x80070013)
#define HR_DEV_NOT_EXIST HCS_HR(0x80070037)
#define HR_NETNAME_DELETED HCS_HR(0x80070040)
#define HR_BROKEN_PIPE HCS_HR(0x8007006D)
#define HR_NETWORK_UNREACHABLE HCS_HR(0x800704CF)
#define HR_HOST_UNREACHABLE HCS_HR(0x800704D0)
#define HR_DIR_NOT_EMPTY HCS_HR(0x80070091)
#define HR_FILENAME_TOO_LONG HCS_HR(0x800700CE)
#define HR_FILE_TOO_LARGE HCS_HR(0x800700DF)
#define HR_CANT_RESOLVE HCS_HR(0x80070781)

struct entry {
    HRESULT code;
    const char *symbol;
    const char *text;
};

#define SAME(name, text) \
    { name, #name, text }
#define NAMED(name, symbol, text) \
    { name, symbol, text }

static const struct entry entries[] = {
    {S_OK, "S_OK", "It worked."},
    {S_FALSE, "S_FALSE", "It worked, and there was nothing to do."},
    {E_NOTIMPL, "E_NOTIMPL", "This host does not implement the function."},
    {E_POINTER, "E_POINTER", "A pointer that is required is null."},
    {E_FAIL, "E_FAIL", "It failed, and nothing more is known."},
    {E_UNEXPECTED, "E_UNEXPECTED", "Something happened that cannot."},
    {E_ACCESSDENIED, "E_ACCESSDENIED", "Access is denied."},
    {E_HANDLE, "E_HANDLE", "The handle is not valid."},
    {E_OUTOFMEMORY, "E_OUTOFMEMORY", "There is not enough memory."},
    {E_INVALIDARG, "E_INVALIDARG", "An argument is not valid."},
    NAMED(HR_FILE_NOT_FOUND, "ERROR_FILE_NOT_FOUND", "There is no such file."),
    NAMED(HR_PATH_NOT_FOUND, "ERROR_PATH_NOT_FOUND",
          "A directory of the path does not exist."),
    NAMED(HR_INVALID_DATA, "ERROR_INVALID_DATA", "The data is not valid."),
    NAMED(HR_SHARING_VIOLATION, "ERROR_SHARING_VIOLATION",
          "The file is in use elsewhere."),
    NAMED(HR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED",
          "The request is not supported."),
    NAMED(HR_FILE_EXISTS, "ERROR_FILE_EXISTS", "The file exists already."),
    NAMED(HR_DISK_FULL, "ERROR_DISK_FULL", "There is not enough disk space."),
    NAMED(HR_INSUFFICIENT_BUFFER, "ERROR_INSUFFICIENT_BUFFER",
          "The buffer is too small."),
    NAMED(HR_NOT_FOUND, "ERROR_NOT_FOUND", "What was asked for is not there."),
    NAMED(HR_CANCELLED, "ERROR_CANCELLED", "The operation was cancelled."),
    NAMED(HR_FILE_CORRUPT, "ERROR_FILE_CORRUPT",
          "The file is damaged and cannot be read."),
    NAMED(HR_NO_SYSTEM_RESOURCES, "ERROR_NO_SYSTEM_RESOURCES",
          "The system has run out of what the request needs."),
    NAMED(HR_TIMEOUT, "ERROR_TIMEOUT", "The time allowed for it has passed."),
    NAMED(HR_IO_DEVICE, "ERROR_IO_DEVICE", "A device reported an I/O error."),
    /* Causes that only an errno brings. */
    NAMED(HR_NOT_SAME_DEVICE, "ERROR_NOT_SAME_DEVICE",
          "The file cannot be moved to another disk."),
    NAMED(HR_WRITE_PROTECT, "ERROR_WRITE_PROTECT",
          "The file system is read-only."),
    NAMED(HR_DEV_NOT_EXIST, "ERROR_DEV_NOT_EXIST", "There is no such device."),
    NAMED(HR_NETNAME_DELETED, "ERROR_NETNAME_DELETED",
          "The other side broke the connection."),
    NAMED(HR_BROKEN_PIPE, "ERROR_BROKEN_PIPE", "Nobody reads the pipe."),
    NAMED(HR_DIR_NOT_EMPTY, "ERROR_DIR_NOT_EMPTY",
          "The directory is not empty."),
    NAMED(HR_FILENAME_TOO_LONG, "ERROR_FILENAME_EXCED_RANGE",
          "The name of the file is too long."),
    NAMED(HR_FILE_TOO_LARGE, "ERROR_FILE_TOO_LARGE",
          "The file would be larger than the file system allows."),
    NAMED(HR_CONNECTION_REFUSED, "ERROR_CONNECTION_REFUSED",
          "The other side refused the connection."),
    NAMED(HR_NETWORK_UNREACHABLE, "ERROR_NETWORK_UNREACHABLE",
          "No way leads to that network."),
    NAMED(HR_HOST_UNREACHABLE, "ERROR_HOST_UNREACHABLE",
          "Nobody has that address."),
    NAMED(HR_CANT_RESOLVE, "ERROR_CANT_RESOLVE_FILENAME",
          "The links of the path lead in a circle."),
    SAME(HCS_E_TERMINATED_DURING_START,
         "The system ended while it was being started."),
    SAME(HCS_E_IMAGE_MISMATCH,
         "The container's image does not fit the host's operating system."),
    SAME(HCS_E_HYPERV_NOT_INSTALLED,
         "The hypervisor that the system needs is not there."),
    SAME(HCS_E_INVALID_STATE,
         "The system is in a state in which this cannot be done."),
    SAME(HCS_E_UNEXPECTED_EXIT, "The system ended without being asked to."),
    SAME(HCS_E_TERMINATED, "The system was ended by force."),
    SAME(HCS_E_CONNECT_FAILED, "No connection to the guest could be made."),
    SAME(HCS_E_CONNECTION_TIMEOUT,
         "The guest did not connect within the time allowed."),
    SAME(HCS_E_CONNECTION_CLOSED, "The guest closed the connection."),
    SAME(HCS_E_UNKNOWN_MESSAGE, "The guest sent a message of an unknown kind."),
    SAME(HCS_E_UNSUPPORTED_PROTOCOL_VERSION,
         "The guest speaks a version of the protocol that is not supported."),
    SAME(HCS_E_INVALID_JSON, "The document is not valid."),
    SAME(HCS_E_SYSTEM_NOT_FOUND, "There is no system of that name."),
    SAME(HCS_E_SYSTEM_ALREADY_EXISTS,
         "There is a system of that name already."),
    SAME(HCS_E_SYSTEM_ALREADY_STOPPED, "The system has already stopped."),
    SAME(HCS_E_PROTOCOL_ERROR, "The guest broke the rules of the protocol."),
    SAME(HCS_E_SERVICE_NOT_AVAILABLE, "The compute service does not answer."),
    SAME(HCS_E_OPERATION_NOT_STARTED, "The operation has not been started."),
    SAME(HCS_E_OPERATION_ALREADY_STARTED,
         "The operation has been started already."),
    SAME(HCS_E_OPERATION_PENDING, "The operation is still going on."),
    SAME(HCS_E_OPERATION_TIMEOUT,
         "The operation did not end within the time allowed."),
    SAME(HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
         "The system's own callback already receives the operations."),
    SAME(HCS_E_OPERATION_RESULT_ALLOCATION_FAILED,
         "There was not enough memory for the operation's result."),
    SAME(HCS_E_ACCESS_DENIED, "The caller may not do this to the system."),
    SAME(HCS_E_GUEST_CRITICAL_ERROR,
         "The guest reported an error from which it cannot recover."),
    SAME(HCS_E_SERVICE_DISCONNECT,
         "The connection to the compute service was lost."),
};

static const struct entry *find(HRESULT code) {
    for (size_t i = 0; i < HCS_COUNT(entries); i++)
        if (entries[i].code == code)
            return &entries[i];
    return NULL;
}

const char *hresult_symbol(HRESULT code) {
    const struct entry *entry = find(code);
    return entry ? entry->symbol : hresult_hcn_symbol(code);
}

const char *hresult_text(HRESULT code) {
    const struct entry *entry = find(code);
    return entry ? entry->text : hresult_hcn_text(code);
}

static const struct {
    int number;
    HRESULT code;
} causes[] = {
    {ENOENT, HR_FILE_NOT_FOUND},
    {ENOTDIR, HR_PATH_NOT_FOUND},
    {EACCES, E_ACCESSDENIED},
    {EPERM, E_ACCESSDENIED},
    {EISDIR, E_ACCESSDENIED},
    {EROFS, HR_WRITE_PROTECT},
    {EBADF, E_HANDLE},
    {EEXIST, HR_FILE_EXISTS},
    {ENOTEMPTY, HR_DIR_NOT_EMPTY},
    {ENOSPC, HR_DISK_FULL},
    {EFBIG, HR_FILE_TOO_LARGE},
    {ENOMEM, E_OUTOFMEMORY},
    {EINVAL, E_INVALIDARG},
    {EBUSY, HR_SHARING_VIOLATION},
    {EIO, HR_IO_DEVICE},
    {EMFILE, HR_NO_SYSTEM_RESOURCES},
    {ENFILE, HR_NO_SYSTEM_RESOURCES},
    {EAGAIN, HR_NO_SYSTEM_RESOURCES},
    {ENAMETOOLONG, HR_FILENAME_TOO_LONG},
    {EPIPE, HR_BROKEN_PIPE},
    {ENODEV, HR_DEV_NOT_EXIST},
    {ENXIO, HR_DEV_NOT_EXIST},
    {EXDEV, HR_NOT_SAME_DEVICE},
    {ETIMEDOUT, HR_TIMEOUT},
    {ECANCELED, HR_CANCELLED},
    {ENOSYS, HR_NOT_SUPPORTED},
    {ENOTSUP, HR_NOT_SUPPORTED},
    {ECONNREFUSED, HR_CONNECTION_REFUSED},
    {ECONNRESET, HR_NETNAME_DELETED},
    {ENETUNREACH, HR_NETWORK_UNREACHABLE},
    {EHOSTUNREACH, HR_HOST_UNREACHABLE},
#ifdef ETXTBSY
    {ETXTBSY, HR_SHARING_VIOLATION},
#endif
#ifdef EDQUOT
    {EDQUOT, HR_DISK_FULL},
#endif
#ifdef ELOOP
    {ELOOP, HR_CANT_RESOLVE},
#endif
};

HRESULT hresult_from_errno(int number) {
    for (size_t i = 0; i < HCS_COUNT(causes); i++)
        if (causes[i].number == number)
            return causes[i].code;
    return E_FAIL;
}
