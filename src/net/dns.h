/* The addresses that an engine knows of host names, and its questions for more.
 */
#ifndef MINIMAX_DNS_H
#define MINIMAX_DNS_H

#include <stdint.h>

#include "net/resolver.h"

struct poller;

struct name {
  struct name *next;
  char *host;
  char *addresses;          /* NULL: not known */
  uint64_t at;              /* when they were found */
  unsigned waiting;         /* for its owner: who waits for them */
  struct question question; /* open while its `search` is set */
};

/* All zero: none. */
struct dns {
  struct name *first;
  unsigned asked; /* questions that are open ... */
  int bell[2];    /* ... and, if any, the pipe that their answers ring */
  int rang;
};

/* The record of a host, or NULL. */
struct name *dns_find(const struct dns *names, const char *host);

/* The same, made if need be, and asked for unless its addresses are fresh. It
 * may have them even so: they serve until newer ones are there. One with
 * neither addresses nor a question can't be asked for. NULL: no memory. */
struct name *dns_ask(struct dns *names, struct poller *poller,
                     const char *host);

/* Nobody waits for it any more. */
void dns_leave(struct dns *names, struct poller *poller, struct name *name);

/* Its addresses are not to be trusted. */
void dns_forget(struct name *name);

/* Whether the event of that descriptor is an answer. */
int dns_heard(struct dns *names, int fd);

/* Takes the answers; returns whether there may be some. */
int dns_take(struct dns *names, struct poller *poller);

/* Drops what nobody waits for and is too old to serve: the hosts of download
 * links would pile up. */
void dns_drop_old(struct dns *names);

void dns_close(struct dns *names, struct poller *poller);

#endif
