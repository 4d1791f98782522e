/* Keeps SIGPIPE from the host while libcurl writes to a socket: blocked for
 * this thread, and a new one swallowed; one that was pending stays. We never
 * touch the process's handler. */
#ifndef MINIMAX_SIGPIPE_H
#define MINIMAX_SIGPIPE_H

#include <signal.h>

struct sigpipe {
  sigset_t before; /* the thread's mask */
  int was_blocked; /* the host blocks SIGPIPE itself */
  int was_pending; /* and had one waiting */
};

void sigpipe_enter(struct sigpipe *guard);
void sigpipe_leave(const struct sigpipe *guard);

/* The same around what closes libcurl's pools: there libcurl itself ignores the
 * signal for a moment, and puts back what it found. Two threads at it might
 * each find the other's, so they take turns. */
void sigpipe_enter_alone(struct sigpipe *guard);
void sigpipe_leave_alone(const struct sigpipe *guard);

#endif
