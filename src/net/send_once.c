/* Whether a request may leave: one that costs money once at most. */
#include "net/send_once.h"

#include <curl/curl.h>

#include "base/address.h"
#include "net/alpn.h"
#include "net/engine.h"
#include "net/profile.h"
#include "net/stale.h"

static int is_checked(const struct transfer *transfer) {
  return transfer->purpose == TRANSFER_FETCH && !transfer->allow_private;
}

/* Through a proxy only the URL's own address can be checked. */
int send_once_is_forbidden(const struct transfer *transfer, int is_private) {
  return is_checked(transfer) &&
         (transfer->names_private || (is_private && !transfer->proxied));
}

/* libcurl sends a request again by itself when a reused connection has died or
 * HTTP/2 refuses the stream, up to five times. Never one that may cost money;
 * once one that reads, since its connection may have been a dead one. */
static unsigned most_departures(const struct transfer *transfer) {
  return transfer->purpose == TRANSFER_PAID ? 1 : 2;
}

/* Whether it has a used connection that carries one request at a time. What
 * waits on one of HTTP/2 is its own affair, or another stream's. */
static int is_alone_on_used(const struct transfer *transfer) {
  const struct profile *profile = transfer->profile;
  return !transfer->connected &&
         (transfer->purpose == TRANSFER_FETCH || profile_is_plain(profile) ||
          profile->alpn == ALPN_HTTP1);
}

/* The connection stands and the request is about to leave, unless the program
 * looks too late: nobody waits for its answer any more. */
int send_once_allow(void *user, char *peer, char *local, int peer_port,
                    int local_port) {
  struct transfer *transfer = user;
  (void)local;
  if (send_once_is_forbidden(transfer, address_name_is_private(peer))) {
    transfer_decide(transfer, TRANSFER_FORBIDDEN);
    return CURL_PREREQFUNC_ABORT;
  }
  if (poller_clock() >= transfer->leave_by) {
    transfer_decide(transfer, TRANSFER_TIMED_OUT);
    return CURL_PREREQFUNC_ABORT;
  }
  if (is_alone_on_used(transfer) &&
      stale_is(&transfer->engine->poller, local_port, peer, peer_port)) {
    transfer->is_stale = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  if (transfer->departures == most_departures(transfer)) {
    transfer_decide(transfer, TRANSFER_LOST);
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->departures++;
  alpn_departed(transfer);
  return CURL_PREREQFUNC_OK;
}
