/* The transfers that wait for the addresses of their hosts. libcurl is told
 * them (CURLOPT_RESOLVE) and looks up no name itself: it would hold on to a
 * lookup that nobody waits for any more, each version in its own way.
 */
#ifndef MINIMAX_LOOKUP_H
#define MINIMAX_LOOKUP_H

#include "net/dns.h"

struct engine;
struct transfer;
struct url_parts;

/* Of one engine. All zero: none. */
struct lookups {
  struct dns names;
  struct transfer *first, *last; /* those that wait, in the order they came */
};

/* A host that libcurl must know the addresses of to make a transfer: the one of
 * its URL, or its proxy, or both. */
enum { LOOKUP_HOSTS = 2 };
struct lookup_host {
  char *name; /* NULL: none is needed, an address was given */
  unsigned port;
};

/* Notes in the transfer what it needs: `proxy` may be NULL. -1: no memory. */
int lookup_plan(struct transfer *transfer, const struct url_parts *parts,
                const char *proxy);
void lookup_free_plan(struct transfer *transfer);

/* Hands a new transfer to libcurl, now or once its hosts are known; a host that
 * is not found ends it. -1: no memory. */
int lookup_attach(struct transfer *transfer);

/* It ends, or goes away. */
void lookup_forget(struct transfer *transfer);

/* It could not connect: its hosts may have moved. */
void lookup_distrust(const struct transfer *transfer);

/* At the end of a turn: takes answers, begins the transfers that waited. */
void lookup_tidy(struct engine *engine);

#endif
