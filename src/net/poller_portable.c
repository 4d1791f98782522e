/* Waits for sockets where there is no epoll: poll(2) over all that are wanted.
 * There is no one descriptor for hosts to watch; `timeout` tells them when to
 * step. Built on Linux too, with MINIMAX_PORTABLE, so that it is tested. */
#include "net/poller.h"

#if !defined(__linux__) || defined(MINIMAX_PORTABLE)

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t poller_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int poller_open(struct poller *poller) {
  memset(poller, 0, sizeof *poller);
  poller->fd = poller->timer = -1;
  poller->armed = poller->retry_at = POLLER_NEVER;
  return 0;
}

void poller_close(struct poller *poller) {
  free(poller->watches);
  free(poller->notes);
  poller_open(poller);
}

/* Room for the record of a descriptor. -1: no memory. */
static int make_room(struct poller *poller, int fd) {
  int count = fd + 32;
  struct watch *grown;
  if (fd < poller->watch_count)
    return 0;
  grown = realloc(poller->watches, (size_t)count * sizeof *grown);
  if (!grown)
    return -1;
  memset(grown + poller->watch_count, 0,
         (size_t)(count - poller->watch_count) * sizeof *grown);
  poller->watches = grown;
  poller->watch_count = count;
  return 0;
}

int poller_want(struct poller *poller, int fd, unsigned wanted) {
  if (make_room(poller, fd) < 0)
    return -1;
  poller->watches[fd].wanted = (unsigned char)wanted;
  return 0;
}

void poller_rest(struct poller *poller, int fd) {
  poller_want(poller, fd, 0);
}

static void forget(struct poller *poller, int fd, int opened) {
  struct watch *watch;
  if (make_room(poller, fd) < 0)
    return;
  watch = &poller->watches[fd];
  watch->wanted = 0;
  watch->opened = (unsigned char)opened;
  watch->port = 0;
}

void poller_opened(struct poller *poller, int fd) {
  forget(poller, fd, 1);
}

void poller_closing(struct poller *poller, int fd) {
  forget(poller, fd, 0);
}

/* Nothing is told to the kernel before the wait itself. */
void poller_apply(struct poller *poller, uint64_t due) {
  poller->armed = due;
}

static short wanted_events(const struct watch *watch) {
  short events = 0;
  if (watch->wanted & POLLER_READ)
    events |= POLLIN;
  if (watch->wanted & POLLER_WRITE)
    events |= POLLOUT;
  return events;
}

/* Lists what is wanted, in the room of the notes; returns how many. */
static int list_wanted(struct poller *poller) {
  struct pollfd *list;
  int count = 0;
  size_t bytes = (size_t)poller->watch_count * sizeof *list;
  if (poller->note_capacity < poller->watch_count) {
    int *grown = realloc(poller->notes, bytes);
    if (!grown)
      return 0; /* the next wait tries again */
    poller->notes = grown;
    poller->note_capacity = poller->watch_count;
  }
  list = (struct pollfd *)poller->notes;
  for (int fd = 0; fd < poller->watch_count; fd++) {
    if (!poller->watches[fd].wanted)
      continue;
    list[count].fd = fd;
    list[count].events = wanted_events(&poller->watches[fd]);
    list[count++].revents = 0;
  }
  return count;
}

static unsigned ready_bits(short events) {
  unsigned ready = 0;
  if (events & POLLIN)
    ready |= POLLER_READ;
  if (events & POLLOUT)
    ready |= POLLER_WRITE;
  if (events & (POLLERR | POLLHUP | POLLNVAL))
    ready |= POLLER_ERROR;
  return ready;
}

int poller_wait(struct poller *poller, int timeout, struct poller_event *events,
                int capacity) {
  int count = list_wanted(poller);
  const struct pollfd *list = (const struct pollfd *)poller->notes;
  int stored = 0;
  if (poll((struct pollfd *)poller->notes, (nfds_t)count, timeout) <= 0)
    return 0;
  /* Each look begins elsewhere, so that the last ones have their turn. */
  poller->first = count > 0 ? (poller->first + 1) % count : 0;
  for (int i = 0; i < count && stored < capacity; i++) {
    const struct pollfd *found = &list[(poller->first + i) % count];
    if (found->revents == 0)
      continue;
    events[stored].fd = found->fd;
    events[stored].ready = ready_bits(found->revents);
    stored++;
  }
  return stored;
}

#endif
