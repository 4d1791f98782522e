/* A long sleep that a signal ends at once. */
#include "net/long_sleep.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

#ifdef __linux__

#include <sys/stat.h>

/* The links of this folder are its own two and one for each thread. */
int long_sleep_is_alone(void) {
  struct stat folder;
  return stat("/proc/self/task", &folder) == 0 && folder.st_nlink == 3;
}

int long_sleep_begin(struct long_sleep *sleep) {
  sigset_t all;
  if (!long_sleep_is_alone())
    return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &sleep->before);
  return 0;
}

void long_sleep_sleep(const struct long_sleep *sleep, int fd, int timeout) {
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  const struct timespec limit = {timeout / 1000,
                                 (long)(timeout % 1000) * 1000000};
  ppoll(&watched, 1, &limit, &sleep->before);
}

void long_sleep_end(const struct long_sleep *sleep) {
  pthread_sigmask(SIG_SETMASK, &sleep->before, NULL);
}

#else

int long_sleep_is_alone(void) {
  return 0;
}

int long_sleep_begin(struct long_sleep *sleep) {
  (void)sleep;
  return -1;
}

void long_sleep_sleep(const struct long_sleep *sleep, int fd, int timeout) {
  (void)sleep, (void)fd, (void)timeout;
}

void long_sleep_end(const struct long_sleep *sleep) {
  (void)sleep;
}

#endif
