/* Keeps SIGPIPE from the host while libcurl writes to a socket: blocked for
 * this thread, and a new one swallowed. The process's handler is not touched.
 * Floor 2. */
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

#endif
