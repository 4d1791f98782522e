/* What the transfers of one Lua state share, and who waits for them. */
#include "net/engine.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { LOOK = 10 }; /* ms: between two looks at sockets that nothing tells of */

enum engine_state engine_state(const struct engine *engine) {
  if (!engine->multi)
    return ENGINE_CLOSED;
  return fork_is_here(&engine->fork) ? ENGINE_OPEN : ENGINE_FORKED;
}

void engine_wake(struct engine *engine, struct waiter *waiter) {
  if (waiter->ready)
    return;
  waiter->ready = 1;
  waiter->next = NULL;
  waiter->previous = engine->last_ready;
  if (engine->last_ready)
    engine->last_ready->next = waiter;
  else
    engine->first_ready = waiter;
  engine->last_ready = waiter;
}

static void unready(struct engine *engine, struct waiter *waiter) {
  if (!waiter->ready)
    return;
  waiter->ready = 0;
  if (waiter->previous)
    waiter->previous->next = waiter->next;
  else
    engine->first_ready = waiter->next;
  if (waiter->next)
    waiter->next->previous = waiter->previous;
  else
    engine->last_ready = waiter->previous;
}

struct waiter *engine_take(struct engine *engine) {
  struct waiter *waiter = engine->first_ready;
  if (waiter)
    unready(engine, waiter);
  return waiter;
}

int engine_alarm(struct engine *engine, struct waiter *waiter, uint64_t due) {
  if (due != POLLER_NEVER)
    return heap_put(&engine->deadlines, &waiter->deadline, due);
  heap_remove(&engine->deadlines, &waiter->deadline);
  return 0;
}

void engine_forget(struct engine *engine, struct waiter *waiter) {
  unready(engine, waiter);
  heap_remove(&engine->deadlines, &waiter->deadline);
}

static int is_broken(const struct engine *engine, int fd) {
  for (int i = 0; i < engine->broken_count; i++)
    if (engine->broken[i] == fd)
      return 1;
  return 0;
}

int engine_avoid_broken(const struct engine *engine, int fd) {
  while (fd >= 0 && is_broken(engine, fd)) {
    int other = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
    close(fd);
    fd = other;
  }
  return fd;
}

uint64_t engine_due(const struct engine *engine) {
  const struct deadline *first = heap_first(&engine->deadlines);
  uint64_t due = engine->curl_due;
  if (engine->first_ready || engine->alpn_told)
    return 0;
  if (engine->poller.retry_at < due)
    due = engine->poller.retry_at;
  if (engine->deaf && engine->now + LOOK < due)
    due = engine->now + LOOK;
  return first && first->due < due ? first->due : due;
}

int engine_is_awaited(const struct engine *engine) {
  return engine_due(engine) != POLLER_NEVER;
}

void engine_settle(struct engine *engine) {
  if (engine_state(engine) == ENGINE_OPEN)
    poller_apply(&engine->poller, engine_due(engine));
}

void engine_settle_sockets(struct engine *engine) {
  if (engine_state(engine) == ENGINE_OPEN)
    poller_apply(&engine->poller, POLLER_NEVER);
}

void engine_pool(struct engine *engine, long connections) {
  if (engine->pooled < INT_MAX - connections)
    engine->pooled += connections;
  curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, engine->pooled);
}

/* Not curl_version: it starts what it names, OpenLDAP for one, which costs more
 * than all else that loading this module does. */
const char *engine_libcurl(const char **tls) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  *tls = info->ssl_version;
  return info->version;
}
