/* A long sleep that a signal ends at once, without looking every so often. */
#ifndef MINIMAX_LONG_SLEEP_H
#define MINIMAX_LONG_SLEEP_H

#include <signal.h>

struct long_sleep {
  sigset_t before;
};

/* Whether the process has one thread, for certain. */
int long_sleep_is_alone(void);

/* Holds signals back from here to long_sleep_end, so that none comes between
 * the last look at what handlers did and the sleep. 0, or -1 where that would
 * not help: another thread would take the signal. */
int long_sleep_begin(struct long_sleep *sleep);

/* Sleeps until `fd` can be read, a signal was handled, or `timeout` ms. */
void long_sleep_sleep(const struct long_sleep *sleep, int fd, int timeout);

void long_sleep_end(const struct long_sleep *sleep);

#endif
