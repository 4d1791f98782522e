/* Loaded ahead of a child's libraries, it makes time run faster: CLOCK_FACTOR
 * times as fast on the monotonic clock, and in what waits by it. So a spec of
 * minutes takes seconds. Not part of the module. */
#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#define NANO 1000000000LL

static long long factor;
static long long start; /* when the program began, in true nanoseconds */

static long long in_nano(const struct timespec *time) {
  return time->tv_sec * NANO + time->tv_nsec;
}

static void from_nano(long long nano, struct timespec *time) {
  time->tv_sec = nano / NANO;
  time->tv_nsec = nano % NANO;
}

static int true_time(clockid_t id, struct timespec *now) {
  static int (*next)(clockid_t, struct timespec *);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
  return next(id, now);
}

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("CLOCK_FACTOR");
  struct timespec now;
  factor = text ? atoll(text) : 1;
  if (factor < 1)
    factor = 1;
  true_time(CLOCK_MONOTONIC, &now);
  start = in_nano(&now);
}

int clock_gettime(clockid_t id, struct timespec *now) {
  int result = true_time(id, now);
  if (result == 0 && id == CLOCK_MONOTONIC)
    from_nano(start + (in_nano(now) - start) * factor, now);
  return result;
}

/* An absolute instant of our clock as one of the true clock. */
static void slow_down(const struct timespec *fast, struct timespec *instant) {
  long long nano = in_nano(fast);
  if (nano > start)
    nano = start + (nano - start + factor - 1) / factor;
  from_nano(nano, instant);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value,
                    struct itimerspec *old) {
  static int (*next)(int, int, const struct itimerspec *, struct itimerspec *);
  struct itimerspec slow = *value;
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "timerfd_settime");
  if (flags & TFD_TIMER_ABSTIME)
    slow_down(&value->it_value, &slow.it_value);
  return next(fd, flags, &slow, old);
}

static int slow_wait(int timeout) {
  return timeout > 0 ? (int)((timeout + factor - 1) / factor) : timeout;
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout) {
  static int (*next)(int, struct epoll_event *, int, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
  return next(fd, events, count, slow_wait(timeout));
}

int poll(struct pollfd *fds, nfds_t count, int timeout) {
  static int (*next)(struct pollfd *, nfds_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "poll");
  return next(fds, count, slow_wait(timeout));
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
          const sigset_t *mask) {
  static int (*next)(struct pollfd *, nfds_t, const struct timespec *,
                     const sigset_t *);
  struct timespec slow;
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "ppoll");
  if (!timeout)
    return next(fds, count, timeout, mask);
  from_nano(in_nano(timeout) / factor, &slow);
  return next(fds, count, &slow, mask);
}
