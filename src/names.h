/* The addresses that an engine knows of host names, and its questions for more.
 * Floor 2. */
#ifndef MINIMAX_NAMES_H
#define MINIMAX_NAMES_H

#include <stdint.h>

#include "resolver.h"

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
struct names {
  struct name *first;
  unsigned asked; /* questions that are open ... */
  int bell[2];    /* ... and, if any, the pipe that their answers ring */
  int rang;
};

/* The record of a host, or NULL. */
struct name *names_find(const struct names *names, const char *host);

/* The same, made if need be, and asked for unless its addresses are fresh. It
 * may have them even so: they serve until newer ones are there. One with
 * neither addresses nor a question can't be asked for. NULL: no memory. */
struct name *names_ask(struct names *names, struct poller *poller,
                       const char *host);

/* Nobody waits for it any more. */
void names_leave(struct names *names, struct poller *poller, struct name *name);

/* Its addresses are not to be trusted. */
void names_forget(struct name *name);

/* Whether the event of that descriptor is an answer. */
int names_heard(struct names *names, int fd);

/* Takes the answers; returns whether there may be some. */
int names_take(struct names *names, struct poller *poller);

/* Drops what nobody waits for and is too old to serve: the hosts of download
 * links would pile up. */
void names_drop_old(struct names *names);

void names_close(struct names *names, struct poller *poller);

#endif
