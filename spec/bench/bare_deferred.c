/* The same queries over curl_multi_socket_action: what libcurl wants of its
 * sockets and of its timer is noted, and the kernel told once before waiting.
 * A connection that idles stays registered. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"

enum { FDS = 65536, EVENTS = 64 };

#define NEVER INT64_MAX

static struct watch {
  unsigned char wanted, registered;
  unsigned char stale; /* the number may be another socket by now */
  unsigned char noted;
} watches[FDS];

static int notes[FDS];
static int note_count;
static int epoll, timer;
static int64_t due = NEVER;   /* ms: when libcurl wants to be called */
static int64_t armed = NEVER; /* ms: when the timer goes off */

static int64_t clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- notes ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *unused) {
  struct watch *watch = &watches[fd];
  (void)easy, (void)user, (void)unused;
  watch->wanted = what == CURL_POLL_REMOVE ? 0 : (unsigned char)what;
  if (watch->wanted == 0)
    watch->stale = 1;
  else if ((watch->stale || watch->wanted != watch->registered) &&
           !watch->noted) {
    watch->noted = 1;
    notes[note_count++] = fd;
  }
  return 0;
}

static int on_timer(CURLM *multi, long timeout, void *user) {
  (void)multi, (void)user;
  due = timeout < 0 ? NEVER : clock_ms() + timeout;
  return 0;
}

/* ---- before waiting ---- */

static void apply_notes(void) {
  for (int i = 0; i < note_count; i++) {
    int fd = notes[i];
    struct watch *watch = &watches[fd];
    struct epoll_event event = {.events = 0, .data.fd = fd};
    watch->noted = 0;
    if (!watch->wanted)
      continue;
    event.events = (watch->wanted & CURL_POLL_IN ? EPOLLIN : 0u) |
                   (watch->wanted & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0)
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    watch->registered = watch->wanted;
    watch->stale = 0;
  }
  note_count = 0;
}

/* A timer that goes off too early costs less than one set at each request. */
static void arm(void) {
  struct itimerspec at = {{0, 0}, {0, 0}};
  if (due >= armed)
    return;
  at.it_value.tv_sec = (time_t)(due / 1000);
  at.it_value.tv_nsec = (due % 1000) * 1000000 + 1;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
  armed = due;
}

/* ---- after waiting ---- */

static void act_on(struct run *run, const struct epoll_event *event) {
  int fd = event->data.fd;
  int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
             (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
             (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
  uint64_t expirations;
  int running;
  if (fd == timer) {
    if (read(timer, &expirations, sizeof expirations) > 0)
      armed = NEVER;
  } else if (watches[fd].wanted) {
    curl_multi_socket_action(run->multi, fd, what, &running);
  } else { /* an idle connection, closed by the server */
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    watches[fd].registered = 0;
  }
}

static void turn(struct run *run) {
  struct epoll_event events[EVENTS];
  int running;
  int count = epoll_wait(epoll, events, EVENTS, -1);
  for (int i = 0; i < count; i++)
    act_on(run, &events[i]);
  if (due <= clock_ms()) {
    due = NEVER;
    curl_multi_socket_action(run->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void bare_run_deferred(struct run *run) {
  struct epoll_event event = {.events = EPOLLIN};
  epoll = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  event.data.fd = timer;
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  curl_multi_setopt(run->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(run->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  due = 0; /* the handles were added before the callbacks */
  while (run->to_end > 0) {
    apply_notes();
    arm();
    turn(run);
    bare_collect(run);
  }
}
