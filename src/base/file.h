/* SPDX-License-Identifier: MIT
 * The files of this machine. Paths are UTF-8 and absolute. What is made here
 * is not inherited by other programs. Errors name the path and have the code
 * that Windows gives for the same cause. */
#ifndef HCS_FILE_H
#define HCS_FILE_H

#include <stdbool.h>

#include "error.h"

#ifdef _WIN32
typedef HANDLE hcs_file;
#define HCS_NO_FILE INVALID_HANDLE_VALUE
#else
typedef int hcs_file;
#define HCS_NO_FILE (-1)
#endif

/* Whether the path is an absolute one of this system: from the root ("/"), on
 * Windows from a drive or a share. */
bool file_is_path(const char *path);
/* Whether both name the same file for all that their names tell. */
bool file_same_path(const char *a, size_t a_length, const char *b,
                    size_t b_length);
bool file_exists(const char *path);

/* Opens for reading, also what others write to. */
HRESULT file_open(const char *path, hcs_file *out, struct hcs_error *error);
/* Opens for writing: at its end if `append`, else emptied. Makes one that is as
 * open to others as this process makes files. */
HRESULT file_open_to_write(const char *path, bool append, hcs_file *out,
                           struct hcs_error *error);
/* Makes a file that nobody else may read; HR_FILE_EXISTS when there is one. */
HRESULT file_create(const char *path, hcs_file *out, struct hcs_error *error);
/* Whether what is at `path` may be replaced by a file: nothing, or a file. Not
 * a device or a link, which a rename would take away for everybody; directories
 * fail as a rename would. */
HRESULT file_can_be_at(const char *path, struct hcs_error *error);
/* Makes a file that is to be at `path`, beside it, under a name of its own,
 * which is malloc'd. It may get another name while it is open. */
HRESULT file_create_beside(const char *path, char **name, hcs_file *out,
                           struct hcs_error *error);
/* Closes and removes such a file, which has this name yet. Needs no memory. */
void file_discard(hcs_file file, const char *name);
/* Makes a file without a name, which is gone when it is closed. */
HRESULT file_create_nameless(hcs_file *out, struct hcs_error *error);

/* Writes all `length` bytes where the last write ended, across signals and
 * short writes. */
HRESULT file_write_all(hcs_file file, const void *bytes, size_t length,
                       struct hcs_error *error);
/* The same at `offset` bytes from the beginning. */
HRESULT file_write_at(hcs_file file, const void *bytes, size_t length,
                      uint64_t offset, struct hcs_error *error);
/* Reads at most `size` bytes from `offset` on; *count is 0 at the end only. */
HRESULT file_read_at(hcs_file file, void *bytes, size_t size, uint64_t offset,
                     size_t *count, struct hcs_error *error);
HRESULT file_length(hcs_file file, uint64_t *length, struct hcs_error *error);
/* Whether what is never written from now on takes no room. */
bool file_make_sparse(hcs_file file);
/* Makes it `size` bytes long; what was never written reads as zeros. */
HRESULT file_resize(hcs_file file, uint64_t size, struct hcs_error *error);
/* What was written is on the disk afterwards. */
HRESULT file_flush(hcs_file file, struct hcs_error *error);
/* HCS_NO_FILE is fine. Closed also on failure: something was not written. */
HRESULT file_close(hcs_file file, struct hcs_error *error);

/* Gives a file another name, at once, in the place of one that has it. */
HRESULT file_replace(const char *from, const char *to, struct hcs_error *error);
/* Nothing there, or nothing to be done about it, is fine. */
void file_remove(const char *path);
/* The bytes that are free for us on the disk where the file lies. False: they
 * are not known. */
bool file_room(const char *path, uint64_t *bytes);

#endif
