/* SPDX-License-Identifier: MIT
 * Folders of tests have names of ASCII letters, as those of temporary files
 * have wherever tests run. */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void platform_folder(char *out, size_t size) {
    static unsigned number;
    char temporary[MAX_PATH + 1];
    if (!GetTempPathA(sizeof temporary, temporary))
        abort();
    do { /* a process that had this number may have left some */
        snprintf(out, size, "%shcs-test-%lu-%u", temporary,
                 GetCurrentProcessId(), number++);
        for (char *c = out; *c; c++)
            *c = *c == '\\' ? '/' : *c;
    } while (!CreateDirectoryA(out, NULL) &&
             GetLastError() == ERROR_ALREADY_EXISTS);
}

bool platform_remove_folder(const char *path) {
    return RemoveDirectoryA(path) != 0;
}

bool platform_remove(const char *path) {
    return DeleteFileA(path) != 0;
}

int64_t platform_size(const char *path) {
    WIN32_FILE_ATTRIBUTE_DATA data;
    if (!GetFileAttributesExA(path, GetFileExInfoStandard, &data))
        return -1;
    return (int64_t)((uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow);
}

int64_t platform_room_taken(const char *path) {
    FILE_STANDARD_INFO info;
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, 0, NULL);
    BOOL known = GetFileInformationByHandleEx(file, FileStandardInfo, &info,
                                              sizeof info);
    CloseHandle(file);
    return known ? info.AllocationSize.QuadPart : -1;
}

/* Windows' library knows no time before 1970. */
bool platform_date(int64_t seconds, struct tm *out) {
    __time64_t time = seconds;
    return _gmtime64_s(out, &time) == 0;
}

void platform_pause(int milliseconds) {
    Sleep((DWORD)milliseconds);
}

void platform_set(const char *name, const char *value) {
    SetEnvironmentVariableA(name, value);
}

void *platform_symbol(const char *name) {
    FARPROC function = GetProcAddress(GetModuleHandleW(L"hcshost.dll"), name);
    void *address;
    memcpy(&address, &function, sizeof address);
    return address;
}

int platform_run_self(const char *argument, char *out, size_t size) {
    char command[MAX_PATH + 64], self[MAX_PATH];
    size_t count;
    FILE *child;
    if (!GetModuleFileNameA(NULL, self, sizeof self))
        abort();
    snprintf(command, sizeof command, "\"%s\" %s 2>&1", self, argument);
    child = _popen(command, "r");
    count = child ? fread(out, 1, size - 1, child) : 0;
    out[count] = '\0';
    return child ? _pclose(child) : -1;
}
