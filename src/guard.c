/* Keeps SIGPIPE from the host while libcurl writes to a socket. */
#include "guard.h"

#include <pthread.h>
#include <time.h>

static int pipe_pending(void) {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

static void only_pipe(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void guard_enter(struct guard *guard) {
  sigset_t pipe_only;
  only_pipe(&pipe_only);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before);
  guard->was_blocked = sigismember(&guard->before, SIGPIPE) == 1;
  /* Unblocked, a pending one would have been delivered already. */
  guard->was_pending = guard->was_blocked && pipe_pending();
}

void guard_leave(const struct guard *guard) {
  if (!guard->was_pending && pipe_pending()) {
#ifdef __APPLE__
    int taken;
    sigset_t pipe_only;
    only_pipe(&pipe_only);
    sigwait(&pipe_only, &taken);
#else
    const struct timespec at_once = {0, 0};
    sigset_t pipe_only;
    only_pipe(&pipe_only);
    sigtimedwait(&pipe_only, NULL, &at_once);
#endif
  }
  if (!guard->was_blocked)
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
