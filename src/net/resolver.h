/* Looks up the addresses of host names, in threads of its own: a lookup can't
 * be ended, and what libcurl does with one that nobody waits for any more
 * differs from version to version. Here it is left to itself, and holds nothing
 * but its thread. */
#ifndef MINIMAX_RESOLVER_H
#define MINIMAX_RESOLVER_H

struct search;

/* Who asks, and for what. Owned by the caller; all zero: asks for nothing. */
struct question {
  struct search *search;
  struct question *next; /* of those who wait for the same search */
  int bell;              /* a descriptor: a byte is written to it at the end */
};

enum resolver_answer { RESOLVER_PENDING, RESOLVER_FOUND, RESOLVER_FAILED };

/* Asks for a name. A search of the last second is joined; the whole process has
 * eight at most under way, and others wait for them. -1: no memory. */
int resolver_ask(struct question *question, const char *host, int bell);

/* Whether it has ended; the question is over then. Found: `*addresses` is
 * malloc'd, "192.0.2.1,[2001:db8::1]", in the system's order. */
enum resolver_answer resolver_look(struct question *question, char **addresses);

/* The answer is not wanted any more. Idempotent. */
void resolver_leave(struct question *question);

#endif
