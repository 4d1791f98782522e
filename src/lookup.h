/* Name lookups that nobody waits for any more. libcurl does each in a thread
 * that nothing can end, so a transfer that is cancelled in the middle of one is
 * kept until the lookup is over, and goes no further then. While many are left,
 * new transfers wait for them: threads do not pile up. Floor 2. */
#ifndef MINIMAX_LOOKUP_H
#define MINIMAX_LOOKUP_H

#include <stdint.h>

struct engine;
struct transfer;

/* Of one engine. All zero: none. */
struct lookups {
  unsigned abandoned;           /* transfers kept for their lookup alone */
  unsigned undecided;           /* attached ones that may still begin one */
  struct transfer *held, *last; /* new ones, first to last */
  uint64_t look_at;             /* ... at which to look again; 0: no need */
};

/* Whether a host is a name, and no address. */
int lookup_is_needed(const char *host);

/* Hands a new transfer to libcurl, now or later. -1: no memory. */
int lookup_attach(struct transfer *transfer);

/* libcurl looks its name up, and watches `fd`; it has no further need to; it
 * goes away. */
void lookup_begun(struct transfer *transfer, int fd);
void lookup_over(struct transfer *transfer);
void lookup_forget(struct transfer *transfer);

/* Its owner leaves it. Whether it is kept: it is no longer the owner's. */
int lookup_abandon(struct transfer *transfer);

/* Its engine goes away, and leaves the lookup behind. */
void lookup_leave(const struct transfer *transfer);

/* Whether nothing but such transfers is left. */
int lookup_are_all(const struct engine *engine);

/* At the end of a turn: frees those that are over, begins those that wait. */
void lookup_tidy(struct engine *engine);

#endif
