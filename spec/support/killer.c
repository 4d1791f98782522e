/* Loaded ahead of a child's libraries, it kills the child with SIGKILL at one
 * of its calls: KILLER is "pwrite 3 before" or "recv 1 after". Of the opened
 * files only a `.part` and its note count. Just before, it writes to the file
 * KILLER_LOG how many bytes the child has written to a `.part`. Not part of the
 * module. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpose.h"

enum { PIECE = 16384 }; /* so much is read at once: so the reads are many */

struct call {
  const char *name;
  int count;
};

static long long written;

static void die(void) {
  const char *path = getenv("KILLER_LOG");
  FILE *log = path ? fopen(path, "w") : NULL;
  if (log) {
    fprintf(log, "%lld\n", written);
    fclose(log);
  }
  kill(getpid(), SIGKILL);
}

/* The call begins, or has ended. */
static void reach(struct call *call, const char *when) {
  const char *text = getenv("KILLER");
  char name[16], wanted[16];
  int count;
  if (strcmp(when, "before") == 0)
    call->count++;
  if (text && sscanf(text, "%15s %d %15s", name, &count, wanted) == 3 &&
      strcmp(name, call->name) == 0 && count == call->count &&
      strcmp(wanted, when) == 0)
    die();
}

ssize_t recv(int fd, void *bytes, size_t length, int flags) {
  static struct call call = {"recv", 0};
  ssize_t (*next)(int, void *, size_t, int);
  ssize_t result;
  *(void **)&next = true_one("recv");
  result = next(fd, bytes, length < PIECE ? length : PIECE, flags);
  if (result > 0) { /* not those that find nothing */
    reach(&call, "before");
    reach(&call, "after");
  }
  return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  static struct call call = {"pwrite", 0};
  ssize_t (*next)(int, const void *, size_t, off_t);
  ssize_t result;
  *(void **)&next = true_one("pwrite");
  reach(&call, "before");
  result = next(fd, bytes, length, offset);
  if (result > 0)
    written += result;
  reach(&call, "after");
  return result;
}

int open(const char *path, int flags, ...) {
  static struct call call = {"open", 0};
  int (*next)(const char *, int, ...);
  int mode, result, counts = strstr(path, ".part") != NULL;
  va_list rest;
  va_start(rest, flags);
  mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  *(void **)&next = true_one("open");
  if (counts)
    reach(&call, "before");
  result = next(path, flags, mode);
  if (counts)
    reach(&call, "after");
  return result;
}

/* The others are all alike. */

#define WATCHED(name, parameters, arguments)                                   \
  int name parameters {                                                        \
    static struct call call = {#name, 0};                                      \
    int(*next) parameters;                                                     \
    int result;                                                                \
    *(void **)&next = true_one(#name);                                         \
    reach(&call, "before");                                                    \
    result = next arguments;                                                   \
    reach(&call, "after");                                                     \
    return result;                                                             \
  }

WATCHED(fsync, (int fd), (fd))
WATCHED(ftruncate, (int fd, off_t length), (fd, length))
WATCHED(unlink, (const char *path), (path))
WATCHED(rename, (const char *from, const char *to), (from, to))
WATCHED(link, (const char *from, const char *to), (from, to))

PLAIN(open)
PLAIN_OFFSETS(ftruncate)
PLAIN_OFFSETS(pwrite)
