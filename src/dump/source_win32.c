/* SPDX-License-Identifier: MIT */
#include "source_file.h"

#include <winioctl.h>

HRESULT source_file_open(const char *path, hcs_file *out,
                         struct hcs_error *error) {
    HRESULT hr = file_open(path, out, error);

    if (FAILED(hr) || GetFileType(*out) == FILE_TYPE_DISK)
        return hr;
    CloseHandle(*out);
    *out = HCS_NO_FILE;
    return error_set(error, E_INVALIDARG, NULL, "\"%s\" is no file", path);
}

/* The first part of the file from `offset` on that takes room. */
static bool allocated(hcs_file file, uint64_t offset, uint64_t length,
                      FILE_ALLOCATED_RANGE_BUFFER *out, bool *any) {
    FILE_ALLOCATED_RANGE_BUFFER in;
    DWORD bytes = 0;
    BOOL done;

    in.FileOffset.QuadPart = (LONGLONG)offset;
    in.Length.QuadPart = (LONGLONG)(length - offset);
    done = DeviceIoControl(file, FSCTL_QUERY_ALLOCATED_RANGES, &in, sizeof in,
                           out, sizeof *out, &bytes, NULL);
    if (!done && GetLastError() != ERROR_MORE_DATA)
        return false;
    *any = bytes >= sizeof *out;
    return true;
}

uint64_t source_file_next(hcs_file file, uint64_t offset, uint64_t length,
                          bool data) {
    FILE_ALLOCATED_RANGE_BUFFER range;
    uint64_t start, end;
    bool any;

    if (!allocated(file, offset, length, &range, &any))
        return data ? offset : length;
    if (!any)
        return data ? length : offset;
    start = (uint64_t)range.FileOffset.QuadPart;
    end = start + (uint64_t)range.Length.QuadPart;
    if (data)
        return start > offset ? start : offset;
    if (start > offset)
        return offset;
    return end < length ? end : length;
}
