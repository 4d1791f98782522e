/* System calls on files, repeated where a signal interrupts them. */
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNINTERRUPTED(result, call)                                            \
  do                                                                           \
    (result) = (call);                                                         \
  while ((result) < 0 && errno == EINTR)

/* The file system, or the sandbox, does not know the call. */
static int is_missing(int error) {
  return error == ENOSYS || error == EOPNOTSUPP || error == ENOLCK;
}

int file_open(const char *path, int flags) {
  int fd;
  UNINTERRUPTED(fd, open(path, flags | O_CLOEXEC, 0666));
  return fd;
}

ptrdiff_t file_read(int fd, uint64_t offset, void *out, size_t length) {
  ssize_t count;
  UNINTERRUPTED(count, pread(fd, out, length, (off_t)offset));
  return count;
}

int file_write(int fd, uint64_t offset, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count;
    UNINTERRUPTED(count, pwrite(fd, bytes, length, (off_t)offset));
    if (count < 0)
      return -1;
    bytes += count;
    offset += (uint64_t)count;
    length -= (size_t)count;
  }
  return 0;
}

int file_truncate(int fd) {
  int result;
  UNINTERRUPTED(result, ftruncate(fd, 0));
  return result;
}

int file_sync(int fd) {
  int result;
  UNINTERRUPTED(result, fsync(fd));
  return result < 0 && (errno == EINVAL || is_missing(errno)) ? 0 : result;
}

enum file_lock file_lock(int fd) {
  int result;
  UNINTERRUPTED(result, flock(fd, LOCK_EX | LOCK_NB));
  if (result == 0)
    return FILE_LOCKED;
  if (errno == EWOULDBLOCK)
    return FILE_TAKEN;
  return is_missing(errno) ? FILE_NO_LOCKS : FILE_ERRNO;
}

int file_is_ours(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == geteuid();
}
