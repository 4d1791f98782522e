/* Waits for sockets and for one instant: epoll with a timerfd inside. */
#include "net/poller.h"

#if defined(__linux__) && !defined(MINIMAX_PORTABLE)

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, RETRY = 10 /* ms */ };

uint64_t poller_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int poller_open(struct poller *poller) {
  struct epoll_event event = {.events = EPOLLIN};
  memset(poller, 0, sizeof *poller);
  poller->armed = poller->retry_at = POLLER_NEVER;
  poller->timer = -1;
  poller->fd = epoll_create1(EPOLL_CLOEXEC);
  if (poller->fd < 0)
    return -1;
  poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (poller->timer < 0)
    goto fail;
  event.data.fd = poller->timer;
  if (epoll_ctl(poller->fd, EPOLL_CTL_ADD, poller->timer, &event) == 0)
    return 0;
fail:
  poller_close(poller);
  return -1;
}

void poller_close(struct poller *poller) {
  if (poller->timer >= 0)
    close(poller->timer);
  if (poller->fd >= 0)
    close(poller->fd);
  free(poller->watches);
  free(poller->notes);
  memset(poller, 0, sizeof *poller);
  poller->fd = poller->timer = -1;
  poller->retry_at = POLLER_NEVER;
}

/* The record of a descriptor, or NULL when memory ends. */
static struct watch *watch_of(struct poller *poller, int fd) {
  if (fd >= poller->watch_count) {
    int count = fd + 32;
    struct watch *grown =
        realloc(poller->watches, (size_t)count * sizeof *grown);
    if (!grown)
      return NULL;
    memset(grown + poller->watch_count, 0,
           (size_t)(count - poller->watch_count) * sizeof *grown);
    poller->watches = grown;
    poller->watch_count = count;
  }
  return &poller->watches[fd];
}

static int note(struct poller *poller, struct watch *watch, int fd) {
  if (watch->noted)
    return 0;
  if (poller->note_count == poller->note_capacity) {
    int capacity = poller->note_capacity * 2 + 16;
    int *grown = realloc(poller->notes, (size_t)capacity * sizeof *grown);
    if (!grown)
      return -1;
    poller->notes = grown;
    poller->note_capacity = capacity;
  }
  poller->notes[poller->note_count++] = fd;
  watch->noted = 1;
  return 0;
}

int poller_want(struct poller *poller, int fd, unsigned wanted) {
  struct watch *watch = watch_of(poller, fd);
  if (!watch)
    return -1;
  watch->wanted = (unsigned char)wanted;
  if (wanted == 0) {
    /* It stays registered until it fires unwanted. But libcurl may close it
     * without a word (a connect that failed, the pair of a name lookup) and
     * the number come back, so the next wish is told to the kernel even if it
     * looks the same. */
    watch->stale = 1;
    return 0;
  }
  if (!watch->stale && wanted == watch->registered)
    return 0;
  return note(poller, watch, fd);
}

/* So an answer on a kept-alive connection costs no call for its socket. */
void poller_rest(struct poller *poller, int fd) {
  if (fd < poller->watch_count && poller->watches[fd].opened)
    poller->watches[fd].wanted = 0;
  else
    poller_want(poller, fd, 0);
}

static void forget(struct poller *poller, int fd, int opened) {
  struct watch *watch = watch_of(poller, fd);
  if (watch) {
    watch->wanted = watch->registered = 0;
    watch->stale = 1;
    watch->opened = (unsigned char)opened;
    watch->port = 0;
  }
}

void poller_opened(struct poller *poller, int fd) {
  forget(poller, fd, 1);
}

void poller_closing(struct poller *poller, int fd) {
  if (fd >= poller->watch_count)
    return;
  /* A forked child may hold the socket open: the kernel would not drop it. */
  if (poller->watches[fd].registered)
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
  forget(poller, fd, 0);
}

/* -1: not now, as where the kernel has no memory for it. A descriptor that is
 * no more (EBADF) is told of in time. */
static int tell_kernel(struct poller *poller, int fd, struct watch *watch) {
  struct epoll_event event = {.events = 0};
  int first = watch->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  int second = watch->registered ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (watch->wanted & POLLER_READ)
    event.events |= EPOLLIN;
  if (watch->wanted & POLLER_WRITE)
    event.events |= EPOLLOUT;
  event.data.fd = fd;
  if (epoll_ctl(poller->fd, first, fd, &event) < 0 &&
      ((errno != ENOENT && errno != EEXIST) ||
       epoll_ctl(poller->fd, second, fd, &event) < 0) &&
      errno != EBADF)
    return -1;
  watch->registered = watch->wanted;
  watch->stale = 0;
  return 0;
}

static int must_tell(const struct watch *watch) {
  return watch->wanted && (watch->stale || watch->wanted != watch->registered);
}

static void set_timer(struct poller *poller, uint64_t due) {
  struct itimerspec at = {{0, 0}, {0, 0}};
  if (due != POLLER_NEVER) {
    at.it_value.tv_sec = (time_t)(due / 1000);
    at.it_value.tv_nsec = (long)(due % 1000) * 1000000;
    if (due == 0)
      at.it_value.tv_nsec = 1; /* all zero would disarm it */
  }
  timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &at, NULL);
  poller->armed = due;
  poller->fired = 0;
}

void poller_apply(struct poller *poller, uint64_t due) {
  int kept = 0;
  for (int i = 0; i < poller->note_count; i++) {
    int fd = poller->notes[i];
    struct watch *watch = &poller->watches[fd];
    watch->noted = 0;
    if (must_tell(watch) && tell_kernel(poller, fd, watch) < 0) {
      watch->noted = 1;
      poller->notes[kept++] = fd;
    }
  }
  poller->note_count = kept;
  poller->retry_at = kept ? poller_clock() + RETRY : POLLER_NEVER;
  if (poller->retry_at < due)
    due = poller->retry_at;
  /* A later instant than the armed one costs a wake-up; setting the timer at
   * each request costs more. One that went off stays readable until set. */
  if (due < poller->armed || poller->fired)
    set_timer(poller, due);
}

static unsigned ready_bits(uint32_t events) {
  unsigned ready = 0;
  if (events & EPOLLIN)
    ready |= POLLER_READ;
  if (events & EPOLLOUT)
    ready |= POLLER_WRITE;
  if (events & (EPOLLERR | EPOLLHUP))
    ready |= POLLER_ERROR;
  return ready;
}

/* Whether libcurl wants the event; an unwanted one is not to come again. */
static int is_wanted(struct poller *poller, int fd) {
  if (fd < poller->watch_count && poller->watches[fd].wanted)
    return 1;
  epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
  if (fd < poller->watch_count)
    poller->watches[fd].registered = 0;
  return 0;
}

int poller_wait(struct poller *poller, int timeout, struct poller_event *events,
                int capacity) {
  struct epoll_event found[EVENTS];
  int stored = 0;
  int count = epoll_wait(poller->fd, found,
                         capacity < EVENTS ? capacity : EVENTS, timeout);
  for (int i = 0; i < count; i++) {
    int fd = found[i].data.fd;
    if (fd == poller->timer) {
      poller->fired = 1;
      poller->armed = POLLER_NEVER;
    } else if (is_wanted(poller, fd)) {
      events[stored].fd = fd;
      events[stored].ready = ready_bits(found[i].events);
      stored++;
    }
  }
  return stored;
}

#endif
