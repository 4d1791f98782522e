/* Drives all transfers and deadlines of one Lua state. */
#ifndef MINIMAX_DRIVER_H
#define MINIMAX_DRIVER_H

#include <stdint.h>

#include "net/engine.h"

/* 0, or -1 when the system refuses. */
int driver_open(struct engine *engine);

/* Ends all transfers without a word to their waiters. In a forked child it
 * does nothing: the sockets are the parent's. Idempotent. */
void driver_close(struct engine *engine);

/* One pass: waits at most `timeout` ms, lets libcurl act, collects what ended
 * and what fell due. Returns whether anything happened. Not re-entrant. */
int driver_turn(struct engine *engine, int timeout);

/* Before a deadline gives its verdict: reads what had arrived by that instant,
 * however late the program comes to look. Not from within a turn. */
void driver_catch_up(struct engine *engine, uint64_t instant);

/* The same before a transfer's clock does, and ends the transfer where it does:
 * the next instant at which to look again, or 0 if it has ended. */
uint64_t driver_look(struct transfer *transfer, uint64_t now);

#endif
