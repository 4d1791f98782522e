/* Name lookups that nobody waits for any more. */
#include "lookup.h"

#include <curl/curl.h>
#include <string.h>

#include "engine.h"
#include "linger.h"
#include "transfer.h"

enum {
  MOST = 8,  /* threads of abandoned lookups */
  LOOK = 100 /* ms: between two looks at those of closed states */
};

int lookup_is_needed(const char *host) {
  return !strchr(host, ':') && host[strspn(host, "0123456789.")] != '\0';
}

/* Any transfer may turn out to need a lookup, and to be abandoned. */
static int must_wait(const struct lookups *lookups) {
  unsigned left = lookups->abandoned + linger_count();
  return left > 0 && left + lookups->undecided >= MOST;
}

/* The end of a lookup of a closed state wakes nobody. */
static void look_again(struct lookups *lookups) {
  lookups->look_at =
      lookups->held && linger_count() > 0 ? poller_clock() + LOOK : 0;
}

static int attach(struct transfer *transfer) {
  struct engine *engine = transfer->engine;
  if (curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK)
    return -1;
  transfer->attached = 1;
  transfer->lookup = LOOKUP_UNDECIDED;
  engine->lookups.undecided++;
  return 0;
}

static void hold(struct transfer *transfer) {
  struct lookups *lookups = &transfer->engine->lookups;
  transfer->lookup = LOOKUP_HELD;
  transfer->next_held = NULL;
  if (lookups->held)
    lookups->last->next_held = transfer;
  else
    lookups->held = transfer;
  lookups->last = transfer;
  look_again(lookups);
}

int lookup_attach(struct transfer *transfer) {
  if (!transfer->needs_lookup || !must_wait(&transfer->engine->lookups))
    return attach(transfer);
  hold(transfer);
  return 0;
}

void lookup_begun(struct transfer *transfer, int fd) {
  if (transfer->lookup != LOOKUP_UNDECIDED)
    return;
  transfer->lookup = LOOKUP_UNDER_WAY;
  transfer->lookup_fd = fd;
}

void lookup_leave(const struct transfer *transfer) {
  if (transfer->lookup == LOOKUP_UNDER_WAY ||
      (transfer->abandoned && transfer->attached))
    linger_add(transfer->lookup_fd);
}

void lookup_over(struct transfer *transfer) {
  if (transfer->lookup == LOOKUP_UNDECIDED ||
      transfer->lookup == LOOKUP_UNDER_WAY)
    transfer->engine->lookups.undecided--;
  transfer->lookup = LOOKUP_NONE;
}

static void leave_queue(struct transfer *transfer) {
  struct lookups *lookups = &transfer->engine->lookups;
  struct transfer *before = NULL;
  struct transfer *each = lookups->held;
  while (each != transfer) {
    before = each;
    each = each->next_held;
  }
  if (before)
    before->next_held = transfer->next_held;
  else
    lookups->held = transfer->next_held;
  if (lookups->last == transfer)
    lookups->last = before;
}

void lookup_forget(struct transfer *transfer) {
  if (transfer->lookup == LOOKUP_HELD)
    leave_queue(transfer);
  if (transfer->abandoned)
    transfer->engine->lookups.abandoned--;
  transfer->abandoned = 0;
  lookup_over(transfer);
}

int lookup_abandon(struct transfer *transfer) {
  struct lookups *lookups = &transfer->engine->lookups;
  if (!transfer->attached || transfer->lookup != LOOKUP_UNDER_WAY)
    return 0;
  lookup_over(transfer);
  lookups->abandoned++;
  transfer->abandoned = 1;
  transfer->waiter = NULL;
  transfer->sink = NULL;
  body_free(&transfer->body);
  return 1;
}

int lookup_are_all(const struct engine *engine) {
  const struct transfer *transfer = engine->transfers;
  if (!transfer || heap_first(&engine->deadlines) || engine->first_ready)
    return 0;
  while (transfer && transfer->abandoned)
    transfer = transfer->next;
  return !transfer;
}

static void free_finished(struct engine *engine) {
  struct transfer *transfer = engine->transfers;
  while (transfer) {
    struct transfer *next = transfer->next;
    if (transfer->abandoned && !transfer->attached)
      transfer_destroy(transfer);
    transfer = next;
  }
}

void lookup_tidy(struct engine *engine) {
  struct lookups *lookups = &engine->lookups;
  if (lookups->abandoned > 0)
    free_finished(engine);
  linger_count(); /* lets go of what ended */
  while (lookups->held && !must_wait(lookups)) {
    struct transfer *transfer = lookups->held;
    leave_queue(transfer);
    transfer->lookup = LOOKUP_NONE;
    if (attach(transfer) < 0)
      transfer_stop(transfer, TRANSFER_NO_MEMORY);
  }
  look_again(lookups);
}
