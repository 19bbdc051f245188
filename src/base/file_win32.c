/* SPDX-License-Identifier: MIT
 * Files through the W calls. Paths are made full first and then told apart
 * from DOS names by "\\?\", so that they may be as long as the disk has them
 * and "NUL" in a folder is a name like another. */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winioctl.h>

#include "random.h"
#include "utf.h"

#define VERBATIM L"\\\\?\\"
#define VERBATIM_SHARE L"\\\\?\\UNC"
#define NAMES_TRIED 16

static bool is_slash(int c) {
    return c == '\\' || c == '/';
}

bool file_is_path(const char *path) {
    char letter = (char)(path[0] | 0x20);
    if (is_slash(path[0]) && is_slash(path[1]))
        return path[2] != '\0';
    return letter >= 'a' && letter <= 'z' && path[1] == ':' &&
           is_slash(path[2]);
}

/* --- names ------------------------------------------------------------ */

/* The full path behind `prefix`, without its first `skip` units. */
static WCHAR *join(const WCHAR *prefix, const WCHAR *full, size_t skip) {
    size_t head = utf16_length(prefix);
    size_t tail = utf16_length(full + skip) + 1;
    WCHAR *out = malloc((head + tail) * sizeof *out);
    if (!out)
        return NULL;
    memcpy(out, prefix, head * sizeof *out);
    memcpy(out + head, full + skip, tail * sizeof *out);
    return out;
}

static DWORD full_path(const WCHAR *path, WCHAR **out) {
    DWORD size = GetFullPathNameW(path, 0, NULL, NULL);
    if (!size)
        return GetLastError();
    *out = malloc(size * sizeof **out);
    if (!*out)
        return ERROR_OUTOFMEMORY;
    if (GetFullPathNameW(path, size, *out, NULL) < size)
        return ERROR_SUCCESS;
    free(*out);
    return ERROR_INVALID_NAME; /* the current folder changed meanwhile */
}

static bool begins(const WCHAR *text, const WCHAR *prefix) {
    while (*prefix && *text == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == 0;
}

/* Devices are no files. */
static DWORD verbatim(const WCHAR *full, WCHAR **out) {
    if (begins(full, L"\\\\.\\"))
        return ERROR_INVALID_NAME;
    *out = begins(full, L"\\\\") ? join(VERBATIM_SHARE, full, 1)
                                 : join(VERBATIM, full, 0);
    return *out ? ERROR_SUCCESS : ERROR_OUTOFMEMORY;
}

/* The name for the W calls, malloc'd; NULL on failure. Returns a system error.
 */
static DWORD name_of(const char *path, WCHAR **out) {
    WCHAR *given, *full = NULL;
    HRESULT hr = utf16_from_utf8(path, strlen(path), &given, NULL, NULL);
    DWORD failure;

    *out = NULL;
    if (FAILED(hr))
        return hr == E_OUTOFMEMORY ? ERROR_OUTOFMEMORY : ERROR_INVALID_NAME;
    if (begins(given, VERBATIM)) {
        *out = given;
        return ERROR_SUCCESS;
    }
    failure = full_path(given, &full);
    free(given);
    if (failure)
        return failure;
    failure = verbatim(full, out);
    free(full);
    return failure;
}

bool file_same_path(const char *a, size_t a_length, const char *b,
                    size_t b_length) {
    WCHAR *wide_a = NULL, *wide_b = NULL;
    size_t a_units = 0, b_units = 0;
    bool same = false;

    if (SUCCEEDED(utf16_from_utf8(a, a_length, &wide_a, &a_units, NULL)) &&
        SUCCEEDED(utf16_from_utf8(b, b_length, &wide_b, &b_units, NULL)) &&
        a_units == b_units) {
        for (size_t i = 0; i < a_units; i++) {
            wide_a[i] = wide_a[i] == L'/' ? L'\\' : wide_a[i];
            wide_b[i] = wide_b[i] == L'/' ? L'\\' : wide_b[i];
        }
        same = CompareStringOrdinal(wide_a, (int)a_units, wide_b, (int)b_units,
                                    TRUE) == CSTR_EQUAL;
    }
    free(wide_a);
    free(wide_b);
    return same;
}

bool file_exists(const char *path) {
    WCHAR *name;
    bool exists = !name_of(path, &name) &&
                  GetFileAttributesW(name) != INVALID_FILE_ATTRIBUTES;
    free(name);
    return exists;
}

/* --- opening ---------------------------------------------------------- */

struct manner {
    DWORD access, share, how, flags;
};

/* Returns a system error; *out is HCS_NO_FILE then. */
static DWORD open_file(const char *path, struct manner manner, hcs_file *out) {
    WCHAR *name;
    DWORD failure = name_of(path, &name);

    *out = HCS_NO_FILE;
    if (failure)
        return failure;
    *out = CreateFileW(name, manner.access, manner.share, NULL, manner.how,
                       manner.flags, NULL);
    if (*out == HCS_NO_FILE)
        failure = GetLastError();
    free(name);
    return failure;
}

HRESULT file_open(const char *path, hcs_file *out, struct hcs_error *error) {
    const struct manner manner = {
        GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL};
    DWORD failure = open_file(path, manner, out);
    if (failure)
        return error_win32(error, failure, "cannot open \"%s\"", path);
    return S_OK;
}

HRESULT file_open_to_write(const char *path, bool append, hcs_file *out,
                           struct hcs_error *error) {
    const struct manner manner = {
        append ? FILE_APPEND_DATA : GENERIC_WRITE, FILE_SHARE_READ,
        append ? OPEN_ALWAYS : CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL};
    DWORD failure = open_file(path, manner, out);
    if (failure)
        return error_win32(error, failure, "cannot write \"%s\"", path);
    return S_OK;
}

/* Who may remove it must be told when it is made. */
static DWORD make(const char *path, DWORD share, DWORD flags, hcs_file *out) {
    const DWORD removal = share & FILE_SHARE_DELETE ? DELETE : 0;
    const struct manner manner = {GENERIC_READ | GENERIC_WRITE | removal, share,
                                  CREATE_NEW, flags};
    return open_file(path, manner, out);
}

HRESULT file_create(const char *path, hcs_file *out, struct hcs_error *error) {
    DWORD failure = make(path, FILE_SHARE_READ, FILE_ATTRIBUTE_NORMAL, out);
    if (failure)
        return error_win32(error, failure, "cannot create \"%s\"", path);
    return S_OK;
}

/* Writes an ending that nobody can have foreseen. */
static HRESULT put_ending(char *at, struct hcs_error *error) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    unsigned char chance[6];
    HRESULT hr = random_system(chance, sizeof chance, error);
    if (FAILED(hr))
        return hr;
    *at++ = '.';
    for (size_t i = 0; i < sizeof chance; i++)
        *at++ = letters[chance[i] % (sizeof letters - 1)];
    *at = '\0';
    return S_OK;
}

/* Makes a file under `stem` and an ending; the name is malloc'd. */
static HRESULT make_unforeseen(const char *stem, DWORD share, DWORD flags,
                               char **name, hcs_file *out,
                               struct hcs_error *error) {
    size_t length = strlen(stem);
    char *path = malloc(length + sizeof ".xxxxxx");
    HRESULT hr = S_OK;
    DWORD failure = ERROR_FILE_EXISTS;

    *out = HCS_NO_FILE;
    if (!path)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for \"%s\"",
                         stem);
    memcpy(path, stem, length);
    for (int i = 0; i < NAMES_TRIED && failure == ERROR_FILE_EXISTS; i++) {
        hr = put_ending(path + length, error);
        if (FAILED(hr))
            break;
        failure = make(path, share, flags, out);
    }
    if (SUCCEEDED(hr) && failure)
        hr = error_win32(error, failure, "cannot create \"%s\"", stem);
    if (FAILED(hr)) {
        free(path);
        return hr;
    }
    *name = path;
    return S_OK;
}

HRESULT file_can_be_at(const char *path, struct hcs_error *error) {
    WCHAR *name;
    DWORD failure = name_of(path, &name), is;
    if (failure)
        return error_win32(error, failure, "cannot write \"%s\"", path);
    is = GetFileAttributesW(name);
    free(name);
    if (is != INVALID_FILE_ATTRIBUTES && (is & FILE_ATTRIBUTE_DIRECTORY))
        return error_win32(error, ERROR_ACCESS_DENIED, "cannot write \"%s\"",
                           path);
    return S_OK;
}

HRESULT file_create_beside(const char *path, char **name, hcs_file *out,
                           struct hcs_error *error) {
    HRESULT hr = file_can_be_at(path, error);
    *out = HCS_NO_FILE;
    if (FAILED(hr))
        return hr;
    return make_unforeseen(path, FILE_SHARE_READ | FILE_SHARE_DELETE,
                           FILE_ATTRIBUTE_NORMAL, name, out, error);
}

/* By its handle: the name would have to be converted. */
void file_discard(hcs_file file, HCS_UNUSED const char *name) {
    FILE_DISPOSITION_INFO gone = {TRUE};
    SetFileInformationByHandle(file, FileDispositionInfo, &gone, sizeof gone);
    file_close(file, NULL);
}

/* The folder of temporary files and a name in it, malloc'd. */
static char *temporary_stem(void) {
    static const WCHAR name[] = L"hcs-file";
    WCHAR path[MAX_PATH + 1 + HCS_COUNT(name)];
    DWORD length = GetTempPathW(MAX_PATH + 1, path);
    char *out = NULL;
    if (length == 0 || length > MAX_PATH)
        return NULL;
    memcpy(path + length, name, sizeof name);
    if (FAILED(utf8_from_utf16(path, utf16_length(path), &out, NULL, NULL)))
        return NULL;
    return out;
}

HRESULT file_create_nameless(hcs_file *out, struct hcs_error *error) {
    char *stem = temporary_stem();
    char *name = NULL;
    HRESULT hr;

    *out = HCS_NO_FILE;
    if (!stem)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "no place for a temporary file");
    hr = make_unforeseen(stem, 0,
                         FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE,
                         &name, out, error);
    free(name);
    free(stem);
    return hr;
}

/* --- what is in them -------------------------------------------------- */

static HRESULT write_parts(hcs_file file, const void *bytes, size_t length,
                           OVERLAPPED *place, struct hcs_error *error) {
    const char *next = bytes;
    while (length > 0) {
        DWORD part = length > 0x40000000 ? 0x40000000 : (DWORD)length;
        DWORD written = 0;
        if (!WriteFile(file, next, part, &written, place))
            return error_win32(error, GetLastError(), "cannot write");
        if (written == 0)
            return error_win32(error, ERROR_DISK_FULL, "cannot write");
        next += written;
        length -= written;
        place = NULL; /* the file's own place is behind it now */
    }
    return S_OK;
}

static OVERLAPPED place_at(uint64_t offset) {
    OVERLAPPED place;
    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)(offset & 0xFFFFFFFF);
    place.OffsetHigh = (DWORD)(offset >> 32);
    return place;
}

HRESULT file_write_all(hcs_file file, const void *bytes, size_t length,
                       struct hcs_error *error) {
    return write_parts(file, bytes, length, NULL, error);
}

HRESULT file_write_at(hcs_file file, const void *bytes, size_t length,
                      uint64_t offset, struct hcs_error *error) {
    OVERLAPPED place = place_at(offset);
    return write_parts(file, bytes, length, &place, error);
}

HRESULT file_read_at(hcs_file file, void *bytes, size_t size, uint64_t offset,
                     size_t *count, struct hcs_error *error) {
    OVERLAPPED place = place_at(offset);
    DWORD part = size > 0x40000000 ? 0x40000000 : (DWORD)size;
    DWORD got = 0;
    if (!ReadFile(file, bytes, part, &got, &place)) {
        DWORD last = GetLastError();
        if (last != ERROR_HANDLE_EOF)
            return error_win32(error, last, "cannot read");
        got = 0;
    }
    *count = got;
    return S_OK;
}

HRESULT file_length(hcs_file file, uint64_t *length, struct hcs_error *error) {
    LARGE_INTEGER size;
    if (!GetFileSizeEx(file, &size))
        return error_win32(error, GetLastError(), "cannot read");
    *length = (uint64_t)size.QuadPart;
    return S_OK;
}

bool file_make_sparse(hcs_file file) {
    DWORD unused;
    return DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &unused,
                           NULL) != 0;
}

HRESULT file_resize(hcs_file file, uint64_t size, struct hcs_error *error) {
    FILE_END_OF_FILE_INFO end;
    if (size > INT64_MAX)
        return error_win32(error, ERROR_DISK_FULL,
                           "cannot make the file as long");
    end.EndOfFile.QuadPart = (LONGLONG)size;
    if (!SetFileInformationByHandle(file, FileEndOfFileInfo, &end, sizeof end))
        return error_win32(error, GetLastError(),
                           "cannot make the file as long");
    return S_OK;
}

HRESULT file_flush(hcs_file file, struct hcs_error *error) {
    if (!FlushFileBuffers(file))
        return error_win32(error, GetLastError(), "cannot write");
    return S_OK;
}

HRESULT file_close(hcs_file file, struct hcs_error *error) {
    if (file != HCS_NO_FILE && !CloseHandle(file))
        return error_win32(error, GetLastError(), "cannot write");
    return S_OK;
}

/* --- the disk --------------------------------------------------------- */

HRESULT file_replace(const char *from, const char *to,
                     struct hcs_error *error) {
    const DWORD how = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    WCHAR *wide_from, *wide_to = NULL;
    DWORD failure = name_of(from, &wide_from);

    if (!failure)
        failure = name_of(to, &wide_to);
    if (!failure && !MoveFileExW(wide_from, wide_to, how))
        failure = GetLastError();
    free(wide_from);
    free(wide_to);
    if (failure)
        return error_win32(error, failure, "cannot write \"%s\"", to);
    return S_OK;
}

void file_remove(const char *path) {
    WCHAR *name;
    if (!name_of(path, &name))
        DeleteFileW(name);
    free(name);
}

/* Ends the path behind its folder. */
static void cut_to_folder(WCHAR *path) {
    size_t length = utf16_length(path);
    while (length > 0 && path[length - 1] != L'\\')
        length--;
    path[length] = 0;
}

bool file_room(const char *path, uint64_t *bytes) {
    ULARGE_INTEGER available;
    bool known = false;
    WCHAR *name;
    if (!name_of(path, &name)) {
        cut_to_folder(name);
        known = GetDiskFreeSpaceExW(name, &available, NULL, NULL) != 0;
    }
    free(name);
    if (known)
        *bytes = available.QuadPart;
    return known;
}
