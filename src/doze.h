/* A long sleep that a signal ends at once, without looking every so often.
 * Floor 2. */
#ifndef MINIMAX_DOZE_H
#define MINIMAX_DOZE_H

#include <signal.h>

struct doze {
  sigset_t before;
};

/* Whether the process has one thread, for certain. */
int doze_is_alone(void);

/* Holds signals back from here to doze_end, so that none comes between the
 * last look at what handlers did and the sleep. 0, or -1 where that would not
 * help: another thread would take the signal. */
int doze_begin(struct doze *doze);

/* Sleeps until `fd` can be read, a signal was handled, or `timeout` ms. */
void doze_sleep(const struct doze *doze, int fd, int timeout);

void doze_end(const struct doze *doze);

#endif
