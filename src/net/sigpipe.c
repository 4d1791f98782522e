/* Keeps SIGPIPE from the host while libcurl writes to a socket. */
#include "net/sigpipe.h"

#include <pthread.h>
#include <time.h>

#include "base/process_lock.h"

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

void sigpipe_enter(struct sigpipe *guard) {
  sigset_t pipe_only;
  only_pipe(&pipe_only);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before);
  guard->was_blocked = sigismember(&guard->before, SIGPIPE) == 1;
  /* Unblocked, a pending one would have been delivered already. */
  guard->was_pending = guard->was_blocked && pipe_pending();
}

static void swallow(void) {
  sigset_t pipe_only;
  only_pipe(&pipe_only);
#ifdef __APPLE__
  int taken;
  sigwait(&pipe_only, &taken);
#else
  const struct timespec at_once = {0, 0};
  sigtimedwait(&pipe_only, NULL, &at_once);
#endif
}

void sigpipe_leave(const struct sigpipe *guard) {
  int is_pending = pipe_pending();
  if (!guard->was_pending && is_pending)
    swallow();
  /* The kernel forgets one when the signal is ignored for a moment. */
  if (guard->was_pending && !is_pending)
    pthread_kill(pthread_self(), SIGPIPE);
  if (!guard->was_blocked)
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

void sigpipe_enter_alone(struct sigpipe *guard) {
  sigpipe_enter(guard);
  process_lock_enter();
}

void sigpipe_leave_alone(const struct sigpipe *guard) {
  process_lock_leave();
  sigpipe_leave(guard);
}
