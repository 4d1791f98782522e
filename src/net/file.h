/* System calls on files, repeated where a signal interrupts them; and what
 * not every file system knows. */
#ifndef MINIMAX_FILE_H
#define MINIMAX_FILE_H

#include <stddef.h>
#include <stdint.h>

/* All return -1 with errno as the calls they are named after. */

/* Close-on-exec; what is created gets the rights that the umask leaves. */
int file_open(const char *path, int flags);

/* At an offset. Reads up to `length` bytes; writes all of them, 0. */
ptrdiff_t file_read(int fd, uint64_t offset, void *out, size_t length);
int file_write(int fd, uint64_t offset, const char *bytes, size_t length);

int file_truncate(int fd);

/* 0 also where the file system knows no fsync. */
int file_sync(int fd);

enum file_lock { FILE_LOCKED, FILE_TAKEN, FILE_NO_LOCKS, FILE_ERRNO };

/* An exclusive lock; it does not wait for one. */
enum file_lock file_lock(int fd);

/* A regular file of this user. */
int file_is_ours(int fd);

#endif
