/* Tells a process from the child that it forked, without a system call: the
 * kernel hands a child zeros for a page that is marked so. Floor 2. */
#ifndef MINIMAX_ORIGIN_H
#define MINIMAX_ORIGIN_H

#include <sys/types.h>

/* All zero is a closed one. */
struct origin {
  unsigned char *page; /* NULL where the system has no such pages */
  pid_t process;
};

void origin_open(struct origin *origin);
void origin_close(struct origin *origin);

/* Whether this is the process that opened it. */
int origin_is_here(const struct origin *origin);

#endif
