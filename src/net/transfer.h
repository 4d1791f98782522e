/* One HTTP exchange: a request, and its answer or how it was lost; its life,
 * its end, its clocks. */
#ifndef MINIMAX_TRANSFER_H
#define MINIMAX_TRANSFER_H

#include "net/transfer_data.h"

/* One with an empty body; NULL when memory ends. */
struct transfer *transfer_new(struct engine *engine, struct profile *profile,
                              enum transfer_purpose purpose);

/* Sends it. `waiter` is woken when it ends, be it at once. */
void transfer_start(struct transfer *transfer, struct waiter *waiter,
                    const struct transfer_order *order);

/* Ends it at once with that outcome. */
void transfer_stop(struct transfer *transfer, enum transfer_outcome outcome);

/* The next instant at which to look again; 0: it has ended, or ought to, since
 * no answer came in time or a body stalls (driver_look). */
uint64_t transfer_due(struct transfer *transfer, uint64_t now);

/* The owner made room in the sink. */
void transfer_resume(struct transfer *transfer);

/* Cancels it if need be; its handle may serve again. */
void transfer_release(struct transfer *transfer);

/* For the driver: libcurl ended it with this CURLcode. */
void transfer_ended(struct transfer *transfer, int code);

/* For the driver: frees it for good. */
void transfer_destroy(struct transfer *transfer);

/* The profile keeps no more easy handles for the next read, and frees those it
 * has. */
void transfer_drop_idle(struct profile *profile);

#endif
