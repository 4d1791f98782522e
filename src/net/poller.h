/* Waits for sockets and for one instant, behind one descriptor that any host
 * can watch. What is wanted is only noted, and applied in one go before the
 * module gives control away: so a request that changes its mind costs nothing.
 */
#ifndef MINIMAX_POLLER_H
#define MINIMAX_POLLER_H

#include <stdint.h>

#define POLLER_NEVER UINT64_MAX

/* The same bits as libcurl's CURL_CSELECT_*. */
#define POLLER_READ  1u
#define POLLER_WRITE 2u
#define POLLER_ERROR 4u

struct poller_event {
  int fd;
  unsigned ready; /* POLLER_* bits */
};

/* What is known of one socket number. */
struct watch {
  unsigned char wanted;     /* what libcurl wants; 0: nothing */
  unsigned char registered; /* what the kernel was last told; 0: nothing */
  unsigned char stale;      /* the number may be another socket by now */
  unsigned char noted;      /* in the list of notes */
  unsigned char opened;     /* by poller_opened */
  unsigned short port;      /* its own, 0: not asked yet (stale.c) */
};

struct poller {
  int fd;         /* watched by hosts; -1 where the system has no epoll */
  int timer;      /* timerfd, registered in fd */
  uint64_t armed; /* when the timer goes off; POLLER_NEVER: it does not */
  int fired;      /* it went off and was not set again */
  struct watch *watches; /* by descriptor */
  int watch_count;
  int *notes; /* descriptors whose wish changed */
  int note_count, note_capacity;
  uint64_t retry_at; /* to tell the kernel again what it refused, or NEVER */
  int first;         /* where the portable poller begins to look */
  int found;         /* and where stale.c does */
};

/* Milliseconds on the monotonic clock. */
uint64_t poller_clock(void);

/* 0, or -1 with errno set; a poller that failed to open needs no close. */
int poller_open(struct poller *poller);
void poller_close(struct poller *poller);

/* Notes what is wanted of a socket (0: nothing more). -1: no memory. */
int poller_want(struct poller *poller, int fd, unsigned wanted);

/* Nothing is wanted for now of a connection that stands: its closing will be
 * told. Of other sockets it may not be, even if their opening was. */
void poller_rest(struct poller *poller, int fd);

/* The number was opened as another socket. */
void poller_opened(struct poller *poller, int fd);

/* The number is about to be closed. */
void poller_closing(struct poller *poller, int fd);

/* Tells the kernel what was noted and sets the timer for `due`. What the kernel
 * has no memory for stays noted: `retry_at` is when to apply it again. */
void poller_apply(struct poller *poller, uint64_t due);

/* Waits at most `timeout` milliseconds for events; returns how many were
 * stored. Interrupted by a signal, it returns 0. Notes must be applied. */
int poller_wait(struct poller *poller, int timeout, struct poller_event *events,
                int capacity);

#endif
