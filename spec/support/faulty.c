/* Loaded ahead of a child's libraries, it lets a system call or an allocation
 * fail. FAULTY names one for the whole life of the child: "flock ENOLCK" or,
 * for so many calls alone, "open EINTR 1" or, after the first two, "open EINTR
 * 1 2"; of the opened files only a `.part` and its note count then. A program
 * that looks faulty_arm up says so from case to case, and whose calls count:
 * starve.c. Not part of the module. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>

#include "interpose.h"

static const struct {
  const char *name;
  int number;
} errors[] = {
#define NAMED(error)                                                           \
  { #error, error }
    NAMED(EACCES),       NAMED(EAGAIN),        NAMED(EBADF),
    NAMED(EBUSY),        NAMED(ECONNABORTED),  NAMED(ECONNREFUSED),
    NAMED(ECONNRESET),   NAMED(EDQUOT),        NAMED(EEXIST),
    NAMED(EFBIG),        NAMED(EHOSTUNREACH),  NAMED(EINTR),
    NAMED(EINVAL),       NAMED(EIO),           NAMED(EISDIR),
    NAMED(ELOOP),        NAMED(EMFILE),        NAMED(EMLINK),
    NAMED(ENAMETOOLONG), NAMED(ENETUNREACH),   NAMED(ENFILE),
    NAMED(ENOBUFS),      NAMED(ENODEV),        NAMED(ENOENT),
    NAMED(ENOLCK),       NAMED(ENOMEM),        NAMED(ENOSPC),
    NAMED(ENOSYS),       NAMED(ENOTDIR),       NAMED(EOPNOTSUPP),
    NAMED(EPERM),        NAMED(EPIPE),         NAMED(EROFS),
    NAMED(ESTALE),       NAMED(ETIMEDOUT),     NAMED(ETXTBSY),
    NAMED(EXDEV),        NAMED(EADDRNOTAVAIL), NAMED(EWOULDBLOCK),
#undef NAMED
};

/* What fails: the calls of that name after the first so many. */
static struct {
  char name[24];
  int error;
  long first, times;
  int from_file; /* FAULTY: whoever calls, and of the files few */
  atomic_long count;
} plan;

/* The libraries whose calls count; and those whose blocks are watched. */
enum { LIBRARIES = 4 };
static struct { uintptr_t from, until; } libraries[LIBRARIES];
static int library_count;

static int is_counted(const void *caller) {
  uintptr_t address = (uintptr_t)caller;
  for (int i = 0; i < library_count; i++)
    if (address >= libraries[i].from && address < libraries[i].until)
      return 1;
  return 0;
}

/* Whether this call is to fail; errno is set then. */
static int fails(const char *name, const void *caller) {
  long count;
  if (!*plan.name || strcmp(plan.name, name) != 0 ||
      !(plan.from_file || is_counted(caller)))
    return 0;
  count = ++plan.count;
  if (count <= plan.first || count - plan.first > plan.times)
    return 0;
  errno = plan.error;
  return 1;
}

static int number_of(const char *error) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(errors[i].name, error) == 0)
      return errors[i].number;
  fprintf(stderr, "faulty: unknown error %s\n", error);
  abort();
}

__attribute__((constructor)) static void read_environment(void) {
  const char *text = getenv("FAULTY");
  char error[16];
  plan.times = LONG_MAX;
  if (!text || sscanf(text, "%23s %15s %ld %ld", plan.name, error, &plan.times,
                      &plan.first) < 2)
    return;
  plan.error = number_of(error);
  plan.from_file = 1;
}

/* ---- for programs that count ---- */

void faulty_watch(const char *library);
void faulty_arm(const char *name, const char *error, long first, long times);
long faulty_disarm(void);
long faulty_blocks(void);
long faulty_name_blocks(long since, void (*name)(const void *caller));
long faulty_now(void);

static int add_library(struct dl_phdr_info *info, size_t size, void *wanted) {
  (void)size;
  if (!strstr(info->dlpi_name, wanted) || library_count == LIBRARIES)
    return 0;
  libraries[library_count].from = UINTPTR_MAX;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    if (info->dlpi_phdr[i].p_type != PT_LOAD)
      continue;
    if (from < libraries[library_count].from)
      libraries[library_count].from = from;
    libraries[library_count].until = from + info->dlpi_phdr[i].p_memsz;
  }
  library_count++;
  return 0;
}

/* From now on the calls of this library count, and of no other; of several
 * where their names are told apart by blanks. */
void faulty_watch(const char *names) {
  char text[100], *rest = text;
  const char *name;
  library_count = 0;
  snprintf(text, sizeof text, "%s", names);
  while ((name = strsep(&rest, " ")) != NULL)
    dl_iterate_phdr(add_library, (void *)(uintptr_t)name);
}

void faulty_arm(const char *name, const char *error, long first, long times) {
  plan.from_file = 0;
  plan.count = 0;
  plan.error = number_of(error);
  plan.first = first;
  plan.times = times;
  snprintf(plan.name, sizeof plan.name, "%s", name);
}

/* Nothing fails any more; how many calls there were. */
long faulty_disarm(void) {
  *plan.name = '\0';
  return plan.count;
}

/* ---- system calls ---- */

#define CALLER __builtin_return_address(0)

/* Of whoever calls, only what belongs to a download. */
static int open_fails(const char *path, const void *caller) {
  return (!plan.from_file || strstr(path, ".part")) && fails("open", caller);
}

int open(const char *path, int flags, ...) {
  int (*next)(const char *, int, ...);
  int mode;
  va_list rest;
  va_start(rest, flags);
  mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  if (open_fails(path, CALLER))
    return -1;
  *(void **)&next = true_one("open");
  return next(path, flags, mode);
}

int fcntl(int fd, int command, ...) {
  int (*next)(int, int, ...);
  void *argument;
  va_list rest;
  va_start(rest, command);
  argument = va_arg(rest, void *);
  va_end(rest);
  if (fails("fcntl", CALLER))
    return -1;
  *(void **)&next = true_one("fcntl");
  return next(fd, command, argument);
}

/* The others are all alike. A close that fails has closed all the same. */

#define FAULTY(type, name, failure, parameters, arguments)                     \
  type name parameters {                                                       \
    static type(*next) parameters;                                             \
    if (fails(#name, CALLER))                                                  \
      return failure;                                                          \
    if (!next)                                                                 \
      *(void **)&next = true_one(#name);                                       \
    return next arguments;                                                     \
  }

FAULTY(int, flock, -1, (int fd, int operation), (fd, operation))
FAULTY(int, fsync, -1, (int fd), (fd))
FAULTY(int, sync_file_range, -1,
       (int fd, off_t from, off_t length, unsigned flags),
       (fd, from, length, flags))
FAULTY(int, ftruncate, -1, (int fd, off_t length), (fd, length))
FAULTY(int, fstat, -1, (int fd, struct stat *status), (fd, status))
FAULTY(int, stat, -1, (const char *path, struct stat *status), (path, status))
FAULTY(int, lstat, -1, (const char *path, struct stat *status), (path, status))
FAULTY(int, access, -1, (const char *path, int mode), (path, mode))
FAULTY(int, rename, -1, (const char *from, const char *to), (from, to))
FAULTY(int, link, -1, (const char *from, const char *to), (from, to))
FAULTY(int, unlink, -1, (const char *path), (path))
FAULTY(ssize_t, read, -1, (int fd, void *bytes, size_t length),
       (fd, bytes, length))
FAULTY(ssize_t, write, -1, (int fd, const void *bytes, size_t length),
       (fd, bytes, length))
FAULTY(ssize_t, pread, -1, (int fd, void *bytes, size_t length, off_t offset),
       (fd, bytes, length, offset))
FAULTY(ssize_t, pwrite, -1,
       (int fd, const void *bytes, size_t length, off_t offset),
       (fd, bytes, length, offset))
FAULTY(int, epoll_create1, -1, (int flags), (flags))
FAULTY(int, epoll_ctl, -1,
       (int fd, int what, int of, struct epoll_event *event),
       (fd, what, of, event))
FAULTY(int, epoll_wait, -1,
       (int fd, struct epoll_event *events, int count, int timeout),
       (fd, events, count, timeout))
FAULTY(int, timerfd_create, -1, (clockid_t clock, int flags), (clock, flags))
FAULTY(int, timerfd_settime, -1,
       (int fd, int flags, const struct itimerspec *to, struct itimerspec *was),
       (fd, flags, to, was))
FAULTY(int, poll, -1, (struct pollfd * fds, nfds_t count, int timeout),
       (fds, count, timeout))
FAULTY(int, ppoll, -1,
       (struct pollfd * fds, nfds_t count, const struct timespec *timeout,
        const sigset_t *mask),
       (fds, count, timeout, mask))
FAULTY(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
FAULTY(int, socketpair, -1, (int domain, int type, int protocol, int fds[2]),
       (domain, type, protocol, fds))
FAULTY(int, socket, -1, (int domain, int type, int protocol),
       (domain, type, protocol))
FAULTY(int, connect, -1,
       (int fd, const struct sockaddr *address, socklen_t length),
       (fd, address, length))
FAULTY(int, getsockname, -1,
       (int fd, struct sockaddr *address, socklen_t *length),
       (fd, address, length))
FAULTY(int, getpeername, -1,
       (int fd, struct sockaddr *address, socklen_t *length),
       (fd, address, length))
FAULTY(int, getsockopt, -1,
       (int fd, int level, int name, void *value, socklen_t *length),
       (fd, level, name, value, length))
FAULTY(int, setsockopt, -1,
       (int fd, int level, int name, const void *value, socklen_t length),
       (fd, level, name, value, length))
FAULTY(ssize_t, send, -1, (int fd, const void *bytes, size_t length, int flags),
       (fd, bytes, length, flags))
FAULTY(ssize_t, recv, -1, (int fd, void *bytes, size_t length, int flags),
       (fd, bytes, length, flags))
FAULTY(ssize_t, getrandom, -1, (void *bytes, size_t length, unsigned flags),
       (bytes, length, flags))
FAULTY(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
FAULTY(int, pthread_create, errno,
       (pthread_t * thread, const pthread_attr_t *attributes,
        void *(*start)(void *), void *argument),
       (thread, attributes, start, argument))

PLAIN(fcntl)
PLAIN(fopen)
PLAIN(open)
PLAIN_OFFSETS(fstat)
PLAIN_OFFSETS(ftruncate)
PLAIN_OFFSETS(lstat)
PLAIN_OFFSETS(pread)
PLAIN_OFFSETS(pwrite)
PLAIN_OFFSETS(stat)

/* ---- memory ---- */

/* The blocks of the watched libraries that nobody has freed yet. */
enum { PLACES = 1 << 16 };
static struct {
  void *block; /* NULL: a free place */
  const void *caller;
  long number;
} blocks[PLACES];
static long block_count, block_number;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t place_of(const void *block) {
  return ((uintptr_t)block >> 4) * 2654435761u % PLACES;
}

static void note(void *block, const void *caller) {
  size_t at = place_of(block);
  if (!block || !is_counted(caller))
    return;
  pthread_mutex_lock(&blocks_lock);
  while (blocks[at].block)
    at = (at + 1) % PLACES;
  blocks[at].block = block;
  blocks[at].caller = caller;
  blocks[at].number = ++block_number;
  block_count++;
  pthread_mutex_unlock(&blocks_lock);
}

/* What stands behind a place that becomes free moves up, where it may. */
static void vacate(size_t at) {
  blocks[at].block = NULL;
  for (size_t next = (at + 1) % PLACES; blocks[next].block;
       next = (next + 1) % PLACES) {
    size_t wants = place_of(blocks[next].block);
    if ((next - wants) % PLACES < (next - at) % PLACES)
      continue;
    blocks[at] = blocks[next];
    blocks[next].block = NULL;
    at = next;
  }
}

static void forget(const void *block) {
  if (!block || block_count == 0)
    return;
  pthread_mutex_lock(&blocks_lock);
  for (size_t at = place_of(block); blocks[at].block; at = (at + 1) % PLACES)
    if (blocks[at].block == block) {
      vacate(at);
      block_count--;
      break;
    }
  pthread_mutex_unlock(&blocks_lock);
}

long faulty_blocks(void) {
  return block_count;
}

long faulty_now(void) {
  return block_number;
}

/* Calls `name` with who made each of the blocks that came after `since`. */
long faulty_name_blocks(long since, void (*name)(const void *caller)) {
  long count = 0;
  for (size_t at = 0; at < PLACES; at++)
    if (blocks[at].block && blocks[at].number > since) {
      name(blocks[at].caller);
      count++;
    }
  return count;
}

/* dlsym may want memory itself: it does without. */
static void *true_allocator(void **next, const char *name) {
  static __thread int looking;
  if (!*next && !looking) {
    looking = 1;
    *next = true_one(name);
    looking = 0;
  }
  return *next;
}

#define NEXT(name)                                                             \
  static void *found;                                                          \
  __typeof__(name) *next;                                                      \
  if (!(*(void **)&next = true_allocator(&found, #name)))                      \
    return NULL;

static void *allocate(size_t size) {
  NEXT(malloc)
  return next(size);
}

void *malloc(size_t size) {
  void *block = fails("malloc", CALLER) ? NULL : allocate(size);
  note(block, CALLER);
  return block;
}

void *calloc(size_t count, size_t size) {
  void *block;
  NEXT(calloc)
  block = fails("malloc", CALLER) ? NULL : next(count, size);
  note(block, CALLER);
  return block;
}

void *realloc(void *old, size_t size) {
  void *block;
  NEXT(realloc)
  if (fails("malloc", CALLER))
    return NULL;
  forget(old); /* another thread may have it at once */
  block = next(old, size);
  note(block ? block : old, CALLER);
  return block;
}

void free(void *block) {
  static void *found;
  void (*next)(void *);
  forget(block);
  if ((*(void **)&next = true_allocator(&found, "free")) != NULL)
    next(block);
}

char *strndup(const char *text, size_t most) {
  size_t length = strnlen(text, most);
  char *copy = fails("malloc", CALLER) ? NULL : allocate(length + 1);
  note(copy, CALLER);
  if (copy) {
    memcpy(copy, text, length);
    copy[length] = '\0';
  }
  return copy;
}

char *strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = fails("malloc", CALLER) ? NULL : allocate(size);
  note(copy, CALLER);
  return copy ? memcpy(copy, text, size) : NULL;
}
