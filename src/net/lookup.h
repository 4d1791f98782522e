/* The transfers that wait for the addresses of their hosts. libcurl is told
 * them (CURLOPT_RESOLVE) and looks up no name itself: it would hold on to a
 * lookup that nobody waits for any more, each version in its own way.
 */
#ifndef MINIMAX_LOOKUP_H
#define MINIMAX_LOOKUP_H

#include "net/transfer_data.h"

struct url_parts;

/* Notes in the transfer what it needs: `proxy` may be NULL. -1: no memory. */
int lookup_plan(struct transfer *transfer, const struct url_parts *parts,
                const char *proxy);
void lookup_free_plan(struct transfer *transfer);

/* Hands a new transfer to libcurl, now or once its hosts are known: under way,
 * or what it has to end with. */
enum transfer_outcome lookup_attach(struct transfer *transfer);

/* It ends, or goes away. */
void lookup_forget(struct transfer *transfer);

/* It could not connect: its hosts may have moved. */
void lookup_distrust(const struct transfer *transfer);

/* At the end of a turn: takes answers, begins the transfers that waited. */
void lookup_tidy(struct engine *engine, transfer_stopper *stop);

#endif
