/* What the API's host speaks over TLS: HTTP/2, where one connection carries all
 * requests, or HTTP/1.1, where each needs one of its own. Only a handshake
 * tells (ALPN). So the first request alone makes it, and those that come
 * meanwhile wait for that, not for its answer. */
#ifndef MINIMAX_ALPN_H
#define MINIMAX_ALPN_H

#include "net/transfer_data.h"

/* Hands the transfer to libcurl, at once or later: under way, or what it has to
 * end with. */
enum transfer_outcome alpn_attach(struct transfer *transfer);

/* Its connection stands, for the first time perhaps. */
void alpn_departed(const struct transfer *transfer);

/* It has its outcome. */
void alpn_ended(struct transfer *transfer);

/* It goes away, perhaps without one. */
void alpn_forget(struct transfer *transfer);

/* At the end of a turn: hands over those that need not wait any longer. */
void alpn_tidy(struct engine *engine, transfer_stopper *stop);

#endif
