/* Whether a request may leave over the connection that libcurl found for it:
 * one that costs money once at most, none too late or to a forbidden address.
 */
#ifndef MINIMAX_SEND_ONCE_H
#define MINIMAX_SEND_ONCE_H

#include "net/transfer_data.h"

/* libcurl's callback before each request leaves; `user` is the transfer. */
int send_once_allow(void *user, char *peer, char *local, int peer_port,
                    int local_port);

/* Whether an address, private or not, is none that a link may lead to. */
int send_once_is_forbidden(const struct transfer *transfer, int is_private);

#endif
