/* Name lookups that outlive their Lua state. */
#include "linger.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "poller.h"

enum {
  MOST = 64,
  LONGEST = 30000 /* ms: a forked child may hold the other end open */
};

struct entry {
  int fd; /* a copy: it hangs up when the thread ends */
  uint64_t until;
};

/* The states of a process may be in many threads. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct entry entries[MOST];
static atomic_uint count;
static pid_t owner; /* the process whose threads they are */

static void drop(unsigned index) {
  close(entries[index].fd);
  entries[index] = entries[--count];
}

static int is_over(const struct entry *entry, uint64_t now) {
  struct pollfd watched = {.fd = entry->fd, .events = POLLIN};
  return now >= entry->until || poll(&watched, 1, 0) != 0;
}

/* A forked child has none of its parent's threads. */
static void drop_ended(void) {
  uint64_t now = poller_clock();
  int is_child = owner != getpid();
  for (unsigned i = count; i > 0; i--)
    if (is_child || is_over(&entries[i - 1], now))
      drop(i - 1);
  owner = getpid();
}

static void lock(void) {
  pthread_mutex_lock(&mutex);
}

static void unlock(void) {
  pthread_mutex_unlock(&mutex);
}

/* A fork must not leave the child a mutex that nobody will unlock. */
static void watch_forks(void) {
  pthread_atfork(lock, unlock, unlock);
}

void linger_add(int fd) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0)
    return;
  pthread_once(&once, watch_forks);
  lock();
  drop_ended();
  if (count < MOST) {
    entries[count].fd = copy;
    entries[count++].until = poller_clock() + LONGEST;
  } else {
    close(copy);
  }
  unlock();
}

unsigned linger_count(void) {
  unsigned left;
  if (count == 0)
    return 0;
  lock();
  drop_ended();
  left = count;
  unlock();
  return left;
}
