/* Drives all transfers and deadlines of one Lua state. */
#include "net/driver.h"

/* curl_multi_socket_all is called deprecated, but alone helps (below). */
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/alpn.h"
#include "net/long_sleep.h"
#include "net/lookup.h"
#include "net/sigpipe.h"
#include "net/transfer.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "minimax needs libcurl 7.87.0 or later (CURLOPT_QUICK_EXIT)"
#endif

enum {
  EVENTS = 64,
  STREAMS = 1000,
  TURNS = 64 /* at most, to catch up with what has arrived */
};

static void start_libcurl(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Once for the process, and never undone: the host may use libcurl too. */
static void ensure_libcurl(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_libcurl);
}

static void note_unwatched(struct engine *engine, struct transfer *transfer) {
  transfer->unwatched = 1;
  /* It may lose one socket, gain another and lose that too in one turn. */
  if (!engine->turning || transfer->listed)
    return;
  transfer->listed = 1;
  transfer->next_unwatched = engine->unwatched;
  engine->unwatched = transfer;
}

/* libcurl wants something of a socket. It never answers -1: that would fail
 * all transfers. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *unused) {
  struct engine *engine = user;
  struct transfer *transfer = NULL;
  unsigned wanted = 0;
  (void)unused;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    wanted |= POLLER_READ;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    wanted |= POLLER_WRITE;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
  /* After a departure it is the connection's own socket. */
  if (!wanted && transfer && transfer->departures > 0)
    poller_rest(&engine->poller, fd);
  else if (poller_want(&engine->poller, fd, wanted) < 0)
    engine->deaf = 1;
  if (transfer)
    transfer->heard = wanted != 0;
  if (transfer && wanted)
    transfer->unwatched = 0;
  else if (transfer)
    note_unwatched(engine, transfer);
  return 0;
}

static int on_timer(CURLM *multi, long timeout, void *user) {
  struct engine *engine = user;
  (void)multi;
  engine->curl_due =
      timeout < 0 ? POLLER_NEVER : poller_clock() + (uint64_t)timeout;
  return 0;
}

static void set_up_multi(struct engine *engine) {
  CURLM *multi = engine->multi;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, engine);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, engine);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  /* The default of 100 doubles the work at a thousand streams. */
  curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS);
}

static uint64_t seed(const struct engine *engine) {
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) < 0 || value == 0)
    value = poller_clock() ^ (uint64_t)(uintptr_t)engine ^ 0x9e3779b97f4a7c15u;
  return value ? value : 1;
}

/* libcurl before 8.9 opens a pair of sockets here that every child of the host
 * would inherit. They are not ours to know, but their numbers are the lowest
 * two that are free: that holds while no other thread opens anything. */
static CURLM *make_multi(void) {
  int free_numbers[2] = {-1, -1};
  struct stat found;
  CURLM *multi;
  if (!long_sleep_is_alone())
    return curl_multi_init();
  for (int i = 0; i < 2; i++)
    free_numbers[i] = open("/", O_RDONLY | O_CLOEXEC);
  for (int i = 0; i < 2; i++)
    if (free_numbers[i] >= 0)
      close(free_numbers[i]);
  multi = curl_multi_init();
  for (int i = 0; i < 2; i++)
    if (fstat(free_numbers[i], &found) == 0 && S_ISSOCK(found.st_mode))
      fcntl(free_numbers[i], F_SETFD, FD_CLOEXEC);
  return multi;
}

int driver_open(struct engine *engine) {
  ensure_libcurl();
  memset(engine, 0, sizeof *engine);
  if (poller_open(&engine->poller) < 0)
    return -1;
  engine->multi = make_multi();
  if (!engine->multi) {
    poller_close(&engine->poller);
    return -1;
  }
  engine->curl_due = POLLER_NEVER;
  engine->random = seed(engine);
  fork_open(&engine->fork);
  set_up_multi(engine);
  return 0;
}

void driver_close(struct engine *engine) {
  struct sigpipe guard;
  if (engine_state(engine) != ENGINE_OPEN)
    return;
  sigpipe_enter(&guard);
  while (engine->transfers)
    transfer_destroy(engine->transfers);
  sigpipe_leave(&guard);
  dns_close(&engine->dns, &engine->poller);
  sigpipe_enter_alone(&guard);
  curl_multi_cleanup(engine->multi);
  sigpipe_leave_alone(&guard);
  poller_close(&engine->poller);
  heap_free(&engine->deadlines);
  engine->first_ready = engine->last_ready = NULL;
  engine->multi = NULL;
  fork_close(&engine->fork);
}

/* A transfer that lost its only socket without ending has an address left to
 * try; in event mode libcurl 7.88 would never get to it by itself. */
static void mend_unwatched(struct engine *engine) {
  int running;
  int mend = 0;
  struct transfer *transfer = engine->unwatched;
  for (engine->unwatched = NULL; transfer;
       transfer = transfer->next_unwatched) {
    transfer->listed = 0;
    if (!transfer->unwatched)
      continue;
    transfer->unwatched = 0;
    mend |= transfer->outcome == TRANSFER_UNDER_WAY;
  }
  if (mend)
    curl_multi_socket_all(engine->multi, &running);
}

/* Transfers that libcurl is done with. */
static int collect_ended(struct engine *engine) {
  int left, ended = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
    struct transfer *transfer = NULL;
    if (message->msg != CURLMSG_DONE)
      continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&transfer);
    transfer_ended(transfer, (int)message->data.result);
    ended = 1;
  }
  return ended;
}

static int expire(struct engine *engine) {
  struct deadline *first;
  int expired = 0;
  while ((first = heap_first(&engine->deadlines)) != NULL &&
         first->due <= engine->now) {
    heap_remove(&engine->deadlines, first);
    engine_wake(engine, (struct waiter *)first);
    expired = 1;
  }
  return expired;
}

/* libcurl had no memory to watch the socket of a transfer, and does not say of
 * which. It would never hear of it again, and what libcurl 7.88 keeps of that
 * socket is broken: all of which no socket is watched end here. */
static void end_unheard(struct engine *engine) {
  struct transfer *next;
  for (struct transfer *each = engine->transfers; each; each = next) {
    next = each->next;
    if (!each->attached || each->heard)
      continue;
    if (each->opened && engine->broken_count < ENGINE_BROKEN)
      engine->broken[engine->broken_count++] = each->opened;
    transfer_stop(each, TRANSFER_NO_MEMORY);
  }
}

static void act_on(struct engine *engine, curl_socket_t fd, int ready) {
  int running;
  if (curl_multi_socket_action(engine->multi, fd, ready, &running) ==
      CURLM_OUT_OF_MEMORY)
    end_unheard(engine);
}

static int let_libcurl_act(struct engine *engine,
                           const struct poller_event *events, int count) {
  int running;
  int acted = count > 0;
  for (int i = 0; i < count; i++)
    if (!dns_heard(&engine->dns, events[i].fd))
      act_on(engine, events[i].fd, (int)events[i].ready);
  if (engine->curl_due <= engine->now) {
    engine->curl_due = POLLER_NEVER;
    act_on(engine, CURL_SOCKET_TIMEOUT, 0);
    acted = 1;
  }
  if (engine->deaf)
    curl_multi_socket_all(engine->multi, &running);
  engine->deaf &= engine->transfers != NULL;
  return acted;
}

/* One pass without the deadlines. */
static int act(struct engine *engine, int timeout) {
  struct poller_event events[EVENTS];
  struct sigpipe guard;
  int count, happened;
  count = poller_wait(&engine->poller, timeout, events, EVENTS);
  engine->now = poller_clock();
  engine->turning = 1;
  sigpipe_enter(&guard);
  happened = let_libcurl_act(engine, events, count);
  happened |= collect_ended(engine);
  /* Mending may leave others without a socket. None stays in the list: after
   * the turn its transfers may be freed. */
  while (engine->unwatched) {
    mend_unwatched(engine);
    collect_ended(engine);
  }
  alpn_tidy(engine, transfer_stop);
  lookup_tidy(engine, transfer_stop);
  sigpipe_leave(&guard);
  engine->turning = 0;
  return happened;
}

int driver_turn(struct engine *engine, int timeout) {
  int happened;
  if (engine_state(engine) != ENGINE_OPEN)
    return 0;
  happened = act(engine, timeout);
  happened |= expire(engine);
  return happened || engine->first_ready != NULL;
}

void driver_catch_up(struct engine *engine, uint64_t instant) {
  uint64_t now = poller_clock();
  if (engine->read_until >= instant || engine->turning)
    return;
  for (int turn = 0; turn < TURNS; turn++) {
    engine_settle_sockets(engine);
    if (!act(engine, 0))
      break;
  }
  engine->read_until = now;
}

uint64_t driver_look(struct transfer *transfer, uint64_t now) {
  uint64_t due;
  if (transfer->outcome != TRANSFER_UNDER_WAY)
    return 0;
  due = transfer_due(transfer, now);
  if (due > 0)
    return due;
  driver_catch_up(transfer->engine, now);
  if (transfer->outcome != TRANSFER_UNDER_WAY)
    return 0;
  due = transfer_due(transfer, poller_clock());
  if (due == 0)
    transfer_stop(transfer, TRANSFER_TIMED_OUT);
  return due;
}
