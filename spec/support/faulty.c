/* Loaded ahead of a child's libraries, it lets one of the calls on files, or
 * epoll_ctl, fail: FAULTY is "flock ENOLCK" or, for so many calls alone, "open
 * EINTR 1" or, after the first two, "open EINTR 1 2". Of the opened files only
 * a
 * `.part` and its note count. Not part of the module. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

static const struct {
  const char *name;
  int number;
} errors[] = {
    {"EINTR", EINTR},   {"ENOLCK", ENOLCK}, {"ENOSYS", ENOSYS},
    {"EINVAL", EINVAL}, {"EIO", EIO},       {"EOPNOTSUPP", EOPNOTSUPP},
    {"EBUSY", EBUSY},   {"EMFILE", EMFILE}, {"ENOSPC", ENOSPC},
    {"ENOMEM", ENOMEM},
};

static void *true_one(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

/* Whether this call is to fail; errno is set then. */
static int fails(const char *name, int *count) {
  const char *text = getenv("FAULTY");
  char wanted[16], error[16];
  int times = INT_MAX, first = 0;
  if (!text ||
      sscanf(text, "%15s %15s %d %d", wanted, error, &times, &first) < 2 ||
      strcmp(wanted, name) != 0 || ++*count <= first || *count - first > times)
    return 0;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(errors[i].name, error) == 0)
      errno = errors[i].number;
  return 1;
}

int open(const char *path, int flags, ...) {
  static int count;
  int (*next)(const char *, int, ...);
  int mode;
  va_list rest;
  va_start(rest, flags);
  mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  if (strstr(path, ".part") && fails("open", &count))
    return -1;
  *(void **)&next = true_one("open");
  return next(path, flags, mode);
}

/* The others are all alike. */

#define FAULTY(type, name, parameters, arguments)                              \
  type name parameters {                                                       \
    static int count;                                                          \
    type(*next) parameters;                                                    \
    if (fails(#name, &count))                                                  \
      return -1;                                                               \
    *(void **)&next = true_one(#name);                                         \
    return next arguments;                                                     \
  }

FAULTY(int, flock, (int fd, int operation), (fd, operation))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, epoll_ctl, (int fd, int what, int of, struct epoll_event *event),
       (fd, what, of, event))
FAULTY(int, ftruncate, (int fd, off_t length), (fd, length))
FAULTY(int, rename, (const char *from, const char *to), (from, to))
FAULTY(ssize_t, pread, (int fd, void *bytes, size_t length, off_t offset),
       (fd, bytes, length, offset))
FAULTY(ssize_t, pwrite,
       (int fd, const void *bytes, size_t length, off_t offset),
       (fd, bytes, length, offset))

/* The names of those with a file offset where that has 64 bits by choice. */
__typeof__(pread) pread64 __attribute__((alias("pread")));
__typeof__(pwrite) pwrite64 __attribute__((alias("pwrite")));
__typeof__(open) open64 __attribute__((alias("open")));
__typeof__(ftruncate) ftruncate64 __attribute__((alias("ftruncate")));
