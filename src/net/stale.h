/* Whether a connection that is to be used again has been spoken on meanwhile.
 */
#ifndef MINIMAX_STALE_H
#define MINIMAX_STALE_H

struct poller;

/* One of ours by both its ends, as libcurl tells them: whether something waits
 * on it, be it its end. 0 where it is not found. */
int stale_is(struct poller *poller, int local_port, const char *peer,
             int peer_port);

#endif
