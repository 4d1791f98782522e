/* What the transfers of one Lua state share: one multi handle, one poller, one
 * heap of deadlines. It knows nothing of Lua; who waits is a `struct waiter`,
 * which it hands back once there is something to do. driver.h sets it to work.
 */
#ifndef MINIMAX_ENGINE_H
#define MINIMAX_ENGINE_H

#include <stdint.h>

#include "base/heap.h"
#include "net/dns.h"
#include "net/fork.h"
#include "net/poller.h"

struct transfer;

/* Embedded in whatever waits (a job). All zero: waits for nothing. */
struct waiter {
  struct deadline deadline;       /* first: the heap hands out its address */
  struct waiter *next, *previous; /* in the list of the ready */
  int ready;
};

enum { ENGINE_BROKEN = 16 };

/* All zero is a closed one. */
struct engine {
  void *multi; /* CURLM */
  struct poller poller;
  struct heap deadlines;
  uint64_t curl_due;   /* when libcurl wants to be called */
  uint64_t now;        /* the clock at the start of the turn under way */
  uint64_t read_until; /* what had arrived by then was read (driver_catch_up) */
  int deaf; /* memory ended, and a wish of libcurl's could not be noted */
  struct waiter *first_ready, *last_ready;
  struct transfer *transfers; /* all that were not released */
  struct transfer *unwatched; /* lost their socket in this turn */
  int broken[ENGINE_BROKEN];  /* descriptors that libcurl must not have again */
  int broken_count;
  struct dns dns;
  struct transfer *first_waiting, *last_waiting; /* for addresses: lookup.c */
  int alpn_told;                                 /* see alpn.c */
  int turning;                                   /* inside driver_turn */
  struct fork_check fork;                        /* the process it belongs to */
  uint64_t random;                               /* state of retry_random */
  long pooled; /* connections kept in libcurl's pool */
};

enum engine_state { ENGINE_OPEN, ENGINE_CLOSED, ENGINE_FORKED };

/* Forked: this is a child, and all that it holds is the parent's. */
enum engine_state engine_state(const struct engine *engine);

/* The next waiter for whom there is something to do, or NULL. */
struct waiter *engine_take(struct engine *engine);

/* Puts a waiter among the ready; nothing happens if it is there. */
void engine_wake(struct engine *engine, struct waiter *waiter);

/* Wakes it at `due`; replaces an earlier alarm. -1: no memory. */
int engine_alarm(struct engine *engine, struct waiter *waiter, uint64_t due);

/* The waiter goes away. */
void engine_forget(struct engine *engine, struct waiter *waiter);

/* Before every return from the module: applies what was noted. Like a turn, it
 * does nothing in a forked child. */
void engine_settle(struct engine *engine);

/* The same without the timer, for who waits in driver_turn at once. */
void engine_settle_sockets(struct engine *engine);

/* The instant of the next work; 0: there is some now; POLLER_NEVER: none. */
uint64_t engine_due(const struct engine *engine);

/* Whether anybody waits for that work. */
int engine_is_awaited(const struct engine *engine);

/* Room in the connection pool for one more client. */
void engine_pool(struct engine *engine, long connections);

/* The version of the libcurl that runs, and the name and version of its TLS
 * library, NULL where it has none. */
const char *engine_libcurl(const char **tls);

/* The socket, or another number for it: where libcurl had no memory to note
 * one, libcurl 7.88 divides by zero when it meets that number again. */
int engine_avoid_broken(const struct engine *engine, int fd);

#endif
