/* Keeps SIGPIPE from the host while libcurl writes to a socket: blocked for
 * this thread, and a new one swallowed; one that was pending stays. We never
 * touch the process's handler. Floor 2. */
#ifndef MINIMAX_GUARD_H
#define MINIMAX_GUARD_H

#include <signal.h>

struct guard {
  sigset_t before; /* the thread's mask */
  int was_blocked; /* the host blocks SIGPIPE itself */
  int was_pending; /* and had one waiting */
};

void guard_enter(struct guard *guard);
void guard_leave(const struct guard *guard);

/* The same around what closes libcurl's pools: there libcurl itself ignores the
 * signal for a moment, and puts back what it found. Two threads at it might
 * each find the other's, so they take turns. */
void guard_enter_alone(struct guard *guard);
void guard_leave_alone(const struct guard *guard);

#endif
