/* Loaded ahead of a child's libraries: its file system has no shared memory
 * maps, as some that go over a network. Not part of the module. */
#include <errno.h>
#include <sys/mman.h>

#include "interpose.h"

void *mmap(void *address, size_t length, int protection, int flags, int fd,
           off_t offset) {
  static void *(*next)(void *, size_t, int, int, int, off_t);
  if (!next)
    *(void **)&next = true_one("mmap");
  if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
    errno = ENODEV;
    return MAP_FAILED;
  }
  return next(address, length, protection, flags, fd, offset);
}
