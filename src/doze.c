/* A long sleep that a signal ends at once. */
#include "doze.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

#ifdef __linux__

#include <sys/stat.h>

/* The links of this folder are its own two and one for each thread. */
int doze_is_alone(void) {
  struct stat folder;
  return stat("/proc/self/task", &folder) == 0 && folder.st_nlink == 3;
}

int doze_begin(struct doze *doze) {
  sigset_t all;
  if (!doze_is_alone())
    return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &doze->before);
  return 0;
}

void doze_sleep(const struct doze *doze, int fd, int timeout) {
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  const struct timespec limit = {timeout / 1000,
                                 (long)(timeout % 1000) * 1000000};
  ppoll(&watched, 1, &limit, &doze->before);
}

void doze_end(const struct doze *doze) {
  pthread_sigmask(SIG_SETMASK, &doze->before, NULL);
}

#else

int doze_is_alone(void) {
  return 0;
}

int doze_begin(struct doze *doze) {
  (void)doze;
  return -1;
}

void doze_sleep(const struct doze *doze, int fd, int timeout) {
  (void)doze, (void)fd, (void)timeout;
}

void doze_end(const struct doze *doze) {
  (void)doze;
}

#endif
