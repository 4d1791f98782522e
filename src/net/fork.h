/* Tells a process from the child that it forked, without a system call: the
 * kernel hands a child zeros for a page that is marked so. */
#ifndef MINIMAX_FORK_H
#define MINIMAX_FORK_H

#include <sys/types.h>

/* All zero is a closed one. */
struct fork_check {
  unsigned char *page; /* NULL where the system has no such pages */
  pid_t process;
};

void fork_open(struct fork_check *check);
void fork_close(struct fork_check *check);

/* Whether this is the process that opened it. */
int fork_is_here(const struct fork_check *check);

#endif
