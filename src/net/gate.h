/* Who may send now: the places (connections) and the rate budgets of one
 * client, shared by everything it does, in the order of asking. */
#ifndef MINIMAX_GATE_H
#define MINIMAX_GATE_H

#include <stdint.h>

#include "base/rate.h"
#include "net/engine.h"

enum lane_name {
  LANE_QUERY,  /* reads: two places are kept free for them */
  LANE_FILE,   /* reads of files: a limit of queries says nothing of them */
  LANE_DELETE, /* small as a read, and must not stand behind any */
  LANE_SUBMIT, /* what costs money */
  LANE_BULK,   /* uploads and downloads: no rate budget */
  LANES
};

/* Embedded in whoever asks. All zero: in no queue. */
struct pass {
  struct pass *next, *previous;
  struct waiter *waiter; /* woken when its turn comes */
  enum lane_name lane;
  int64_t number;        /* its place in the order of asking */
  unsigned char patient; /* a wait's poll: stands back during an outage */
  unsigned char queued, inside, lent;
};

struct queue {
  struct pass *first, *last;
};

struct lane {
  struct rate rate;
  struct queue queues[2]; /* of those that are patient, and the others */
  int64_t first, last;    /* numbers given so far */
};

struct gate {
  struct engine *engine;
  struct lane lanes[LANES];
  unsigned places, used; /* transfers at once */
  unsigned bulk_used;    /* of them, not in LANE_QUERY */
  unsigned multiplier;   /* requests a connection carries (HTTP/2 streams) */
  unsigned failures;     /* reads that failed since the last answer */
  uint64_t probe_at;     /* the next patient one may go */
  struct pass *probe;    /* the patient one that went during the outage */
};

void gate_init(struct gate *gate, struct engine *engine, unsigned places);
void gate_free(struct gate *gate);

/* Asks for a place. 0: go (and leave afterwards). Otherwise the pass is in the
 * queue, and this is when to ask again; POLLER_NEVER: its waiter is woken. */
uint64_t gate_ask(struct gate *gate, struct pass *pass, uint64_t now);

/* Gives the place back, or leaves the queue; nothing if it is in neither. */
void gate_leave(struct gate *gate, struct pass *pass);

/* While its owner runs a function of the program's own, the place does not
 * count: what that function asks for would wait for it for ever. */
void gate_lend(struct gate *gate, struct pass *pass);
void gate_reclaim(struct gate *gate, struct pass *pass);

/* Whether what goes there changes nothing at the server. */
int gate_is_read(enum lane_name lane);

/* What a request learned. A read failed without an answer: patient ones send
 * one probe at a time, with back-off up to `cap` ms, until one is answered;
 * `named`: the ms that the server asks for, or 0. */
void gate_failed(struct gate *gate, uint64_t now, uint64_t cap, uint64_t named);
void gate_answered(struct gate *gate, enum lane_name lane, uint64_t now);
void gate_limited(struct gate *gate, enum lane_name lane, uint64_t now,
                  uint64_t retry_after);

/* Moves a waiting pass to the front of its queue. */
void gate_hurry(struct gate *gate, struct pass *pass);

#endif
