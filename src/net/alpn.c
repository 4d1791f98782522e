/* What the API's host speaks over TLS, and who waits to learn it. */
#include "net/alpn.h"

#include "net/engine.h"
#include "net/lookup.h"
#include "net/profile.h"

/* A paid request has a connection of its own in any case, and a download has
 * another host and HTTP/1.1. */
static int is_concerned(const struct transfer *transfer) {
  return transfer->purpose == TRANSFER_READ &&
         !profile_is_plain(transfer->profile);
}

enum transfer_outcome alpn_attach(struct transfer *transfer) {
  struct profile *profile = transfer->profile;
  if (is_concerned(transfer) && profile->alpn < ALPN_SETTLED) {
    transfer->is_held = profile->asking != NULL;
    if (transfer->is_held)
      return TRANSFER_UNDER_WAY;
    profile->asking = transfer;
    profile->alpn = ALPN_UNKNOWN;
  }
  return lookup_attach(transfer);
}

/* Those that wait are handed over at the end of the turn: here libcurl may be
 * at work. */
static void asked(const struct transfer *transfer, enum alpn alpn) {
  struct profile *profile = transfer->profile;
  if (profile->asking != transfer)
    return;
  profile->asking = NULL;
  profile->alpn = alpn;
  transfer->engine->alpn_told = 1;
}

void alpn_departed(const struct transfer *transfer) {
  asked(transfer, ALPN_SETTLED);
}

void alpn_ended(struct transfer *transfer) {
  transfer->is_held = 0;
  asked(transfer, ALPN_FAILED);
  if (transfer->outcome == TRANSFER_ANSWERED &&
      transfer->purpose != TRANSFER_FETCH)
    transfer->profile->alpn =
        transfer_http_version(transfer) == 2 ? ALPN_HTTP2 : ALPN_HTTP1;
}

void alpn_forget(struct transfer *transfer) {
  transfer->is_held = 0;
  asked(transfer, ALPN_UNKNOWN); /* another one asks */
}

/* Its time begins now. */
static enum transfer_outcome attach(struct transfer *transfer) {
  transfer->is_held = 0;
  transfer->started = transfer->waiting_since = poller_clock();
  return transfer->profile->alpn == ALPN_FAILED ? lookup_attach(transfer)
                                                : alpn_attach(transfer);
}

void alpn_tidy(struct engine *engine, transfer_stopper *stop) {
  struct transfer *transfer = engine->alpn_told ? engine->transfers : NULL;
  engine->alpn_told = 0;
  for (; transfer; transfer = transfer->next) {
    enum transfer_outcome outcome = TRANSFER_UNDER_WAY;
    if (transfer->is_held && !transfer->profile->asking)
      outcome = attach(transfer);
    if (outcome != TRANSFER_UNDER_WAY)
      stop(transfer, outcome);
  }
}
