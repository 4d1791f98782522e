/* One lock for what the states of a process share. */
#include "base/process_lock.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void) {
  pthread_mutex_lock(&mutex);
}

static void unlock(void) {
  pthread_mutex_unlock(&mutex);
}

/* A fork must not leave the child a mutex that nobody will unlock. */
static void watch_forks(void) {
  pthread_atfork(lock, unlock, unlock);
}

void process_lock_enter(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  lock();
}

void process_lock_leave(void) {
  unlock();
}
