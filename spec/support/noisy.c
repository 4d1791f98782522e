/* Loaded ahead of a child's libraries, it makes each write to a connection that
 * is gone raise SIGPIPE, as it does on systems without MSG_NOSIGNAL. Not part
 * of the module. */
#include <dlfcn.h>
#include <sys/socket.h>

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  static ssize_t (*next)(int, const void *, size_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "send");
  return next(fd, bytes, length, flags & ~MSG_NOSIGNAL);
}
